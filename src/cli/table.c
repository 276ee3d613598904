/* SPDX-License-Identifier: MIT */
/*
 * Laying out and writing tables.
 *
 * Layout works on widths alone; that a cell is cut follows from its width when it is written.
 */
#include "cli/table.h"

#include "base/mem.h"
#include "cli/text.h"

#define FLOOR_MIN 5 /* a column cut further says nothing */

void table_init(struct table *table, struct arena *arena, size_t n_columns)
{
    *table = (struct table){
        .arena = arena,
        .columns = arena_alloc(arena, n_columns * sizeof(*table->columns)),
        .n_columns = n_columns,
    };
}

struct cell *table_add_row(struct table *table)
{
    size_t row_size = table->n_columns * sizeof(*table->cells);

    if (table->n_rows == table->room) {
        struct cell *old = table->cells;
        table->room = table->room ? table->room * 2 : 16;
        table->cells = arena_alloc(table->arena, table->room * row_size);
        if (old)
            memcpy(table->cells, old, table->n_rows * row_size);
    }
    return table->cells + table->n_columns * table->n_rows++;
}

const struct cell *table_row(const struct table *table, size_t row)
{
    return table->cells + table->n_columns * row;
}

/*
 * Layout
 */

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What the widest cell needs; nothing needs more than the screen and a bit, which is too much
 * already. */
static void widths_natural(struct table *table, size_t screen_columns)
{
    for (size_t c = 0; c < table->n_columns; c++) {
        struct column *column = &table->columns[c];
        size_t widest = text_columns(column->title);
        for (size_t r = 0; r < table->n_rows; r++) {
            size_t columns = text_columns(table_row(table, r)[c].text);
            widest = columns > widest ? columns : widest;
        }
        column->width = min_of(widest, screen_columns + 1);
    }
}

/* The least a column needs; less when it never was wider. */
static size_t floor_of(const struct column *column)
{
    return min_of(column->width, column->floor ? column->floor : FLOOR_MIN);
}

static size_t full_of(const struct column *column)
{
    return column->width;
}

static size_t sum_of(const struct table *table, size_t (*width)(const struct column *))
{
    size_t sum = 0;

    for (size_t c = 0; c < table->n_columns; c++) {
        if (table->columns[c].width > 0)
            sum += width(&table->columns[c]) + (sum > 0 ? TABLE_GAP : 0);
    }
    return sum;
}

static void drop_columns(struct table *table, size_t room)
{
    for (size_t c = table->n_columns; c-- > 1 && sum_of(table, floor_of) > room;)
        table->columns[c].width = 0;
}

static void drop_fractions(struct table *table)
{
    for (size_t c = 0; c < table->n_columns; c++) {
        if (table->columns[c].time)
            table->columns[c].width = floor_of(&table->columns[c]);
    }
}

static struct column *widest_to_cut(struct table *table)
{
    struct column *widest = NULL;

    for (size_t c = 0; c < table->n_columns; c++) {
        struct column *column = &table->columns[c];
        if (column->width > floor_of(column) && (!widest || column->width > widest->width))
            widest = column;
    }
    return widest;
}

void table_lay_out(struct table *table, const struct screen *screen)
{
    struct column *widest;

    widths_natural(table, screen->columns);
    if (sum_of(table, full_of) <= screen->columns)
        return;
    drop_columns(table, screen->columns);
    drop_fractions(table);
    while (sum_of(table, full_of) > screen->columns && (widest = widest_to_cut(table)))
        widest->width--;
}

bool table_cuts(const struct table *table, size_t row, size_t column)
{
    return text_columns(table_row(table, row)[column].text) > table->columns[column].width;
}

/*
 * Writing
 */

static void write_cell(struct buf *to, const struct column *column, struct slice text, bool last)
{
    size_t columns = text_columns(text);

    if (columns > column->width && column->time)
        text_fit(to, slice_cut_at_character(text, column->width), column->width, false);
    else if (last && columns <= column->width && !column->right)
        buf_add_slice(to, text);
    else
        text_fit(to, text, column->width, column->right);
}

static size_t last_column(const struct table *table)
{
    size_t last = table->n_columns - 1;

    while (last > 0 && table->columns[last].width == 0)
        last--;
    return last;
}

static void trim_end(struct buf *to)
{
    while (to->size > 0 && to->at[to->size - 1] == ' ')
        to->size--;
}

static void write_row(const struct table *table, const struct screen *screen,
                      const struct cell *cells, struct buf *to)
{
    size_t last = last_column(table);

    for (size_t c = 0; c <= last; c++) {
        if (table->columns[c].width == 0)
            continue;
        tint_begin(to, screen, cells[c].tint);
        write_cell(to, &table->columns[c], cells[c].text, c == last);
        tint_end(to, screen, cells[c].tint);
        if (c < last)
            text_fill(to, TABLE_GAP);
    }
    trim_end(to);
    buf_add_char(to, '\n');
}

void table_write(const struct table *table, const struct screen *screen, struct buf *to)
{
    struct cell *titles = arena_alloc(table->arena, table->n_columns * sizeof(*titles));

    if (table->n_columns == 0)
        return;
    for (size_t c = 0; c < table->n_columns; c++)
        titles[c] = (struct cell){.text = table->columns[c].title, .tint = TINT_BOLD};
    write_row(table, screen, titles, to);
    for (size_t r = 0; r < table->n_rows; r++)
        write_row(table, screen, table_row(table, r), to);
}
