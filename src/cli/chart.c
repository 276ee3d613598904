/* SPDX-License-Identifier: MIT */
/*
 * Bars and sparklines.
 */
#include "cli/chart.h"

#include "base/mem.h"
#include "cli/text.h"
#include "cli/value.h"

#include <inttypes.h>

#define INDENT           2
#define GAP              2
#define NAME_COLUMNS_MAX 40 /* longer names are cut */
#define DRAWN_COLUMNS    8  /* at least, however narrow the screen */
#define NUMBER_SIZE      24
#define MOST_COLUMNS     20 /* of "  at most 12345" behind a sparkline */

/* A count of 0 has the lowest step, and no other count has it. */
#define STEPS 8
static const char *const steps_utf8[STEPS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const steps_ascii[STEPS] = {"_", ".", ":", "-", "=", "+", "*", "#"};

static bool is_time(const struct field *field)
{
    return field->wire && value_is_time(field);
}

static bool schema_is_series(const struct schema *schema)
{
    const struct field *field = schema->fields;

    if (!is_time(field) || !field[1].wire)
        return false;
    for (field++; field->wire; field++) {
        if (field->type.kind != KIND_I64)
            return false;
    }
    return true;
}

enum chart_kind chart_kind_of(const struct type *type)
{
    if (type->kind == KIND_MAP && type->element->kind == KIND_I64)
        return CHART_BARS;
    if (type->kind == KIND_LIST && type->element->kind == KIND_OBJ &&
        schema_is_series(type->element->schema))
        return CHART_SERIES;
    return CHART_NONE;
}

/* Counts are not negative; what is no count is none. */
static uint64_t count_of(struct json json)
{
    int64_t value;

    return json.kind == JSON_NUMBER && json_i64(json, &value) && value > 0 ? (uint64_t)value : 0;
}

/* `whole` times count / most, and at least 1 unless the count is 0. */
static size_t share_of(uint64_t count, uint64_t most, size_t whole)
{
    if (count == 0)
        return 0;
    size_t share = (size_t)((double)count / (double)most * (double)whole + 0.5);
    return share == 0 ? 1 : share > whole ? whole : share;
}

/* Columns that are left beside `used`. */
static size_t columns_left(const struct screen *screen, size_t used)
{
    return screen->columns > used + DRAWN_COLUMNS ? screen->columns - used : DRAWN_COLUMNS;
}

/*
 * Bars
 */

struct bars {
    size_t name_columns, number_columns;
    uint64_t most;
};

static struct slice name_of(const struct json_walk *walk, struct arena *arena)
{
    static const struct field text = {.type = {.kind = KIND_STR}};

    return value_cell(&text, &walk->key, arena);
}

static struct bars bars_measure(struct json map, struct arena *arena)
{
    struct json_walk walk = json_walk(map);
    struct bars bars = {.most = 0};

    while (json_next(&walk)) {
        size_t columns = text_columns(name_of(&walk, arena));
        uint64_t count = count_of(walk.value);
        bars.name_columns = columns > bars.name_columns ? columns : bars.name_columns;
        bars.most = count > bars.most ? count : bars.most;
    }
    if (bars.name_columns > NAME_COLUMNS_MAX)
        bars.name_columns = NAME_COLUMNS_MAX;
    char number[NUMBER_SIZE];
    bars.number_columns = (size_t)snprintf(number, sizeof(number), "%" PRIu64, bars.most);
    return bars;
}

static void write_bars(struct json map, const struct screen *screen, struct buf *to,
                       struct arena *arena)
{
    const struct bars bars = bars_measure(map, arena);
    size_t whole =
        columns_left(screen, INDENT + bars.name_columns + GAP + bars.number_columns + GAP);
    const char *block = screen->utf8 ? steps_utf8[STEPS - 1] : steps_ascii[STEPS - 1];

    for (struct json_walk walk = json_walk(map); json_next(&walk);) {
        char number[NUMBER_SIZE];
        uint64_t count = count_of(walk.value);
        text_fill(to, INDENT);
        text_fit(to, name_of(&walk, arena), bars.name_columns, false);
        text_fill(to, GAP);
        snprintf(number, sizeof(number), "%" PRIu64, count);
        text_fit(to, slice_of(number), bars.number_columns, true);
        size_t length = share_of(count, bars.most, whole);
        text_fill(to, length ? GAP : 0);
        while (length-- > 0)
            buf_add_text(to, block);
        buf_add_char(to, '\n');
    }
}

/*
 * Series
 */

struct series {
    struct json list;
    size_t n;          /* elements */
    size_t per_column; /* elements that share one, when there are more than columns */
    size_t name_columns;
};

static struct series series_measure(const struct schema *schema, struct json list,
                                    const struct screen *screen)
{
    struct series series = {.list = list};

    for (struct json_walk walk = json_walk(list); json_next(&walk);)
        series.n++;
    for (const struct field *field = schema->fields + 1; field->wire; field++) {
        size_t columns = strlen(field->wire);
        series.name_columns = columns > series.name_columns ? columns : series.name_columns;
    }
    size_t whole = columns_left(screen, INDENT + series.name_columns + GAP + MOST_COLUMNS);
    series.per_column = (series.n + whole - 1) / whole;
    return series;
}

/* Sums of the field by column; *ret_most is the largest. How many. */
static size_t series_sums(const struct series *series, const struct field *field, uint64_t *sums,
                          uint64_t *ret_most)
{
    struct json_walk walk = json_walk(series->list);
    struct json value;
    size_t n_columns = 0;

    *ret_most = 0;
    for (size_t i = 0; json_next(&walk); i++) {
        size_t column = i / series->per_column;
        if (column == n_columns)
            sums[n_columns++] = 0;
        if (walk.value.kind == JSON_OBJECT && json_member(walk.value, field->wire, &value))
            sums[column] += count_of(value);
        *ret_most = sums[column] > *ret_most ? sums[column] : *ret_most;
    }
    return n_columns;
}

static void write_sparkline(const uint64_t *sums, size_t n, uint64_t most,
                            const struct screen *screen, struct buf *to)
{
    for (size_t i = 0; i < n; i++) {
        size_t step = most ? share_of(sums[i], most, STEPS - 1) : 0;
        buf_add_text(to, screen->utf8 ? steps_utf8[step] : steps_ascii[step]);
    }
}

/* "  2026-11-24 06:00:00 to 2026-11-24 09:00:00, 2 a column" */
static void write_range(const struct series *series, const struct field *time, struct buf *to,
                        struct arena *arena)
{
    struct json_walk walk = json_walk(series->list);
    struct slice first = {.size = 0}, last = {.size = 0};
    struct json value;

    while (json_next(&walk)) {
        bool has = walk.value.kind == JSON_OBJECT && json_member(walk.value, time->wire, &value);
        last = value_cell(time, has ? &value : NULL, arena);
        last = slice_cut_at_character(last, VALUE_TIME_SHORT);
        first = first.size ? first : last;
    }
    text_fill(to, INDENT);
    buf_printf(to, "%.*s to %.*s", (int)first.size, first.at, (int)last.size, last.at);
    if (series->per_column > 1)
        buf_printf(to, ", %zu a column", series->per_column);
    buf_add_char(to, '\n');
}

static void write_series(const struct schema *schema, struct json list, const struct screen *screen,
                         struct buf *to, struct arena *arena)
{
    const struct series series = series_measure(schema, list, screen);
    uint64_t *sums = arena_alloc(arena, series.n * sizeof(*sums));
    uint64_t most;

    write_range(&series, schema->fields, to, arena);
    for (const struct field *field = schema->fields + 1; field->wire; field++) {
        size_t n = series_sums(&series, field, sums, &most);
        if (most == 0 && field != schema->fields + 1)
            continue;
        text_fill(to, INDENT);
        text_fit(to, slice_of(field->wire), series.name_columns, false);
        text_fill(to, GAP);
        write_sparkline(sums, n, most, screen, to);
        buf_printf(to, "  at most %" PRIu64 "\n", most);
    }
}

void chart_write(const struct type *type, struct json value, const struct screen *screen,
                 struct buf *to, struct arena *arena)
{
    switch (chart_kind_of(type)) {
    case CHART_NONE:
        return;
    case CHART_BARS:
        if (value.kind == JSON_OBJECT)
            write_bars(value, screen, to, arena);
        return;
    case CHART_SERIES:
        if (value.kind == JSON_ARRAY)
            write_series(type->element->schema, value, screen, to, arena);
        return;
    }
}
