/* SPDX-License-Identifier: MIT */
/*
 * Structs of the rows to JSON. Every reply and every message passes here: no formatting, no
 * allocation but the buffer's own.
 */
#include "catalog/check.h"

#include <assert.h>

struct encoder {
    struct json_writer *w;
    bool reveals; /* secrets */
};

static void write_value(const struct encoder *e, const struct type *type, const void *value);
static bool write_members(const struct encoder *e, const struct schema *schema, const void *object);

static void write_list(const struct encoder *e, const struct type *element,
                       const struct sequence *list)
{
    const char *at = list->v;

    json_begin_array(e->w);
    for (size_t i = 0; i < list->n; i++, at += element->size)
        write_value(e, element, at);
    json_end_array(e->w);
}

static void write_map(const struct encoder *e, const struct type *element,
                      const struct sequence *map)
{
    const char *at = map->v;

    json_begin_object(e->w);
    for (size_t i = 0; i < map->n; i++, at += element->entry_size) {
        json_key(e->w, *(const char *const *)(const void *)at);
        write_value(e, element, at + element->val_offset);
    }
    json_end_object(e->w);
}

static void write_choice(const struct type *type, unsigned position, struct json_writer *w)
{
    assert(position < (unsigned)type->n_words);
    json_text(w, type->words[position].word);
}

static void write_duration(int64_t duration_us, struct json_writer *w)
{
    char text[DURATION_TEXT_SIZE];

    duration_write(duration_us, text);
    json_text(w, text);
}

static void write_secret(const struct encoder *e, const struct secret *secret)
{
    json_slice(e->w, e->reveals ? secret_reveal(secret) : SLICE(SECRET_SHOWN));
}

static void write_value(const struct encoder *e, const struct type *type, const void *value)
{
    struct json_writer *w = e->w;

    switch (type->kind) {
    case KIND_STR:
        json_text(w, *(const char *const *)value);
        return;
    case KIND_I64:
        json_int(w, *(const int64_t *)value);
        return;
    case KIND_F64:
        json_double(w, *(const double *)value);
        return;
    case KIND_FLAG:
        json_bool(w, *(const bool *)value);
        return;
    case KIND_DURATION:
        write_duration(*(const int64_t *)value, w);
        return;
    case KIND_SECRET:
        write_secret(e, value);
        return;
    case KIND_CHOICE:
        write_choice(type, *(const unsigned *)value, w);
        return;
    case KIND_ANY:
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
        json_raw(w, *(const struct slice *)value);
        return;
    case KIND_LINES:
        assert(!"lines are pulled, and written by whoever replies");
        return;
    case KIND_OBJ:
        json_begin_object(w);
        write_members(e, type->schema, value);
        json_end_object(w);
        return;
    case KIND_LIST:
        write_list(e, type->element, value);
        return;
    case KIND_MAP:
        write_map(e, type->element, value);
        return;
    }
}

static bool write_members(const struct encoder *e, const struct schema *schema, const void *object)
{
    bool any = false;

    for (const struct field *field = schema->fields; field->wire; field++) {
        bool has = *(const bool *)((const char *)object + field->has_offset);
        if (!has && field->presence != PRESENCE_NULLABLE)
            continue;
        json_key(e->w, field->wire);
        if (has)
            write_value(e, &field->type, (const char *)object + field->offset);
        else
            json_null(e->w);
        any = true;
    }
    return any;
}

bool schema_encode_members(const struct schema *schema, const void *object, struct json_writer *w)
{
    const struct encoder e = {.w = w};

    return write_members(&e, schema, object);
}

static void encode(const struct schema *schema, const void *object, bool reveals, struct buf *to)
{
    struct json_writer w = json_writer(to);
    const struct encoder e = {.w = &w, .reveals = reveals};
    const struct field *whole = schema_whole(schema);

    if (whole) {
        write_value(&e, &whole->type, (const char *)object + whole->offset);
        return;
    }
    json_begin_object(&w);
    write_members(&e, schema, object);
    json_end_object(&w);
}

void schema_encode(const struct schema *schema, const void *object, struct buf *to)
{
    encode(schema, object, false, to);
}

void schema_encode_revealed(const struct schema *schema, const void *object, struct buf *to)
{
    assert(to->wipes);
    encode(schema, object, true, to);
}

/* ---- is there anything to reveal ---- */

static bool value_has_secret(const struct type *type, const void *value)
{
    const struct sequence *sequence = value;
    const struct type *element = type->element;

    switch (type->kind) {
    case KIND_SECRET:
        return true;
    case KIND_OBJ:
        return schema_has_secret(type->schema, value);
    case KIND_LIST:
    case KIND_MAP:
        break;
    case KIND_STR:
    case KIND_I64:
    case KIND_F64:
    case KIND_FLAG:
    case KIND_ANY:
    case KIND_DURATION:
    case KIND_CHOICE:
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
    case KIND_LINES:
        return false;
    }
    size_t step = type->kind == KIND_LIST ? element->size : element->entry_size;
    size_t offset = type->kind == KIND_LIST ? 0 : element->val_offset;
    for (size_t i = 0; i < sequence->n; i++) {
        if (value_has_secret(element, (const char *)sequence->v + i * step + offset))
            return true;
    }
    return false;
}

bool schema_has_secret(const struct schema *schema, const void *object)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        bool has = *(const bool *)((const char *)object + field->has_offset);
        if (has && value_has_secret(&field->type, (const char *)object + field->offset))
            return true;
    }
    return false;
}
