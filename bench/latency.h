/* SPDX-License-Identifier: MIT */
/*
 * How long things took, counted in buckets that are less than 1 % wide.
 */
#ifndef REEVE_BENCH_LATENCY_H
#define REEVE_BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_STEPS   128u /* buckets from a power of two to the next */
#define LATENCY_OCTAVES 40u  /* the last one begins after nine minutes */

struct latency {
    uint64_t n;
    uint32_t counts[LATENCY_OCTAVES * LATENCY_STEPS];
};

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t latency_now_ns(void);
void latency_add(struct latency *latency, int64_t took_ns);
/* In microseconds: the lower end of the bucket; 0 when there is nothing. */
double latency_percentile_us(const struct latency *latency, unsigned percent);

#endif
