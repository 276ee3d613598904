/* SPDX-License-Identifier: MIT */
/*
 * Times below LATENCY_STEPS nanoseconds have a bucket each; above, an octave has LATENCY_STEPS.
 */
#include "latency.h"

#include <assert.h>
#include <time.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_US 1000.0
#define STEP_BITS 7u
_Static_assert(1u << STEP_BITS == LATENCY_STEPS, "a step is a number of bits");

int64_t latency_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static unsigned bucket_of(uint64_t ns)
{
    if (ns < LATENCY_STEPS)
        return (unsigned)ns;
    unsigned octave = 63 - (unsigned)__builtin_clzll(ns) - STEP_BITS;
    unsigned bucket = (octave + 1) * LATENCY_STEPS + (unsigned)(ns >> octave) - LATENCY_STEPS;
    unsigned last = LATENCY_OCTAVES * LATENCY_STEPS - 1;
    return bucket < last ? bucket : last;
}

static double bucket_begins_ns(unsigned bucket)
{
    if (bucket < LATENCY_STEPS)
        return bucket;
    unsigned octave = bucket / LATENCY_STEPS - 1;
    return (double)((uint64_t)(bucket % LATENCY_STEPS + LATENCY_STEPS) << octave);
}

void latency_add(struct latency *latency, int64_t took_ns)
{
    latency->counts[bucket_of(took_ns > 0 ? (uint64_t)took_ns : 0)]++;
    latency->n++;
}

double latency_percentile_us(const struct latency *latency, unsigned percent)
{
    uint64_t before = latency->n * percent / 100, seen = 0;

    assert(percent < 100);
    for (unsigned bucket = 0; bucket < LATENCY_OCTAVES * LATENCY_STEPS; bucket++) {
        seen += latency->counts[bucket];
        if (seen > before)
            return bucket_begins_ns(bucket) / NS_PER_US;
    }
    return 0;
}
