/* SPDX-License-Identifier: MIT */
/*
 * Percentiles are values that were measured; nothing is interpolated or averaged.
 */
#include "measure.h"

#include "base/clock.h"

#include <assert.h>

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

_Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}
