/* SPDX-License-Identifier: MIT */
/*
 * Prints each move of a run that is not refused (job/transition.c), a line each: from where, to
 * where.
 *
 *     waiting completed
 *     waiting expired
 *     lost? completed       the question mark: presumed, and overruled
 *
 * tests/transitions.bats has a test for each.
 */
#include "base/mem.h"
#include "job/job.h"

static const char *point_word(const struct run_point *at)
{
    return at->state == run_state_FAILED ? run_code_words[at->code].word
                                         : run_state_words[at->state].word;
}

static bool is_allowed(const struct run_point *from, const struct run_point *to)
{
    struct run_point presumed = {.state = to->state, .code = to->code, .presumed = true};

    return run_move(from, to, true) == RUN_MOVE_APPLY ||
           run_move(from, to, false) == RUN_MOVE_APPLY ||
           run_move(from, &presumed, false) == RUN_MOVE_APPLY;
}

static void print_moves_from(const struct run_point *from)
{
    for (int i = 0; i < run_state_COUNT * run_code_COUNT; i++) {
        struct run_point to = {.state = i / run_code_COUNT, .code = i % run_code_COUNT};

        if (is_allowed(from, &to))
            printf("%s%s %s\n", point_word(from), from->presumed ? "?" : "", point_word(&to));
    }
}

int main(void)
{
    static const struct run_point from[] = {
        {.state = run_state_WAITING},
        {.state = run_state_ACKNOWLEDGED},
        {.state = run_state_STARTED},
        {.state = run_state_COMPLETED},
        {.state = run_state_SKIPPED},
        {.state = run_state_FAILED, .code = run_code_ERROR},
        {.state = run_state_FAILED, .code = run_code_EXPIRED, .presumed = true},
        {.state = run_state_FAILED, .code = run_code_LOST, .presumed = true},
    };

    for (size_t i = 0; i < COUNT_OF(from); i++)
        print_moves_from(&from[i]);
    return 0;
}
