/* SPDX-License-Identifier: MIT */
/*
 * Targets: what is accepted as which kind, and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "job/job.h"

static void each_kind_is_recognised(void **state)
{
    static const struct {
        const char *text;
        enum target_kind kind;
        const char *key, *value;
    } rows[] = {
        {.text = "_any", .kind = TARGET_ANY},
        {.text = "_all", .kind = TARGET_ALL},
        {.text = "web-01", .kind = TARGET_HOST},
        {.text = "WEB_01.example.com", .kind = TARGET_HOST},
        {.text = "4c4c4544003957108052b4c04f384833", .kind = TARGET_HOST},
        {.text = "group:web", .kind = TARGET_LABEL, .key = "group", .value = "web"},
        {.text = "g_1:web.dev.eu-1", .kind = TARGET_LABEL, .key = "g_1", .value = "web.dev.eu-1"},
        {.text = "_all:x", .kind = TARGET_LABEL, .key = "_all", .value = "x"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct target target;
        struct refusal why;
        assert_int_equal(target_parse(slice_of(rows[i].text), &target, &why), 0);
        assert_int_equal(target.kind, rows[i].kind);
        assert_true(slice_is(target.text, rows[i].text));
        assert_true(slice_equal(target.key, slice_of(rows[i].key)));
        assert_true(slice_equal(target.value, slice_of(rows[i].value)));
    }
}

static void bad_targets_are_refused_by_name(void **state)
{
    static const char *const texts[] = {
        "",      "_",      "_ALL",      "_local", "a b",       "a/b",      ".a",
        "a.",    "a..b",   ":web",      "group:", "group:.a",  "group:a.", "a.b:c",
        "g:a:b", "g:a..b", "h\xc3\xb6", "a\nb",   "group:a b", "*",        "-a",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct target target = {.kind = TARGET_KIND_COUNT};
        struct refusal why;
        if (target_parse(slice_of(texts[i]), &target, &why) != OUTCOME_INVALID)
            fail_msg("accepted: %s", texts[i]);
        assert_int_equal(why.outcome, OUTCOME_INVALID);
        assert_string_equal(why.field, "target_hostname");
        assert_true(target.kind == TARGET_KIND_COUNT); /* written only on success */
    }
}

static void a_nul_inside_is_refused(void **state)
{
    struct target target;

    (void)state;
    assert_int_equal(target_parse(SLICE("web\0-01"), &target, NULL), OUTCOME_INVALID);
}

static void the_longest_target_is_255_bytes(void **state)
{
    char text[TARGET_TEXT_MAX + 1];
    struct target target;
    struct refusal why;

    (void)state;
    memset(text, 'a', sizeof(text));
    struct slice longest = {.at = text, .size = TARGET_TEXT_MAX};
    struct slice too_long = {.at = text, .size = TARGET_TEXT_MAX + 1};
    assert_int_equal(target_parse(longest, &target, &why), 0);
    assert_int_equal(target_parse(too_long, &target, &why), OUTCOME_INVALID);
    assert_non_null(strstr(why.text, "255"));
}

static void a_label_covers_what_lies_beneath_it(void **state)
{
    (void)state;
    assert_true(target_label_covers(SLICE("web"), SLICE("web")));
    assert_true(target_label_covers(SLICE("web"), SLICE("web.dev")));
    assert_true(target_label_covers(SLICE("web.dev"), SLICE("web.dev.eu")));
    assert_false(target_label_covers(SLICE("web.dev"), SLICE("web")));
    assert_false(target_label_covers(SLICE("web"), SLICE("webs")));
    assert_false(target_label_covers(SLICE("web"), SLICE("web-dev")));
    assert_false(target_label_covers(SLICE("web"), SLICE("")));
}

static void only_all_and_labels_are_broadcasts(void **state)
{
    (void)state;
    assert_false(target_is_broadcast(TARGET_ANY));
    assert_false(target_is_broadcast(TARGET_HOST));
    assert_true(target_is_broadcast(TARGET_ALL));
    assert_true(target_is_broadcast(TARGET_LABEL));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_recognised),
        cmocka_unit_test(bad_targets_are_refused_by_name),
        cmocka_unit_test(a_nul_inside_is_refused),
        cmocka_unit_test(the_longest_target_is_255_bytes),
        cmocka_unit_test(a_label_covers_what_lies_beneath_it),
        cmocka_unit_test(only_all_and_labels_are_broadcasts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
