/* SPDX-License-Identifier: MIT */
/*
 * The rules of dispatch, one by one: what is given, what is taken back, what ends and when. That
 * they hold together is test_promises.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "controller/dispatch.h"

#define LIMIT_US (60 * US_PER_S)

struct world {
    int64_t now_us;
    struct dispatch *dispatch;
    struct decisions decisions;
};

static struct world *world_new(void)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->now_us = 1000 * US_PER_S;
    w->dispatch = dispatch_new();
    return w;
}

static void world_free(struct world *w)
{
    dispatch_free(w->dispatch);
    decisions_release(&w->decisions);
    mem_free(w);
}

static struct uuid id_of(unsigned job)
{
    return (struct uuid){.bytes = {[15] = (uint8_t)(job + 1)}};
}

static const host_number one_host[] = {1};

static struct open_job *submit_one(struct world *w, unsigned job)
{
    struct job_terms terms = {
        .id = id_of(job),
        .limit_us = LIMIT_US,
        .start_by_us = w->now_us + 10 * US_PER_S,
        .n_runs = 1,
    };

    return dispatch_submit(w->dispatch, &terms, one_host, &w->decisions);
}

static void connect_one(struct world *w, bool new_epoch, uint32_t window)
{
    dispatch_connected(w->dispatch, &(struct greeting){1, new_epoch, window}, w->now_us,
                       &w->decisions);
}

static void expect_one_end(struct world *w, enum run_code code, bool presumed)
{
    assert_int_equal(w->decisions.n, 1);
    assert_int_equal(w->decisions.v[0].kind, DECISION_END);
    assert_int_equal(w->decisions.v[0].code, code);
    assert_int_equal(w->decisions.v[0].presumed, presumed);
    w->decisions.n = 0;
}

static void a_run_never_sent_expires_at_its_deadline_for_sure(void **state)
{
    struct world *w = world_new();

    (void)state;
    submit_one(w, 0);
    dispatch_tick(w->dispatch, w->now_us + 10 * US_PER_S - 1, &w->decisions);
    assert_int_equal(w->decisions.n, 0);
    dispatch_tick(w->dispatch, w->now_us + 10 * US_PER_S, &w->decisions);
    expect_one_end(w, run_code_EXPIRED, false);
    world_free(w);
}

static void a_sent_run_is_presumed_expired_two_seconds_later(void **state)
{
    struct world *w = world_new();

    (void)state;
    connect_one(w, false, 10);
    struct open_job *job = submit_one(w, 0);
    assert_int_equal(w->decisions.v[0].kind, DECISION_TASK);
    w->decisions.n = 0;
    dispatch_sent(w->dispatch, &job->runs[0]);
    dispatch_tick(w->dispatch, w->now_us + 12 * US_PER_S - 1, &w->decisions);
    assert_int_equal(w->decisions.n, 0);
    dispatch_tick(w->dispatch, w->now_us + 12 * US_PER_S, &w->decisions);
    expect_one_end(w, run_code_EXPIRED, true);
    world_free(w);
}

static void a_started_run_is_presumed_lost_ten_minutes_after_its_limit(void **state)
{
    struct world *w = world_new();
    int64_t lost_us = w->now_us + LIMIT_US + 600 * US_PER_S;

    (void)state;
    struct open_job *job = submit_one(w, 0);
    dispatch_moved(w->dispatch, &job->runs[0], run_state_STARTED, w->now_us);
    assert_int_equal(dispatch_active(w->dispatch), 1);
    dispatch_tick(w->dispatch, lost_us - 1, &w->decisions);
    assert_int_equal(w->decisions.n, 0);
    dispatch_tick(w->dispatch, lost_us, &w->decisions);
    expect_one_end(w, run_code_LOST, true);
    world_free(w);
}

static void nothing_is_presumed_before_anybody_has_listened(void **state)
{
    struct world *w = world_new();
    struct job_terms terms = {.id = id_of(0), .limit_us = 1, .start_by_us = 1, .n_runs = 1};
    struct run_place place = {.host = 1, .state = run_state_ACKNOWLEDGED};

    (void)state;
    dispatch_restore(w->dispatch, &terms, &place, w->now_us + 30 * US_PER_S);
    dispatch_tick(w->dispatch, w->now_us + 29 * US_PER_S, &w->decisions);
    assert_int_equal(w->decisions.n, 0);
    dispatch_tick(w->dispatch, w->now_us + 30 * US_PER_S, &w->decisions);
    expect_one_end(w, run_code_EXPIRED, true);
    world_free(w);
}

static void deadlines_go_with_a_clock_that_is_set(void **state)
{
    static const int64_t back_us = 600 * US_PER_S;
    struct world *w = world_new();

    (void)state;
    struct open_job *waiting = submit_one(w, 0);
    struct open_job *started = submit_one(w, 1);
    dispatch_moved(w->dispatch, &started->runs[0], run_state_STARTED, w->now_us);
    dispatch_shift(w->dispatch, -back_us);
    w->now_us -= back_us;
    dispatch_tick(w->dispatch, w->now_us + 10 * US_PER_S - 1, &w->decisions);
    assert_int_equal(w->decisions.n, 0);
    dispatch_tick(w->dispatch, w->now_us + 10 * US_PER_S, &w->decisions);
    expect_one_end(w, run_code_EXPIRED, false);
    dispatch_end(w->dispatch, &waiting->runs[0], &w->decisions);
    w->decisions.n = 0;
    /* Also those that are made from what was shifted. */
    dispatch_moved(w->dispatch, &started->runs[0], run_state_STARTED, started->runs[0].started_us);
    dispatch_tick(w->dispatch, w->now_us + LIMIT_US + 600 * US_PER_S - 1, &w->decisions);
    assert_int_equal(w->decisions.n, 0);
    dispatch_tick(w->dispatch, w->now_us + LIMIT_US + 600 * US_PER_S, &w->decisions);
    expect_one_end(w, run_code_LOST, true);
    world_free(w);
}

/* Which has 10 s to begin. */
static void no_deadline_to_begin_moves_beyond_what_the_ledger_has(void **state)
{
    struct world *w = world_new();
    int64_t start_by_us = w->now_us + 10 * US_PER_S;

    (void)state;
    submit_one(w, 0);
    dispatch_shift(w->dispatch, -600 * US_PER_S);
    dispatch_shift(w->dispatch, 900 * US_PER_S);
    dispatch_tick(w->dispatch, start_by_us - 1, &w->decisions);
    assert_int_equal(w->decisions.n, 0);
    dispatch_tick(w->dispatch, start_by_us, &w->decisions);
    expect_one_end(w, run_code_EXPIRED, false);
    world_free(w);
}

static void a_run_that_may_have_begun_under_another_runlog_is_interrupted(void **state)
{
    struct world *w = world_new();

    (void)state;
    connect_one(w, false, 10);
    struct open_job *job = submit_one(w, 0);
    dispatch_sent(w->dispatch, &job->runs[0]);
    w->decisions.n = 0;
    dispatch_gone(w->dispatch, 1);
    connect_one(w, true, 10);
    expect_one_end(w, run_code_INTERRUPTED, false);
    world_free(w);
}

static void a_run_that_did_not_arrive_is_given_again(void **state)
{
    struct world *w = world_new();

    (void)state;
    connect_one(w, false, 10);
    struct open_job *job = submit_one(w, 0);
    dispatch_sent(w->dispatch, &job->runs[0]);
    w->decisions.n = 0;
    dispatch_gone(w->dispatch, 1);
    connect_one(w, false, 10);
    assert_int_equal(w->decisions.n, 1);
    assert_int_equal(w->decisions.v[0].kind, DECISION_TASK);
    world_free(w);
}

static void a_run_that_its_host_names_is_left_to_it(void **state)
{
    struct world *w = world_new();
    struct uuid id = id_of(0);

    (void)state;
    connect_one(w, false, 10);
    struct open_job *job = submit_one(w, 0);
    dispatch_sent(w->dispatch, &job->runs[0]);
    w->decisions.n = 0;
    dispatch_gone(w->dispatch, 1);
    assert_true(dispatch_named(w->dispatch, 1, &id, 0, &w->decisions));
    assert_false(dispatch_named(w->dispatch, 2, &id, 0, &w->decisions));
    connect_one(w, false, 10);
    assert_int_equal(w->decisions.n, 0);
    world_free(w);
}

static void a_host_is_given_its_window_and_then_the_next_in_order(void **state)
{
    struct world *w = world_new();

    (void)state;
    connect_one(w, false, 2);
    for (unsigned i = 0; i < 4; i++)
        submit_one(w, i);
    assert_int_equal(w->decisions.n, 2);
    assert_int_equal(dispatch_host_runs(w->dispatch, 1), 4);
    struct uuid first = id_of(0);
    dispatch_end(w->dispatch, dispatch_find(w->dispatch, &first, 0), &w->decisions);
    assert_int_equal(w->decisions.n, 3);
    assert_int_equal(w->decisions.v[2].job.bytes[15], 3);
    world_free(w);
}

static void a_cancelled_run_that_was_never_sent_ends_at_once(void **state)
{
    struct world *w = world_new();
    struct cancel_counts counts;

    (void)state;
    dispatch_cancel(w->dispatch, submit_one(w, 0), &w->decisions, &counts);
    assert_int_equal(counts.never_start, 1);
    assert_int_equal(counts.stopping, 0);
    expect_one_end(w, run_code_CANCELLED, false);
    world_free(w);
}

static void a_cancelled_run_at_its_host_is_left_to_the_hosts_word(void **state)
{
    struct world *w = world_new();
    struct cancel_counts counts;

    (void)state;
    connect_one(w, false, 10);
    struct open_job *job = submit_one(w, 0);
    dispatch_sent(w->dispatch, &job->runs[0]);
    w->decisions.n = 0;
    dispatch_cancel(w->dispatch, job, &w->decisions, &counts);
    assert_int_equal(counts.stopping, 1);
    assert_int_equal(w->decisions.n, 1);
    assert_int_equal(w->decisions.v[0].kind, DECISION_CANCEL);
    assert_int_equal(dispatch_runs(w->dispatch), 1);
    world_free(w);
}

/* One run, given to its host, cancelled while the host is away. */
static void cancel_while_away(struct world *w)
{
    struct cancel_counts counts;

    connect_one(w, false, 10);
    struct open_job *job = submit_one(w, 0);
    dispatch_sent(w->dispatch, &job->runs[0]);
    dispatch_gone(w->dispatch, 1);
    w->decisions.n = 0;
    dispatch_cancel(w->dispatch, job, &w->decisions, &counts);
    assert_int_equal(counts.stopping, 1);
    assert_int_equal(w->decisions.n, 0);
}

static void a_host_that_returns_is_told_what_was_cancelled(void **state)
{
    struct world *w = world_new();
    struct uuid id = id_of(0);

    (void)state;
    cancel_while_away(w);
    dispatch_named(w->dispatch, 1, &id, 0, &w->decisions);
    connect_one(w, false, 10);
    assert_int_equal(w->decisions.n, 1);
    assert_int_equal(w->decisions.v[0].kind, DECISION_CANCEL);
    world_free(w);
}

static void a_cancelled_run_that_did_not_arrive_is_not_given_again(void **state)
{
    struct world *w = world_new();

    (void)state;
    cancel_while_away(w);
    connect_one(w, false, 10);
    assert_int_equal(w->decisions.v[0].kind, DECISION_END);
    assert_int_equal(w->decisions.v[0].code, run_code_CANCELLED);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_never_sent_expires_at_its_deadline_for_sure),
        cmocka_unit_test(a_sent_run_is_presumed_expired_two_seconds_later),
        cmocka_unit_test(a_started_run_is_presumed_lost_ten_minutes_after_its_limit),
        cmocka_unit_test(nothing_is_presumed_before_anybody_has_listened),
        cmocka_unit_test(deadlines_go_with_a_clock_that_is_set),
        cmocka_unit_test(no_deadline_to_begin_moves_beyond_what_the_ledger_has),
        cmocka_unit_test(a_run_that_may_have_begun_under_another_runlog_is_interrupted),
        cmocka_unit_test(a_run_that_did_not_arrive_is_given_again),
        cmocka_unit_test(a_run_that_its_host_names_is_left_to_it),
        cmocka_unit_test(a_host_is_given_its_window_and_then_the_next_in_order),
        cmocka_unit_test(a_cancelled_run_that_was_never_sent_ends_at_once),
        cmocka_unit_test(a_cancelled_run_at_its_host_is_left_to_the_hosts_word),
        cmocka_unit_test(a_host_that_returns_is_told_what_was_cancelled),
        cmocka_unit_test(a_cancelled_run_that_did_not_arrive_is_not_given_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
