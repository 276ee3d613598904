/* SPDX-License-Identifier: MIT */
/*
 * Structs of the rows to JSON. Every reply and every message passes here: no formatting, no
 * allocation but the buffer's own.
 */
#include "catalog/check.h"

#include <assert.h>

static void write_value(const struct type *type, const void *value, struct json_writer *w);

static void write_list(const struct type *element, const struct sequence *list,
                       struct json_writer *w)
{
    const char *at = list->v;

    json_begin_array(w);
    for (size_t i = 0; i < list->n; i++, at += element->size)
        write_value(element, at, w);
    json_end_array(w);
}

static void write_map(const struct type *element, const struct sequence *map, struct json_writer *w)
{
    const char *at = map->v;

    json_begin_object(w);
    for (size_t i = 0; i < map->n; i++, at += element->entry_size) {
        json_key(w, *(const char *const *)(const void *)at);
        write_value(element, at + element->val_offset, w);
    }
    json_end_object(w);
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

static void write_value(const struct type *type, const void *value, struct json_writer *w)
{
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
    case KIND_CHOICE:
        write_choice(type, *(const unsigned *)value, w);
        return;
    case KIND_ANY:
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
        json_raw(w, *(const struct slice *)value);
        return;
    case KIND_OBJ:
        json_begin_object(w);
        schema_encode_members(type->schema, value, w);
        json_end_object(w);
        return;
    case KIND_LIST:
        write_list(type->element, value, w);
        return;
    case KIND_MAP:
        write_map(type->element, value, w);
        return;
    }
}

bool schema_encode_members(const struct schema *schema, const void *object, struct json_writer *w)
{
    bool any = false;

    for (const struct field *field = schema->fields; field->wire; field++) {
        bool has = *(const bool *)((const char *)object + field->has_offset);
        if (!has && field->presence != PRESENCE_NULLABLE)
            continue;
        json_key(w, field->wire);
        if (has)
            write_value(&field->type, (const char *)object + field->offset, w);
        else
            json_null(w);
        any = true;
    }
    return any;
}

void schema_encode(const struct schema *schema, const void *object, struct buf *to)
{
    struct json_writer w = json_writer(to);
    const struct field *whole = schema_whole(schema);

    if (whole) {
        write_value(&whole->type, (const char *)object + whole->offset, &w);
        return;
    }
    json_begin_object(&w);
    schema_encode_members(schema, object, &w);
    json_end_object(&w);
}
