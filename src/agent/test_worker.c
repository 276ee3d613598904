/* SPDX-License-Identifier: MIT */
/*
 * The pool with real operations: side by side, to the end, stopped, given up; and the runs above
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/runs.h"
#include "agent/worker.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#define LIMIT_US (60 * US_PER_S)
#define WALL_US  INT64_C(1700000000000000)

struct fixture {
    struct worker_pool *pool;
    char directory[64];
    struct runlog *log;
    struct clock_offset clock;
    struct runs *runs;
};

static int pool_setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    assert_int_equal(worker_pool_open(2, "web-01", NULL, &f->pool), 0);
    *state = f;
    return 0;
}

static int pool_teardown(void **state)
{
    struct fixture *f = *state;

    worker_pool_close(f->pool);
    test_free(f);
    return 0;
}

static struct work *shell(const char *line)
{
    struct work *work;
    struct buf data;

    buf_init(&data, 4096);
    buf_printf(&data, "{\"command\":\"%s\"}", line);
    assert_int_equal(work_new(&op_catalog[OP_command_shell], buf_slice(&data), LIMIT_US, &work), 0);
    buf_release(&data);
    return work;
}

static struct work *wait_for_work(struct worker_pool *pool, int wait_ms)
{
    struct pollfd watch = {.fd = worker_pool_fd(pool), .events = POLLIN};

    return poll(&watch, 1, wait_ms) == 1 ? worker_take(pool) : NULL;
}

static void assert_stdout(const struct work *work, const char *text)
{
    struct json result, output;

    assert_int_equal(json_check(buf_slice(&work->result), 100, &result, NULL), 0);
    assert_true(json_member(result, "stdout", &output));
    assert_true(json_string_is(output, text));
}

/* ---- the pool ---- */

static void work_comes_back_done(void **state)
{
    struct fixture *f = *state;
    struct work *work = shell("printf ok");

    assert_int_equal(worker_give(f->pool, work), 0);
    assert_ptr_equal(wait_for_work(f->pool, 5000), work);
    assert_int_equal(work->outcome, 0);
    assert_true(work->host.changed);
    assert_stdout(work, "ok");
    assert_null(worker_take(f->pool));
    work_free(work);
}

static void two_works_are_done_side_by_side(void **state)
{
    struct fixture *f = *state;
    int64_t begun_us = clock_boot_us();

    assert_int_equal(worker_give(f->pool, shell("sleep 0.4")), 0);
    assert_int_equal(worker_give(f->pool, shell("sleep 0.4")), 0);
    assert_int_equal(worker_pool_room(f->pool), 0);
    for (int i = 0; i < 2; i++) {
        struct work *work = wait_for_work(f->pool, 5000);

        assert_non_null(work);
        work_free(work);
    }
    assert_true(clock_boot_us() - begun_us < 750 * US_PER_MS);
    assert_int_equal(worker_pool_room(f->pool), 2);
}

static void a_thread_is_used_again(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 50; i++) {
        struct work *work;

        assert_int_equal(work_new(&op_catalog[OP_node_load], SLICE("{}"), LIMIT_US, &work), 0);
        assert_int_equal(worker_give(f->pool, work), 0);
        assert_ptr_equal(wait_for_work(f->pool, 5000), work);
        assert_int_equal(work->outcome, 0);
        work_free(work);
    }
    int n_threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        n_threads++;
    closedir(tasks);
    assert_true(n_threads - 3 <=
                2 + 1); /* ".", "..", this one; a sanitizer may have one of its own */
}

static void cancelled_work_ends_soon(void **state)
{
    struct fixture *f = *state;
    struct work *work = shell("sleep 30");

    assert_int_equal(worker_give(f->pool, work), 0);
    assert_null(wait_for_work(f->pool, 100));
    work_cancel(work);
    assert_ptr_equal(wait_for_work(f->pool, 5000), work);
    assert_int_equal(work->outcome, HOST_FAILED);
    assert_int_equal(work->host.code, run_code_CANCELLED);
    work_free(work);
}

static void abandoned_work_keeps_its_thread_until_it_ends(void **state)
{
    struct fixture *f = *state;
    struct work *work = shell("sleep 0.3");

    assert_int_equal(worker_give(f->pool, work), 0);
    worker_abandon(f->pool, work);
    assert_int_equal(worker_pool_room(f->pool), 1);
    assert_null(wait_for_work(f->pool, 600));
    assert_int_equal(worker_pool_room(f->pool), 2);
}

static void work_that_is_done_already_may_be_abandoned(void **state)
{
    struct fixture *f = *state;
    struct work *work = shell("true");

    assert_int_equal(worker_give(f->pool, work), 0);
    struct pollfd watch = {.fd = worker_pool_fd(f->pool), .events = POLLIN};
    assert_int_equal(poll(&watch, 1, 5000), 1);
    worker_abandon(f->pool, work);
    assert_null(worker_take(f->pool));
}

static void input_that_does_not_decode_fails(void **state)
{
    struct fixture *f = *state;
    struct work *work;

    assert_int_equal(
        work_new(&op_catalog[OP_command_exec], SLICE("{\"commnad\":\"true\"}"), LIMIT_US, &work),
        0);
    assert_int_equal(worker_give(f->pool, work), 0);
    assert_ptr_equal(wait_for_work(f->pool, 5000), work);
    assert_int_equal(work->outcome, HOST_FAILED);
    assert_int_equal(work->host.code, run_code_ERROR);
    assert_int_equal(work->result.size, 0);
    work_free(work);
}

/* ---- runs ---- */

static int runs_setup(void **state)
{
    pool_setup(state);
    struct fixture *f = *state;
    struct refusal why;

    snprintf(f->directory, sizeof(f->directory), "/tmp/reeve-test-runs-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    assert_int_equal(
        runlog_open(&(struct runlog_options){.directory = f->directory}, &f->log, &why), 0);
    int64_t now_us = clock_boot_us();
    clock_offset_add(&f->clock, now_us, now_us, WALL_US);
    f->runs = runs_new(f->log, f->pool, &f->clock);
    return 0;
}

static int runs_teardown(void **state)
{
    struct fixture *f = *state;
    struct buf path;

    runs_free(f->runs);
    assert_int_equal(runlog_close(f->log), 0);
    buf_init(&path, 128);
    buf_printf(&path, "%s/runlog", f->directory);
    unlink(buf_text(&path));
    buf_release(&path);
    rmdir(f->directory);
    return pool_teardown(state);
}

static struct bus_task task_of(int64_t run, const char *operation, const char *data,
                               int64_t start_by_us)
{
    struct bus_task task = {.has_run = true};

    SET(&task.run, job, "018f0000-0000-7000-8000-000000000001");
    SET(&task.run, run, run);
    SET(&task, operation, operation);
    SET(&task, data, slice_of(data));
    SET(&task, limit_us, LIMIT_US);
    SET(&task, start_by_us, start_by_us);
    SET(&task, user, "ann");
    return task;
}

static void give_shell(struct fixture *f, int64_t run, const char *line)
{
    struct buf data;

    buf_init(&data, 4096);
    buf_printf(&data, "{\"command\":\"%s\"}", line);
    struct bus_task task =
        task_of(run, "command.shell.execute", buf_text(&data), WALL_US + 60 * US_PER_S);
    assert_int_equal(runs_take(f->runs, &task, clock_boot_us()), 0);
    buf_release(&data);
}

/* One pass of the main loop, at `boot_us`. */
static void pass(struct fixture *f, int64_t boot_us)
{
    assert_int_equal(runs_collect(f->runs), 0);
    assert_int_equal(runs_tick(f->runs, boot_us), 0);
    assert_int_equal(runs_choose(f->runs, boot_us), 0);
    assert_int_equal(runlog_sync(f->log), 0);
    assert_int_equal(runs_begin(f->runs), 0);
}

static void pass_until_reports(struct fixture *f, int64_t n_reports)
{
    int64_t until_us = clock_boot_us() + 10 * US_PER_S;

    while (runlog_last(f->log) < n_reports) {
        assert_true(clock_boot_us() < until_us);
        pass(f, clock_boot_us());
        usleep(2000);
    }
}

static void assert_report(struct fixture *f, int64_t number, int64_t run, enum run_state state,
                          enum run_code code)
{
    struct arena arena;
    struct bus_report report;

    arena_init(&arena);
    assert_int_equal(runlog_read(f->log, number, &arena, &report), 0);
    assert_int_equal(report.number, number);
    assert_int_equal(report.run.run, run);
    assert_string_equal(run_state_words[report.state].word, run_state_words[state].word);
    assert_string_equal(run_code_words[report.code].word, run_code_words[code].word);
    arena_release(&arena);
}

static void a_short_run_makes_one_report_with_all_times(void **state)
{
    struct fixture *f = *state;
    struct arena arena;
    struct bus_report report;

    give_shell(f, 0, "printf hi");
    pass_until_reports(f, 1);
    assert_report(f, 1, 0, run_state_COMPLETED, run_code_NONE);
    arena_init(&arena);
    assert_int_equal(runlog_read(f->log, 1, &arena, &report), 0);
    assert_true(report.has_acknowledged_us && report.has_started_us && report.has_finished_us);
    assert_true(report.acknowledged_us >= WALL_US);
    assert_true(report.acknowledged_us <= report.started_us &&
                report.started_us <= report.finished_us);
    assert_true(report.has_changed && report.changed);
    assert_true(report.data.size > 0);
    arena_release(&arena);
}

static void a_long_run_tells_that_it_started(void **state)
{
    struct fixture *f = *state;

    give_shell(f, 0, "sleep 1.3");
    pass_until_reports(f, 2);
    assert_report(f, 1, 0, run_state_STARTED, run_code_NONE);
    assert_report(f, 2, 0, run_state_COMPLETED, run_code_NONE);
}

static void a_run_that_has_to_wait_tells_that_it_was_taken(void **state)
{
    struct fixture *f = *state;

    for (int64_t run = 0; run < 3; run++)
        give_shell(f, run, "sleep 0.3");
    pass_until_reports(f, 4);
    assert_report(f, 1, 2, run_state_ACKNOWLEDGED, run_code_NONE);
    assert_report(f, 4, 2, run_state_COMPLETED, run_code_NONE);
}

static void a_task_that_comes_again_is_not_done_again(void **state)
{
    struct fixture *f = *state;

    give_shell(f, 0, "sleep 0.2");
    give_shell(f, 0, "sleep 0.2");
    assert_int_equal(runs_n_waiting(f->runs), 1);
    pass(f, clock_boot_us());
    give_shell(f, 0, "sleep 0.2");
    assert_int_equal(runs_n_waiting(f->runs), 0);
    pass_until_reports(f, 1);
    give_shell(f, 0, "sleep 0.2");
    assert_int_equal(runs_n_waiting(f->runs), 0);
    assert_int_equal(runlog_last(f->log), 1);
}

static void a_confirmed_outcome_is_told_again_when_asked_for(void **state)
{
    struct fixture *f = *state;

    give_shell(f, 0, "true");
    pass_until_reports(f, 1);
    assert_int_equal(runlog_confirm(f->log, 1), 0);
    give_shell(f, 0, "true");
    assert_int_equal(runs_n_waiting(f->runs), 0);
    assert_report(f, 2, 0, run_state_COMPLETED, run_code_NONE);
}

static void a_task_past_its_deadline_is_refused(void **state)
{
    struct fixture *f = *state;
    struct bus_task task = task_of(0, "node.load.get", "{}", WALL_US - 1);

    assert_int_equal(runs_take(f->runs, &task, clock_boot_us()), 0);
    assert_report(f, 1, 0, run_state_FAILED, run_code_EXPIRED);
}

static void a_deadline_within_the_error_of_the_clock_is_past(void **state)
{
    struct fixture *f = *state;
    int64_t now_us = clock_boot_us();
    struct bus_task task;

    f->clock = (struct clock_offset){0};
    clock_offset_add(&f->clock, now_us - 400000, now_us,
                     WALL_US); /* ± 200 ms, so now is WALL_US + 200 ms */
    task = task_of(0, "node.load.get", "{}", WALL_US + 390000);
    assert_int_equal(runs_take(f->runs, &task, now_us), 0);
    assert_report(f, 1, 0, run_state_FAILED, run_code_EXPIRED);
    task = task_of(1, "node.load.get", "{}", WALL_US + 410000);
    assert_int_equal(runs_take(f->runs, &task, now_us), 0);
    assert_int_equal(runs_n_waiting(f->runs), 1);
}

static void without_a_clock_nothing_begins(void **state)
{
    struct fixture *f = *state;
    int64_t now_us = clock_boot_us();
    struct bus_task task = task_of(0, "node.load.get", "{}", INT64_MAX);

    f->clock = (struct clock_offset){0};
    assert_int_equal(runs_take(f->runs, &task, now_us), 0);
    assert_report(f, 1, 0, run_state_FAILED, run_code_EXPIRED);
    clock_offset_add(&f->clock, now_us - 3 * US_PER_S, now_us, WALL_US);
    task.run.run = 1;
    assert_int_equal(runs_take(f->runs, &task, now_us), 0);
    assert_report(f, 2, 1, run_state_FAILED, run_code_EXPIRED);
}

static void a_run_whose_deadline_passes_while_it_waits_is_refused(void **state)
{
    struct fixture *f = *state;

    give_shell(f, 0, "sleep 1");
    give_shell(f, 1, "sleep 1");
    pass(f, clock_boot_us());
    struct bus_task task = task_of(2, "node.load.get", "{}", WALL_US + 5 * US_PER_S);
    int64_t now_us = clock_boot_us();
    assert_int_equal(runs_take(f->runs, &task, now_us), 0);
    assert_int_equal(runs_tick(f->runs, now_us + 6 * US_PER_S), 0);
    assert_int_equal(runs_n_waiting(f->runs), 0);
    assert_report(f, 1, 2, run_state_FAILED, run_code_EXPIRED);
}

static void an_operation_it_does_not_know_fails(void **state)
{
    struct fixture *f = *state;
    struct bus_task unknown = task_of(0, "node.fly.do", "{}", INT64_MAX);
    struct bus_task local = task_of(1, "job.list", "{}", INT64_MAX);

    assert_int_equal(runs_take(f->runs, &unknown, clock_boot_us()), 0);
    assert_int_equal(runs_take(f->runs, &local, clock_boot_us()), 0);
    assert_report(f, 1, 0, run_state_FAILED, run_code_ERROR);
    assert_report(f, 2, 1, run_state_FAILED, run_code_ERROR);
}

static void a_waiting_run_is_cancelled_without_being_started(void **state)
{
    struct fixture *f = *state;
    struct bus_task task = task_of(0, "node.load.get", "{}", INT64_MAX);

    assert_int_equal(runs_take(f->runs, &task, clock_boot_us()), 0);
    assert_int_equal(runs_cancel(f->runs, &task.run, clock_boot_us()), 0);
    assert_report(f, 1, 0, run_state_FAILED, run_code_CANCELLED);
    assert_int_equal(runs_n_waiting(f->runs), 0);
}

static void a_running_run_is_cancelled(void **state)
{
    struct fixture *f = *state;
    struct bus_task task = task_of(0, "", "", 0);

    give_shell(f, 0, "sleep 30");
    pass(f, clock_boot_us());
    assert_int_equal(runs_cancel(f->runs, &task.run, clock_boot_us()), 0);
    pass_until_reports(f, 1);
    assert_report(f, 1, 0, run_state_FAILED, run_code_CANCELLED);
    assert_int_equal(runs_cancel(f->runs, &task.run, clock_boot_us()), 0);
    assert_int_equal(runlog_last(f->log), 1);
}

static void a_run_that_can_not_be_stopped_is_given_up(void **state)
{
    struct fixture *f = *state;

    give_shell(f, 0, "sleep 0.5");
    int64_t now_us = clock_boot_us();
    pass(f, now_us);
    assert_int_equal(runs_tick(f->runs, now_us + LIMIT_US + LIMIT_GRACE_US - 1), 0);
    assert_int_equal(runs_n_running(f->runs), 1);
    assert_int_equal(runs_tick(f->runs, now_us + LIMIT_US + LIMIT_GRACE_US), 0);
    assert_int_equal(runs_n_running(f->runs), 0);
    assert_report(f, runlog_last(f->log), 0, run_state_FAILED, run_code_TIMEOUT);
    assert_int_equal(worker_pool_room(f->pool), 1);
}

static void killed_runs_are_not_reported(void **state)
{
    struct fixture *f = *state;

    give_shell(f, 0, "sleep 30");
    pass(f, clock_boot_us());
    runs_kill(f->runs);
    int64_t until_us = clock_boot_us() + 5 * US_PER_S;
    while (runs_n_running(f->runs) && clock_boot_us() < until_us) {
        assert_int_equal(runs_collect(f->runs), 0);
        usleep(2000);
    }
    assert_int_equal(runs_n_running(f->runs), 0);
    assert_int_equal(runlog_last(f->log), 0);
}

static void the_deadline_tells_when_to_look_again(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(runs_deadline_us(f->runs), INT64_MAX);
    give_shell(f, 0, "sleep 0.3");
    int64_t now_us = clock_boot_us();
    pass(f, now_us);
    assert_int_equal(runs_deadline_us(f->runs), now_us + TELL_STARTED_US);
    assert_int_equal(runs_tick(f->runs, now_us + TELL_STARTED_US), 0);
    assert_int_equal(runs_deadline_us(f->runs), now_us + LIMIT_US + LIMIT_GRACE_US);
}

#define POOL(test) cmocka_unit_test_setup_teardown(test, pool_setup, pool_teardown)
#define RUNS(test) cmocka_unit_test_setup_teardown(test, runs_setup, runs_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL(work_comes_back_done),
        POOL(two_works_are_done_side_by_side),
        POOL(a_thread_is_used_again),
        POOL(cancelled_work_ends_soon),
        POOL(abandoned_work_keeps_its_thread_until_it_ends),
        POOL(work_that_is_done_already_may_be_abandoned),
        POOL(input_that_does_not_decode_fails),
        RUNS(a_short_run_makes_one_report_with_all_times),
        RUNS(a_long_run_tells_that_it_started),
        RUNS(a_run_that_has_to_wait_tells_that_it_was_taken),
        RUNS(a_task_that_comes_again_is_not_done_again),
        RUNS(a_confirmed_outcome_is_told_again_when_asked_for),
        RUNS(a_task_past_its_deadline_is_refused),
        RUNS(a_deadline_within_the_error_of_the_clock_is_past),
        RUNS(without_a_clock_nothing_begins),
        RUNS(a_run_whose_deadline_passes_while_it_waits_is_refused),
        RUNS(an_operation_it_does_not_know_fails),
        RUNS(a_waiting_run_is_cancelled_without_being_started),
        RUNS(a_running_run_is_cancelled),
        RUNS(a_run_that_can_not_be_stopped_is_given_up),
        RUNS(killed_runs_are_not_reported),
        RUNS(the_deadline_tells_when_to_look_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
