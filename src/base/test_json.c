/* SPDX-License-Identifier: MIT */
/*
 * JSON: where a refusal points, what walkers see, how values are read and written. What is accepted
 * at all stands in test_json_conformance.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/uuid.h"

#include <float.h>
#include <math.h>

static struct json checked(const char *text)
{
    struct refusal why = {0};
    struct json value;

    if (json_check(slice_of(text), JSON_VALUES_MAX, &value, &why) != 0)
        fail_msg("%s: %s", text, why.text);
    return value;
}

#define assert_slice(slice, text) assert_true(slice_is((slice), (text)))

static void a_refusal_names_the_byte_and_what_was_expected(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "byte 0: expected a value here, but the text ends"},
        {"[1 2]", "byte 3: expected ',' or ']' here"},
        {"{\"a\":1 \"b\":2}", "byte 7: expected ',' or '}' here"},
        {"{\"a\" 1}", "byte 5: expected ':' here"},
        {"{\"a\":1,}", "byte 7: expected a member's name in quotes here"},
        {"[1,]", "byte 3: expected a value here"},
        {"[tru]", "byte 1: expected a value here"},
        {"[1.]", "byte 3: expected a digit here"},
        {"[1", "byte 2: expected ',' or ']' here, but the text ends"},
        {"1 x", "byte 2: expected the end of the text here"},
        {"\"a", "byte 2: expected the string's closing quote here, but the text ends"},
        {"\"a\x01\"", "byte 2: expected an escape and no bare control character here"},
        {"\"ab\xFF\"", "byte 3: expected well-formed UTF-8 here"},
        {"\"\\q\"", "byte 1: expected an escape (\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX, "
                    "surrogates in pairs) here"},
        {"[\"\\uD800\"]", "byte 2: expected an escape (\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX, "
                          "surrogates in pairs) here"},
        {"{\"a\":1, \"\\u0061\":2}", "byte 8: \"\\u0061\" stands twice in one object"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
         "byte 32: more than 32 arrays and objects inside one another"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct refusal why = {0};
        struct json value = {.kind = JSON_NULL};
        int r = json_check(slice_of(rows[i].text), JSON_VALUES_MAX, &value, &why);
        assert_int_equal(r, OUTCOME_INVALID);
        assert_int_equal(why.outcome, OUTCOME_INVALID);
        assert_string_equal(why.field, "");
        assert_string_equal(why.text, rows[i].why);
        assert_null(value.text.at); /* written only on success */
    }
}

static void a_long_name_that_stands_twice_is_shown_cut_at_a_character(void **state)
{
    CLEANUP(buf_release) struct buf text;
    struct refusal why;
    struct json value;

    (void)state;
    buf_init(&text, 4096);
    for (int i = 0; i < 2; i++) {
        buf_add_text(&text, i ? ",\"x" : "{\"x");
        for (int j = 0; j < 100; j++)
            buf_add_text(&text, "\xC3\xA9");
        buf_add_text(&text, "\":1");
    }
    buf_add_char(&text, '}');
    assert_int_equal(json_check(buf_slice(&text), 10, &value, &why), OUTCOME_INVALID);
    assert_true(slice_is_utf8(slice_of(why.text)));
    assert_true(strlen(why.text) < 120);
}

static void the_value_is_its_text_without_the_white_space_around(void **state)
{
    (void)state;
    struct json value = checked(" \n{ \"a\" : 1 }\t");
    assert_int_equal(value.kind, JSON_OBJECT);
    assert_slice(value.text, "{ \"a\" : 1 }");
    assert_int_equal(checked("null").kind, JSON_NULL);
    assert_int_equal(checked("false").kind, JSON_FALSE);
    assert_int_equal(checked("true").kind, JSON_TRUE);
    assert_int_equal(checked("-1").kind, JSON_NUMBER);
    assert_int_equal(checked("\"\"").kind, JSON_STRING);
    assert_int_equal(checked("[]").kind, JSON_ARRAY);
}

static void a_number_passes_byte_for_byte(void **state)
{
    static const char *const numbers[] = {
        "1e400", "-0", "0.1", "0.10000000000000000555", "1E+05", "123456789012345678901234567890",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        CLEANUP(buf_release) struct buf text;
        buf_init(&text, 100);
        struct json_writer w = json_writer(&text);
        json_raw(&w, checked(numbers[i]).text);
        assert_slice(buf_slice(&text), numbers[i]);
    }
}

static void an_object_is_walked_in_its_order(void **state)
{
    struct json object = checked("{\"n\" : 1 , \"s\":\"a,]}\\\"\",\"o\":{\"x\":[{}]},\"l\":[1,[2]],"
                                 "\"t\":true , \"z\":null}");
    static const char *const keys[] = {"\"n\"", "\"s\"", "\"o\"", "\"l\"", "\"t\"", "\"z\""};
    static const char *const values[] = {"1",       "\"a,]}\\\"\"", "{\"x\":[{}]}",
                                         "[1,[2]]", "true",         "null"};
    static const enum json_kind kinds[] = {JSON_NUMBER, JSON_STRING, JSON_OBJECT,
                                           JSON_ARRAY,  JSON_TRUE,   JSON_NULL};

    (void)state;
    struct json_walk walk = json_walk(object);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        assert_true(json_next(&walk));
        assert_int_equal(walk.key.kind, JSON_STRING);
        assert_slice(walk.key.text, keys[i]);
        assert_int_equal(walk.value.kind, kinds[i]);
        assert_slice(walk.value.text, values[i]);
    }
    assert_false(json_next(&walk));
    assert_false(json_next(&walk));
}

static void an_array_is_walked_in_its_order(void **state)
{
    (void)state;
    struct json_walk walk = json_walk(checked("[ 1 , \"]\" , [ ] , { } , false ]"));
    static const char *const values[] = {"1", "\"]\"", "[ ]", "{ }", "false"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        assert_true(json_next(&walk));
        assert_slice(walk.value.text, values[i]);
    }
    assert_false(json_next(&walk));
    walk = json_walk(checked("[]"));
    assert_false(json_next(&walk));
    walk = json_walk(checked("{ }"));
    assert_false(json_next(&walk));
}

static void a_member_is_found_by_its_unescaped_name(void **state)
{
    struct json object = checked("{\"a\":1,\"\\u0062\":2,\"c\\/d\":3,\"\":4,\"a\\u0000b\":5}");
    struct json value;

    (void)state;
    assert_true(json_member(object, "a", &value));
    assert_slice(value.text, "1");
    assert_true(json_member(object, "b", &value));
    assert_slice(value.text, "2");
    assert_true(json_member(object, "c/d", &value));
    assert_slice(value.text, "3");
    assert_true(json_member(object, "", &value));
    assert_slice(value.text, "4");
    assert_false(json_member(object, "x", &value));
    assert_false(json_member(object, "\\u0062", &value));
    assert_slice(value.text, "4");
}

static void a_string_compares_unescaped(void **state)
{
    (void)state;
    assert_true(json_string_is(checked("\"abc\""), "abc"));
    assert_false(json_string_is(checked("\"abc\""), "ab"));
    assert_false(json_string_is(checked("\"abc\""), "abcd"));
    assert_true(
        json_string_is(checked("\"\\u00e9\\uD83D\\uDE00\\n\""), "\xC3\xA9\xF0\x9F\x98\x80\n"));
    assert_false(json_string_is(checked("\"\\u00e9x\""), "\xC3\xA9"));
    assert_false(json_string_is(checked("\"\\u00e9\""), "\xC3\xA9x"));
    assert_false(json_string_is(checked("\"\\u0000\""), ""));
    assert_false(json_string_is(checked("\"a\\u0000\""), "a"));
}

static void a_string_is_unescaped(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const char *text;
    size_t size;

    (void)state;
    assert_int_equal(json_string(checked("\"plain\""), &arena, &text, &size), 0);
    assert_string_equal(text, "plain");
    assert_int_equal(size, 5);
    assert_int_equal(json_string(checked("\"\""), &arena, &text, &size), 0);
    assert_string_equal(text, "");
    assert_int_equal(size, 0);
    assert_int_equal(json_string(checked("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), &arena, &text, NULL),
                     0);
    assert_string_equal(text, "\"\\/\b\f\n\r\t");
    assert_int_equal(json_string(checked("\"\\u0041\\u00E9\\u20ac\\uD834\\uDD1E\\uDBFF\\uDFFF.\""),
                                 &arena, &text, &size),
                     0);
    assert_string_equal(text, "A\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E\xF4\x8F\xBF\xBF.");
    assert_int_equal(size, strlen(text));
    assert_int_equal(
        json_string(checked("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\""), &arena, &text, NULL), 0);
    assert_string_equal(text, "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
}

static void a_string_with_nul_is_refused(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const char *text = "untouched";

    (void)state;
    assert_int_equal(json_string(checked("\"a\\u0000b\""), &arena, &text, NULL), OUTCOME_INVALID);
    assert_string_equal(text, "untouched");
}

static void integers_are_read_exactly_or_not_at_all(void **state)
{
    static const struct {
        const char *text;
        bool fits;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"-42", true, -42},
        {"9007199254740993", true, INT64_C(9007199254740993)},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999999", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"1E0", false, 0},
        {"-0.0", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t value = -77;
        bool fits = json_i64(checked(rows[i].text), &value);
        if (fits != rows[i].fits || value != (fits ? rows[i].value : -77))
            fail_msg("%s was read as %d, %lld", rows[i].text, fits, (long long)value);
    }
}

static void doubles_are_read_unless_they_overflow(void **state)
{
    double value = 0;

    (void)state;
    assert_true(json_f64(checked("0.1"), &value));
    assert_true(value == 0.1);
    assert_true(json_f64(checked("1.7976931348623157e308"), &value));
    assert_true(value == DBL_MAX);
    assert_true(json_f64(checked("5e-324"), &value));
    assert_true(value > 0);
    assert_true(json_f64(checked("1e-400"), &value));
    assert_true(value == 0);
    assert_false(json_f64(checked("1e400"), &value));
    assert_false(json_f64(checked("-1e400"), &value));

    /* longer than any room on the stack */
    assert_true(
        json_f64(checked("0.5000000000000000000000000000000000000000000000000000000000000000"
                         "00000000000000000000000000000000000000000000000000000000000000"),
                 &value));
    assert_true(value == 0.5);
}

/* The number may be the last thing in memory that is ours. */
static void a_number_at_the_end_of_its_memory_is_read_within_it(void **state)
{
    CLEANUP(mem_freep) char *text = mem_alloc(2);
    struct json value;
    double number;

    (void)state;
    text[0] = '1';
    text[1] = '2';
    assert_int_equal(json_check((struct slice){.at = text, .size = 2}, 1, &value, NULL), 0);
    assert_true(json_f64(value, &number));
    assert_true(number == 12);
}

static void the_writer_puts_the_commas(void **state)
{
    CLEANUP(buf_release) struct buf text;

    (void)state;
    buf_init(&text, 1000);
    struct json_writer w = json_writer(&text);
    json_begin_object(&w);
    json_key(&w, "a");
    json_begin_array(&w);
    json_int(&w, INT64_MIN);
    json_int(&w, 0);
    json_bool(&w, true);
    json_bool(&w, false);
    json_null(&w);
    json_begin_object(&w);
    json_end_object(&w);
    json_begin_array(&w);
    json_end_array(&w);
    json_end_array(&w);
    json_key_slice(&w, SLICE("b\""));
    json_text(&w, "x");
    json_key(&w, "c");
    json_slice(&w, SLICE("y\n"));
    json_key(&w, "d");
    json_raw(&w, SLICE("[1e400]"));
    json_key(&w, "e");
    json_time(&w, 0);
    json_key(&w, "f");
    json_double(&w, 0.5);
    json_end_object(&w);
    assert_slice(
        buf_slice(&text),
        "{\"a\":[-9223372036854775808,0,true,false,null,{},[]],\"b\\\"\":\"x\",\"c\":\"y\\n\","
        "\"d\":[1e400],\"e\":\"1970-01-01T00:00:00.000000Z\",\"f\":0.5}");
    checked(buf_text(&text));
}

static void quoting_escapes_what_json_and_terminals_need(void **state)
{
    static const struct {
        const char *text, *quoted;
        bool well_formed;
    } rows[] = {
        {"", "\"\"", true},
        {"plain / text", "\"plain / text\"", true},
        {"\"\\", "\"\\\"\\\\\"", true},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"", true},
        {"\x01\x1F\x7F", "\"\\u0001\\u001f\\u007f\"", true},
        {"\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0", "\"\\u0080\\u009b\\u009f\xC2\xA0\"", true},
        {"\xC3\xA9\xF0\x9F\x98\x80", "\"\xC3\xA9\xF0\x9F\x98\x80\"", true},
        {"a\xFF"
         "b",
         "\"a\xEF\xBF\xBD"
         "b\"",
         false},
        {"\xC3", "\"\xEF\xBF\xBD\"", false},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_release) struct buf text;
        buf_init(&text, 1000);
        assert_int_equal(json_quote(&text, slice_of(rows[i].text)), rows[i].well_formed);
        assert_slice(buf_slice(&text), rows[i].quoted);
    }
}

static void every_byte_survives_quoting(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    CLEANUP(buf_release) struct buf text;
    char bytes[127];
    const char *back;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i + 1);
    buf_init(&text, 1000);
    assert_true(json_quote(&text, (struct slice){.at = bytes, .size = sizeof(bytes)}));
    assert_int_equal(json_string(checked(buf_text(&text)), &arena, &back, NULL), 0);
    assert_memory_equal(back, bytes, sizeof(bytes));
    buf_clear(&text);
    assert_true(json_quote(&text, (struct slice){.at = "\0", .size = 1}));
    assert_slice(buf_slice(&text), "\"\\u0000\"");
}

static void write_double(struct buf *to, double value)
{
    buf_clear(to);
    struct json_writer w = json_writer(to);
    json_double(&w, value);
}

static void a_double_is_written_short(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {1e21, "1e+21"},
        {5e-324, "4.94065645841247e-324"},
        {9007199254740993.0, "9007199254740992"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
    };
    CLEANUP(buf_release) struct buf text;

    (void)state;
    buf_init(&text, 100);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        write_double(&text, rows[i].value);
        assert_slice(buf_slice(&text), rows[i].text);
    }
}

static void any_double_reads_back_the_same(void **state)
{
    CLEANUP(buf_release) struct buf text;
    uint64_t seed = random_u64();

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    buf_init(&text, 100);
    for (int i = 0; i < 20000; i++) {
        double value, back;
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&value, &seed, sizeof(value));
        if (!isfinite(value))
            continue;
        write_double(&text, value);
        assert_true(json_f64(checked(buf_text(&text)), &back));
        assert_memory_equal(&value, &back, sizeof(value));
    }
}

static void a_document_over_the_buffer_is_noticed(void **state)
{
    CLEANUP(buf_release) struct buf text;

    (void)state;
    buf_init(&text, 10);
    struct json_writer w = json_writer(&text);
    json_begin_array(&w);
    json_text(&w, "0123456789");
    json_end_array(&w);
    assert_true(buf_overflowed(&text));
    assert_int_equal(text.size, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_names_the_byte_and_what_was_expected),
        cmocka_unit_test(a_long_name_that_stands_twice_is_shown_cut_at_a_character),
        cmocka_unit_test(the_value_is_its_text_without_the_white_space_around),
        cmocka_unit_test(a_number_passes_byte_for_byte),
        cmocka_unit_test(an_object_is_walked_in_its_order),
        cmocka_unit_test(an_array_is_walked_in_its_order),
        cmocka_unit_test(a_member_is_found_by_its_unescaped_name),
        cmocka_unit_test(a_string_compares_unescaped),
        cmocka_unit_test(a_string_is_unescaped),
        cmocka_unit_test(a_string_with_nul_is_refused),
        cmocka_unit_test(integers_are_read_exactly_or_not_at_all),
        cmocka_unit_test(doubles_are_read_unless_they_overflow),
        cmocka_unit_test(a_number_at_the_end_of_its_memory_is_read_within_it),
        cmocka_unit_test(the_writer_puts_the_commas),
        cmocka_unit_test(quoting_escapes_what_json_and_terminals_need),
        cmocka_unit_test(every_byte_survives_quoting),
        cmocka_unit_test(a_double_is_written_short),
        cmocka_unit_test(any_double_reads_back_the_same),
        cmocka_unit_test(a_document_over_the_buffer_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
