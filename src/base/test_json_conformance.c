/* SPDX-License-Identifier: MIT */
/*
 * RFC 8259, case by case: what json_check() accepts and what it refuses.
 *
 * In the spirit of JSONTestSuite (Nicolas Seriot, "Parsing JSON is a minefield"). Where the RFC
 * leaves a choice, the row says what ours is: lone surrogates, duplicate names and a byte order
 * mark are refused, any number is a number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"

struct row {
    const char *about;
    const char *text;
    size_t size;
};

/* sizeof, not strlen: some texts hold a NUL. */
#define ROW(about_, text_)                                                                         \
    {                                                                                              \
        .about = (about_), .text = (text_), .size = sizeof(text_) - 1                              \
    }

static const struct row accepted[] = {
    /* the literals */
    ROW("null", "null"),
    ROW("true", "true"),
    ROW("false", "false"),
    ROW("null in an array", "[null]"),
    ROW("all three in an array", "[true,false,null]"),
    /* white space */
    ROW("space before", "  1"),
    ROW("space after", "1  "),
    ROW("newline after", "1\n"),
    ROW("all four kinds of white space around", " \t\r\n1 \t\r\n"),
    ROW("in an empty array", "[ \n ]"),
    ROW("in an empty object", "{ \t }"),
    ROW("around every token", " [ 1 , { \"a\" : 2 , \"b\" : [ ] } ] "),
    /* numbers */
    ROW("zero", "0"),
    ROW("minus zero", "-0"),
    ROW("one digit", "7"),
    ROW("many digits", "1234567890"),
    ROW("negative", "-123"),
    ROW("fraction", "0.5"),
    ROW("fraction with zeros at its end", "1.500"),
    ROW("negative fraction", "-0.1"),
    ROW("exponent", "1e5"),
    ROW("capital exponent", "1E5"),
    ROW("exponent with plus", "1e+5"),
    ROW("exponent with minus", "1e-5"),
    ROW("exponent with zeros in front", "1e005"),
    ROW("zero with exponent", "0e1"),
    ROW("zero with capital exponent and plus", "0E+1"),
    ROW("fraction and exponent", "123.456e78"),
    ROW("minus zero with fraction and exponent", "-0.0e-0"),
    ROW("beyond a double", "1e400"),
    ROW("beyond a double, negative", "-1e400"),
    ROW("below a double", "123.456e-789"),
    ROW("huge exponent", "1e99999999999999999999"),
    ROW("beyond 64 bits", "100000000000000000000"),
    ROW("the least 64-bit integer", "-9223372036854775808"),
    ROW("more digits than a double has",
        "0.1000000000000000055511151231257827021181583404541015625"),
    ROW("close to zero",
        "-0.0000000000000000000000000000000000000000000000000000000000000000000000001"),
    ROW("space after in an array", "[1 ]"),
    /* strings */
    ROW("empty", "\"\""),
    ROW("one letter", "\"a\""),
    ROW("a space", "\" \""),
    ROW("all short escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    ROW("a solidus needs no escape", "\"a/b\""),
    ROW("escaped NUL", "\"\\u0000\""),
    ROW("escaped letter", "\"\\u0061\""),
    ROW("lower-case hexadecimal", "\"\\u00e9\""),
    ROW("upper-case hexadecimal", "\"\\u00E9\""),
    ROW("mixed hexadecimal", "\"\\uaBcD\""),
    ROW("escaped control character", "\"\\u0012\""),
    ROW("escaped quote by number", "\"\\u0022\""),
    ROW("escaped backslash by number", "\"\\u005C\""),
    ROW("surrogate pair", "\"\\uD834\\uDD1E\""),
    ROW("surrogate pair, lower case", "\"\\ud83d\\ude39\""),
    ROW("first surrogate pair", "\"\\uD800\\uDC00\""),
    ROW("last surrogate pair", "\"\\uDBFF\\uDFFF\""),
    ROW("two surrogate pairs", "\"\\uD83D\\uDE00\\uD83D\\uDE00\""),
    ROW("just below the surrogates", "\"\\uD7FF\""),
    ROW("just above the surrogates", "\"\\uE000\""),
    ROW("escaped noncharacter", "\"\\uFFFF\""),
    ROW("escaped byte order mark", "\"\\uFEFF\""),
    ROW("backslash and u, both escaped", "\"\\\\u0061\""),
    ROW("backslash before the closing quote", "\"a\\\\\""),
    ROW("DEL", "\"\x7F\""),
    ROW("DEL between letters", "\"a\x7F"
                               "a\""),
    ROW("comment inside a string", "\"a/*b*/c//d\""),
    ROW("brackets inside a string", "\"[{]},:\""),
    ROW("UTF-8 of two bytes, first", "\"\xC2\x80\""),
    ROW("UTF-8 of two bytes, last", "\"\xDF\xBF\""),
    ROW("UTF-8 of three bytes, first", "\"\xE0\xA0\x80\""),
    ROW("UTF-8 just below the surrogates", "\"\xED\x9F\xBF\""),
    ROW("UTF-8 just above the surrogates", "\"\xEE\x80\x80\""),
    ROW("UTF-8 of three bytes, last", "\"\xEF\xBF\xBF\""),
    ROW("UTF-8 of four bytes, first", "\"\xF0\x90\x80\x80\""),
    ROW("UTF-8 of four bytes, last", "\"\xF4\x8F\xBF\xBF\""),
    ROW("UTF-8 noncharacter U+1FFFF", "\"\xF0\x9F\xBF\xBF\""),
    ROW("byte order mark inside a string", "\"\xEF\xBB\xBF\""),
    ROW("line separator U+2028", "\"\xE2\x80\xA8\""),
    ROW("paragraph separator U+2029", "\"\xE2\x80\xA9\""),
    ROW("Japanese", "\"\xE6\x97\xA5\xE6\x9C\xAC\""),
    /* arrays */
    ROW("empty array", "[]"),
    ROW("array of an empty string", "[\"\"]"),
    ROW("array of arrays", "[[],[[]]]"),
    ROW("mixed kinds", "[null,1,\"1\",{}]"),
    ROW("several nulls", "[1,null,null,null,2]"),
    ROW("ends with a newline", "[\"a\"]\n"),
    /* objects */
    ROW("empty object", "{}"),
    ROW("one member", "{\"a\":1}"),
    ROW("two members", "{\"a\":1,\"b\":2}"),
    ROW("empty name", "{\"\":0}"),
    ROW("escaped NUL in a name", "{\"a\\u0000b\":0}"),
    ROW("names that differ in case", "{\"a\":1,\"A\":2}"),
    ROW("names that differ in length", "{\"a\":1,\"aa\":2}"),
    ROW("names that differ after an escaped NUL", "{\"\\u0000\":1,\"\\u0000\\u0000\":2,\"\":3}"),
    ROW("the same name in two objects", "[{\"a\":1},{\"a\":1}]"),
    ROW("the same name one level down", "{\"a\":{\"a\":{\"a\":1}}}"),
    ROW("the same name after an inner object", "{\"a\":{\"b\":1},\"b\":2}"),
    ROW("equal only when normalised", "{\"\xC3\xA9\":1,\"e\xCC\x81\":2}"),
    ROW("name with escapes", "{\"\\u000a\\\"\":1}"),
    ROW("members on lines of their own", "{\n\"a\": \"b\"\n}"),
};

static const struct row refused[] = {
    /* nothing, or not one value */
    ROW("empty text", ""),
    ROW("white space alone", " \n"),
    ROW("two values", "1 2"),
    ROW("two arrays", "[][]"),
    ROW("value after an object", "{}1"),
    ROW("letter after a value", "[1]x"),
    ROW("quote after a value", "{\"a\":1}\""),
    ROW("bracket after an array", "[1]]"),
    ROW("brace after an object", "{\"a\":1}}"),
    ROW("comma after a value", "1,"),
    ROW("comment after a value", "{\"a\":1}/**/"),
    ROW("half a comment after a value", "{\"a\":1}/"),
    ROW("line comment", "//\n1"),
    ROW("hash comment", "1 # one"),
    ROW("NUL alone", "\0"),
    ROW("NUL after a value", "1\0"),
    ROW("byte order mark alone", "\xEF\xBB\xBF"),
    ROW("byte order mark before a value", "\xEF\xBB\xBF{}"),
    ROW("half a byte order mark", "\xEF\xBB{}"),
    ROW("UTF-16, little-endian", "[\0\"\0\xE9\0\"\0]\0"),
    ROW("UTF-16, big-endian", "\0[\0\"\0\xE9\0\"\0]"),
    ROW("form feed as white space", "[\f]"),
    ROW("vertical tab as white space", "[\v1]"),
    ROW("no-break space as white space", "\xC2\xA0"
                                         "1"),
    ROW("word joiner as white space", "[\xE2\x81\xA0]"),
    ROW("angle brackets", "<null>"),
    ROW("a lone star", "*"),
    ROW("a lone colon", ":"),
    ROW("a lone comma", ","),
    ROW("a lone quote", "\""),
    ROW("single quotes", "'a'"),
    ROW("a bare word", "asd"),
    ROW("a bare letter", "\xC3\xA5"),
    /* literals */
    ROW("part of null", "nul"),
    ROW("part of true", "tru"),
    ROW("part of false", "fals"),
    ROW("one letter of null", "n"),
    ROW("wrong letter", "nulx"),
    ROW("more than null", "nulll"),
    ROW("more than true", "true1"),
    ROW("capital True", "True"),
    ROW("capital NULL", "[NULL]"),
    ROW("undefined", "undefined"),
    ROW("two literals", "[true false]"),
    ROW("part of null in an array", "[nul]"),
    /* numbers */
    ROW("NaN", "NaN"),
    ROW("minus NaN", "-NaN"),
    ROW("Infinity", "Infinity"),
    ROW("minus Infinity", "-Infinity"),
    ROW("Inf", "[Inf]"),
    ROW("minus alone", "-"),
    ROW("minus in an array", "[-]"),
    ROW("two minus", "--1"),
    ROW("minus and space", "- 1"),
    ROW("minus and letter", "-x"),
    ROW("minus and zero in front", "-01"),
    ROW("plus", "+1"),
    ROW("plus and minus", "+-1"),
    ROW("zero in front", "01"),
    ROW("two zeros", "00"),
    ROW("zeros in front in an array", "[012]"),
    ROW("digit missing before the point", ".5"),
    ROW("digit missing before the point, negative", "-.5"),
    ROW("digit missing after the point", "1."),
    ROW("digit missing after the point, negative", "-2."),
    ROW("point and exponent", "0.e1"),
    ROW("two points", "1.2.3"),
    ROW("exponent alone", "e1"),
    ROW("digit missing in the exponent", "1e"),
    ROW("digit missing after the exponent's plus", "1e+"),
    ROW("digit missing after the exponent's minus", "1e-"),
    ROW("exponent's digit missing in an array", "[0e]"),
    ROW("capital exponent's digit missing", "0E+"),
    ROW("two exponents", "1eE2"),
    ROW("two signs of the exponent", "1e+-2"),
    ROW("fraction of an exponent", "1e2.5"),
    ROW("hexadecimal", "0x1F"),
    ROW("hexadecimal without digits", "0x"),
    ROW("octal", "0o7"),
    ROW("grouped digits", "1_000"),
    ROW("thousands by space", "1 000.0"),
    ROW("decimal comma between brackets of an object", "{\"a\":1,5}"),
    ROW("letter after a number", "1a"),
    ROW("sum", "1+2"),
    ROW("full-width digit", "\xEF\xBC\x91"),
    ROW("bad UTF-8 after a number", "[123\xE5]"),
    /* strings */
    ROW("not closed", "\"a"),
    ROW("not closed in an array", "[\"a]"),
    ROW("closed by an escape only", "\"\\\""),
    ROW("ends in a backslash", "\"\\"),
    ROW("ends in an escape", "\"\\u00"),
    ROW("no quotes", "[a]"),
    ROW("unknown escape", "\"\\a\""),
    ROW("escaped x", "\"\\x00\""),
    ROW("escaped single quote", "\"\\'\""),
    ROW("escaped digit", "\"\\0\""),
    ROW("escaped NUL byte", "\"\\\0\""),
    ROW("escaped capital U", "\"\\U0061\""),
    ROW("escaped emoji", "\"\\\xF0\x9F\x8C\x80\""),
    ROW("escaped bad UTF-8", "\"\\\xE5\""),
    ROW("escaped tab byte", "\"\\\t\""),
    ROW("escape of three digits", "\"\\u00A\""),
    ROW("escape of one digit", "\"\\u1\""),
    ROW("escape without digits", "\"\\u\""),
    ROW("escape of four letters, one not hexadecimal", "\"\\u00Ag\""),
    ROW("escape with braces", "\"\\u{61}\""),
    ROW("escape with a sign", "\"\\u+061\""),
    ROW("lone high surrogate", "\"\\uD800\""),
    ROW("lone low surrogate", "\"\\uDC00\""),
    ROW("last lone high surrogate", "\"\\uDBFF\""),
    ROW("last lone low surrogate", "\"\\uDFFF\""),
    ROW("surrogates in the wrong order", "\"\\uDD1E\\uD834\""),
    ROW("two high surrogates", "\"\\uD834\\uD834\""),
    ROW("high surrogate and letter", "\"\\uD834a\""),
    ROW("high surrogate and escaped letter", "\"\\uD834\\u0061\""),
    ROW("high surrogate and short escape", "\"\\uD834\\n\""),
    ROW("high surrogate and half an escape", "\"\\uD834\\uDD\""),
    ROW("high surrogate and a backslash", "\"\\uD834\\\""),
    ROW("high surrogate, then a pair", "\"\\uD834\\uD834\\uDD1E\""),
    ROW("pair, then a low surrogate", "\"\\uD834\\uDD1E\\uDD1E\""),
    ROW("lone surrogate in a name", "{\"\\uD800\":1}"),
    ROW("bare newline", "\"a\nb\""),
    ROW("bare tab", "\"\t\""),
    ROW("bare carriage return", "\"\r\""),
    ROW("bare NUL", "\"a\0b\""),
    ROW("bare U+001F", "\"\x1F\""),
    ROW("bare escape character", "\"\x1B[0m\""),
    ROW("bare newline in a name", "{\"a\nb\":1}"),
    ROW("lone continuation byte", "\"\x80\""),
    ROW("last continuation byte", "\"\xBF\""),
    ROW("two bytes, second missing", "\"\xC3\""),
    ROW("two bytes, second wrong", "\"\xC3("
                                   "\""),
    ROW("three bytes, third missing", "\"\xE2\x82\""),
    ROW("three bytes, second wrong", "\"\xE2(\xA1\""),
    ROW("three bytes, third wrong", "\"\xE2\x82(\""),
    ROW("four bytes, fourth missing", "\"\xF0\x9F\x98\""),
    ROW("four bytes, third wrong", "\"\xF0\x9F(\x80\""),
    ROW("text ends inside a character", "\"\xF0\x9F\x98"),
    ROW("overlong slash of two bytes", "\"\xC0\xAF\""),
    ROW("overlong last of two bytes", "\"\xC1\xBF\""),
    ROW("overlong slash of three bytes", "\"\xE0\x80\xAF\""),
    ROW("overlong last of three bytes", "\"\xE0\x9F\xBF\""),
    ROW("overlong slash of four bytes", "\"\xF0\x80\x80\xAF\""),
    ROW("overlong last of four bytes", "\"\xF0\x8F\xBF\xBF\""),
    ROW("overlong NUL", "\"\xC0\x80\""),
    ROW("first surrogate in UTF-8", "\"\xED\xA0\x80\""),
    ROW("last surrogate in UTF-8", "\"\xED\xBF\xBF\""),
    ROW("surrogate pair in UTF-8", "\"\xED\xA0\xBD\xED\xB8\x80\""),
    ROW("just above U+10FFFF", "\"\xF4\x90\x80\x80\""),
    ROW("lead byte F5", "\"\xF5\x80\x80\x80\""),
    ROW("five bytes", "\"\xF8\x88\x80\x80\x80\""),
    ROW("six bytes", "\"\xFC\x84\x80\x80\x80\x80\""),
    ROW("byte FE", "\"\xFE\""),
    ROW("byte FF", "\"\xFF\""),
    ROW("Latin-1", "\"\xE9\""),
    ROW("bad UTF-8 in a name", "{\"\xE9\":1}"),
    /* arrays */
    ROW("open array", "["),
    ROW("array not closed", "[1"),
    ROW("array not closed after a comma", "[1,"),
    ROW("array not closed after an array", "[[]"),
    ROW("array closed by a brace", "[1}"),
    ROW("closing bracket alone", "]"),
    ROW("comma at the end", "[1,]"),
    ROW("two commas at the end", "[1,,]"),
    ROW("two commas between", "[1,,2]"),
    ROW("comma first", "[,1]"),
    ROW("comma alone", "[,]"),
    ROW("comma missing", "[1 2]"),
    ROW("comma missing after a string", "[\"a\" 1]"),
    ROW("comma missing between arrays", "[[][]]"),
    ROW("semicolon", "[1;2]"),
    ROW("colon", "[\"a\":1]"),
    ROW("array ends in a string", "[\"a"),
    ROW("comment in an array", "[1/*one*/]"),
    /* objects */
    ROW("open object", "{"),
    ROW("object not closed", "{\"a\":1"),
    ROW("object closed by a bracket", "{\"a\":1]"),
    ROW("closing brace alone", "}"),
    ROW("name alone", "{\"a\"}"),
    ROW("value missing", "{\"a\":}"),
    ROW("text ends after the colon", "{\"a\":"),
    ROW("text ends after the name", "{\"a\""),
    ROW("colon missing", "{\"a\" 1}"),
    ROW("comma for the colon", "{\"a\",1}"),
    ROW("two colons", "{\"a\"::1}"),
    ROW("name missing", "{:1}"),
    ROW("name is a number", "{1:1}"),
    ROW("name is a literal", "{null:1}"),
    ROW("name is an array", "{[]:1}"),
    ROW("name without quotes", "{a:1}"),
    ROW("name in single quotes", "{'a':1}"),
    ROW("comma at the end of an object", "{\"a\":1,}"),
    ROW("two commas at the end of an object", "{\"a\":1,,}"),
    ROW("two commas between members", "{\"a\":1,,\"b\":2}"),
    ROW("comma first in an object", "{,\"a\":1}"),
    ROW("comma missing between members", "{\"a\":1 \"b\":2}"),
    ROW("two values for a name", "{\"a\":\"a\" 123}"),
    ROW("value without a name", "{\"a\":1,2}"),
    ROW("object ends after a comma", "{\"a\":1,"),
    ROW("text in a member's place", "{\"a\":a"),
    /* a name twice */
    ROW("the same name twice", "{\"a\":1,\"a\":2}"),
    ROW("the same name and value twice", "{\"a\":1,\"a\":1}"),
    ROW("the empty name twice", "{\"\":1,\"\":2}"),
    ROW("first and third name equal", "{\"a\":1,\"b\":2,\"a\":3}"),
    ROW("escaped and plain", "{\"a\":1,\"\\u0061\":2}"),
    ROW("both escaped, differently", "{\"\\u002F\":1,\"\\/\":2}"),
    ROW("escape in upper and lower case", "{\"\\u00e9\":1,\"\\u00E9\":2}"),
    ROW("escape and UTF-8", "{\"\xC3\xA9\":1,\"\\u00e9\":2}"),
    ROW("surrogate pair and UTF-8", "{\"\xF0\x9F\x98\x80\":1,\"\\uD83D\\uDE00\":2}"),
    ROW("escaped NUL twice", "{\"a\\u0000\":1,\"a\\u0000\":2}"),
    ROW("twice in an inner object", "[{\"a\":{\"b\":1,\"b\":2}}]"),
    ROW("twice around an inner object", "{\"a\":1,\"b\":{\"c\":1},\"a\":2}"),
};

static void every_text_of_the_grammar_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        struct slice text = {.at = accepted[i].text, .size = accepted[i].size};
        struct refusal why = {0};
        struct json value;
        if (json_check(text, JSON_VALUES_MAX, &value, &why) != 0)
            fail_msg("%s was refused: %s", accepted[i].about, why.text);
    }
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct slice text = {.at = refused[i].text, .size = refused[i].size};
        struct refusal why = {0};
        struct json value;
        if (json_check(text, JSON_VALUES_MAX, &value, &why) != OUTCOME_INVALID)
            fail_msg("%s was accepted", refused[i].about);
        if (strncmp(why.text, "byte ", 5) != 0)
            fail_msg("%s was refused without a place: %s", refused[i].about, why.text);
    }
}

static bool ends_with_its_bracket(const struct row *row)
{
    static const char brackets[] = "[]{}\"\"";
    const char *open = strchr(brackets, row->text[0]);

    return open && row->text[row->size - 1] == open[1];
}

/* The text stands at the end of an allocation of its own size, so that the sanitizer sees a read
 * beyond it. */
static void a_cut_string_array_or_object_is_refused_and_not_read_beyond(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        for (size_t size = 0; size < accepted[i].size; size++) {
            CLEANUP(mem_freep) char *cut = mem_alloc(size);
            struct json value;
            memcpy(cut, accepted[i].text, size);
            int r =
                json_check((struct slice){.at = cut, .size = size}, JSON_VALUES_MAX, &value, NULL);
            assert_true(r == 0 || r == OUTCOME_INVALID);
            if (ends_with_its_bracket(&accepted[i]))
                assert_int_equal(r, OUTCOME_INVALID);
        }
    }
}

static int check_repeated(const char *open, const char *inside, const char *close, size_t n)
{
    CLEANUP(buf_release) struct buf text;
    struct json value;

    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < n; i++)
        buf_add_text(&text, open);
    buf_add_text(&text, inside);
    for (size_t i = 0; i < n; i++)
        buf_add_text(&text, close);
    assert_false(buf_overflowed(&text));
    return json_check(buf_slice(&text), JSON_VALUES_MAX, &value, NULL);
}

static void depth_32_is_accepted_and_33_refused(void **state)
{
    (void)state;
    assert_int_equal(check_repeated("[", "", "]", 32), 0);
    assert_int_equal(check_repeated("[", "", "]", 33), OUTCOME_INVALID);
    assert_int_equal(check_repeated("{\"a\":", "1", "}", 32), 0);
    assert_int_equal(check_repeated("{\"a\":", "1", "}", 33), OUTCOME_INVALID);
    assert_int_equal(check_repeated("[{\"a\":", "1", "}]", 16), 0);
    assert_int_equal(check_repeated("[{\"a\":", "[]", "}]", 16), OUTCOME_INVALID);
}

static void a_hundred_thousand_open_brackets_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check_repeated("[", "", "", 100000), OUTCOME_INVALID);
    assert_int_equal(check_repeated("[{\"\":", "", "", 100000), OUTCOME_INVALID);
}

static void depth_counts_what_is_open_and_not_what_was(void **state)
{
    (void)state;
    assert_int_equal(
        check_repeated("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],", "1", "]",
                       1),
        0);
}

/* "[" element "," element … "]" */
static void array_of(struct buf *to, const char *element, size_t n)
{
    buf_add_char(to, '[');
    for (size_t i = 0; i < n; i++) {
        buf_add_text(to, i ? "," : "");
        buf_add_text(to, element);
    }
    buf_add_char(to, ']');
}

static void the_cap_counts_every_value_the_outermost_included(void **state)
{
    CLEANUP(buf_release) struct buf text;
    struct json value;

    (void)state;
    buf_init(&text, 1 << 20);
    array_of(&text, "1", JSON_VALUES_MAX - 1);
    assert_int_equal(json_check(buf_slice(&text), JSON_VALUES_MAX, &value, NULL), 0);
    assert_int_equal(json_check(buf_slice(&text), JSON_VALUES_MAX - 1, &value, NULL),
                     OUTCOME_INVALID);
    assert_int_equal(json_check(SLICE("{\"a\":[1]}"), 3, &value, NULL), 0);
    assert_int_equal(json_check(SLICE("{\"a\":[1]}"), 2, &value, NULL), OUTCOME_INVALID);
    assert_int_equal(json_check(SLICE("1"), 0, &value, NULL), OUTCOME_INVALID);
}

static void a_body_of_empty_objects_is_refused_where_the_cap_is_reached(void **state)
{
    CLEANUP(buf_release) struct buf text;
    struct refusal why;
    struct json value;

    (void)state;
    buf_init(&text, 4 << 20);
    array_of(&text, "{}", 700000);
    assert_int_equal(json_check(buf_slice(&text), JSON_VALUES_MAX, &value, &why), OUTCOME_INVALID);
    /* the array is one value; the 20,000th object stands at 1 + 3 * 19,999 */
    assert_string_equal(why.text, "byte 59998: more than 20000 values");
}

static void object_of(struct buf *to, size_t n, size_t twice)
{
    buf_add_char(to, '{');
    for (size_t i = 0; i < n; i++)
        buf_printf(to, "%s\"member-%zu\":%zu", i ? "," : "", i == n - 1 ? twice : i, i);
    buf_add_char(to, '}');
}

static void a_duplicate_is_found_among_any_number_of_names(void **state)
{
    static const size_t sizes[] = {2, 15, 16, 17, 18, 63, 64, 65, 66, 128, 129, 1000, 19999};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CLEANUP(buf_release) struct buf text;
        struct json value;
        size_t n = sizes[i];
        buf_init(&text, 1 << 20);
        object_of(&text, n, n - 1);
        assert_int_equal(json_check(buf_slice(&text), JSON_VALUES_MAX, &value, NULL), 0);
        const size_t twice[] = {0, n / 2, n > 2 ? n - 2 : 0};
        for (size_t j = 0; j < COUNT_OF(twice); j++) {
            struct refusal why;
            if (twice[j] == n - 1)
                continue;
            buf_clear(&text);
            object_of(&text, n, twice[j]);
            assert_int_equal(json_check(buf_slice(&text), JSON_VALUES_MAX, &value, &why),
                             OUTCOME_INVALID);
            assert_non_null(strstr(why.text, "stands twice"));
        }
    }
}

static void names_of_inner_objects_do_not_disturb_the_outer_one(void **state)
{
    CLEANUP(buf_release) struct buf text;
    struct json value;

    (void)state;
    buf_init(&text, 1 << 20);
    for (size_t twice = 0; twice < 2; twice++) {
        buf_clear(&text);
        buf_add_char(&text, '{');
        for (size_t i = 0; i < 50; i++) {
            buf_printf(&text, "\"outer-%zu\":", i);
            object_of(&text, 100, 99);
            buf_add_char(&text, ',');
        }
        buf_printf(&text, "\"outer-%s\":1}", twice ? "7" : "x");
        assert_int_equal(json_check(buf_slice(&text), JSON_VALUES_MAX, &value, NULL),
                         twice ? OUTCOME_INVALID : 0);
    }
}

/* 16 KB of the same letters before the byte that differs: the worst for comparing. Not slower than
   linear by more than a logarithm, so that this test ends at once or not at all. */
static void many_long_names_that_begin_alike_are_told_apart(void **state)
{
    CLEANUP(buf_release) struct buf text;
    CLEANUP(mem_freep) char *same = mem_alloc(16385);
    struct json value;

    (void)state;
    memset(same, 'x', 16384);
    buf_init(&text, 8 << 20);
    buf_add_char(&text, '{');
    for (size_t i = 0; i < 200; i++)
        buf_printf(&text, "%s\"%s%03zu\":0", i ? "," : "", same, i);
    buf_add_char(&text, '}');
    assert_int_equal(json_check(buf_slice(&text), JSON_VALUES_MAX, &value, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_of_the_grammar_is_accepted),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(a_cut_string_array_or_object_is_refused_and_not_read_beyond),
        cmocka_unit_test(depth_32_is_accepted_and_33_refused),
        cmocka_unit_test(a_hundred_thousand_open_brackets_are_refused),
        cmocka_unit_test(depth_counts_what_is_open_and_not_what_was),
        cmocka_unit_test(the_cap_counts_every_value_the_outermost_included),
        cmocka_unit_test(a_body_of_empty_objects_is_refused_where_the_cap_is_reached),
        cmocka_unit_test(a_duplicate_is_found_among_any_number_of_names),
        cmocka_unit_test(names_of_inner_objects_do_not_disturb_the_outer_one),
        cmocka_unit_test(many_long_names_that_begin_alike_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
