/* SPDX-License-Identifier: MIT */
/*
 * A chart of cost against size as SVG: both axes by powers of ten.
 */
#ifndef REEVE_BENCH_CHART_H
#define REEVE_BENCH_CHART_H

#include "base/buf.h"

#define CHART_POINTS_MAX 8

struct chart_point {
    double x, y; /* more than 0; NAN: there is none */
};

/* One point: a mark with its name beside it; several: a line. */
struct chart_series {
    const char *name;
    struct chart_point points[CHART_POINTS_MAX];
    size_t n;
};

struct chart {
    const char *title, *x_name, *y_name;
    const struct chart_series *series;
    size_t n;
};

void chart_write(const struct chart *chart, struct buf *to);

#endif
