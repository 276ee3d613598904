/* SPDX-License-Identifier: MIT */
/*
 * Series of measurements, what is made of them, and what there is to do when something can't be
 * measured.
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

#define SAMPLES_MAX 100

/* What was measured once a round. */
struct samples {
    double v[SAMPLES_MAX];
    unsigned n;
};

void samples_add(struct samples *samples, double value);
/* NAN when there is none. The order of samples stays. */
double samples_median(const struct samples *samples);
/* The median of the quotients of those that were measured in the same round. */
double samples_ratio(const struct samples *a, const struct samples *b);

/* The number that an option is; anything else ends the program as give_up() does. */
uint64_t number_of_option(const char *text, uint64_t min, uint64_t max);

/* One line on stderr, and exit 1. */
_Noreturn void give_up(const char *what, const char *why);

#endif
