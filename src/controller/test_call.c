/* SPDX-License-Identifier: MIT */
/*
 * Results of sensitive jobs in a call: bounded, taken by run, gone when nobody wants them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "controller/call.h"

static struct call *submission(uint32_t n_hosts)
{
    struct call *call = call_new(CALL_SUBMIT);

    call->submit.hosts.n = n_hosts;
    return call;
}

static bool keep_and_find(struct call *call, uint32_t run, size_t size)
{
    CLEANUP(arena_release) struct arena arena = {0};
    char *data = mem_alloc(size);
    struct call_result found, result = {.data = {.at = data, .size = size}};

    call_keep_result(call, run, &result);
    mem_free(data);
    return call_find_result(call, run, &arena, &found) && found.data.size == size;
}

static void results_are_found_by_their_run(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct call *call = submission(3);
    struct call_result found;

    (void)state;
    assert_false(call_find_result(call, 1, &arena, &found));
    call_keep_result(call, 1, &(struct call_result){.error = SLICE("why"), .data = SLICE("{}")});
    call_keep_result(call, 1, &(struct call_result){.error = SLICE("again")});
    assert_false(call_find_result(call, 0, &arena, &found));
    assert_false(call_find_result(call, 3, &arena, &found));
    assert_true(call_find_result(call, 1, &arena, &found));
    assert_string_equal(found.error.at, "why");
    assert_true(slice_is(found.data, "{}"));
    call_unref(call);
}

static void what_nobody_wants_is_not_kept(void **state)
{
    struct call *call = submission(2);

    (void)state;
    assert_true(keep_and_find(call, 0, 10));
    call_drop_results(call);
    assert_false(keep_and_find(call, 0, 10));
    assert_false(keep_and_find(call, 1, 10));
    call_unref(call);
}

static void a_job_has_a_cap(void **state)
{
    struct call *call = submission(3);

    (void)state;
    assert_true(keep_and_find(call, 0, CALL_RESULTS_MAX));
    assert_false(keep_and_find(call, 1, 1));
    assert_true(keep_and_find(call, 2, 0));
    call_unref(call);
}

static void all_jobs_together_have_a_cap_and_room_comes_back(void **state)
{
    struct call *calls[CALL_RESULTS_ALL_MAX / CALL_RESULTS_MAX];
    struct call *one_more = submission(2);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        calls[i] = submission(1);
        assert_true(keep_and_find(calls[i], 0, CALL_RESULTS_MAX));
    }
    assert_false(keep_and_find(one_more, 0, 1));
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        call_unref(calls[i]);
    assert_true(keep_and_find(one_more, 1, CALL_RESULTS_MAX));
    call_unref(one_more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_found_by_their_run),
        cmocka_unit_test(what_nobody_wants_is_not_kept),
        cmocka_unit_test(a_job_has_a_cap),
        cmocka_unit_test(all_jobs_together_have_a_cap_and_room_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
