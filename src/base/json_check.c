/* SPDX-License-Identifier: MIT */
/*
 * The scanner: one pass over bytes of any origin that proves a document.
 *
 * Depth and number of values bound its stack and its memory before either is used.
 */
#include "base/json_inside.h"
#include "base/mem.h"

#define KEYS_ON_STACK   64
#define KEYS_PAIRWISE   16 /* up to here comparing all pairs is faster than sorting */
#define KEY_SHOWN_MAX   64 /* bytes of a key in a refusal */
#define EXPECTED_ESCAPE "an escape (\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX, surrogates in pairs)"

struct key {
    struct slice inside; /* between the quotes */
    bool escaped;
};

/* The keys of all objects that are open, the innermost last: one array, however many and deep the
 * objects. */
struct open_keys {
    struct key *at;
    size_t n, room;
    struct key first[KEYS_ON_STACK];
};

struct scan {
    const char *start, *at, *end;
    size_t n_values, values_max;
    unsigned depth;
    struct open_keys keys;
    struct refusal *why;
};

static int scan_value(struct scan *scan);

static size_t scan_byte(const struct scan *scan, const char *at)
{
    return (size_t)(at - scan->start);
}

static int expected(const struct scan *scan, const char *what)
{
    bool ended = scan->at == scan->end;

    return refuse(scan->why, OUTCOME_INVALID, NULL, "byte %zu: expected %s here%s",
                  scan_byte(scan, scan->at), what, ended ? ", but the text ends" : "");
}

static void scan_blank(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

static bool scan_take(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static int scan_word(struct scan *scan, const char *word)
{
    struct slice rest = {.at = scan->at, .size = (size_t)(scan->end - scan->at)};

    if (!slice_starts(rest, word))
        return expected(scan, "a value");
    scan->at += strlen(word);
    return 0;
}

static int scan_digits(struct scan *scan)
{
    const char *first = scan->at;

    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > first ? 0 : expected(scan, "a digit");
}

static int scan_number(struct scan *scan)
{
    int r;

    scan_take(scan, '-');
    if (!scan_take(scan, '0')) {
        r = scan_digits(scan);
        if (r)
            return r;
    }
    if (scan_take(scan, '.')) {
        r = scan_digits(scan);
        if (r)
            return r;
    }
    if (!scan_take(scan, 'e') && !scan_take(scan, 'E'))
        return 0;
    if (!scan_take(scan, '+'))
        scan_take(scan, '-');
    return scan_digits(scan);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static int scan_string(struct scan *scan, bool *ret_escaped)
{
    *ret_escaped = false;
    scan->at++;
    for (;;) {
        while (scan->at < scan->end && is_plain((unsigned char)*scan->at))
            scan->at++;
        if (scan_take(scan, '"'))
            return 0;
        if (scan->at == scan->end)
            return expected(scan, "the string's closing quote");
        if (*scan->at == '\\') {
            size_t size = escape_size(scan->at, scan->end);
            if (size == 0)
                return expected(scan, EXPECTED_ESCAPE);
            scan->at += size;
            *ret_escaped = true;
            continue;
        }
        if ((unsigned char)*scan->at < 0x20)
            return expected(scan, "an escape and no bare control character");
        struct slice rest = {.at = scan->at, .size = (size_t)(scan->end - scan->at)};
        size_t size = slice_character_size(rest);
        if (size == 0)
            return expected(scan, "well-formed UTF-8");
        scan->at += size;
    }
}

/* Bytewise over the unescaped text: "a" and "\u0061" are one name (RFC 8259 §8.3). */
static int key_compare(const void *left, const void *right)
{
    const struct key *a = left, *b = right;

    if (!a->escaped && !b->escaped) {
        size_t shared = a->inside.size < b->inside.size ? a->inside.size : b->inside.size;
        int order = memcmp(a->inside.at, b->inside.at, shared);
        return order ? order
                     : (a->inside.size > b->inside.size) - (a->inside.size < b->inside.size);
    }
    struct unescaped in_a = unescaped_of(a->inside), in_b = unescaped_of(b->inside);
    int byte_a, byte_b;
    do {
        byte_a = unescaped_next(&in_a);
        byte_b = unescaped_next(&in_b);
    } while (byte_a == byte_b && byte_a >= 0);
    return byte_a - byte_b;
}

static void keys_add(struct open_keys *keys, struct key key)
{
    if (keys->n == keys->room) {
        bool on_stack = keys->at == keys->first;
        keys->room *= 2;
        keys->at = mem_realloc(on_stack ? NULL : keys->at, keys->room * sizeof(key));
        if (on_stack)
            memcpy(keys->at, keys->first, sizeof(keys->first));
    }
    keys->at[keys->n++] = key;
}

/* A key that stands twice, or NULL. Not by hashing: no choice of keys makes sorting slow. */
static const struct key *keys_duplicate(struct key *keys, size_t n)
{
    if (n <= KEYS_PAIRWISE) {
        for (size_t i = 1; i < n; i++) {
            for (size_t j = 0; j < i; j++) {
                if (key_compare(&keys[i], &keys[j]) == 0)
                    return &keys[i];
            }
        }
        return NULL;
    }
    qsort(keys, n, sizeof(*keys), key_compare);
    for (size_t i = 1; i < n; i++) {
        if (key_compare(&keys[i - 1], &keys[i]) == 0)
            return keys[i - 1].inside.at > keys[i].inside.at ? &keys[i - 1] : &keys[i];
    }
    return NULL;
}

/* Closes the object whose keys begin at `first`. */
static int keys_close(struct scan *scan, size_t first)
{
    const struct key *twice = keys_duplicate(scan->keys.at + first, scan->keys.n - first);

    scan->keys.n = first;
    if (!twice)
        return 0;
    struct slice shown = slice_cut_at_character(twice->inside, KEY_SHOWN_MAX);
    return refuse(scan->why, OUTCOME_INVALID, NULL, "byte %zu: \"%.*s\" stands twice in one object",
                  scan_byte(scan, twice->inside.at - 1), (int)shown.size, shown.at);
}

static int scan_open(struct scan *scan)
{
    if (scan->depth == JSON_DEPTH_MAX)
        return refuse(scan->why, OUTCOME_INVALID, NULL,
                      "byte %zu: more than %d arrays and objects inside one another",
                      scan_byte(scan, scan->at), JSON_DEPTH_MAX);
    scan->depth++;
    scan->at++;
    scan_blank(scan);
    return 0;
}

static int scan_member(struct scan *scan)
{
    if (scan->at == scan->end || *scan->at != '"')
        return expected(scan, "a member's name in quotes");
    struct key key = {.inside = {.at = scan->at + 1}};
    int r = scan_string(scan, &key.escaped);
    if (r)
        return r;
    key.inside.size = (size_t)(scan->at - 1 - key.inside.at);
    keys_add(&scan->keys, key);
    scan_blank(scan);
    if (!scan_take(scan, ':'))
        return expected(scan, "':'");
    scan_blank(scan);
    return scan_value(scan);
}

static int scan_object(struct scan *scan)
{
    size_t first_key = scan->keys.n;
    int r = scan_open(scan);

    if (r)
        return r;
    if (!scan_take(scan, '}')) {
        do {
            scan_blank(scan);
            r = scan_member(scan);
            if (r)
                return r;
            scan_blank(scan);
        } while (scan_take(scan, ','));
        if (!scan_take(scan, '}'))
            return expected(scan, "',' or '}'");
    }
    scan->depth--;
    return keys_close(scan, first_key);
}

static int scan_array(struct scan *scan)
{
    int r = scan_open(scan);

    if (r)
        return r;
    if (!scan_take(scan, ']')) {
        do {
            scan_blank(scan);
            r = scan_value(scan);
            if (r)
                return r;
            scan_blank(scan);
        } while (scan_take(scan, ','));
        if (!scan_take(scan, ']'))
            return expected(scan, "',' or ']'");
    }
    scan->depth--;
    return 0;
}

static int scan_value(struct scan *scan)
{
    bool escaped;

    if (scan->at == scan->end)
        return expected(scan, "a value");
    if (scan->n_values == scan->values_max)
        return refuse(scan->why, OUTCOME_INVALID, NULL, "byte %zu: more than %zu values",
                      scan_byte(scan, scan->at), scan->values_max);
    scan->n_values++;
    switch (json_kind_of(*scan->at)) {
    case JSON_OBJECT:
        return scan_object(scan);
    case JSON_ARRAY:
        return scan_array(scan);
    case JSON_STRING:
        return scan_string(scan, &escaped);
    case JSON_NULL:
        return scan_word(scan, "null");
    case JSON_TRUE:
        return scan_word(scan, "true");
    case JSON_FALSE:
        return scan_word(scan, "false");
    case JSON_NUMBER:
        break;
    }
    if (*scan->at != '-' && (*scan->at < '0' || *scan->at > '9'))
        return expected(scan, "a value");
    return scan_number(scan);
}

static int scan_document(struct scan *scan, struct json *ret)
{
    scan_blank(scan);
    const char *first = scan->at;
    int r = scan_value(scan);
    if (r)
        return r;
    struct slice text = {.at = first, .size = (size_t)(scan->at - first)};
    scan_blank(scan);
    if (scan->at < scan->end)
        return expected(scan, "the end of the text");
    *ret = (struct json){.kind = json_kind_of(*first), .text = text};
    return 0;
}

int json_check(struct slice text, size_t values_max, struct json *ret, struct refusal *why)
{
    struct scan scan;

    /* Member by member: zeroing the keys would be most of the work for a small document. */
    scan.start = scan.at = text.size ? text.at : "";
    scan.end = scan.start + text.size;
    scan.n_values = 0;
    scan.values_max = values_max;
    scan.depth = 0;
    scan.keys.at = scan.keys.first;
    scan.keys.n = 0;
    scan.keys.room = KEYS_ON_STACK;
    scan.why = why;
    int r = scan_document(&scan, ret);
    if (scan.keys.at != scan.keys.first)
        mem_free(scan.keys.at);
    return r;
}
