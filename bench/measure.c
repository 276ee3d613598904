/* SPDX-License-Identifier: MIT */
/*
 * Percentiles are values that were measured; nothing is interpolated or averaged.
 */
#include "measure.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

void series_add(struct series *series, int64_t began_boot_us)
{
    assert(series->n < SERIES_MAX);
    series->took_us[series->n++] = clock_boot_us() - began_boot_us;
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

double series_percentile_ms(struct series *series, unsigned percent)
{
    assert(series->n > 0 && percent < 100);
    qsort(series->took_us, series->n, sizeof(series->took_us[0]), compare_times);
    return (double)series->took_us[series->n * percent / 100] / (double)US_PER_MS;
}

void samples_add(struct samples *samples, double value)
{
    assert(samples->n < SAMPLES_MAX);
    samples->v[samples->n++] = value;
}

static int compare_values(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return *x < *y ? -1 : *x > *y;
}

double samples_median(const struct samples *samples)
{
    struct samples sorted = *samples;

    if (sorted.n == 0)
        return NAN;
    qsort(sorted.v, sorted.n, sizeof(sorted.v[0]), compare_values);
    return sorted.v[sorted.n / 2];
}

double samples_ratio(const struct samples *a, const struct samples *b)
{
    struct samples quotients = {.n = 0};

    for (unsigned i = 0; i < a->n && i < b->n; i++)
        samples_add(&quotients, a->v[i] / b->v[i]);
    return samples_median(&quotients);
}

_Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

uint64_t number_of_option(const char *text, uint64_t min, uint64_t max)
{
    char *end;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || number < min || number > max)
        give_up(text, "is no number in the range of its option");
    return number;
}
