/* SPDX-License-Identifier: MIT */
/*
 * Any bytes into json_check(); what it accepts must survive being walked and written again.
 *
 * The document written from the walk must be accepted as well, hold the same values, and be written
 * the same again.
 */
#include "base/json.h"

#include "base/mem.h"

#include <assert.h>

#define REWRITTEN_CAP ((size_t)64 << 20) /* a byte becomes at most six */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void write_value(struct json_writer *w, struct json value, struct arena *arena);

/* Unescaped and escaped anew, or as it stands when it holds a NUL. */
static void write_string(struct json_writer *w, struct json string, bool is_key,
                         struct arena *arena)
{
    const char *text;
    size_t size;

    if (json_string(string, arena, &text, &size) == 0) {
        struct slice unescaped = {.at = text, .size = size};
        assert(slice_is_utf8(unescaped));
        assert(json_string_is(string, text));
        if (is_key)
            json_key_slice(w, unescaped);
        else
            json_slice(w, unescaped);
        return;
    }
    json_raw(w, string.text);
    if (is_key) {
        buf_add_char(w->to, ':');
        w->comma = false;
    }
}

static void write_container(struct json_writer *w, struct json value, struct arena *arena)
{
    bool object = value.kind == JSON_OBJECT;
    struct json_walk walk = json_walk(value);

    (object ? json_begin_object : json_begin_array)(w);
    while (json_next(&walk)) {
        if (object)
            write_string(w, walk.key, true, arena);
        write_value(w, walk.value, arena);
    }
    (object ? json_end_object : json_end_array)(w);
}

static void write_value(struct json_writer *w, struct json value, struct arena *arena)
{
    int64_t integer;
    double number;

    switch (value.kind) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        write_container(w, value, arena);
        return;
    case JSON_STRING:
        write_string(w, value, false, arena);
        return;
    case JSON_NUMBER:
        /* an integer is a double as well; how large does not matter here */
        if (json_i64(value, &integer))
            assert(json_f64(value, &number));
        json_raw(w, value.text);
        return;
    case JSON_NULL:
        json_null(w);
        return;
    case JSON_FALSE:
    case JSON_TRUE:
        json_bool(w, value.kind == JSON_TRUE);
        return;
    }
}

static void assert_same(struct json a, struct json b, struct arena *arena)
{
    assert(a.kind == b.kind);
    if (a.kind == JSON_STRING) {
        const char *text;
        if (json_string(a, arena, &text, NULL) == 0)
            assert(json_string_is(b, text));
        return;
    }
    if (a.kind != JSON_OBJECT && a.kind != JSON_ARRAY) {
        assert(slice_equal(a.text, b.text));
        return;
    }

    struct json_walk in_a = json_walk(a), in_b = json_walk(b);
    while (json_next(&in_a)) {
        bool more = json_next(&in_b);
        assert(more);
        if (a.kind == JSON_OBJECT)
            assert_same(in_a.key, in_b.key, arena);
        assert_same(in_a.value, in_b.value, arena);
    }
    assert(!json_next(&in_b));
}

static void rewrite(struct json value, struct buf *ret, struct arena *arena)
{
    struct json_writer w = json_writer(ret);

    write_value(&w, value, arena);
    assert(!buf_overflowed(ret));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = {0};
    CLEANUP(buf_release) struct buf once = {.cap = REWRITTEN_CAP};
    CLEANUP(buf_release) struct buf twice = {.cap = REWRITTEN_CAP};
    struct refusal why = {0};
    struct json value, again;

    int r = json_check((struct slice){.at = (const char *)bytes, .size = size}, JSON_VALUES_MAX,
                       &value, &why);
    assert(r == 0 || r == OUTCOME_INVALID);
    if (r) {
        assert(slice_is_utf8(slice_of(why.text)));
        return 0;
    }
    rewrite(value, &once, &arena);
    r = json_check(buf_slice(&once), JSON_VALUES_MAX, &again, NULL);
    assert(r == 0);
    assert_same(value, again, &arena);
    rewrite(again, &twice, &arena);
    assert(slice_equal(buf_slice(&once), buf_slice(&twice)));
    return 0;
}
