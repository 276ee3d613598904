/* SPDX-License-Identifier: MIT */
/*
 * Formats and patterns of text: FORMAT(name) is a row of the table here, PATTERN(text) a regular
 * expression, compiled once.
 */
#include "base/mem.h"
#include "base/uuid.h"
#include "catalog/check.h"

#include <assert.h>
#include <pthread.h>
#include <regex.h>

/* ---- formats ---- */

#define HOST_NAME_MAX_BYTES        255 /* RFC 1123 §2.1 */
#define TARGET_TEXT_MAX_BYTES      255
#define OPERATION_PREFIX_MAX_BYTES 64
#define CURSOR_MAX_BYTES           128

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* One or more of [A-Za-z0-9_-]. */
static bool is_segment(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_letter_or_digit(text.at[i]) && text.at[i] != '_' && text.at[i] != '-')
            return false;
    }
    return text.size > 0;
}

static bool is_dotted(struct slice text)
{
    struct slice segment;

    while (slice_cut(&text, '.', &segment)) {
        if (!is_segment(segment))
            return false;
    }
    return is_segment(segment);
}

/* More than RFC 1123 allows: underscores, which hosts do have. A machine id is such a name too. */
static bool is_hostname(struct slice text)
{
    return text.size <= HOST_NAME_MAX_BYTES && is_dotted(text) && is_letter_or_digit(text.at[0]);
}

static bool is_target(struct slice text)
{
    struct slice rest = text, key;

    if (text.size > TARGET_TEXT_MAX_BYTES)
        return false;
    if (slice_is(text, "_any") || slice_is(text, "_all"))
        return true;
    if (slice_cut(&rest, ':', &key))
        return is_segment(key) && is_dotted(rest);
    return is_hostname(text);
}

static bool is_uuid(struct slice text)
{
    struct uuid uuid;

    return uuid_parse(text, &uuid);
}

static bool is_date_time(struct slice text)
{
    int64_t time_us;

    return time_parse(text, &time_us);
}

static bool is_moment(struct slice text)
{
    int64_t us;

    return time_parse(text, &us) || duration_parse(text, &us);
}

/* Old jobs may be of operations that this version does not have. */
static bool is_operation_prefix(struct slice text)
{
    size_t size = text.size > 1 && text.at[text.size - 1] == '.' ? text.size - 1 : text.size;

    return text.size <= OPERATION_PREFIX_MAX_BYTES &&
           is_dotted((struct slice){.at = text.at, .size = size});
}

/* Base64url (RFC 4648 §5); only who made it can tell more. */
static bool is_cursor(struct slice text)
{
    return text.size <= CURSOR_MAX_BYTES && is_segment(text);
}

static bool is_operation_type(struct slice text)
{
    const struct op *op = op_by_type(text.at);

    return op && op_makes_run(op);
}

static const struct format {
    const char *name, *accepts;
    bool (*has)(struct slice text); /* text is NUL-terminated */
} formats[] = {
    {
        .name = "uuid",
        .accepts = "a UUID such as 0190b9a0-0000-7000-8000-000000000001",
        .has = is_uuid,
    },
    {
        .name = "target",
        .accepts = "a host name, machine id, _any, _all, or a label such as group:web.dev",
        .has = is_target,
    },
    {
        .name = "hostname",
        .accepts = "a host name: 1 to 255 letters, digits, '-' and '_', in parts joined by '.'",
        .has = is_hostname,
    },
    {
        .name = "operation_type",
        .accepts = "an operation such as node.disk.get (see /openapi.json)",
        .has = is_operation_type,
    },
    {
        .name = "date_time",
        .accepts = "a time such as 2026-11-24T06:12:28Z (RFC 3339)",
        .has = is_date_time,
    },
    {
        .name = "moment",
        .accepts = "a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now "
                   "such as 2h",
        .has = is_moment,
    },
    {
        .name = "operation_prefix",
        .accepts =
            "an operation such as node.disk.get, or what several begin with, such as network.",
        .has = is_operation_prefix,
    },
    {
        .name = "cursor",
        .accepts = "a cursor of an earlier reply to the same request",
        .has = is_cursor,
    },
};

static const struct format *format_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    }
    return NULL;
}

bool format_check(const char *name, const char *text, bool *ret_ok)
{
    const struct format *format = format_find(name);

    if (!format)
        return false;
    *ret_ok = format->has(slice_of(text));
    return true;
}

const char *format_accepts(const char *name)
{
    const struct format *format = format_find(name);

    return format ? format->accepts : NULL;
}

/* ---- patterns ---- */

/* One place for every PATTERN in the rows. */
#define COUNT_ANY            0
#define COUNT_RANGE(lo, hi)  0
#define COUNT_LENGTH(lo, hi) 0
#define COUNT_FORMAT(format) 0
#define COUNT_UNIT(unit)     0
#define COUNT_PATTERN(text)  1
enum {
    N_PATTERNS = 0
#define FIELD_AS(s, place, kind, name, wire, presence, rule, doc) +COUNT_##rule
#include "catalog/rows.h"
};

static struct {
    const char *text;
    regex_t compiled;
} patterns[N_PATTERNS + 1];
static size_t n_patterns;
static pthread_once_t patterns_once = PTHREAD_ONCE_INIT;

static void pattern_compile(const char *text)
{
    struct buf whole;

    buf_init(&whole, PATTERN_TEXT_MAX);
    buf_printf(&whole, "^(%s)$", text);
    int r = regcomp(&patterns[n_patterns].compiled, buf_text(&whole), REG_EXTENDED | REG_NOSUB);
    buf_release(&whole);
    assert(r == 0 && "a PATTERN is a POSIX extended expression (test_rows.c)");
    patterns[n_patterns++].text = text;
}

static void patterns_compile(void)
{
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct field *field = (*schema)->fields; field->wire; field++) {
            if (field->rule.kind == RULE_KIND_PATTERN)
                pattern_compile(field->rule.name);
        }
    }
}

bool pattern_check(const char *pattern, const char *text)
{
    pthread_once(&patterns_once, patterns_compile);
    if (strlen(text) > PATTERN_TEXT_MAX)
        return false;
    for (size_t i = 0; i < n_patterns; i++) {
        if (patterns[i].text == pattern)
            return regexec(&patterns[i].compiled, text, 0, NULL, 0) == 0;
    }
    assert(!"a pattern of the rows");
    return false;
}
