/* SPDX-License-Identifier: MIT */
/*
 * Laying out and writing tables.
 *
 * Layout works on widths alone; that a cell is cut follows from its width when it is written.
 */
#include "cli/table.h"

#include "base/mem.h"
#include "cli/text.h"

#define WIDTH_MIN 5 /* a column cut further says nothing */

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

static void widths_natural(struct table *table)
{
    for (size_t c = 0; c < table->n_columns; c++)
        table->columns[c].width = text_columns(table->columns[c].title);
    for (size_t r = 0; r < table->n_rows; r++) {
        for (size_t c = 0; c < table->n_columns; c++) {
            size_t columns = text_columns(table_row(table, r)[c].text);
            if (columns > table->columns[c].width)
                table->columns[c].width = columns;
        }
    }
}

static size_t width_of(const struct table *table)
{
    size_t width = 0;

    for (size_t c = 0; c < table->n_columns; c++) {
        if (table->columns[c].width > 0)
            width += table->columns[c].width + (width > 0 ? TABLE_GAP : 0);
    }
    return width;
}

static struct column *widest_to_cut(struct table *table)
{
    struct column *widest = NULL;

    for (size_t c = 0; c < table->n_columns; c++) {
        struct column *column = &table->columns[c];
        if (!column->whole && column->width > WIDTH_MIN && column->width > column->short_columns &&
            (!widest || column->width > widest->width))
            widest = column;
    }
    return widest;
}

void table_lay_out(struct table *table, const struct screen *screen)
{
    struct column *widest;

    widths_natural(table);
    if (width_of(table) <= screen->columns)
        return;
    for (size_t c = 0; c < table->n_columns; c++) {
        struct column *column = &table->columns[c];
        if (column->short_columns > 0)
            column->width = min_of(column->width, column->short_columns);
        else if (!column->whole)
            column->width = min_of(column->width, screen->columns);
    }
    while (width_of(table) > screen->columns && (widest = widest_to_cut(table)))
        widest->width--;
    for (size_t c = table->n_columns; c-- > 1 && width_of(table) > screen->columns;)
        table->columns[c].width = 0;
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

    if (columns > column->width && column->short_columns == column->width)
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
