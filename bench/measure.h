/* SPDX-License-Identifier: MIT */
/*
 * Series of measurements, and what there is to do when something can't be measured.
 */
#ifndef REEVE_BENCH_MEASURE_H
#define REEVE_BENCH_MEASURE_H

#include <stdint.h>

#define SERIES_MAX 500

/* Times of one kind, in the order they were taken until the first percentile is asked for. */
struct series {
    int64_t took_us[SERIES_MAX];
    unsigned n;
};

/* What began then has ended now. */
void series_add(struct series *series, int64_t began_boot_us);
/* In milliseconds; 50 is the median. */
double series_percentile_ms(struct series *series, unsigned percent);

/* One line on stderr, and exit 1. */
_Noreturn void give_up(const char *what, const char *why);

#endif
