/* SPDX-License-Identifier: MIT */
/*
 * Objects and lists by their schema.
 *
 * An object is a block of its values, then a section for each list of objects and each chart. One
 * that beside its list only counts (a page of jobs) is that table, then the counts, a line for each
 * object of them, and how to come to the next page.
 */
#include "cli/render.h"

#include "base/mem.h"
#include "cli/chart.h"
#include "cli/source.h"
#include "cli/value.h"

struct render {
    const struct screen *screen;
    struct buf *to;
    struct arena *arena;
};

/*
 * Tables
 */

/* An array of objects, or an object of objects, whose keys then are the first column. */
static void write_table(const struct render *render, const struct schema *schema, struct json all)
{
    struct source_list sources = sources_of_table(schema, render->arena);
    struct json_walk walk = json_walk(all);
    size_t n_keys = walk.members;
    struct table table;

    table_init(&table, render->arena, n_keys + sources.n);
    if (n_keys)
        table.columns[0] = (struct column){.title = SLICE("NAME")};
    for (size_t i = 0; i < sources.n; i++)
        table.columns[n_keys + i] = source_column(&sources, i, render->arena);
    while (json_next(&walk)) {
        static const struct field text = {.type = {.kind = KIND_STR}};
        struct cell *cells = table_add_row(&table);
        if (n_keys)
            *cells++ = (struct cell){.text = value_cell(&text, &walk.key, render->arena)};
        for (size_t i = 0; i < sources.n; i++)
            *cells++ = source_cell(&sources.v[i], &walk.value, render->arena);
    }
    table_lay_out(&table, render->screen);
    table_write(&table, render->screen, render->to);
}

static bool is_container(struct json json)
{
    return json.kind == JSON_ARRAY || json.kind == JSON_OBJECT;
}

static bool is_empty(struct json container)
{
    struct json_walk walk = json_walk(container);

    return !json_next(&walk);
}

/*
 * Lists
 */

static const struct field *field_of_list(const struct schema *schema)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (type_objects(&field->type) && field->type.kind != KIND_MAP &&
            chart_kind_of(&field->type) == CHART_NONE)
            return field;
    }
    return NULL;
}

/* Whether every field but the list and cursors is a number. */
static bool only_counts(const struct schema *schema, const struct field *list)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (field == list || value_is_cursor(field))
            continue;
        if (field->type.kind == KIND_OBJ ? !only_counts(field->type.schema, NULL)
                                         : field->type.kind != KIND_I64)
            return false;
    }
    return true;
}

/* "total items" of total_items */
static void write_name(const struct render *render, const char *wire)
{
    for (; *wire; wire++)
        buf_add_char(render->to, *wire == '_' ? ' ' : *wire);
}

/* Objects of counts that the reply has. */
static size_t count_groups(const struct schema *schema, struct json object)
{
    struct json value;
    size_t n = 0;

    for (const struct field *field = schema->fields; field->wire; field++)
        n += field->type.kind == KIND_OBJ && json_member(object, field->wire, &value);
    return n;
}

/* "total items: 12, completed: 11, failed: 1"; zeros of objects are left out. Several objects get a
   line each, with their name. */
static void write_counts(const struct render *render, const struct schema *schema,
                         struct json object)
{
    struct source_list sources = sources_of_object(schema, render->arena);
    bool lines = count_groups(schema, object) > 1;
    const char *separator = "", *group = NULL;
    struct json value;

    for (size_t i = 0; i < sources.n; i++) {
        const struct source *source = &sources.v[i];
        if (!source_value(source, object, &value) || value_is_cursor(source->field) ||
            (source->depth > 1 && slice_is(value.text, "0")))
            continue;
        bool begins = lines && source->depth > 1 && source->path[0] != group;
        buf_add_text(render->to, begins && i > 0 ? "\n" : separator);
        if (begins) {
            group = source->path[0];
            write_name(render, group);
            buf_add_text(render->to, ": ");
        }
        write_name(render, source->path[source->depth - 1]);
        buf_add_text(render->to, ": ");
        buf_add_slice(render->to, value_text(source->field, &value, TEXT_ONE_LINE, render->arena));
        separator = ", ";
    }
    buf_add_char(render->to, '\n');
}

static void write_list(const struct render *render, const struct schema *schema,
                       const struct field *list, struct json object)
{
    struct json all;

    if (json_member(object, list->wire, &all) && is_container(all) && !is_empty(all)) {
        write_table(render, type_objects(&list->type), all);
        buf_add_char(render->to, '\n');
    }
    write_counts(render, schema, object);
}

/*
 * Objects
 */

/* Charts and containers under `any` are sections of their own. */
static bool is_line(const struct source *source, struct json object, struct json *ret)
{
    const struct type *type = &source->field->type;

    return source_value(source, object, ret) && ret->kind != JSON_NULL &&
           !value_is_cursor(source->field) && chart_kind_of(type) == CHART_NONE &&
           !(type->kind == KIND_ANY && is_container(*ret));
}

static void write_lines(const struct render *render, const struct source_list *sources,
                        struct json object)
{
    struct json value;
    size_t widest = 0;

    for (size_t i = 0; i < sources->n; i++) {
        size_t size = strlen(source_name(&sources->v[i], render->arena));
        if (is_line(&sources->v[i], object, &value) && size > widest)
            widest = size;
    }
    for (size_t i = 0; i < sources->n; i++) {
        const struct source *source = &sources->v[i];
        if (!is_line(source, object, &value))
            continue;
        struct slice text = value_text(source->field, &value, TEXT_ONE_LINE, render->arena);
        enum tint tint = value_tint(source->field, text);
        text_fit(render->to, slice_of(source_name(source, render->arena)), widest + TABLE_GAP,
                 false);
        tint_begin(render->to, render->screen, tint);
        buf_add_slice(render->to, text);
        tint_end(render->to, render->screen, tint);
        buf_add_char(render->to, '\n');
    }
}

static void write_title(const struct render *render, const char *title)
{
    buf_add_char(render->to, '\n');
    tint_begin(render->to, render->screen, TINT_BOLD);
    buf_printf(render->to, "%s:", title);
    tint_end(render->to, render->screen, TINT_BOLD);
    buf_add_char(render->to, '\n');
}

static void write_json_sections(const struct render *render, const struct source_list *sources,
                                struct json object)
{
    struct json value;

    for (size_t i = 0; i < sources->n; i++) {
        const struct source *source = &sources->v[i];
        if (source->field->type.kind != KIND_ANY || !source_value(source, object, &value) ||
            !is_container(value) || is_empty(value))
            continue;
        write_title(render, source_name(source, render->arena));
        value_pretty(value, render->to);
    }
}

static void write_chart(const struct render *render, const struct type *type, const char *name,
                        struct json value)
{
    if (!is_container(value) || is_empty(value))
        return;
    write_title(render, name);
    chart_write(type, value, render->screen, render->to, render->arena);
}

/* Maps of counts, those inside objects too: by.status is the section "status". */
static void write_bar_sections(const struct render *render, const struct source_list *sources,
                               struct json object)
{
    struct json value;

    for (size_t i = 0; i < sources->n; i++) {
        const struct source *source = &sources->v[i];
        if (chart_kind_of(&source->field->type) == CHART_BARS &&
            source_value(source, object, &value))
            write_chart(render, &source->field->type, source->path[source->depth - 1], value);
    }
}

static void write_table_sections(const struct render *render, const struct schema *schema,
                                 struct json object)
{
    struct json all;

    for (const struct field *field = schema->fields; field->wire; field++) {
        if (!type_objects(&field->type) || !json_member(object, field->wire, &all) ||
            !is_container(all) || is_empty(all))
            continue;
        if (chart_kind_of(&field->type) == CHART_SERIES) {
            write_chart(render, &field->type, field->wire, all);
            continue;
        }
        write_title(render, field->wire);
        write_table(render, type_objects(&field->type), all);
    }
}

void render_object(const struct schema *schema, struct json object, const struct screen *screen,
                   struct buf *to, struct arena *arena)
{
    const struct render render = {.screen = screen, .to = to, .arena = arena};
    const struct field *list = field_of_list(schema);

    if (object.kind != JSON_OBJECT) {
        value_pretty(object, to);
        return;
    }
    if (list && only_counts(schema, list)) {
        write_list(&render, schema, list, object);
        return;
    }
    struct source_list sources = sources_of_object(schema, arena);
    write_lines(&render, &sources, object);
    write_bar_sections(&render, &sources, object);
    write_table_sections(&render, schema, object);
    write_json_sections(&render, &sources, object);
}

/* Where the operation takes a cursor, those of the reply say how to go on. */
static void write_cursors(const struct op *op, struct json reply, struct buf *to,
                          struct arena *arena)
{
    const char *flag = value_cursor_flag(op);
    struct json cursor;

    for (const struct field *out = op->out->fields; flag && out->wire; out++) {
        if (!value_is_cursor(out) || reply.kind != JSON_OBJECT ||
            !json_member(reply, out->wire, &cursor) || cursor.kind != JSON_STRING)
            continue;
        struct slice text = value_text(out, &cursor, TEXT_ONE_LINE, arena);
        buf_printf(to, "%s: --%s %.*s\n", out->wire, flag, (int)text.size, text.at);
    }
}

void render_reply(const struct op *op, struct json reply, const struct screen *screen,
                  struct buf *to, struct arena *arena)
{
    const struct field *first = op->out->fields;
    struct json results;

    if (reply_results(reply, &results))
        render_results(op, results, screen, to, arena);
    else if (op_makes_run(op))
        render_object(&job_accepted_schema, reply, screen, to, arena);
    else if (!first->wire || first->place != PLACE_WHOLE)
        render_object(op->out, reply, screen, to, arena);
    else if (first->type.schema && first->type.kind != KIND_ENCODED_LIST)
        render_object(first->type.schema, reply, screen, to, arena);
    else
        value_pretty(reply, to);
    write_cursors(op, reply, to, arena);
}
