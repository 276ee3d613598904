/* SPDX-License-Identifier: MIT */
/*
 * Entity tags, and the lists that clients send of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/etag.h"

#define TAG "\"abc,def\""

static void a_tag_is_of_one_position_and_target(void **state)
{
    const struct etag_question questions[] = {
        {.position = 1, .path = SLICE("/job"), .query = SLICE("")},
        {.position = 2, .path = SLICE("/job"), .query = SLICE("")},
        {.position = 1, .path = SLICE("/job"), .query = SLICE("limit=1")},
        {.position = 1, .path = SLICE("/job/limit=1"), .query = SLICE("")},
        {.position = 1, .path = SLICE("/api/job"), .query = SLICE("")},
    };
    char tags[COUNT_OF(questions)][ETAG_SIZE], again[ETAG_SIZE];
    struct etag_key key, other;

    (void)state;
    etag_key_init(&key);
    etag_key_init(&other);
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        etag_make(&key, &questions[i], tags[i]);
        assert_int_equal(strlen(tags[i]), ETAG_SIZE - 1);
        assert_true(etag_list_has(tags[i], tags[i]));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(tags[i], tags[k]);
        etag_make(&key, &questions[i], again);
        assert_string_equal(again, tags[i]);
        etag_make(&other, &questions[i], again);
        assert_string_not_equal(again, tags[i]);
    }
}

static void a_list_has_the_tags_that_stand_in_it(void **state)
{
    static const char *const lists[] = {
        TAG, "W/" TAG, " \t" TAG " ", "\"x\", " TAG, "\"x\"," TAG ",\"y\"", ", ,W/\"x\" ,\t" TAG,
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (!etag_list_has(lists[i], TAG))
            fail_msg("%s", lists[i]);
}

static void what_is_no_list_or_another_tag_has_not(void **state)
{
    static const char *const lists[] = {
        "",        "*",           "abc,def",    "\"abc\",\"def\"", "\"abc,def", "w/" TAG,
        "W/ " TAG, "\"abc,DEF\"", "\"x\" " TAG, "x," TAG,          "\"",        "W/",
        "W",       "\"\"",        TAG "x",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (etag_list_has(lists[i], TAG))
            fail_msg("%s", lists[i]);
}

static void a_star_alone_is_any(void **state)
{
    (void)state;
    assert_true(etag_list_is_any("*"));
    assert_true(etag_list_is_any(" * "));
    assert_false(etag_list_is_any("*, \"x\""));
    assert_false(etag_list_is_any("\"*\""));
    assert_false(etag_list_is_any(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_of_one_position_and_target),
        cmocka_unit_test(a_list_has_the_tags_that_stand_in_it),
        cmocka_unit_test(what_is_no_list_or_another_tag_has_not),
        cmocka_unit_test(a_star_alone_is_any),
    };

    return cmocka_run_group_tests_name("http/etag", tests, NULL, NULL);
}
