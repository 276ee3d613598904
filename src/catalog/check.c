/* SPDX-License-Identifier: MIT */
/*
 * Rules and refusals. Values are shown cut and escaped: what a client sent never reaches a terminal
 * or log raw.
 */
#include "catalog/check.h"

#include "base/mem.h"

#include <inttypes.h>

#define SHOWN_MAX 64 /* bytes of a value or name */

struct spot spot_of(const struct spot *up, const struct field *field)
{
    return (struct spot){
        .up = up,
        .name = field->place == PLACE_WHOLE ? SLICE("body") : slice_of(field->wire),
        .type = &field->type,
        .rule = &field->rule,
    };
}

/* ---- rules ---- */

bool rule_allows_i64(const struct rule *rule, int64_t value)
{
    return rule->kind != RULE_KIND_RANGE || (value >= rule->min && value <= rule->max);
}

bool rule_allows_f64(const struct rule *rule, double value)
{
    return rule->kind != RULE_KIND_RANGE ||
           (value >= (double)rule->min && value <= (double)rule->max);
}

bool rule_allows_text(const struct rule *rule, struct slice text)
{
    bool ok = true;

    switch (rule->kind) {
    case RULE_KIND_LENGTH: {
        int64_t length = (int64_t)slice_characters(text);
        return length >= rule->min && length <= rule->max;
    }
    case RULE_KIND_FORMAT:
        return format_check(rule->name, text.at, &ok) && ok;
    case RULE_KIND_PATTERN:
        return pattern_check(rule->name, text.at);
    case RULE_KIND_ANY:
    case RULE_KIND_RANGE:
    case RULE_KIND_UNIT:
        break;
    }
    return true;
}

/* ---- what is accepted, in words ---- */

void duration_write(int64_t duration_us, char ret[DURATION_TEXT_SIZE])
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {
        {"d", 86400 * US_PER_S}, {"h", 3600 * US_PER_S}, {"m", 60 * US_PER_S},
        {"s", US_PER_S},         {"ms", US_PER_MS},
    };
    size_t size = 0;

    for (size_t i = 0; i < COUNT_OF(units) && duration_us >= US_PER_MS; i++) {
        int64_t n = duration_us / units[i].us;
        duration_us %= units[i].us;
        if (n > 0)
            size += (size_t)snprintf(ret + size, DURATION_TEXT_SIZE - size, "%" PRId64 "%s", n,
                                     units[i].unit);
    }
    if (size == 0)
        snprintf(ret, DURATION_TEXT_SIZE, "0s");
}

static void add_bound(struct buf *to, const struct type *type, int64_t bound)
{
    char text[DURATION_TEXT_SIZE];

    if (type->kind != KIND_DURATION) {
        buf_add_i64(to, bound);
        return;
    }
    duration_write(bound, text);
    buf_add_text(to, text);
}

static void add_range(struct buf *to, const struct type *type, const struct rule *rule)
{
    if (rule->kind == RULE_KIND_UNIT)
        buf_printf(to, " (%s)", rule->name);
    if (rule->kind != RULE_KIND_RANGE)
        return;
    if (rule->max == INT64_MAX) {
        buf_add_text(to, " of at least ");
        add_bound(to, type, rule->min);
        return;
    }
    buf_add_text(to, " from ");
    add_bound(to, type, rule->min);
    buf_add_text(to, " to ");
    add_bound(to, type, rule->max);
}

static void add_text_rule(struct buf *to, const struct rule *rule)
{
    switch (rule->kind) {
    case RULE_KIND_LENGTH:
        if (rule->min == 0)
            buf_printf(to, "at most %" PRId64 " characters of text", rule->max);
        else
            buf_printf(to, "%" PRId64 " to %" PRId64 " characters of text", rule->min, rule->max);
        return;
    case RULE_KIND_FORMAT:
        buf_add_text(to, format_accepts(rule->name));
        return;
    case RULE_KIND_PATTERN:
        buf_printf(to, "text that matches %s", rule->name);
        return;
    case RULE_KIND_ANY:
    case RULE_KIND_RANGE:
    case RULE_KIND_UNIT:
        buf_add_text(to, "text");
        return;
    }
}

static void add_words(struct buf *to, const struct type *type)
{
    buf_add_text(to, "one of ");
    for (int i = 0; i < type->n_words; i++) {
        buf_add_text(to, i > 0 ? ", " : "");
        buf_add_text(to, type->words[i].word);
    }
}

static void add_accepts(struct buf *to, const struct type *type, const struct rule *rule)
{
    switch (type->kind) {
    case KIND_STR:
    case KIND_SECRET:
        add_text_rule(to, rule);
        return;
    case KIND_I64:
        buf_add_text(to, "an integer");
        add_range(to, type, rule);
        return;
    case KIND_F64:
        buf_add_text(to, "a number");
        add_range(to, type, rule);
        return;
    case KIND_DURATION:
        buf_add_text(to, DURATION_GRAMMAR);
        buf_add_text(to, rule->kind == RULE_KIND_RANGE ? "," : "");
        add_range(to, type, rule);
        return;
    case KIND_CHOICE:
        add_words(to, type);
        return;
    case KIND_LIST:
        buf_add_text(to, "an array, each value ");
        add_accepts(to, type->element, rule);
        return;
    case KIND_MAP:
        buf_add_text(to, "a JSON object, each value ");
        add_accepts(to, type->element, rule);
        return;
    case KIND_FLAG:
        buf_add_text(to, "true or false");
        return;
    case KIND_ANY:
        buf_add_text(to, "any JSON value");
        return;
    case KIND_OBJ:
    case KIND_ENCODED:
        buf_add_text(to, "a JSON object");
        return;
    case KIND_ENCODED_LIST:
        buf_add_text(to, "an array of JSON objects");
        return;
    case KIND_LINES:
        buf_add_text(to, "JSON objects, one a line");
        return;
    }
}

void field_accepts(const struct field *field, char *ret, size_t size)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, size - 1);
    add_accepts(&text, &field->type, &field->rule);
    struct slice cut = slice_cut_at_character(buf_slice(&text), size - 1);
    memcpy(ret, buf_text(&text), cut.size);
    ret[cut.size] = '\0';
}

/* ---- refusals ---- */

static bool is_shown_raw(struct slice character)
{
    unsigned char first = (unsigned char)character.at[0];
    bool c1 = character.size == 2 && first == 0xC2 && (unsigned char)character.at[1] < 0xA0;

    return character.size > 0 && first >= 0x20 && first != 0x7F && !c1;
}

static void add_shown(struct buf *to, struct slice text)
{
    size_t at = 0;

    while (at < text.size && at < SHOWN_MAX) {
        struct slice rest = {.at = text.at + at, .size = text.size - at};
        struct slice character = {.at = rest.at, .size = slice_character_size(rest)};
        if (is_shown_raw(character)) {
            buf_add_slice(to, character);
            at += character.size;
            continue;
        }
        buf_printf(to, "\\x%02x", (unsigned)(unsigned char)rest.at[0]);
        at++;
    }
    if (at < text.size)
        buf_add_text(to, "…");
}

static void add_place(struct buf *to, const struct spot *spot)
{
    if (spot->up)
        add_place(to, spot->up);
    if (!spot->name.at) {
        buf_printf(to, "[%zu]", spot->index);
        return;
    }
    if (spot->up)
        buf_add_char(to, '.');
    if (spot->name.size > 0)
        add_shown(to, spot->name);
    else
        buf_add_text(to, "''");
}

/* "<where it stands>: <text>" */
static int refuse_at(const struct spot *spot, struct buf *text, struct refusal *why)
{
    CLEANUP(buf_release) struct buf place;

    buf_init(&place, REFUSAL_TEXT_SIZE);
    add_place(&place, spot);
    return refuse(why, OUTCOME_INVALID, buf_text(&place), "%s: %s", buf_text(&place),
                  buf_text(text));
}

int spot_refuse_text(const struct spot *spot, const char *text, struct refusal *why)
{
    CLEANUP(buf_release) struct buf to;

    buf_init(&to, REFUSAL_TEXT_SIZE);
    buf_add_text(&to, text);
    return refuse_at(spot, &to, why);
}

static bool holds_secret(const struct type *type)
{
    return type && (type->kind == KIND_SECRET || (type->element && holds_secret(type->element)));
}

int spot_refuse_because(const struct spot *spot, struct slice value, const char *because,
                        struct refusal *why)
{
    CLEANUP(buf_release) struct buf to;

    buf_init(&to, REFUSAL_TEXT_SIZE);
    buf_add_char(&to, '\'');
    if (holds_secret(spot->type))
        buf_add_text(&to, SECRET_SHOWN);
    else
        add_shown(&to, value);
    buf_add_text(&to, "' is not accepted; ");
    buf_add_text(&to, because);
    return refuse_at(spot, &to, why);
}

int spot_refuse(const struct spot *spot, struct slice value, struct refusal *why)
{
    CLEANUP(buf_release) struct buf because;

    buf_init(&because, REFUSAL_TEXT_SIZE);
    buf_add_text(&because, "expected ");
    add_accepts(&because, spot->type, spot->rule);
    return spot_refuse_because(spot, value, buf_text(&because), why);
}

int spot_refuse_missing(const struct spot *spot, const char *doc, struct refusal *why)
{
    CLEANUP(buf_release) struct buf to;

    buf_init(&to, REFUSAL_TEXT_SIZE);
    buf_add_text(&to, "required; expected ");
    add_accepts(&to, spot->type, spot->rule);
    buf_add_text(&to, ": ");
    buf_add_text(&to, doc);
    return refuse_at(spot, &to, why);
}

int spot_refuse_unknown(const struct spot *spot, const char *what, const struct known *known,
                        struct refusal *why)
{
    CLEANUP(buf_release) struct buf to;
    const char *separator = "; accepted are ";

    buf_init(&to, REFUSAL_TEXT_SIZE);
    buf_printf(&to, "unknown %s", what);
    for (size_t i = 0; i < COUNT_OF(known->schemas); i++) {
        const struct field *field = known->schemas[i] ? known->schemas[i]->fields : NULL;
        for (; field && field->wire; field++) {
            if (!(known->places & 1u << field->place))
                continue;
            buf_add_text(&to, separator);
            buf_add_text(&to, field->wire);
            separator = ", ";
        }
    }
    if (*separator == ';')
        buf_printf(&to, "; no %s is accepted", what);
    return refuse_at(spot, &to, why);
}
