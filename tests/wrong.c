/* SPDX-License-Identifier: MIT */
/*
 * One row a way to be wrong. A value beyond a limit is exactly one beyond it.
 */
#include "wrong.h"

#include "request.h"

/* Longer values do not fit the header and are refused before any rule is looked at. */
#define PLAIN_MAX 4096

static const char *const no_format = "!! no such thing !!";

/* What a list or map holds, or the field itself: rules are about that. */
static const struct type *ruled_type(const struct field *field)
{
    return field->type.element ? field->type.element : &field->type;
}

static bool in_body(const struct field *field)
{
    return field->place == PLACE_BODY;
}

/* Writes a value of the ruled type: JSON inside its list or map in a body, plain text elsewhere. */
static bool write_ruled(const struct field *field, const char *text, bool quoted, struct buf *to)
{
    if (!in_body(field)) {
        percent_encode(slice_of(text), to);
        return true;
    }
    if (field->type.element)
        buf_add_text(to, field->type.kind == KIND_LIST ? "[" : "{\"key\":");
    if (quoted)
        json_quote(to, slice_of(text));
    else
        buf_add_text(to, text);
    if (field->type.element)
        buf_add_char(to, field->type.kind == KIND_LIST ? ']' : '}');
    return true;
}

static bool is_duration(const struct field *field)
{
    return ruled_type(field)->kind == KIND_DURATION;
}

static bool write_number(const struct field *field, int64_t number, struct buf *to)
{
    char text[32];

    snprintf(text, sizeof(text), is_duration(field) ? "%lldms" : "%lld", (long long)number);
    return write_ruled(field, text, is_duration(field), to);
}

/* ---- presence ---- */

static bool absent(const struct field *field, struct buf *to)
{
    (void)to;
    return field->presence == PRESENCE_REQUIRED && !field->default_text &&
           field->place != PLACE_PATH;
}

static bool null(const struct field *field, struct buf *to)
{
    buf_add_text(to, "null");
    return absent(field, to) && in_body(field);
}

static bool empty(const struct field *field, struct buf *to)
{
    (void)to;
    return field->place == PLACE_QUERY;
}

static bool repeated(const struct field *field, struct buf *to)
{
    if (field->place == PLACE_PATH || (field->place == PLACE_QUERY && field->type.element))
        return false;
    if (in_body(field))
        valid_value(field, to);
    else
        buf_add_char(to, '1');
    return true;
}

/* ---- kind ---- */

static const char *text_of_other_kind(enum kind kind)
{
    switch (kind) {
    case KIND_STR:
    case KIND_SECRET:
    case KIND_DURATION:
    case KIND_CHOICE:
        return "5";
    case KIND_I64:
    case KIND_F64:
    case KIND_FLAG:
        return "\"yes\"";
    case KIND_OBJ:
    case KIND_MAP:
    case KIND_ENCODED:
        return "[]";
    case KIND_LIST:
    case KIND_ENCODED_LIST:
        return "{}";
    case KIND_LINES:
    case KIND_ANY:
        return NULL;
    }
    return NULL;
}

static bool other_kind(const struct field *field, struct buf *to)
{
    const char *text = text_of_other_kind(field->type.kind);

    if (!text || !in_body(field))
        return false;
    buf_add_text(to, text);
    return true;
}

static bool element_of_other_kind(const struct field *field, struct buf *to)
{
    const char *text = field->type.element ? text_of_other_kind(field->type.element->kind) : NULL;

    return text && in_body(field) && write_ruled(field, text, false, to);
}

static bool no_such_word(const struct field *field, struct buf *to)
{
    switch (ruled_type(field)->kind) {
    case KIND_DURATION:
    case KIND_CHOICE:
        return write_ruled(field, "nonsense", true, to);
    case KIND_I64:
    case KIND_F64:
    case KIND_FLAG:
        return !in_body(field) && write_ruled(field, "nonsense", false, to);
    case KIND_STR:
    case KIND_SECRET:
    case KIND_ANY:
    case KIND_OBJ:
    case KIND_LIST:
    case KIND_MAP:
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
    case KIND_LINES:
        return false;
    }
    return false;
}

static bool fraction(const struct field *field, struct buf *to)
{
    return ruled_type(field)->kind == KIND_I64 && write_ruled(field, "1.5", false, to);
}

static bool beyond_64_bits(const struct field *field, struct buf *to)
{
    return ruled_type(field)->kind == KIND_I64 &&
           write_ruled(field, "9223372036854775808", false, to);
}

static bool is_number(const struct field *field)
{
    enum kind kind = ruled_type(field)->kind;

    return kind == KIND_I64 || kind == KIND_F64;
}

static bool beyond_a_double(const struct field *field, struct buf *to)
{
    return is_number(field) && write_ruled(field, "1e400", false, to);
}

/* In a body this is no JSON at all, see the cases of a request. */
static bool leading_zero(const struct field *field, struct buf *to)
{
    return is_number(field) && !in_body(field) && write_ruled(field, "01", false, to);
}

/* ---- rules ---- */

static bool below(const struct field *field, struct buf *to)
{
    const struct rule *rule = &field->rule;
    int64_t least = is_duration(field) ? rule->min / US_PER_MS : rule->min;

    if (rule->kind != RULE_KIND_RANGE || rule->min == INT64_MIN || (is_duration(field) && !least))
        return false;
    return write_number(field, least - 1, to);
}

static bool above(const struct field *field, struct buf *to)
{
    const struct rule *rule = &field->rule;

    if (rule->kind != RULE_KIND_RANGE || rule->max == INT64_MAX)
        return false;
    return write_number(field, (is_duration(field) ? rule->max / US_PER_MS : rule->max) + 1, to);
}

static bool write_characters(const struct field *field, int64_t n, struct buf *to)
{
    struct buf text;

    buf_init(&text, (size_t)1 << 20);
    for (int64_t i = 0; i < n; i++)
        buf_add_char(&text, 'x');
    write_ruled(field, buf_text(&text), true, to);
    buf_release(&text);
    return true;
}

static bool too_short(const struct field *field, struct buf *to)
{
    const struct rule *rule = &field->rule;

    /* An empty path segment is no segment, and an empty parameter is refused as such. */
    if (rule->kind != RULE_KIND_LENGTH || rule->min < 1 || (rule->min == 1 && !in_body(field)))
        return false;
    return write_characters(field, rule->min - 1, to);
}

static bool too_long(const struct field *field, struct buf *to)
{
    const struct rule *rule = &field->rule;

    if (rule->kind != RULE_KIND_LENGTH || (!in_body(field) && rule->max > PLAIN_MAX))
        return false;
    return write_characters(field, rule->max + 1, to);
}

static bool other_format(const struct field *field, struct buf *to)
{
    if (field->rule.kind != RULE_KIND_FORMAT && field->rule.kind != RULE_KIND_PATTERN)
        return false;
    return write_ruled(field, no_format, true, to);
}

/* ---- bytes ---- */

static bool holds_text(const struct field *field)
{
    enum kind kind = ruled_type(field)->kind;

    return kind == KIND_STR || kind == KIND_SECRET || kind == KIND_DURATION || kind == KIND_CHOICE;
}

static bool nul(const struct field *field, struct buf *to)
{
    if (in_body(field))
        return holds_text(field) && write_ruled(field, "\"a\\u0000b\"", false, to);
    buf_add_text(to, "a%00b");
    return true;
}

static bool not_utf8(const struct field *field, struct buf *to)
{
    if (in_body(field))
        return false; /* the whole body is refused then, see the cases of a request */
    buf_add_text(to, "a%ffb");
    return true;
}

static bool half_an_escape(const struct field *field, struct buf *to)
{
    if (in_body(field))
        return false;
    buf_add_text(to, "%zz");
    return true;
}

const struct wrong wrongs[] = {
    {.name = "absent", .write = absent, .absent = true},
    {.name = "null", .write = null},
    {.name = "empty", .write = empty},
    {.name = "given twice", .write = repeated, .twice = true},
    {.name = "of another kind", .write = other_kind},
    {.name = "with an element of another kind", .write = element_of_other_kind},
    {.name = "no such word", .write = no_such_word},
    {.name = "a fraction", .write = fraction},
    {.name = "beyond 64 bits", .write = beyond_64_bits},
    {.name = "beyond a double", .write = beyond_a_double},
    {.name = "with a leading zero", .write = leading_zero},
    {.name = "below its range", .write = below},
    {.name = "above its range", .write = above},
    {.name = "too short", .write = too_short},
    {.name = "too long", .write = too_long},
    {.name = "of another format", .write = other_format},
    {.name = "with a NUL", .write = nul},
    {.name = "not UTF-8", .write = not_utf8},
    {.name = "with a malformed escape", .write = half_an_escape},
};
const size_t n_wrongs = sizeof(wrongs) / sizeof(wrongs[0]);
