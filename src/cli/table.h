/* SPDX-License-Identifier: MIT */
/*
 * A table on a terminal: cells of cleaned text, laid out so that no line is wider than the screen.
 *
 * Use: table_init, set the columns, table_add_row and fill its cells, table_lay_out, table_write.
 */
#ifndef REEVE_CLI_TABLE_H
#define REEVE_CLI_TABLE_H

#include "base/arena.h"
#include "cli/screen.h"

#define TABLE_GAP 2 /* blanks between columns */

struct cell {
    struct slice text; /* cleaned, one line */
    enum tint tint;
};

struct column {
    struct slice title;
    bool right; /* numbers */
    bool time;  /* gives up its fraction of a second first, and is then not marked as cut */
    size_t
        floor; /* never narrower than this, so that an id can be copied; 0: what any column needs */
    size_t width; /* set by table_lay_out(); 0: dropped for want of room */
};

struct table {
    struct arena *arena;
    struct column *columns;
    size_t n_columns;
    struct cell *cells; /* row by row */
    size_t n_rows, room;
};

/* Columns and cells live in the arena. */
void table_init(struct table *table, struct arena *arena, size_t n_columns);
/* A new row: n_columns empty cells, to be filled before the next is added. */
struct cell *table_add_row(struct table *table);
const struct cell *table_row(const struct table *table, size_t row);

/* Gives every column a width. Too wide: columns are dropped from the right until each of the others
   has room for the least it needs; then times lose their fraction, then the widest are cut. */
void table_lay_out(struct table *table, const struct screen *screen);
/* Whether the cell will be shown cut. */
bool table_cuts(const struct table *table, size_t row, size_t column);
/* Titles and rows, a line each, without blanks at the end. */
void table_write(const struct table *table, const struct screen *screen, struct buf *to);

#endif
