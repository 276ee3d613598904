/* SPDX-License-Identifier: MIT */
/*
 * The controller's clock with made-up times: the truth must always lie within the bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/clock_offset.h"
#include "base/clock.h"
#include "base/uuid.h"

#define WALL_US INT64_C(1700000000000000)

static void nothing_is_known_at_first(void **state)
{
    const struct clock_offset offset = {0};
    int64_t now_us, error_us;

    (void)state;
    assert_false(clock_offset_now(&offset, 5, &now_us, &error_us));
}

static void an_answer_is_right_within_half_the_round_trip(void **state)
{
    struct clock_offset offset = {0};
    int64_t now_us, error_us;

    (void)state;
    clock_offset_add(&offset, 1000, 3000, WALL_US);
    assert_true(clock_offset_now(&offset, 3000, &now_us, &error_us));
    assert_int_equal(now_us, WALL_US + 1000);
    assert_in_range(error_us, 1000, 1010);
}

static void the_bound_grows_by_200_ppm(void **state)
{
    struct clock_offset offset = {0};
    int64_t now_us, error_us;

    (void)state;
    clock_offset_add(&offset, 1000, 3000, WALL_US);
    assert_true(clock_offset_now(&offset, 3000 + 10 * US_PER_S, &now_us, &error_us));
    assert_int_equal(now_us, WALL_US + 1000 + 10 * US_PER_S);
    assert_in_range(error_us, 1000 + 2000, 1000 + 2010);
}

static void the_past_is_no_more_certain_than_the_future(void **state)
{
    struct clock_offset offset = {0};
    int64_t now_us, error_us;

    (void)state;
    clock_offset_add(&offset, 100 * US_PER_S, 100 * US_PER_S, WALL_US);
    assert_true(clock_offset_now(&offset, 90 * US_PER_S, &now_us, &error_us));
    assert_int_equal(now_us, WALL_US - 10 * US_PER_S);
    assert_in_range(error_us, 2000, 2010);
}

static void a_worse_sample_is_not_kept(void **state)
{
    struct clock_offset offset = {0};
    int64_t now_us, error_us;

    (void)state;
    clock_offset_add(&offset, 0, 200, WALL_US);
    clock_offset_add(&offset, US_PER_S, US_PER_S + 50000, WALL_US + US_PER_S + 10000);
    assert_true(clock_offset_now(&offset, US_PER_S + 50000, &now_us, &error_us));
    assert_true(error_us < 1000);
}

static void a_worse_sample_is_kept_once_the_old_one_has_aged_beyond_it(void **state)
{
    struct clock_offset offset = {0};
    int64_t now_us, error_us, later_us = 200 * US_PER_S; /* 40 ms of drift */

    (void)state;
    clock_offset_add(&offset, 0, 200, WALL_US);
    clock_offset_add(&offset, later_us, later_us + 50000, WALL_US + later_us + 25000);
    assert_true(clock_offset_now(&offset, later_us + 50000, &now_us, &error_us));
    assert_in_range(error_us, 25000, 25010);
}

static void a_clock_that_was_set_is_followed_at_once(void **state)
{
    struct clock_offset offset = {0};
    int64_t now_us, error_us;

    (void)state;
    clock_offset_add(&offset, 0, 200, WALL_US);
    clock_offset_add(&offset, US_PER_S, US_PER_S + 50000, WALL_US - 3600 * US_PER_S);
    assert_true(clock_offset_now(&offset, US_PER_S + 50000, &now_us, &error_us));
    assert_int_equal(now_us, WALL_US - 3600 * US_PER_S + 25000);
}

static void an_answer_from_before_the_question_is_ignored(void **state)
{
    struct clock_offset offset = {0};
    int64_t now_us, error_us;

    (void)state;
    clock_offset_add(&offset, 2000, 1000, WALL_US);
    assert_false(clock_offset_now(&offset, 3000, &now_us, &error_us));
}

/* Random round trips, each leg of its own length, with oscillators that differ by up to 200 ppm. */
static void the_truth_always_lies_within_the_bound(void **state)
{
    uint64_t seed = random_u64();
    unsigned short random[3] = {(unsigned short)seed, (unsigned short)(seed >> 16),
                                (unsigned short)(seed >> 32)};

    (void)state;
    print_message("seed %llx\n", (unsigned long long)(seed & 0xffffffffffff));
    for (int i = 0; i < 2000; i++) {
        struct clock_offset offset = {0};
        double rate = 1 + (erand48(random) - 0.5) * 2 * CLOCK_DRIFT_PPM / 1e6;
        int64_t boot_us = nrand48(random);
        int64_t start_us = boot_us;

        for (int j = 0; j < 30; j++) {
            int64_t there_us = nrand48(random) % 20000, back_us = nrand48(random) % 20000, now_us,
                    error_us;
            int64_t answered_us = boot_us + there_us;
            int64_t truth_us = WALL_US + (int64_t)((double)(answered_us - start_us) * rate);

            clock_offset_add(&offset, boot_us, answered_us + back_us, truth_us);
            boot_us = answered_us + back_us + nrand48(random) % (20 * US_PER_S);
            assert_true(clock_offset_now(&offset, boot_us, &now_us, &error_us));
            truth_us = WALL_US + (int64_t)((double)(boot_us - start_us) * rate);
            assert_in_range(truth_us, now_us - error_us - 2, now_us + error_us + 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_at_first),
        cmocka_unit_test(an_answer_is_right_within_half_the_round_trip),
        cmocka_unit_test(the_bound_grows_by_200_ppm),
        cmocka_unit_test(the_past_is_no_more_certain_than_the_future),
        cmocka_unit_test(a_worse_sample_is_not_kept),
        cmocka_unit_test(a_worse_sample_is_kept_once_the_old_one_has_aged_beyond_it),
        cmocka_unit_test(a_clock_that_was_set_is_followed_at_once),
        cmocka_unit_test(an_answer_from_before_the_question_is_ignored),
        cmocka_unit_test(the_truth_always_lies_within_the_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
