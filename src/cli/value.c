/* SPDX-License-Identifier: MIT */
/*
 * Texts of values.
 *
 * What a reply holds need not be what its row says (a newer controller, a hostile one): a value of
 * another kind is shown as the JSON it is.
 */
#include "cli/value.h"

#include "base/mem.h"
#include "base/uuid.h"

#include <inttypes.h>

#define VALUE_SHOWN_MAX ((size_t)64 << 20) /* no reply is larger (client.h) */
#define INDENT          2

struct slice value_string(struct json string, struct arena *arena)
{
    const char *text;
    size_t size;

    if (json_string(string, arena, &text, &size))
        return (struct slice){.at = string.text.at + 1, .size = string.text.size - 2};
    return (struct slice){.at = text, .size = size};
}

/*
 * Numbers
 */

static void add_bytes(struct buf *to, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double shown = (double)bytes;
    size_t unit = 0;

    /* 1023.95 would be printed as 1024.0 */
    while (unit + 1 < COUNT_OF(units) && (shown >= 1023.95 || shown <= -1023.95)) {
        shown /= 1024;
        unit++;
    }
    if (unit == 0)
        buf_printf(to, "%" PRId64 " B", bytes);
    else
        buf_printf(to, "%.1f %s", shown, units[unit]);
}

static void add_ms(struct buf *to, int64_t ms)
{
    buf_printf(to, "%" PRId64 " ms", ms);
}

static const struct {
    const char *name;
    void (*add)(struct buf *to, int64_t value);
} units[] = {
    {.name = "bytes", .add = add_bytes},
    {.name = "ms", .add = add_ms},
};

static void add_number(struct buf *to, const struct field *field, struct json json)
{
    int64_t integer;
    double real;

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (field->rule.kind == RULE_KIND_UNIT && strcmp(field->rule.name, units[i].name) == 0 &&
            json_i64(json, &integer)) {
            units[i].add(to, integer);
            return;
        }
    }
    if (field->type.kind == KIND_F64 && json_f64(json, &real))
        buf_printf(to, "%.2f", real);
    else
        buf_add_slice(to, json.text);
}

/*
 * Values
 */

static void add_value(struct buf *to, const struct field *field, struct json json,
                      enum text_lines lines, struct arena *arena);

static bool type_is_joined(const struct field *field, struct json json)
{
    if (field->type.kind == KIND_LIST)
        return json.kind == JSON_ARRAY && field->type.element->kind != KIND_OBJ;
    return field->type.kind == KIND_MAP && json.kind == JSON_OBJECT &&
           field->type.element->kind != KIND_OBJ;
}

static void add_joined(struct buf *to, const struct field *field, struct json json,
                       enum text_lines lines, struct arena *arena)
{
    const struct field element = {.type = *field->type.element, .rule = field->rule};
    struct json_walk walk = json_walk(json);

    for (bool first = true; json_next(&walk); first = false) {
        if (!first)
            buf_add_text(to, ", ");
        if (walk.members) {
            text_clean(to, value_string(walk.key, arena), TEXT_ONE_LINE);
            buf_add_char(to, '=');
        }
        add_value(to, &element, walk.value, lines, arena);
    }
}

static void add_value(struct buf *to, const struct field *field, struct json json,
                      enum text_lines lines, struct arena *arena)
{
    switch (json.kind) {
    case JSON_NULL:
        buf_add_text(to, VALUE_ABSENT);
        return;
    case JSON_TRUE:
        buf_add_text(to, "yes");
        return;
    case JSON_FALSE:
        buf_add_text(to, "no");
        return;
    case JSON_NUMBER:
        add_number(to, field, json);
        return;
    case JSON_STRING:
        text_clean(to, value_string(json, arena), lines);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    if (type_is_joined(field, json))
        add_joined(to, field, json, lines, arena);
    else
        text_clean(to, json.text, TEXT_ONE_LINE);
}

struct slice value_text(const struct field *field, const struct json *json, enum text_lines lines,
                        struct arena *arena)
{
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, VALUE_SHOWN_MAX);

    if (json)
        add_value(&text, field, *json, lines, arena);
    else
        buf_add_text(&text, VALUE_ABSENT);
    return (struct slice){.at = arena_copy(arena, buf_slice(&text)), .size = text.size};
}

static struct slice time_cell(struct slice text, struct arena *arena)
{
    char shown[TIME_TEXT_SIZE];
    int64_t time_us;

    if (!time_parse(text, &time_us))
        return text;
    time_format(time_us, shown);
    shown[sizeof("2026-11-24") - 1] = ' ';
    shown[sizeof(shown) - sizeof("Z")] = '\0';
    return slice_of(arena_strdup(arena, shown));
}

struct slice value_cell(const struct field *field, const struct json *json, struct arena *arena)
{
    if (!json || json->kind != JSON_STRING)
        return value_text(field, json, TEXT_ONE_LINE, arena);
    struct slice text = value_string(*json, arena);
    if (text.size > 0 && text.at[text.size - 1] == '\n')
        text.size--;
    struct slice first;
    bool more = slice_cut(&text, '\n', &first);
    CLEANUP(buf_release) struct buf clean;
    buf_init(&clean, VALUE_SHOWN_MAX);
    text_clean(&clean, first, TEXT_ONE_LINE);
    buf_add_text(&clean, more ? TEXT_ELLIPSIS : "");
    struct slice cell = {.at = arena_copy(arena, buf_slice(&clean)), .size = clean.size};
    return value_is_time(field) ? time_cell(cell, arena) : cell;
}

bool value_has_lines(const struct json *json, struct arena *arena)
{
    if (json->kind != JSON_STRING)
        return false;
    struct slice text = value_string(*json, arena);
    return text.size > 1 && memchr(text.at, '\n', text.size - 1);
}

static const struct {
    const char *word;
    enum tint tint;
} tints[] = {
    {.word = "ok", .tint = TINT_GOOD},
    {.word = "completed", .tint = TINT_GOOD},
    {.word = "Ready", .tint = TINT_GOOD},
    {.word = "failed", .tint = TINT_BAD},
    {.word = "partial_failure", .tint = TINT_BAD},
    {.word = "NotReady", .tint = TINT_BAD},
    {.word = "skipped", .tint = TINT_PENDING},
    {.word = "submitted", .tint = TINT_PENDING},
    {.word = "processing", .tint = TINT_PENDING},
};

enum tint value_tint(const struct field *field, struct slice text)
{
    if (field->type.kind != KIND_CHOICE)
        return TINT_NONE;
    for (size_t i = 0; i < COUNT_OF(tints); i++) {
        if (slice_is(text, tints[i].word))
            return tints[i].tint;
    }
    return TINT_NONE;
}

bool value_is_number(const struct field *field)
{
    return field->type.kind == KIND_I64 || field->type.kind == KIND_F64;
}

static bool value_has_format(const struct field *field, const char *format)
{
    return field->rule.kind == RULE_KIND_FORMAT && strcmp(field->rule.name, format) == 0;
}

bool value_is_time(const struct field *field)
{
    return field->type.kind == KIND_STR && value_has_format(field, "date_time");
}

bool value_is_cursor(const struct field *field)
{
    return field->type.kind == KIND_STR && value_has_format(field, "cursor");
}

const char *value_cursor_flag(const struct op *op)
{
    const struct field *field = op->in->fields;

    while (field->wire && !value_is_cursor(field))
        field++;
    return field->wire;
}

size_t value_floor(const struct field *field)
{
    if (value_is_time(field))
        return VALUE_TIME_SHORT;
    return field->type.kind == KIND_STR && value_has_format(field, "uuid") ? UUID_TEXT_SIZE - 1 : 0;
}

/*
 * JSON
 */

static void pretty(struct json json, struct buf *to, size_t depth)
{
    if (json.kind != JSON_ARRAY && json.kind != JSON_OBJECT) {
        text_clean(to, json.text, TEXT_ONE_LINE);
        return;
    }
    struct json_walk walk = json_walk(json);
    bool first = true;

    buf_add_char(to, json.text.at[0]);
    for (; json_next(&walk); first = false) {
        buf_add_text(to, first ? "\n" : ",\n");
        text_fill(to, (depth + 1) * INDENT);
        if (walk.members) {
            text_clean(to, walk.key.text, TEXT_ONE_LINE);
            buf_add_text(to, ": ");
        }
        pretty(walk.value, to, depth + 1);
    }
    if (!first) {
        buf_add_char(to, '\n');
        text_fill(to, depth * INDENT);
    }
    buf_add_char(to, json.text.at[json.text.size - 1]);
}

void value_pretty(struct json json, struct buf *to)
{
    pretty(json, to, 0);
    buf_add_char(to, '\n');
}
