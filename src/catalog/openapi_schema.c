/* SPDX-License-Identifier: MIT */
/*
 * The components of the OpenAPI document: structs and enums of the rows as JSON Schema.
 *
 * They are written from the last row to the first: contained structs stand before their users, so
 * one pass finds all that is reachable.
 */
#include "catalog/openapi.h"

#include "base/mem.h"

#include <stdarg.h>

static const struct component {
    const char *name, *doc;
    const struct schema *schema; /* of a STRUCT */
    const struct word *words;    /* of an ENUM */
    int n_words;
} components[OPENAPI_COMPONENT_COUNT] = {
#define ENUM(e, doc_)   {.name = #e, .doc = doc_, .words = e##_words, .n_words = e##_COUNT},
#define STRUCT(s, doc_) {.name = #s, .doc = doc_, .schema = &s##_schema},
#include "catalog/rows.h"
};

/* ---- writing ---- */

void openapi_put(struct openapi *o, const char *key, const char *text)
{
    json_key(&o->w, key);
    json_text(&o->w, text);
}

void openapi_put_bool(struct openapi *o, const char *key, bool value)
{
    json_key(&o->w, key);
    json_bool(&o->w, value);
}

void openapi_put_int(struct openapi *o, const char *key, int64_t value)
{
    json_key(&o->w, key);
    json_int(&o->w, value);
}

void openapi_begin(struct openapi *o, const char *key)
{
    json_key(&o->w, key);
    json_begin_object(&o->w);
}

void openapi_end(struct openapi *o)
{
    json_end_object(&o->w);
}

void openapi_put_ref(struct openapi *o, const char *format, ...)
{
    char name[128], ref[192];
    va_list args;

    va_start(args, format);
    vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    snprintf(ref, sizeof(ref), "#/components/%s", name);
    openapi_put(o, "$ref", ref);
}

/* One of the two is NULL. */
static void put_component_ref(struct openapi *o, const struct schema *schema,
                              const struct word *words)
{
    for (size_t i = 0; i < COUNT_OF(components); i++) {
        if (components[i].schema == schema && components[i].words == words) {
            o->wanted[i] = true;
            openapi_put_ref(o, "schemas/%s", components[i].name);
        }
    }
}

void openapi_put_schema_ref(struct openapi *o, const struct schema *schema)
{
    put_component_ref(o, schema, NULL);
}

/* ---- types and rules ---- */

static void put_format(struct openapi *o, const char *name)
{
    char format[64];

    snprintf(format, sizeof(format), "%s", name);
    for (char *at = format; *at; at++)
        *at = *at == '_' ? '-' : *at; /* date_time is JSON Schema's date-time */
    openapi_put(o, "format", format);
}

static void put_pattern(struct openapi *o, const char *expression)
{
    char pattern[256];

    snprintf(pattern, sizeof(pattern), "^(%s)$", expression);
    openapi_put(o, "pattern", pattern);
}

static void put_rule(struct openapi *o, const struct rule *rule)
{
    switch (rule->kind) {
    case RULE_KIND_ANY:
        return;
    case RULE_KIND_RANGE:
        openapi_put_int(o, "minimum", rule->min);
        if (rule->max != INT64_MAX)
            openapi_put_int(o, "maximum", rule->max);
        return;
    case RULE_KIND_LENGTH:
        openapi_put_int(o, "minLength", rule->min);
        openapi_put_int(o, "maxLength", rule->max);
        return;
    case RULE_KIND_FORMAT:
        put_format(o, rule->name);
        return;
    case RULE_KIND_PATTERN:
        put_pattern(o, rule->name);
        return;
    case RULE_KIND_UNIT:
        openapi_put(o, "x-unit", rule->name);
        return;
    }
}

static void put_type(struct openapi *o, const struct type *type, const struct rule *rule);

static void put_elements(struct openapi *o, const char *type_name, const char *key,
                         const struct type *element, const struct rule *rule)
{
    openapi_put(o, "type", type_name);
    openapi_begin(o, key);
    put_type(o, element, rule);
    openapi_end(o);
}

static void put_type(struct openapi *o, const struct type *type, const struct rule *rule)
{
    switch (type->kind) {
    case KIND_STR:
        openapi_put(o, "type", "string");
        put_rule(o, rule);
        return;
    case KIND_I64:
        openapi_put(o, "type", "integer");
        openapi_put(o, "format", "int64");
        put_rule(o, rule);
        return;
    case KIND_F64:
        openapi_put(o, "type", "number");
        openapi_put(o, "format", "double");
        put_rule(o, rule);
        return;
    case KIND_FLAG:
        openapi_put(o, "type", "boolean");
        return;
    case KIND_DURATION: /* its range is in microseconds here, in words in the description */
        openapi_put(o, "type", "string");
        return;
    case KIND_SECRET:
        openapi_put(o, "type", "string");
        openapi_put(o, "format", "password");
        openapi_put_bool(o, "writeOnly", true);
        put_rule(o, rule);
        return;
    case KIND_ANY:
        return;
    case KIND_CHOICE:
        put_component_ref(o, NULL, type->words);
        return;
    case KIND_OBJ:
    case KIND_ENCODED:
    case KIND_LINES: /* of a line: OpenAPI 3.1 has no word for a stream */
        put_component_ref(o, type->schema, NULL);
        return;
    case KIND_LIST:
        put_elements(o, "array", "items", type->element, rule);
        return;
    case KIND_MAP:
        put_elements(o, "object", "additionalProperties", type->element, rule);
        return;
    case KIND_ENCODED_LIST:
        put_elements(o, "array", "items",
                     &(const struct type){.kind = KIND_OBJ, .schema = type->schema}, rule);
        return;
    }
}

/* ---- fields ---- */

/* The row's sentence, and what JSON Schema has no word for. */
void openapi_put_description(struct openapi *o, const struct field *field)
{
    char accepts[REFUSAL_TEXT_SIZE], text[2 * REFUSAL_TEXT_SIZE];
    bool has_more = field->type.kind == KIND_DURATION || field->rule.kind == RULE_KIND_FORMAT;

    field_accepts(field, accepts, sizeof(accepts));
    snprintf(text, sizeof(text), "%s%s%s", field->doc, has_more ? "; " : "",
             has_more ? accepts : "");
    openapi_put(o, "description", text);
}

static void put_default(struct openapi *o, const struct field *field)
{
    enum kind kind = field->type.kind;

    if (!field->default_text)
        return;
    json_key(&o->w, "default");
    if (kind == KIND_STR || kind == KIND_CHOICE || kind == KIND_DURATION)
        json_text(&o->w, field->default_text);
    else
        json_raw(&o->w, slice_of(field->default_text));
}

void openapi_put_field(struct openapi *o, const struct field *field)
{
    if (field->presence != PRESENCE_NULLABLE) {
        put_type(o, &field->type, &field->rule);
        put_default(o, field);
        return;
    }
    json_key(&o->w, "anyOf");
    json_begin_array(&o->w);
    json_begin_object(&o->w);
    put_type(o, &field->type, &field->rule);
    json_end_object(&o->w);
    json_raw(&o->w, SLICE("{\"type\":\"null\"}"));
    json_end_array(&o->w);
}

static void put_properties(struct openapi *o, const struct schema *schema)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (!field_is_in_body(field))
            continue;
        openapi_begin(o, field->wire);
        openapi_put_field(o, field);
        openapi_put_description(o, field);
        openapi_end(o);
    }
}

static void put_required(struct openapi *o, const struct schema *schema)
{
    json_key(&o->w, "required");
    json_begin_array(&o->w);
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (field_is_in_body(field) && field->presence == PRESENCE_REQUIRED)
            json_text(&o->w, field->wire);
    }
    json_end_array(&o->w);
}

/* ---- components ---- */

static void put_object(struct openapi *o, const char *doc)
{
    openapi_put(o, "type", "object");
    openapi_put(o, "description", doc);
    openapi_put_bool(o, "additionalProperties", false);
}

static void put_struct(struct openapi *o, const struct component *component)
{
    const struct field *whole = schema_whole(component->schema);

    if (whole) {
        openapi_put_field(o, whole);
        openapi_put_description(o, whole);
        return;
    }
    put_object(o, component->doc);
    put_required(o, component->schema);
    openapi_begin(o, "properties");
    put_properties(o, component->schema);
    openapi_end(o);
}

#define ENUM_DOC_MAX ((size_t)1 << 16) /* bytes: all words and sentences of one ENUM */

static void put_enum(struct openapi *o, const struct component *component)
{
    CLEANUP(buf_release) struct buf doc;

    buf_init(&doc, ENUM_DOC_MAX);
    buf_add_text(&doc, component->doc);
    openapi_put(o, "type", "string");
    json_key(&o->w, "enum");
    json_begin_array(&o->w);
    for (int i = 0; i < component->n_words; i++) {
        json_text(&o->w, component->words[i].word);
        buf_printf(&doc, "; %s: %s", component->words[i].word, component->words[i].doc);
    }
    json_end_array(&o->w);
    openapi_put(o, "description", buf_text(&doc));
}

/* results[] holds what one host answered: run_entry, and the operation's output when it completed.
 */
static void put_result(struct openapi *o, const struct op *op)
{
    put_object(o, op->out->doc);
    put_required(o, &run_entry_schema);
    openapi_begin(o, "properties");
    put_properties(o, &run_entry_schema);
    put_properties(o, op->out);
    openapi_end(o);
}

static void put_reply(struct openapi *o, const struct op *op)
{
    put_object(o, "The job, and what its hosts answered");
    json_key(&o->w, "required");
    json_raw(&o->w, SLICE("[\"job_id\",\"results\"]"));
    openapi_begin(o, "properties");
    json_key(&o->w, "job_id");
    json_raw(&o->w, SLICE("{\"type\":\"string\",\"format\":\"uuid\"}"));
    openapi_begin(o, "results");
    openapi_put(o, "type", "array");
    openapi_put(o, "description", "By host name");
    openapi_begin(o, "items");
    openapi_put_ref(o, "schemas/%s_result", op->name);
    openapi_end(o);
    openapi_end(o);
    openapi_end(o);
}

static void put_named(struct openapi *o, const struct op *op, const char *suffix,
                      void (*put_members)(struct openapi *o, const struct op *op))
{
    char name[128];

    snprintf(name, sizeof(name), "%s%s", op->name, suffix);
    openapi_begin(o, name);
    put_members(o, op);
    openapi_end(o);
}

void openapi_put_schemas(struct openapi *o)
{
    openapi_begin(o, "schemas");
    for (size_t i = 0; i < OP_COUNT; i++) {
        if (!op_makes_run(&op_catalog[i]))
            continue;
        put_named(o, &op_catalog[i], "_reply", put_reply);
        put_named(o, &op_catalog[i], "_result", put_result);
    }
    for (size_t i = COUNT_OF(components); i-- > 0;) {
        if (!o->wanted[i])
            continue;
        openapi_begin(o, components[i].name);
        if (components[i].schema)
            put_struct(o, &components[i]);
        else
            put_enum(o, &components[i]);
        openapi_end(o);
    }
    openapi_end(o);
}
