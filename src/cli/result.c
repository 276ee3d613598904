/* SPDX-License-Identifier: MIT */
/*
 * results[] of an operation that ran on hosts: a table with a row a host (or an element of the
 * host's list), the texts that do not fit a line below it, how many hosts fared how, and why some
 * failed.
 */
#include "cli/render.h"

#include "base/mem.h"
#include "cli/source.h"
#include "cli/value.h"

struct results {
    const struct schema *out;
    const struct field *list; /* of `out`, whose elements are the rows; NULL: a row a host */
    struct json array;
    struct source_list host, own; /* columns: of run_entry, of the operation */
    struct table table;
    struct arena *arena;
};

bool reply_results(struct json reply, struct json *ret)
{
    return reply.kind == JSON_OBJECT && json_member(reply, "results", ret) &&
           ret->kind == JSON_ARRAY;
}

static bool entry_is(struct json entry, enum run_result result)
{
    struct json status;

    return entry.kind == JSON_OBJECT && json_member(entry, "status", &status) &&
           status.kind == JSON_STRING && json_string_is(status, run_result_words[result].word);
}

static size_t count_of(struct json results, enum run_result result)
{
    struct json_walk walk = json_walk(results);
    size_t n = 0;

    while (json_next(&walk))
        n += entry_is(walk.value, result);
    return n;
}

bool reply_has_failed(struct json reply)
{
    struct json results;

    return reply_results(reply, &results) && count_of(results, run_result_FAILED) > 0;
}

static bool any_has(struct json results, const struct source *source)
{
    struct json_walk walk = json_walk(results);
    struct json value;

    while (json_next(&walk)) {
        if (source_value(source, walk.value, &value))
            return true;
    }
    return false;
}

/* Members that every entry may have. Errors are sentences and stand below the table; `changed` says
   something only where it could be so. */
static struct source_list host_columns(const struct op *op, struct json results,
                                       struct arena *arena)
{
    struct source_list all = sources_of_table(&run_entry_schema, arena);
    struct source_list shown = {.v = all.v};

    for (size_t i = 0; i < all.n; i++) {
        bool required = all.v[i].field->presence == PRESENCE_REQUIRED;
        bool sentence = strcmp(all.v[i].field->wire, "error") == 0;
        if (required || (!sentence && op->class != CLASS_QUERY && any_has(results, &all.v[i])))
            shown.v[shown.n++] = all.v[i];
    }
    return shown;
}

/* A TABLE row says what is shown; without one a single list of objects is. */
static const struct field *list_of(const struct schema *out)
{
    const struct field *found = NULL;

    if (out->table)
        return NULL;
    for (const struct field *field = out->fields; field->wire; field++) {
        if (!type_objects(&field->type) || field->type.kind == KIND_MAP)
            continue;
        if (found)
            return NULL;
        found = field;
    }
    return found;
}

static bool elements_of(const struct results *results, struct json entry, struct json *ret)
{
    return results->list && entry.kind == JSON_OBJECT &&
           json_member(entry, results->list->wire, ret) && ret->kind == JSON_ARRAY;
}

/*
 * The table
 */

/* `own` NULL: the host gave nothing. */
static void add_row(struct results *results, struct json entry, const struct json *own)
{
    struct cell *cells = table_add_row(&results->table);

    for (size_t i = 0; i < results->host.n; i++)
        *cells++ = source_cell(&results->host.v[i], &entry, results->arena);
    for (size_t i = 0; i < results->own.n; i++)
        *cells++ = source_cell(&results->own.v[i], own, results->arena);
}

static void add_rows(struct results *results, struct json entry)
{
    struct json elements;

    if (!results->list) {
        add_row(results, entry, &entry);
        return;
    }
    size_t before = results->table.n_rows;
    if (elements_of(results, entry, &elements)) {
        struct json_walk walk = json_walk(elements);
        while (json_next(&walk))
            add_row(results, entry, &walk.value);
    }
    if (results->table.n_rows == before)
        add_row(results, entry, NULL);
}

static void fill_table(struct results *results, const struct screen *screen)
{
    struct json_walk walk = json_walk(results->array);
    size_t n = results->host.n;

    table_init(&results->table, results->arena, n + results->own.n);
    for (size_t i = 0; i < n; i++)
        results->table.columns[i] = source_column(&results->host, i, results->arena);
    for (size_t i = 0; i < results->own.n; i++)
        results->table.columns[n + i] = source_column(&results->own, i, results->arena);
    while (json_next(&walk))
        add_rows(results, walk.value);
    table_lay_out(&results->table, screen);
}

/*
 * Below the table
 */

static struct slice host_of(struct json entry, struct arena *arena)
{
    static const struct field text = {.type = {.kind = KIND_STR}};
    struct json hostname;
    bool there = entry.kind == JSON_OBJECT && json_member(entry, "hostname", &hostname);

    return value_text(&text, there ? &hostname : NULL, TEXT_ONE_LINE, arena);
}

/* "web-01 stdout:" and the text. */
static void write_long(const struct results *results, struct json entry,
                       const struct source *source, struct json value, struct buf *to)
{
    struct slice host = host_of(entry, results->arena);
    struct slice text = value_text(source->field, &value, TEXT_KEEP_LINES, results->arena);

    buf_printf(to, "\n%.*s %s:\n", (int)host.size, host.at, source_name(source, results->arena));
    buf_add_slice(to, text);
    if (text.size == 0 || text.at[text.size - 1] != '\n')
        buf_add_char(to, '\n');
}

/* Rows are hosts here, in the order of the array. */
static void write_long_texts(const struct results *results, struct buf *to)
{
    struct json_walk walk = json_walk(results->array);
    struct json value;

    for (size_t row = 0; json_next(&walk); row++) {
        for (size_t i = 0; i < results->own.n; i++) {
            const struct source *source = &results->own.v[i];
            if (source->field->type.kind == KIND_STR && source_value(source, walk.value, &value) &&
                (value_has_lines(&value, results->arena) ||
                 table_cuts(&results->table, row, results->host.n + i)))
                write_long(results, walk.value, source, value, to);
        }
    }
}

/* "3 hosts: 2 ok, 1 failed" */
static void write_counts(struct json results, struct buf *to)
{
    struct json_walk walk = json_walk(results);
    const char *separator = ": ";
    size_t n = 0;

    while (json_next(&walk))
        n++;
    buf_printf(to, "\n%zu host%s", n, n == 1 ? "" : "s");
    for (int i = 0; i < run_result_COUNT; i++) {
        size_t n_of = count_of(results, (enum run_result)i);
        if (n_of == 0)
            continue;
        buf_printf(to, "%s%zu %s", separator, n_of, run_result_words[i].word);
        separator = ", ";
    }
    buf_add_char(to, '\n');
}

static void write_errors(const struct results *results, struct buf *to)
{
    static const struct field text = {.type = {.kind = KIND_STR}};
    struct json_walk walk = json_walk(results->array);
    struct json error;

    while (json_next(&walk)) {
        if (walk.value.kind != JSON_OBJECT || !json_member(walk.value, "error", &error) ||
            error.kind != JSON_STRING)
            continue;
        buf_add_slice(to, host_of(walk.value, results->arena));
        buf_add_text(to, ": ");
        buf_add_slice(to, value_text(&text, &error, TEXT_ONE_LINE, results->arena));
        buf_add_char(to, '\n');
    }
}

void render_results(const struct op *op, struct json array, const struct screen *screen,
                    struct buf *to, struct arena *arena)
{
    struct results results = {
        .out = op->out, .list = list_of(op->out), .array = array, .arena = arena};
    const struct schema *own = results.list ? type_objects(&results.list->type) : op->out;

    results.host = host_columns(op, array, arena);
    results.own = sources_of_table(own, arena);
    fill_table(&results, screen);
    table_write(&results.table, screen, to);
    if (!results.list)
        write_long_texts(&results, to);
    write_counts(array, to);
    write_errors(&results, to);
}
