/* SPDX-License-Identifier: MIT */
/*
 * Run transitions and job status, exhaustively, against a second statement of the rules in other
 * words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job/job.h"

/* ---- the rules once more, as sentences ---- */

/* A record that can be meant: a code goes with failed and with nothing else; only the controller
   presumes, and only that a run expired or was lost. */
static bool makes_sense(struct run_point to, bool by_agent)
{
    if (to.state == run_state_FAILED) {
        if (to.code == run_code_NONE)
            return false;
    } else if (to.code != run_code_NONE) {
        return false;
    }
    if (!to.presumed)
        return to.code != run_code_LOST;
    return !by_agent && (to.code == run_code_EXPIRED || to.code == run_code_LOST);
}

static bool may_follow(struct run_point from, struct run_point to, bool by_agent)
{
    bool to_final = to.state == run_state_COMPLETED || to.state == run_state_FAILED ||
                    to.state == run_state_SKIPPED;

    switch (from.state) {
    case run_state_WAITING:
        if (to.state == run_state_ACKNOWLEDGED)
            return true;
        __attribute__((fallthrough));
    case run_state_ACKNOWLEDGED: /* what has not started is not lost */
        return to.state == run_state_STARTED || (to_final && to.code != run_code_LOST);
    case run_state_STARTED: /* it can't expire or be refused any more */
        return to_final && to.code != run_code_EXPIRED && to.code != run_code_REFUSED;
    case run_state_FAILED: /* what was presumed, the agent overrules */
        return from.presumed && by_agent && (to.state == run_state_STARTED || to_final);
    case run_state_COMPLETED:
    case run_state_SKIPPED:
    case run_state_COUNT:
        break;
    }
    return false;
}

static bool is_known_or_overtaken(struct run_point from, struct run_point to)
{
    if (from.state == to.state)
        return from.code == to.code;
    switch (to.state) {
    case run_state_ACKNOWLEDGED:
        return from.state != run_state_WAITING;
    case run_state_STARTED:
        return from.state != run_state_WAITING && from.state != run_state_ACKNOWLEDGED;
    case run_state_WAITING:
    case run_state_COMPLETED:
    case run_state_FAILED:
    case run_state_SKIPPED:
    case run_state_COUNT:
        break;
    }
    return false;
}

static enum run_move expected_move(struct run_point from, struct run_point to, bool by_agent)
{
    if (!makes_sense(to, by_agent))
        return RUN_MOVE_REFUSE;
    if (may_follow(from, to, by_agent))
        return RUN_MOVE_APPLY;
    return is_known_or_overtaken(from, to) ? RUN_MOVE_REPEAT : RUN_MOVE_REFUSE;
}

/* Where a run can stand. */
static bool can_stand(struct run_point point)
{
    return makes_sense(point, false);
}

/* Every point, by number; false after the last. */
static bool point_at(unsigned i, struct run_point *ret)
{
    if (i >= run_state_COUNT * run_code_COUNT * 2)
        return false;
    *ret = (struct run_point){
        .state = i / 2 / run_code_COUNT, .code = i / 2 % run_code_COUNT, .presumed = i % 2};
    return true;
}

static void check_from(struct run_point from, unsigned seen[3])
{
    struct run_point to;

    for (unsigned i = 0; point_at(i, &to); i++) {
        for (int by_agent = 0; by_agent < 2; by_agent++) {
            enum run_move move = run_move(&from, &to, by_agent);
            if (move != expected_move(from, to, by_agent))
                fail_msg("%s/%s%s -> %s/%s%s %s: %d", run_state_words[from.state].word,
                         run_code_words[from.code].word, from.presumed ? "?" : "",
                         run_state_words[to.state].word, run_code_words[to.code].word,
                         to.presumed ? "?" : "", by_agent ? "by agent" : "", (int)move);
            seen[move]++;
        }
    }
}

static void every_move_is_as_the_rules_say(void **state)
{
    struct run_point from;
    unsigned seen[3] = {0};

    (void)state;
    for (unsigned i = 0; point_at(i, &from); i++) {
        if (can_stand(from))
            check_from(from, seen);
    }
    for (unsigned move = 0; move < 3; move++)
        assert_true(seen[move] > 0);
}

static void words_out_of_range_are_refused(void **state)
{
    struct run_point from = {.state = run_state_WAITING};
    struct run_point odd_state = {.state = run_state_COUNT};
    struct run_point odd_code = {.state = run_state_FAILED, .code = run_code_COUNT};

    (void)state;
    assert_int_equal(run_move(&from, &odd_state, true), RUN_MOVE_REFUSE);
    assert_int_equal(run_move(&from, &odd_code, true), RUN_MOVE_REFUSE);
}

static void a_confirmed_presumption_is_final(void **state)
{
    struct run_point presumed = {
        .state = run_state_FAILED, .code = run_code_EXPIRED, .presumed = true};
    struct run_point confirmed = {.state = run_state_FAILED, .code = run_code_EXPIRED};
    struct run_point completed = {.state = run_state_COMPLETED};

    (void)state;
    assert_int_equal(run_move(&presumed, &confirmed, true), RUN_MOVE_APPLY);
    assert_int_equal(run_move(&confirmed, &completed, true), RUN_MOVE_REFUSE);
}

/* ---- status ---- */

static enum job_status expected_status(const struct run_counts *counts)
{
    uint32_t n_waiting =
        counts->total - counts->active - counts->completed - counts->failed - counts->skipped;

    if (n_waiting == counts->total)
        return job_status_SUBMITTED;
    if (n_waiting + counts->active > 0)
        return job_status_PROCESSING;
    if (counts->failed > 0)
        return counts->completed > 0 ? job_status_PARTIAL_FAILURE : job_status_FAILED;
    return counts->completed > 0 ? job_status_COMPLETED : job_status_SKIPPED;
}

#define RUNS_MAX 5u

static void every_mix_of_runs_has_its_status(void **state)
{
    unsigned seen[job_status_COUNT] = {0};

    (void)state;
    /* Each digit to the base of RUNS_MAX + 1 is a counter. */
    for (unsigned i = 0; i < 6 * 6 * 6 * 6; i++) {
        struct run_counts counts = {
            .active = i % 6, .completed = i / 6 % 6, .failed = i / 36 % 6, .skipped = i / 216};
        uint32_t n = counts.active + counts.completed + counts.failed + counts.skipped;
        for (counts.total = n ? n : 1; counts.total <= RUNS_MAX; counts.total++) {
            enum job_status status = job_status_of(&counts);
            assert_int_equal(status, expected_status(&counts));
            assert_int_equal(job_status_is_final(status), counts.active == 0 && n == counts.total);
            seen[status]++;
        }
    }
    for (unsigned status = 0; status < job_status_COUNT; status++)
        assert_true(seen[status] > 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_move_is_as_the_rules_say),
        cmocka_unit_test(words_out_of_range_are_refused),
        cmocka_unit_test(a_confirmed_presumption_is_final),
        cmocka_unit_test(every_mix_of_runs_has_its_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
