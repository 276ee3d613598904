/* SPDX-License-Identifier: MIT */
/*
 * From a row to a request. A new FORMAT needs one example in the table below.
 */
#include "request.h"

#include <assert.h>
#include <ctype.h>

static const struct example {
    const char *format, *text;
} examples[] = {
    {"date_time", "2026-01-02T03:04:05Z"},
    {"moment", "2h"},
    {"operation_prefix", "network."},
    {"cursor", "AQAAAAAAAAAA_-"},
    {"hostname", "host"},
    {"operation_type", "node.hostname.get"},
    {"target", "_any"},
    {"uuid", "0193c0de-0000-7000-8000-000000000000"},
};

static const char *format_example(const char *format)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        if (!strcmp(examples[i].format, format))
            return examples[i].text;
    }
    fprintf(stderr, "matrix: format %s has no example in tests/request.c\n", format);
    exit(1);
}

void percent_encode(struct slice text, struct buf *to)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (isalnum(c) || strchr("-._~:", c))
            buf_add_char(to, (char)c);
        else
            buf_printf(to, "%%%02X", c);
    }
}

/* ---- valid values ---- */

static void write_object(const struct schema *schema, const struct variant *variant, unsigned level,
                         struct buf *to);

static void valid_text(const struct rule *rule, struct buf *to)
{
    int64_t size = rule->kind == RULE_KIND_LENGTH && rule->min > 1 ? rule->min : 1;

    if (rule->kind == RULE_KIND_FORMAT) {
        json_quote(to, slice_of(format_example(rule->name)));
        return;
    }
    buf_add_char(to, '"');
    for (int64_t i = 0; i < size; i++)
        buf_add_char(to, 'x');
    buf_add_char(to, '"');
}

static void valid_of_type(const struct type *type, const struct rule *rule, struct buf *to)
{
    bool ranged = rule->kind == RULE_KIND_RANGE;

    switch (type->kind) {
    case KIND_STR:
    case KIND_SECRET:
        valid_text(rule, to);
        return;
    case KIND_I64:
    case KIND_F64:
        buf_add_i64(to, ranged ? rule->min : 1);
        return;
    case KIND_FLAG:
        buf_add_text(to, "true");
        return;
    case KIND_DURATION:
        buf_printf(to, "\"%lldms\"", (long long)(ranged ? rule->min / US_PER_MS : 1));
        return;
    case KIND_CHOICE:
        json_quote(to, slice_of(type->words[0].word));
        return;
    case KIND_OBJ:
        write_object(type->schema, &(struct variant){.depth = 0}, 0, to);
        return;
    case KIND_LIST:
    case KIND_MAP:
        buf_add_text(to, type->kind == KIND_LIST ? "[" : "{\"key\":");
        valid_of_type(type->element, rule, to);
        buf_add_char(to, type->kind == KIND_LIST ? ']' : '}');
        return;
    case KIND_ANY:
    case KIND_ENCODED:
        buf_add_text(to, "{}");
        return;
    case KIND_ENCODED_LIST:
        buf_add_text(to, "[]");
        return;
    case KIND_LINES: /* of replies alone */
        return;
    }
}

void valid_value(const struct field *field, struct buf *to)
{
    valid_of_type(&field->type, &field->rule, to);
}

/* ---- one request ---- */

const struct field *variant_field(const struct variant *variant)
{
    return variant->depth ? variant->fields[variant->depth - 1] : NULL;
}

const char *variant_name(const struct variant *variant, struct arena *arena)
{
    const char *name = variant->fields[0]->wire;

    for (unsigned i = 1; i < variant->depth; i++)
        name = arena_printf(arena, "%s.%s", name, variant->fields[i]->wire);
    return name;
}

/* Whether `field` is the broken one, or holds it, at this level. */
static bool leads_to(const struct variant *variant, unsigned level, const struct field *field)
{
    return level < variant->depth && variant->fields[level] == field;
}

/* How often `field` is given: required and broken ones stand in the request, the rest does not. */
static int times_given(const struct variant *variant, unsigned level, const struct field *field)
{
    if (!leads_to(variant, level, field))
        return field->presence == PRESENCE_REQUIRED && !field->default_text;
    if (level + 1 < variant->depth)
        return 1;
    if (!variant->text)
        return 0;
    return variant->twice ? 2 : 1;
}

static void write_member(const struct field *field, const struct variant *variant, unsigned level,
                         struct buf *to)
{
    json_quote(to, slice_of(field->wire));
    buf_add_char(to, ':');
    if (!leads_to(variant, level, field))
        valid_value(field, to);
    else if (level + 1 == variant->depth)
        buf_add_text(to, variant->text);
    else
        write_object(field->type.schema, variant, level + 1, to);
}

static void write_object(const struct schema *schema, const struct variant *variant, unsigned level,
                         struct buf *to)
{
    const char *comma = "";

    buf_add_char(to, '{');
    for (const struct field *field = schema->fields; field->wire; field++) {
        int times = field->place == PLACE_BODY ? times_given(variant, level, field) : 0;

        for (; times > 0; times--) {
            buf_add_text(to, comma);
            write_member(field, variant, level, to);
            comma = ",";
        }
    }
    buf_add_char(to, '}');
}

/* A value as a path or a query carries it: JSON text without its quotes, percent-encoded. */
static void write_plain(const struct field *field, const struct variant *variant, struct buf *to)
{
    struct buf json;
    struct slice text;

    if (leads_to(variant, 0, field)) {
        buf_add_text(to, variant->text);
        return;
    }
    buf_init(&json, (size_t)1 << 20);
    valid_value(field, &json);
    text = buf_slice(&json);
    if (text.at[0] == '"')
        text = (struct slice){.at = text.at + 1, .size = text.size - 2};
    percent_encode(text, to);
    buf_release(&json);
}

static const struct field *path_field(const struct op *op, struct slice name)
{
    const struct schema *schemas[] = {op->in, op_shared_in(op)};

    for (int i = 0; i < 2; i++) {
        for (const struct field *field = schemas[i]->fields; field->wire; field++) {
            if (field->place == PLACE_PATH && slice_is(name, field->wire))
                return field;
        }
    }
    return NULL;
}

static void write_path(const struct op *op, const struct variant *variant, struct buf *to)
{
    struct slice rest = slice_of(op->path), text, name;

    while (slice_cut(&rest, '{', &text)) {
        buf_add_slice(to, text);
        slice_cut(&rest, '}', &name);
        if (name.size && name.at[name.size - 1] == '*')
            name.size--;
        assert(path_field(op, name));
        write_plain(path_field(op, name), variant, to);
    }
    buf_add_slice(to, text);
}

static void write_query(const struct schema *schema, const struct variant *variant, struct buf *to,
                        char *separator)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        int times = field->place == PLACE_QUERY ? times_given(variant, 0, field) : 0;

        for (; times > 0; times--) {
            buf_add_char(to, *separator);
            buf_add_text(to, field->wire);
            buf_add_char(to, '=');
            write_plain(field, variant, to);
            *separator = '&';
        }
    }
}

static bool has_body(const struct schema *schema)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (field->place == PLACE_BODY)
            return true;
    }
    return false;
}

void request_build(const struct op *op, const char *prefix, const struct variant *variant,
                   struct request *ret)
{
    char separator = '?';

    buf_init(&ret->path, (size_t)64 << 10);
    buf_init(&ret->body, (size_t)1 << 20);
    buf_add_text(&ret->path, prefix);
    write_path(op, variant, &ret->path);
    write_query(op_shared_in(op), variant, &ret->path, &separator);
    write_query(op->in, variant, &ret->path, &separator);
    if (has_body(op->in))
        write_object(op->in, variant, 0, &ret->body);
}

void request_release(struct request *request)
{
    buf_release(&request->path);
    buf_release(&request->body);
}
