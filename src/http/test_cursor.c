/* SPDX-License-Identifier: MIT */
/*
 * Cursors: read back as they were written, and refused when anything about them is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/slice.h"
#include "http/cursor.h"

#define QUESTION 0x123456789abcdef0u

static const struct token_key token_key = {.bytes = "0123456789abcdef0123456789abcdef", .size = 32};

static struct cursor_key key_of(const struct token_key *from)
{
    struct cursor_key key;

    cursor_key_init(&key, from);
    return key;
}

static int read_text(const char *text, struct cursor *ret, struct refusal *why)
{
    struct cursor_key key = key_of(&token_key);

    return cursor_read(&key, text, QUESTION, ret, why);
}

static void write_text(const struct cursor *cursor, char ret[CURSOR_TEXT_SIZE])
{
    struct cursor_key key = key_of(&token_key);

    cursor_write(&key, cursor, ret);
}

static void assert_mangled(const char *text)
{
    struct cursor cursor;
    struct refusal why = {0};

    assert_int_equal(read_text(text, &cursor, &why), OUTCOME_INVALID);
    assert_string_equal(why.field, "cursor");
    assert_non_null(strstr(why.text, "cursor: it is none that was given here"));
}

static void a_cursor_is_read_back_as_it_was_written(void **state)
{
    static const uint64_t seqs[] = {0, 1, 65536, UINT64_MAX};
    char text[CURSOR_TEXT_SIZE];
    struct cursor cursor;

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(seqs); i++) {
        struct cursor written = {
            .direction = i % 2 ? CURSOR_BACK : CURSOR_ON,
            .seq = seqs[i / 2],
            .question = QUESTION,
        };
        write_text(&written, text);
        assert_int_equal(strlen(text), CURSOR_TEXT_SIZE - 1);
        assert_int_equal(read_text(text, &cursor, NULL), 0);
        assert_int_equal(cursor.direction, written.direction);
        assert_true(cursor.seq == written.seq && cursor.question == written.question);
    }
}

static void a_cursor_with_one_other_character_is_refused(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct cursor written = {.direction = CURSOR_ON, .seq = 77, .question = QUESTION};
    char text[CURSOR_TEXT_SIZE];

    (void)state;
    write_text(&written, text);
    for (size_t i = 0; i < CURSOR_TEXT_SIZE - 1; i++) {
        char was = text[i];
        for (const char *c = alphabet; *c; c++) {
            text[i] = *c;
            if (*c != was)
                assert_mangled(text);
        }
        text[i] = was;
    }
}

static void a_cut_long_or_odd_text_is_refused(void **state)
{
    struct cursor written = {.direction = CURSOR_ON, .seq = 77, .question = QUESTION};
    char text[CURSOR_TEXT_SIZE + 2] = "";

    (void)state;
    write_text(&written, text);
    strncat(text, "A", 2);
    assert_mangled(text);
    text[CURSOR_TEXT_SIZE - 2] = '\0';
    assert_mangled(text);
    text[CURSOR_TEXT_SIZE - 2] = '=';
    assert_mangled(text);
    assert_mangled("");
    assert_mangled("next");
    assert_mangled(
        "\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf"
        "\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf"
        "\xdf\xdf\xdf\xdf\xdf\xdf");
}

static void a_cursor_of_another_question_is_told_from_a_mangled_one(void **state)
{
    struct cursor written = {.direction = CURSOR_ON, .seq = 77, .question = QUESTION + 1};
    char text[CURSOR_TEXT_SIZE];
    struct refusal why = {0};
    struct cursor cursor;

    (void)state;
    write_text(&written, text);
    assert_int_equal(read_text(text, &cursor, &why), OUTCOME_INVALID);
    assert_string_equal(why.field, "cursor");
    assert_non_null(strstr(why.text, "cursor: it was given for another filter"));
}

static void a_cursor_is_good_with_its_token_key_alone(void **state)
{
    static const struct token_key other = {.bytes = "0123456789abcdef0123456789abcdeF", .size = 32};
    static const struct token_key longer = {.bytes = "0123456789abcdef0123456789abcdef0",
                                            .size = 33};
    struct cursor written = {.direction = CURSOR_ON, .seq = 77, .question = QUESTION};
    struct cursor_key keys[] = {key_of(&token_key), key_of(&other), key_of(&longer)};
    char text[CURSOR_TEXT_SIZE];
    struct cursor cursor;

    (void)state;
    write_text(&written, text);
    assert_int_equal(cursor_read(&keys[0], text, QUESTION, &cursor, NULL), 0);
    assert_int_equal(cursor_read(&keys[1], text, QUESTION, &cursor, NULL), OUTCOME_INVALID);
    assert_int_equal(cursor_read(&keys[2], text, QUESTION, &cursor, NULL), OUTCOME_INVALID);
}

static void questions_differ_by_their_kind_and_their_text(void **state)
{
    (void)state;
    assert_true(cursor_question("job", SLICE("{}")) == cursor_question("job", SLICE("{}")));
    assert_true(cursor_question("job", SLICE("{}")) != cursor_question("run", SLICE("{}")));
    assert_true(cursor_question("job", SLICE("{}")) != cursor_question("job", SLICE("{ }")));
    assert_true(cursor_question("ab", SLICE("c")) != cursor_question("a", SLICE("bc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_is_read_back_as_it_was_written),
        cmocka_unit_test(a_cursor_with_one_other_character_is_refused),
        cmocka_unit_test(a_cut_long_or_odd_text_is_refused),
        cmocka_unit_test(a_cursor_of_another_question_is_told_from_a_mangled_one),
        cmocka_unit_test(a_cursor_is_good_with_its_token_key_alone),
        cmocka_unit_test(questions_differ_by_their_kind_and_their_text),
    };

    return cmocka_run_group_tests_name("http/cursor", tests, NULL, NULL);
}
