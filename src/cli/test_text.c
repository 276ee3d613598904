/* SPDX-License-Identifier: MIT */
/*
 * Cleaning, measuring and cutting text; words that may have been meant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/suggest.h"
#include "cli/text.h"

static void expect_clean(const char *text, enum text_lines lines, const char *clean)
{
    CLEANUP(buf_release) struct buf to;
    buf_init(&to, 4096);

    text_clean(&to, slice_of(text), lines);
    assert_string_equal(buf_text(&to), clean);
}

static void controls_are_escaped(void **state)
{
    (void)state;
    expect_clean("plain ünï 世界", TEXT_ONE_LINE, "plain ünï 世界");
    expect_clean("\x1b[31mred\x07\x7f", TEXT_ONE_LINE, "\\u001b[31mred\\u0007\\u007f");
    expect_clean("c1 \xc2\x9b", TEXT_ONE_LINE, "c1 \\u009b");
    expect_clean("cr\rlf", TEXT_KEEP_LINES, "cr\\u000dlf");
    expect_clean("tag \xf3\xa0\x81\x81", TEXT_ONE_LINE, "tag \\U000e0041");
}

static void every_bidi_control_is_escaped(void **state)
{
    (void)state;
    for (uint32_t point = 0x202A; point <= 0x2069; point += point == 0x202E ? 0x38 : 1) {
        char text[4] = {(char)(0xE0 | point >> 12), (char)(0x80 | (point >> 6 & 0x3F)),
                        (char)(0x80 | (point & 0x3F)), '\0'};
        char clean[16];
        snprintf(clean, sizeof(clean), "\\u%04x", (unsigned)point);
        expect_clean(text, TEXT_KEEP_LINES, clean);
    }
}

static void bytes_that_are_no_utf8_are_shown_as_bytes(void **state)
{
    (void)state;
    expect_clean("a\xff\xc3", TEXT_ONE_LINE, "a\\xff\\xc3");
}

static void lines_are_kept_only_where_asked(void **state)
{
    (void)state;
    expect_clean("a\tb\nc", TEXT_KEEP_LINES, "a\tb\nc");
    expect_clean("a\tb\nc", TEXT_ONE_LINE, "a\\tb\\nc");
}

static void expect_fit(const char *text, size_t columns, bool right, const char *fitted)
{
    CLEANUP(buf_release) struct buf to;
    buf_init(&to, 4096);

    text_fit(&to, slice_of(text), columns, right);
    assert_string_equal(buf_text(&to), fitted);
    assert_int_equal(text_columns(buf_slice(&to)), columns);
}

static void text_fits_in_exactly_its_columns(void **state)
{
    (void)state;
    expect_fit("abc", 5, false, "abc  ");
    expect_fit("abc", 5, true, "  abc");
    expect_fit("abcdef", 6, false, "abcdef");
    expect_fit("abcdefg", 6, false, "abcde…");
    expect_fit("ünïcode", 4, false, "ünï…");
    expect_fit("a\xcc\x81 is one", 8, false, "a\xcc\x81 is one");
}

static void wide_characters_count_twice(void **state)
{
    (void)state;
    assert_int_equal(text_columns(slice_of("世界")), 4);
    expect_fit("世界", 4, false, "世界");
    expect_fit("世界", 3, false, "世…");
    expect_fit("世界世", 4, false, "世… ");
}

static const char *meant(const char *given, const char *const *words)
{
    struct suggestion suggestion = suggestion_for(slice_of(given));

    for (; *words; words++)
        suggestion_offer(&suggestion, *words);
    return suggestion_best(&suggestion);
}

static void the_nearest_word_is_suggested(void **state)
{
    static const char *const words[] = {"list", "limit", "get", "os", NULL};

    (void)state;
    assert_string_equal(meant("lsit", words), "list");
    assert_string_equal(meant("limi", words), "limit");
    assert_string_equal(meant("gett", words), "get");
    assert_null(meant("delete", words));
    assert_null(meant("x", words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_escaped),
        cmocka_unit_test(every_bidi_control_is_escaped),
        cmocka_unit_test(bytes_that_are_no_utf8_are_shown_as_bytes),
        cmocka_unit_test(lines_are_kept_only_where_asked),
        cmocka_unit_test(text_fits_in_exactly_its_columns),
        cmocka_unit_test(wide_characters_count_twice),
        cmocka_unit_test(the_nearest_word_is_suggested),
    };

    text_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
