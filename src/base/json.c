/* SPDX-License-Identifier: MIT */
/*
 * JSON in: one pass that proves a document, and walkers that rely on the proof.
 *
 * Only the scanner may see bad text. Everything below it takes checked text and skips what was
 * proved: to a walker commas and colons are white space.
 */
#include "base/json.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>

#define KEYS_ON_STACK 64
#define KEYS_PAIRWISE 16 /* up to here comparing all pairs is faster than sorting */
#define KEY_SHOWN_MAX 64 /* bytes of a key in a refusal */

/*
 * Strings
 */

/* The UTF-16 unit of the escape "\uXXXX" at `at`, -1 when there is none. */
static int32_t unit_at(const char *at, const char *end)
{
    int32_t unit = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static unsigned utf8_encode(uint32_t point, char ret[4])
{
    if (point < 0x80) {
        ret[0] = (char)point;
        return 1;
    }
    unsigned size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (unsigned i = size - 1; i > 0; i--) {
        ret[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    ret[0] = (char)((0xF00 >> size) | point);
    return size;
}

/* Reads the inside of a checked string byte by byte, escapes resolved. */
struct unescaped {
    const char *at, *end;
    char bytes[4]; /* of the last \u escape */
    unsigned n_bytes, n_read;
};

static struct unescaped unescaped_of(struct slice inside)
{
    return (struct unescaped){.at = inside.at, .end = inside.at + inside.size};
}

static int unescaped_letter(char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return letter; /* " \ / */
    }
}

/* The next byte, or -1 at the end. */
static int unescaped_next(struct unescaped *u)
{
    if (u->n_read < u->n_bytes)
        return (uint8_t)u->bytes[u->n_read++];
    if (u->at == u->end)
        return -1;
    if (*u->at != '\\')
        return (uint8_t)*u->at++;
    if (u->at[1] != 'u') {
        u->at += 2;
        return unescaped_letter(u->at[-1]);
    }

    int32_t unit = unit_at(u->at, u->end);
    uint32_t point = (uint32_t)unit;
    u->at += 6;
    if (is_high_surrogate(unit)) {
        int32_t low = unit_at(u->at, u->end);
        point = 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
        u->at += 6;
    }
    u->n_bytes = utf8_encode(point, u->bytes);
    u->n_read = 1;
    return (uint8_t)u->bytes[0];
}

/*
 * Scanner
 */

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

static int scan_escape(struct scan *scan)
{
    const char *at = scan->at;

    if (scan->end - at >= 2 && at[1] != '\0' && strchr("\"\\/bfnrt", at[1])) {
        scan->at += 2;
        return 0;
    }
    int32_t unit = unit_at(at, scan->end);
    if (unit < 0)
        return expected(scan, "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    if (is_high_surrogate(unit) && is_low_surrogate(unit_at(at + 6, scan->end))) {
        scan->at += 12;
        return 0;
    }
    if (is_high_surrogate(unit) || is_low_surrogate(unit))
        return expected(scan, "a pair of surrogates or a character that needs none");
    scan->at += 6;
    return 0;
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
            int r = scan_escape(scan);
            if (r)
                return r;
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

/* A key that stands twice among `n`, or NULL. Sorting and not hashing: no choice of keys makes it
 * slow. */
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
    struct key key = {.inside = {.at = scan->at + 1}};

    if (scan->at == scan->end || *scan->at != '"')
        return expected(scan, "a member's name in quotes");
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

/* What a value that begins with `first` is, if it is one at all. */
static enum json_kind kind_of(char first)
{
    switch (first) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 'n':
        return JSON_NULL;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    default:
        return JSON_NUMBER;
    }
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
    switch (kind_of(*scan->at)) {
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

static int scan_document(struct scan *scan, struct slice *ret)
{
    scan_blank(scan);
    const char *first = scan->at;
    int r = scan_value(scan);
    if (r)
        return r;
    struct slice value = {.at = first, .size = (size_t)(scan->at - first)};
    scan_blank(scan);
    if (scan->at < scan->end)
        return expected(scan, "the end of the text");
    *ret = value;
    return 0;
}

int json_check(struct slice text, size_t values_max, struct json *ret, struct refusal *why)
{
    struct scan scan;
    struct slice value;

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
    int r = scan_document(&scan, &value);
    if (scan.keys.at != scan.keys.first)
        mem_free(scan.keys.at);
    if (r)
        return r;
    *ret = (struct json){.kind = kind_of(*value.at), .text = value};
    return 0;
}

/*
 * Walkers over checked text
 */

static const char *blank_skip(const char *at, const char *end)
{
    while (at < end &&
           (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ',' || *at == ':'))
        at++;
    return at;
}

static const char *string_skip(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
    }
    return at + 1;
}

static const char *scalar_skip(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != ']' && *at != '}' && *at != ' ' && *at != '\n' &&
           *at != '\r' && *at != '\t')
        at++;
    return at;
}

static const char *container_skip(const char *at)
{
    unsigned depth = 0;

    do {
        if (*at == '"') {
            at = string_skip(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (depth > 0);
    return at;
}

/* The value at *at, which is moved behind it. */
static struct json value_take(const char **at, const char *end)
{
    const char *first = *at;
    enum json_kind kind = kind_of(*first);

    if (kind == JSON_STRING)
        *at = string_skip(first);
    else if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        *at = container_skip(first);
    else
        *at = scalar_skip(first, end);
    return (struct json){.kind = kind, .text = {.at = first, .size = (size_t)(*at - first)}};
}

struct json_walk json_walk(struct json array_or_object)
{
    struct slice text = array_or_object.text;

    assert(array_or_object.kind == JSON_OBJECT || array_or_object.kind == JSON_ARRAY);
    return (struct json_walk){
        .at = text.at + 1,
        .end = text.at + text.size - 1,
        .members = array_or_object.kind == JSON_OBJECT,
    };
}

bool json_next(struct json_walk *walk)
{
    walk->at = blank_skip(walk->at, walk->end);
    if (walk->at == walk->end)
        return false;
    if (walk->members) {
        walk->key = value_take(&walk->at, walk->end);
        walk->at = blank_skip(walk->at, walk->end);
    }
    walk->value = value_take(&walk->at, walk->end);
    return true;
}

bool json_member(struct json object, const char *name, struct json *ret)
{
    struct json_walk walk = json_walk(object);

    while (json_next(&walk)) {
        if (!json_string_is(walk.key, name))
            continue;
        *ret = walk.value;
        return true;
    }
    return false;
}

/*
 * Values
 */

static struct slice string_inside(struct json string)
{
    assert(string.kind == JSON_STRING);
    return (struct slice){.at = string.text.at + 1, .size = string.text.size - 2};
}

bool json_string_is(struct json string, const char *text)
{
    struct slice inside = string_inside(string);

    if (!memchr(inside.at, '\\', inside.size))
        return slice_is(inside, text);
    struct unescaped u = unescaped_of(inside);
    for (int byte = unescaped_next(&u); byte >= 0; byte = unescaped_next(&u)) {
        /* An unescaped NUL is no end of `text`, which has none inside. */
        if (byte == 0 || (uint8_t)*text++ != byte)
            return false;
    }
    return *text == '\0';
}

int json_string(struct json string, struct arena *arena, const char **ret, size_t *ret_size)
{
    struct slice inside = string_inside(string);
    char *text = arena_copy(arena, inside);
    size_t size = inside.size;

    if (memchr(inside.at, '\\', inside.size)) {
        struct unescaped u = unescaped_of(inside);
        size = 0;
        for (int byte = unescaped_next(&u); byte >= 0; byte = unescaped_next(&u)) {
            if (byte == 0)
                return OUTCOME_INVALID;
            text[size++] = (char)byte;
        }
        text[size] = '\0';
    }
    *ret = text;
    if (ret_size)
        *ret_size = size;
    return 0;
}

bool json_i64(struct json number, int64_t *ret)
{
    assert(number.kind == JSON_NUMBER);
    const char *at = number.text.at;
    const char *end = at + number.text.size;
    bool negative = *at == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;

    for (at += negative; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool json_f64(struct json number, double *ret)
{
    assert(number.kind == JSON_NUMBER);
    char small[64];
    CLEANUP(mem_freep) char *large = NULL;
    char *text = small;
    size_t size = number.text.size;

    if (size >= sizeof(small))
        text = large = mem_alloc(size + 1);
    memcpy(text, number.text.at, size);
    text[size] = '\0';
    double value = strtod(text, NULL); /* no program here leaves the "C" locale */
    if (!isfinite(value))
        return false;
    *ret = value;
    return true;
}
