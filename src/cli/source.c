/* SPDX-License-Identifier: MIT */
/*
 * Columns from rows.
 */
#include "cli/source.h"

#include "base/mem.h"
#include "cli/value.h"

#include <ctype.h>

#define SOURCES_MAX 64 /* of one schema; the catalog's largest has 40 */

const struct schema *type_objects(const struct type *type)
{
    if (type->kind == KIND_ENCODED_LIST)
        return type->schema;
    if ((type->kind == KIND_LIST || type->kind == KIND_MAP) && type->element->kind == KIND_OBJ)
        return type->element->schema;
    return NULL;
}

static bool type_is_object(const struct type *type)
{
    return type->kind == KIND_OBJ || type->kind == KIND_ENCODED;
}

static const struct field *field_find(const struct schema *schema, struct slice wire)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (slice_is(wire, field->wire))
            return field;
    }
    return NULL;
}

/* One word of a TABLE row; test_cli_rows proves that every one leads to a field. */
static bool source_resolve(const struct schema *schema, struct slice word, struct source *ret)
{
    struct source source = {.depth = 0};
    struct slice name;
    bool more = true;

    while (more && source.depth < SOURCE_DEPTH_MAX) {
        more = slice_cut(&word, '.', &name);
        source.field = field_find(schema, name);
        if (!source.field)
            return false;
        source.path[source.depth++] = source.field->wire;
        if (more && !type_is_object(&source.field->type))
            return false;
        schema = source.field->type.schema;
    }
    *ret = source;
    return !more;
}

static void add_values(const struct schema *schema, const struct source *outer,
                       struct source_list *list, bool any)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        struct source source = outer ? *outer : (struct source){.depth = 0};
        if (source.depth == SOURCE_DEPTH_MAX || list->n == SOURCES_MAX)
            return;
        source.path[source.depth++] = field->wire;
        source.field = field;
        if (type_is_object(&field->type))
            add_values(field->type.schema, &source, list, any);
        else if (!type_objects(&field->type) && (any || field->type.kind != KIND_ANY))
            list->v[list->n++] = source;
    }
}

static struct source_list source_list_new(struct arena *arena)
{
    return (struct source_list){.v = arena_alloc(arena, SOURCES_MAX * sizeof(struct source))};
}

struct source_list sources_of_table(const struct schema *schema, struct arena *arena)
{
    struct source_list list = source_list_new(arena);

    if (!schema->table) {
        add_values(schema, NULL, &list, false);
        return list;
    }
    struct slice rest = slice_of(schema->table), word;
    bool more = true;
    while (more && list.n < SOURCES_MAX) {
        more = slice_cut(&rest, ' ', &word);
        list.n += source_resolve(schema, word, &list.v[list.n]);
    }
    return list;
}

struct source_list sources_of_object(const struct schema *schema, struct arena *arena)
{
    struct source_list list = source_list_new(arena);

    add_values(schema, NULL, &list, true);
    return list;
}

bool source_value(const struct source *source, struct json object, struct json *ret)
{
    for (size_t i = 0; i < source->depth; i++) {
        if (object.kind != JSON_OBJECT || !json_member(object, source->path[i], &object))
            return false;
    }
    *ret = object;
    return true;
}

const char *source_name(const struct source *source, struct arena *arena)
{
    const char *name = source->path[0];

    for (size_t i = 1; i < source->depth; i++)
        name = arena_printf(arena, "%s.%s", name, source->path[i]);
    return name;
}

static const char *source_last(const struct source *source)
{
    return source->path[source->depth - 1];
}

static bool last_is_unique(const struct source_list *sources, size_t i)
{
    for (size_t j = 0; j < sources->n; j++) {
        if (j != i && strcmp(source_last(&sources->v[i]), source_last(&sources->v[j])) == 0)
            return false;
    }
    return true;
}

/* Cells carry the unit, so that the title need not: DURATION instead of DURATION_MS. */
static size_t title_size(const struct field *field, const char *name)
{
    size_t size = strlen(name);

    if (field->rule.kind != RULE_KIND_UNIT)
        return size;
    const char *suffix = strrchr(name, '_');
    return suffix && strcmp(suffix + 1, field->rule.name) == 0 ? (size_t)(suffix - name) : size;
}

struct column source_column(const struct source_list *sources, size_t i, struct arena *arena)
{
    const struct source *source = &sources->v[i];
    const char *name =
        last_is_unique(sources, i) ? source_last(source) : source_name(source, arena);
    char *title = arena_printf(arena, "%.*s%s", (int)title_size(source->field, name), name,
                               value_is_time(source->field) ? " (UTC)" : "");

    for (char *at = title; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return (struct column){
        .title = slice_of(title),
        .right = value_is_number(source->field),
        .time = value_is_time(source->field),
        .floor = value_floor(source->field),
    };
}

struct cell source_cell(const struct source *source, const struct json *object, struct arena *arena)
{
    struct json value;
    bool there = object && source_value(source, *object, &value);
    struct slice text = value_cell(source->field, there ? &value : NULL, arena);

    return (struct cell){.text = text, .tint = value_tint(source->field, text)};
}
