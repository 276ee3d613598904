/* SPDX-License-Identifier: MIT */
/*
 * Rows of the table: what was measured, and what it must be.
 */
#ifndef REEVE_BENCH_FIGURE_H
#define REEVE_BENCH_FIGURE_H

#include "base/arena.h"
#include "base/json.h"

#include <math.h>

#define NOT_TOLD NAN /* a value that this machine or this run can't give */

enum unit {
    UNIT_MS,
    UNIT_US,
    UNIT_S,
    UNIT_GB,
    UNIT_MB,
    UNIT_KB,
    UNIT_PERCENT,
    UNIT_TIMES, /* a ratio */
    UNIT_PER_S,
    UNIT_COUNT
};

enum bound_kind { BOUND_NONE, BOUND_AT_MOST, BOUND_AT_LEAST, BOUND_KIND_COUNT };

struct figure {
    const char *name;
    enum unit unit;
    double value;
    enum bound_kind must;
    double bound;
    const char *bound_is; /* NULL: a plain number */
};

#define FIGURES_MAX 64

struct figures {
    struct figure v[FIGURES_MAX];
    size_t n;
};

void figures_add(struct figures *to, const struct figure *figures, size_t n);
void figures_print(const struct figures *figures);

/* An array of objects; and back, added to *to. What is not such an array ends the program. */
void figures_encode(const struct figures *figures, struct json_writer *to);
void figures_decode(struct json array, struct arena *arena, struct figures *to);

#endif
