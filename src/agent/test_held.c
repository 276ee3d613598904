/* SPDX-License-Identifier: MIT */
/*
 * Results of sensitive runs are added, put into reports and forgotten in the order of numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/held.h"
#include "base/mem.h"

static struct bus_report revealed(const struct held *held, int64_t number)
{
    struct bus_report report = {.has_number = true, .number = number};

    held_reveal(held, &report);
    return report;
}

static void results_are_there_until_they_are_forgotten(void **state)
{
    struct held held;

    (void)state;
    held_init(&held);
    held_add(&held, 3, SLICE("why"), SLICE("{}"));
    held_add(&held, 4, SLICE(""), SLICE(""));
    held_add(&held, 7, SLICE(""), SLICE("{\"a\":1}"));
    struct bus_report report = revealed(&held, 3);
    assert_string_equal(report.error, "why");
    assert_true(slice_is(report.data, "{}"));
    report = revealed(&held, 4);
    assert_false(report.has_error || report.has_data);
    report = revealed(&held, 7);
    assert_false(report.has_error);
    assert_true(slice_is(report.data, "{\"a\":1}"));
    assert_int_equal(held_size(&held, 7), 7);
    held_forget(&held, 3);
    assert_int_equal(held_size(&held, 3), 0);
    assert_int_equal(held_size(&held, 7), 7);
    held_forget(&held, 9);
    assert_int_equal(held.size, 0);
    held_add(&held, 10, SLICE("again"), SLICE(""));
    assert_int_equal(held_size(&held, 10), 5);
    held_release(&held);
}

static void beyond_the_cap_nothing_is_held(void **state)
{
    char *much = mem_alloc(HELD_MAX);
    struct held held;

    (void)state;
    held_init(&held);
    held_add(&held, 1, SLICE("x"), (struct slice){.at = much, .size = HELD_MAX});
    assert_int_equal(held_size(&held, 1), 0);
    held_add(&held, 2, SLICE(""), (struct slice){.at = much, .size = HELD_MAX});
    assert_int_equal(held_size(&held, 2), HELD_MAX);
    held_add(&held, 3, SLICE("x"), SLICE(""));
    assert_int_equal(held_size(&held, 3), 0);
    held_release(&held);
    mem_free(much);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_there_until_they_are_forgotten),
        cmocka_unit_test(beyond_the_cap_nothing_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
