/* SPDX-License-Identifier: MIT */
/*
 * Counts as pictures: bars for a map of integers, sparklines for a list of moments and counts.
 *
 * What is drawn follows from the field's type (chart_kind_of()), never from the operation. On a
 * terminal that does not take UTF-8 the same is drawn with ASCII.
 */
#ifndef REEVE_CLI_CHART_H
#define REEVE_CLI_CHART_H

#include "catalog/catalog.h"
#include "cli/screen.h"

enum chart_kind {
    CHART_NONE,
    CHART_BARS,   /* map(i64) */
    CHART_SERIES, /* a list of objects: a time, FORMAT(date_time), then nothing but i64 */
};
enum chart_kind chart_kind_of(const struct type *type);

/* Appends the value, which is a container; members of other kinds than the field's are left out. A
   line each: name, number, bar; or name and sparkline, of those that are not all 0. Bars are as
   long as their share of the longest; a sparkline's highest step is its own largest number. */
void chart_write(const struct type *type, struct json value, const struct screen *screen,
                 struct buf *to, struct arena *arena);

#endif
