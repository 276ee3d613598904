/* SPDX-License-Identifier: MIT */
/*
 * Limits: the arithmetic of both, and what a full table does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/limit.h"

#define NOW_US (1000 * US_PER_S)

static int rate_setup(void **state)
{
    *state = rate_limit_new();
    return 0;
}

static int rate_teardown(void **state)
{
    rate_limit_free(*state);
    return 0;
}

static int lockout_setup(void **state)
{
    *state = lockout_new();
    return 0;
}

static int lockout_teardown(void **state)
{
    lockout_free(*state);
    return 0;
}

static void without_a_limit_nobody_waits(void **state)
{
    for (int i = 0; i < 100000; i++)
        assert_int_equal(rate_limit_take(*state, 7, NOW_US), 0);
}

static void a_burst_passes_and_then_the_rate(void **state)
{
    rate_limit_set(*state, 10, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(rate_limit_take(*state, 7, NOW_US), 0);
    assert_int_equal(rate_limit_take(*state, 7, NOW_US), 100 * US_PER_MS);
    assert_int_equal(rate_limit_take(*state, 7, NOW_US + 99 * US_PER_MS), 1 * US_PER_MS);
    assert_int_equal(rate_limit_take(*state, 7, NOW_US + 100 * US_PER_MS), 0);
    assert_true(rate_limit_take(*state, 7, NOW_US + 100 * US_PER_MS) > 0);
    /* After a second of silence the bucket is full again, and not fuller. */
    for (int i = 0; i < 5; i++)
        assert_int_equal(rate_limit_take(*state, 7, NOW_US + 2 * US_PER_S), 0);
    assert_true(rate_limit_take(*state, 7, NOW_US + 2 * US_PER_S) > 0);
}

static void over_time_the_rate_is_kept_to_the_request(void **state)
{
    unsigned n = 0;

    rate_limit_set(*state, 100, 10);
    for (int64_t us = 0; us < 10 * US_PER_S; us += 500)
        n += rate_limit_take(*state, 1, NOW_US + us) == 0;
    assert_in_range(n, 1000 + 9, 1000 + 10);
}

static void tokens_do_not_share_a_bucket(void **state)
{
    rate_limit_set(*state, 1, 1);
    assert_int_equal(rate_limit_take(*state, 1, NOW_US), 0);
    assert_int_equal(rate_limit_take(*state, 2, NOW_US), 0);
    assert_true(rate_limit_take(*state, 1, NOW_US) > 0);
}

static void another_limit_does_not_count_what_was_taken_under_the_one_before(void **state)
{
    rate_limit_set(*state, 1, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(rate_limit_take(*state, 7, NOW_US), 0);
    rate_limit_set(*state, 1, 100000); /* the same: nothing is forgotten */
    assert_true(rate_limit_take(*state, 7, NOW_US) > 0);
    rate_limit_set(*state, 100, 10);
    assert_int_equal(rate_limit_take(*state, 7, NOW_US), 0);
}

static void a_limit_that_is_taken_away_is_gone(void **state)
{
    rate_limit_set(*state, 1, 1);
    assert_int_equal(rate_limit_take(*state, 1, NOW_US), 0);
    assert_true(rate_limit_take(*state, 1, NOW_US) > 0);
    rate_limit_set(*state, 0, 1);
    assert_int_equal(rate_limit_take(*state, 1, NOW_US), 0);
}

static void a_full_table_errs_for_the_client(void **state)
{
    rate_limit_set(*state, 1, 1);
    for (uint64_t key = 1; key <= 20 * LIMIT_ENTRIES; key++)
        assert_int_equal(rate_limit_take(*state, key, NOW_US), 0);
}

/* ---- lock-out ---- */

static void the_last_attempt_locks_out_for_the_time_set(void **state)
{
    lockout_set(*state, 3, 30 * US_PER_S);
    assert_false(lockout_count(*state, 9, NOW_US));
    assert_false(lockout_count(*state, 9, NOW_US));
    assert_int_equal(lockout_left(*state, 9, NOW_US), 0);
    assert_true(lockout_count(*state, 9, NOW_US));
    assert_int_equal(lockout_left(*state, 9, NOW_US), 30 * US_PER_S);
    assert_int_equal(lockout_left(*state, 9, NOW_US + 29 * US_PER_S), 1 * US_PER_S);
    assert_int_equal(lockout_left(*state, 9, NOW_US + 30 * US_PER_S), 0);
    assert_int_equal(lockout_left(*state, 8, NOW_US), 0);
}

static void attempts_of_long_ago_do_not_count(void **state)
{
    lockout_set(*state, 2, US_PER_S);
    assert_false(lockout_count(*state, 9, NOW_US));
    assert_false(lockout_count(*state, 9, NOW_US + LOCKOUT_WINDOW_US));
    assert_true(lockout_count(*state, 9, NOW_US + LOCKOUT_WINDOW_US + 1));
}

static void a_lock_out_is_told_once(void **state)
{
    lockout_set(*state, 1, 30 * US_PER_S);
    assert_true(lockout_count(*state, 9, NOW_US));
    assert_false(lockout_count(*state, 9, NOW_US + 1));
    assert_true(lockout_count(*state, 9, NOW_US + 31 * US_PER_S));
}

static void with_no_limit_of_attempts_nobody_is_locked_out(void **state)
{
    lockout_set(*state, 0, 30 * US_PER_S);
    for (int i = 0; i < 1000; i++)
        assert_false(lockout_count(*state, 9, NOW_US));
    assert_int_equal(lockout_left(*state, 9, NOW_US), 0);
}

static void many_addresses_do_not_free_one_that_is_locked_out(void **state)
{
    lockout_set(*state, 2, 3600 * US_PER_S);
    assert_false(lockout_count(*state, 9, NOW_US));
    assert_true(lockout_count(*state, 9, NOW_US));
    for (uint64_t key = 100; key < 100 + 4 * LIMIT_ENTRIES; key++)
        lockout_count(*state, key, NOW_US + 1);
    assert_true(lockout_left(*state, 9, NOW_US + 2) > 0);
}

int main(void)
{
#define RATE(name)    cmocka_unit_test_setup_teardown(name, rate_setup, rate_teardown)
#define LOCKOUT(name) cmocka_unit_test_setup_teardown(name, lockout_setup, lockout_teardown)
    const struct CMUnitTest tests[] = {
        RATE(without_a_limit_nobody_waits),
        RATE(a_burst_passes_and_then_the_rate),
        RATE(over_time_the_rate_is_kept_to_the_request),
        RATE(tokens_do_not_share_a_bucket),
        RATE(another_limit_does_not_count_what_was_taken_under_the_one_before),
        RATE(a_limit_that_is_taken_away_is_gone),
        RATE(a_full_table_errs_for_the_client),
        LOCKOUT(the_last_attempt_locks_out_for_the_time_set),
        LOCKOUT(attempts_of_long_ago_do_not_count),
        LOCKOUT(a_lock_out_is_told_once),
        LOCKOUT(with_no_limit_of_attempts_nobody_is_locked_out),
        LOCKOUT(many_addresses_do_not_free_one_that_is_locked_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
