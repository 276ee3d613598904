/* SPDX-License-Identifier: MIT */
/*
 * The runlog across restarts: in good order, killed, torn at every byte, damaged, after a power
 * cut, too large.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/runlog.h"
#include "agent/runlog_file.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_BY   INT64_C(1700000000000000)
#define STARTED_US (START_BY - 5)

struct fixture {
    char directory[64], path[80];
    struct uuid boot;
    struct runlog *log;
    struct arena arena;
};

static void log_open(struct fixture *f)
{
    struct runlog_options options = {
        .directory = f->directory, .boot = f->boot, .wall_us = START_BY};
    struct refusal why;

    assert_int_equal(runlog_open(&options, &f->log, &why), 0);
}

static void log_close(struct fixture *f)
{
    assert_int_equal(runlog_close(TAKE(f->log)), 0);
}

static void log_reopen_after_kill(struct fixture *f)
{
    runlog_free(TAKE(f->log));
    log_open(f);
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    snprintf(f->directory, sizeof(f->directory), "/tmp/reeve-test-runlog-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/runlog", f->directory);
    f->boot = uuid_make(1);
    arena_init(&f->arena);
    log_open(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    DIR *directory = opendir(f->directory);
    const struct dirent *entry;

    if (f->log)
        log_close(f);
    while ((entry = readdir(directory)))
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    rmdir(f->directory);
    arena_release(&f->arena);
    test_free(f);
    return 0;
}

/* ---- shorthands ---- */

static struct run_key key_of(uint32_t n)
{
    struct run_key key = {.run = n % 3};

    key.job.bytes[6] = 0x70;
    key.job.bytes[8] = 0x80;
    memcpy(key.job.bytes + 12, &n, sizeof(n));
    return key;
}

static void take(struct fixture *f, uint32_t n, bool durable)
{
    struct run_key key = key_of(n);

    assert_int_equal(runlog_take(f->log, &key, durable, START_BY), 0);
}

static void start(struct fixture *f, uint32_t n)
{
    struct run_key key = key_of(n);

    assert_int_equal(runlog_start(f->log, &key, STARTED_US), 0);
    assert_int_equal(runlog_sync(f->log), 0);
}

static void report_unsynced(struct fixture *f, uint32_t n, enum run_state state, const char *data)
{
    struct run_key key = key_of(n);
    struct bus_report report = {.has_run = true};

    report.run = run_key_ref(&key, &f->arena);
    SET(&report, state, state);
    SET(&report, code, run_code_NONE);
    if (data)
        SET(&report, data, slice_of(data));
    assert_int_equal(runlog_report(f->log, &report), 0);
    assert_int_equal(report.number, runlog_last(f->log));
}

static void report_as(struct fixture *f, uint32_t n, enum run_state state, const char *data)
{
    report_unsynced(f, n, state, data);
    assert_int_equal(runlog_sync(f->log), 0);
}

static void complete(struct fixture *f, uint32_t n)
{
    char data[64];

    snprintf(data, sizeof(data), "{\"n\":%u}", n);
    report_as(f, n, run_state_COMPLETED, data);
}

static void confirm(struct fixture *f, int64_t number)
{
    assert_int_equal(runlog_confirm(f->log, number), 0);
}

static enum runlog_state known(struct fixture *f, uint32_t n)
{
    struct run_key key = key_of(n);

    return runlog_find(f->log, &key, NULL, NULL);
}

static void read_report(struct fixture *f, int64_t number, struct bus_report *ret)
{
    assert_int_equal(runlog_read(f->log, number, &f->arena, ret), 0);
    assert_int_equal(ret->number, number);
}

static void assert_report(struct fixture *f, int64_t number, uint32_t n, enum run_state state,
                          enum run_code code)
{
    struct bus_report report;

    read_report(f, number, &report);
    struct run_key key = run_key_of(&report.run), expected = key_of(n);
    assert_true(run_key_equal(&key, &expected));
    assert_int_equal(report.state, state);
    assert_int_equal(report.code, code);
}

static int64_t file_size(const struct fixture *f)
{
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    return st.st_size;
}

/* ---- in good order ---- */

static void a_new_log_has_an_epoch_and_no_reports(void **state)
{
    struct fixture *f = *state;

    assert_true(runlog_epoch(f->log) > 0);
    assert_int_equal(runlog_first_unconfirmed(f->log), 1);
    assert_int_equal(runlog_last(f->log), 0);
    assert_int_equal(runlog_unconfirmed(f->log, &f->arena).n, 0);
    assert_null(runlog_set_aside(f->log));
}

static void a_run_is_known_through_all_its_states(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(known(f, 1), RUNLOG_UNKNOWN);
    take(f, 1, true);
    assert_int_equal(known(f, 1), RUNLOG_TAKEN);
    start(f, 1);
    assert_int_equal(known(f, 1), RUNLOG_STARTED);
    report_as(f, 1, run_state_STARTED, NULL);
    assert_int_equal(known(f, 1), RUNLOG_STARTED);
    complete(f, 1);
    assert_int_equal(known(f, 1), RUNLOG_FINISHED);
    confirm(f, 1);
    assert_int_equal(known(f, 1), RUNLOG_FINISHED);
    confirm(f, 2);
    assert_int_equal(known(f, 1), RUNLOG_SETTLED);
}

static void everything_is_there_after_a_restart(void **state)
{
    struct fixture *f = *state;
    int64_t epoch = runlog_epoch(f->log);
    struct bus_report report;

    for (uint32_t n = 1; n <= 3; n++) {
        take(f, n, n % 2);
        start(f, n);
        complete(f, n);
    }
    confirm(f, 1);
    log_close(f);
    log_open(f);
    assert_int_equal(runlog_epoch(f->log), epoch);
    assert_int_equal(runlog_first_unconfirmed(f->log), 2);
    assert_int_equal(runlog_last(f->log), 3);
    assert_int_equal(known(f, 1), RUNLOG_SETTLED);
    assert_int_equal(runlog_unconfirmed(f->log, &f->arena).n, 2);
    read_report(f, 3, &report);
    assert_true(slice_is(report.data, "{\"n\":3}"));
    take(f, 4, true);
    complete(f, 4);
    assert_int_equal(runlog_last(f->log), 4);
}

static void a_number_that_was_never_made_is_not_confirmed(void **state)
{
    struct fixture *f = *state;
    int64_t epoch = runlog_epoch(f->log);

    take(f, 1, true);
    complete(f, 1);
    assert_int_equal(runlog_confirm(f->log, 2), OUTCOME_CONFLICT);
    assert_int_equal(runlog_first_unconfirmed(f->log), 1);
    assert_int_equal(runlog_renew(f->log), 0);
    assert_int_not_equal(runlog_epoch(f->log), epoch);
    assert_report(f, 1, 1, run_state_COMPLETED, run_code_NONE);
}

static void a_renewed_log_numbers_from_one_again(void **state)
{
    struct fixture *f = *state;

    for (uint32_t n = 1; n <= 5; n++) {
        take(f, n, true);
        complete(f, n);
    }
    confirm(f, 3);
    assert_int_equal(runlog_renew(f->log), 0);
    assert_int_equal(runlog_first_unconfirmed(f->log), 1);
    assert_int_equal(runlog_last(f->log), 2);
    assert_report(f, 1, 4, run_state_COMPLETED, run_code_NONE);
    log_close(f);
    log_open(f);
    assert_report(f, 2, 5, run_state_COMPLETED, run_code_NONE);
    assert_int_equal(known(f, 1), RUNLOG_SETTLED);
}

static void the_outcome_of_a_settled_run_is_known(void **state)
{
    struct fixture *f = *state;
    struct run_key key = key_of(1);
    enum run_state outcome = run_state_WAITING;
    enum run_code code = run_code_ERROR;

    take(f, 1, true);
    report_as(f, 1, run_state_SKIPPED, NULL);
    confirm(f, 1);
    log_close(f);
    log_open(f);
    assert_int_equal(runlog_find(f->log, &key, &outcome, &code), RUNLOG_SETTLED);
    assert_int_equal(outcome, run_state_SKIPPED);
    assert_int_equal(code, run_code_NONE);
}

static void two_processes_can_not_have_it(void **state)
{
    struct fixture *f = *state;
    struct runlog_options options = {.directory = f->directory, .boot = f->boot};
    struct runlog *second;
    struct refusal why;

    assert_int_equal(runlog_open(&options, &second, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "another agent"));
}

/* ---- the agent ended ---- */

static void unfinished_runs_are_interrupted(void **state)
{
    struct fixture *f = *state;
    struct bus_report report;

    take(f, 1, true);
    take(f, 2, true);
    start(f, 2);
    take(f, 3, true);
    start(f, 3);
    complete(f, 3);
    log_reopen_after_kill(f);
    assert_int_equal(runlog_last(f->log), 3);
    assert_report(f, 1, 3, run_state_COMPLETED, run_code_NONE);
    for (int64_t number = 2; number <= 3; number++) {
        read_report(f, number, &report);
        assert_int_equal(report.state, run_state_FAILED);
        assert_int_equal(report.code, run_code_INTERRUPTED);
        struct run_key key = run_key_of(&report.run), began = key_of(2);
        assert_int_equal(strstr(report.error, "outcome is unknown") != NULL,
                         run_key_equal(&key, &began));
        assert_int_equal(report.has_started_us, run_key_equal(&key, &began));
        assert_true(!report.has_started_us || report.started_us == STARTED_US);
    }
    assert_int_equal(known(f, 1), RUNLOG_FINISHED);
    assert_int_equal(known(f, 2), RUNLOG_FINISHED);
}

static void runs_are_interrupted_once(void **state)
{
    struct fixture *f = *state;

    take(f, 1, true);
    start(f, 1);
    log_reopen_after_kill(f);
    log_reopen_after_kill(f);
    assert_int_equal(runlog_last(f->log), 1);
}

/* Whatever a crash tears off the end, what stood before is there and the rest is as if never
   written. */
static void a_tail_torn_at_any_byte_is_cut(void **state)
{
    struct fixture *f = *state;
    struct slice contents;
    int64_t epoch = runlog_epoch(f->log);

    take(f, 1, true);
    complete(f, 1);
    int64_t whole = file_size(f);
    take(f, 2, true);
    complete(f, 2);
    assert_int_equal(file_read(f->path, (size_t)1 << 20, &f->arena, &contents), 0);
    size_t size = log_record_size(0);

    for (size_t cut = (size_t)whole; cut <= contents.size; cut++) {
        log_close(f);
        assert_int_equal(file_write(f->path, (struct slice){.at = contents.at, .size = cut}, 0600),
                         0);
        log_open(f);
        assert_null(runlog_set_aside(f->log));
        assert_int_equal(runlog_epoch(f->log), epoch);
        assert_report(f, 1, 1, run_state_COMPLETED, run_code_NONE);
        if (cut < (size_t)whole + size) {
            assert_int_equal(known(f, 2), RUNLOG_UNKNOWN);
        } else {
            bool done = cut == contents.size;

            assert_report(f, 2, 2, done ? run_state_COMPLETED : run_state_FAILED,
                          done ? run_code_NONE : run_code_INTERRUPTED);
        }
    }
}

static void a_tail_of_garbage_is_cut(void **state)
{
    struct fixture *f = *state;

    take(f, 1, true);
    complete(f, 1);
    int fd = open(f->path, O_WRONLY | O_APPEND);
    char zeros[5000] = {0};
    assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
    close(fd);
    int64_t garbled = file_size(f);
    log_reopen_after_kill(f);
    assert_null(runlog_set_aside(f->log));
    assert_true(file_size(f) < garbled);
    assert_int_equal(runlog_last(f->log), 1);
    take(f, 2, true);
    complete(f, 2);
    log_reopen_after_kill(f);
    assert_int_equal(runlog_last(f->log), 2);
}

static void flip_byte(const struct fixture *f, off_t offset)
{
    int fd = open(f->path, O_RDWR);
    unsigned char byte;

    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void damage_within_sets_the_file_aside_and_keeps_the_rest(void **state)
{
    struct fixture *f = *state;
    int64_t epoch = runlog_epoch(f->log);
    char aside[128];

    take(f, 1, true);
    complete(f, 1);
    int64_t damaged = file_size(f);
    take(f, 2, true);
    take(f, 3, true);
    start(f, 3);
    log_close(f);
    flip_byte(f, damaged + 20);
    log_open(f);
    assert_non_null(runlog_set_aside(f->log));
    snprintf(aside, sizeof(aside), "%s/%s", f->directory, runlog_set_aside(f->log));
    assert_int_equal(access(aside, F_OK), 0);
    assert_int_not_equal(runlog_epoch(f->log), epoch);
    assert_report(f, 1, 1, run_state_COMPLETED, run_code_NONE);
    assert_int_equal(known(f, 2), RUNLOG_UNKNOWN);
    assert_report(f, 2, 3, run_state_FAILED, run_code_INTERRUPTED);
}

static void any_flipped_byte_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct slice contents;

    take(f, 1, true);
    complete(f, 1);
    log_close(f);
    assert_int_equal(file_read(f->path, (size_t)1 << 20, &f->arena, &contents), 0);
    size_t last =
        contents.size - log_record_size(0); /* where CLOSED stands: a flip there is a torn tail */
    for (size_t i = 0; i < last; i++) {
        assert_int_equal(file_write(f->path, contents, 0600), 0);
        flip_byte(f, (off_t)i);
        log_open(f);
        assert_non_null(runlog_set_aside(f->log));
        log_close(f);
    }
}

static void a_missing_file_is_a_new_epoch(void **state)
{
    struct fixture *f = *state;
    int64_t epoch = runlog_epoch(f->log);

    take(f, 1, true);
    log_close(f);
    unlink(f->path);
    log_open(f);
    assert_int_not_equal(runlog_epoch(f->log), epoch);
    assert_int_equal(known(f, 1), RUNLOG_UNKNOWN);
    assert_null(runlog_set_aside(f->log));
}

static void a_file_of_something_else_is_set_aside(void **state)
{
    struct fixture *f = *state;

    log_close(f);
    assert_int_equal(file_write(f->path, SLICE("hello"), 0600), 0);
    log_open(f);
    assert_non_null(runlog_set_aside(f->log));
    assert_int_equal(runlog_last(f->log), 0);
}

static void a_new_boot_after_an_unclean_end_is_a_new_epoch(void **state)
{
    struct fixture *f = *state;
    int64_t epoch = runlog_epoch(f->log);

    for (uint32_t n = 1; n <= 2; n++) {
        take(f, n, true);
        complete(f, n);
    }
    confirm(f, 1);
    f->boot = uuid_make(2);
    log_reopen_after_kill(f);
    assert_int_not_equal(runlog_epoch(f->log), epoch);
    assert_int_equal(runlog_last(f->log), 1);
    assert_report(f, 1, 2, run_state_COMPLETED, run_code_NONE);
    assert_int_equal(known(f, 1), RUNLOG_SETTLED);
    assert_null(runlog_set_aside(f->log));
}

static void a_new_boot_after_a_clean_end_continues(void **state)
{
    struct fixture *f = *state;
    int64_t epoch = runlog_epoch(f->log);

    take(f, 1, true);
    complete(f, 1);
    log_close(f);
    f->boot = uuid_make(2);
    log_open(f);
    assert_int_equal(runlog_epoch(f->log), epoch);
    log_reopen_after_kill(f);
    assert_int_equal(runlog_epoch(f->log), epoch);
}

/* A child writes runs as fast as it can, tells each one it has synced, and is killed. */
static void write_until_killed(struct fixture *f, int told)
{
    log_open(f);
    for (uint32_t n = 1;; n++) {
        take(f, n, true);
        start(f, n);
        complete(f, n);
        if (n % 7 == 0)
            confirm(f, n - 3);
        if (write(told, &n, sizeof(n)) != sizeof(n))
            _exit(1);
    }
}

static void nothing_synced_is_lost_when_the_writer_is_killed(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 5; round++) {
        int pipe_[2];
        uint32_t n, last;

        if (f->log)
            log_close(f);
        unlink(f->path);
        assert_int_equal(pipe(pipe_), 0);
        pid_t child = fork();
        if (child == 0)
            write_until_killed(f, pipe_[1]);
        close(pipe_[1]);
        assert_int_equal(read(pipe_[0], &last, sizeof(last)), sizeof(last)); /* it is under way */
        usleep(20000 + 13000 * (useconds_t)round);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(pipe_[0], &n, sizeof(n)) == sizeof(n))
            last = n;
        close(pipe_[0]);

        log_open(f);
        assert_null(runlog_set_aside(f->log));
        assert_true(runlog_last(f->log) >= last);
        for (int64_t number = runlog_first_unconfirmed(f->log); number <= last; number++)
            assert_report(f, number, (uint32_t)number, run_state_COMPLETED, run_code_NONE);
        assert_true(known(f, last) >= RUNLOG_FINISHED);
    }
}

/* ---- forgetting ---- */

static void a_query_is_forgotten_when_confirmed(void **state)
{
    struct fixture *f = *state;

    take(f, 1, false);
    complete(f, 1);
    assert_int_equal(runlog_tidy(f->log, RUNLOG_TIME_UNKNOWN), 0);
    assert_int_equal(known(f, 1), RUNLOG_FINISHED);
    confirm(f, 1);
    assert_int_equal(runlog_tidy(f->log, RUNLOG_TIME_UNKNOWN), 0);
    assert_int_equal(known(f, 1), RUNLOG_UNKNOWN);
}

static void a_change_is_remembered_for_an_hour_after_its_deadline(void **state)
{
    struct fixture *f = *state;

    take(f, 1, true);
    complete(f, 1);
    confirm(f, 1);
    assert_int_equal(runlog_tidy(f->log, RUNLOG_TIME_UNKNOWN), 0);
    assert_int_equal(runlog_tidy(f->log, START_BY + RUNLOG_KEPT_US), 0);
    assert_int_equal(known(f, 1), RUNLOG_SETTLED);
    assert_int_equal(runlog_tidy(f->log, START_BY + RUNLOG_KEPT_US + 1), 0);
    assert_int_equal(known(f, 1), RUNLOG_UNKNOWN);
}

static void what_is_not_confirmed_is_never_forgotten(void **state)
{
    struct fixture *f = *state;

    take(f, 1, true);
    complete(f, 1);
    take(f, 2, true);
    assert_int_equal(runlog_tidy(f->log, INT64_MAX), 0);
    assert_int_equal(known(f, 1), RUNLOG_FINISHED);
    assert_int_equal(known(f, 2), RUNLOG_TAKEN);
}

static void a_file_that_is_mostly_dead_is_written_anew(void **state)
{
    struct fixture *f = *state;
    int64_t epoch = runlog_epoch(f->log);

    for (uint32_t n = 1; n <= 12000; n++) {
        take(f, n, n % 100 == 0);
        complete(f, n);
        if (n <= 11990)
            confirm(f, n);
    }
    int64_t before = file_size(f);
    assert_true(before > (int64_t)1 << 20);
    assert_int_equal(runlog_tidy(f->log, START_BY), 0);
    assert_true(file_size(f) < before / 50);
    assert_int_equal(runlog_epoch(f->log), epoch);
    assert_int_equal(runlog_last(f->log), 12000);
    assert_report(f, 11991, 11991, run_state_COMPLETED, run_code_NONE);

    log_reopen_after_kill(f);
    assert_int_equal(runlog_epoch(f->log), epoch);
    assert_int_equal(runlog_first_unconfirmed(f->log), 11991);
    assert_int_equal(runlog_last(f->log), 12000);
    assert_report(f, 12000, 12000, run_state_COMPLETED, run_code_NONE);
    assert_int_equal(known(f, 11900), RUNLOG_SETTLED);
    assert_int_equal(known(f, 11901), RUNLOG_UNKNOWN);
}

static void an_empty_log_keeps_its_numbers_when_written_anew(void **state)
{
    struct fixture *f = *state;

    for (uint32_t n = 1; n <= 12000; n++) {
        take(f, n, false);
        complete(f, n);
    }
    confirm(f, 12000);
    assert_int_equal(runlog_tidy(f->log, START_BY), 0);
    assert_true(file_size(f) < 1000);
    log_reopen_after_kill(f);
    assert_int_equal(runlog_first_unconfirmed(f->log), 12001);
    take(f, 1, false);
    complete(f, 1);
    assert_int_equal(runlog_last(f->log), 12001);
}

static void too_many_runs_leave_no_room(void **state)
{
    struct fixture *f = *state;

    for (uint32_t n = 1; n <= RUNLOG_RUNS_ROOM; n++)
        take(f, n, true);
    assert_false(runlog_has_room(f->log));
    assert_false(runlog_is_full(f->log));
    for (uint32_t n = 1; n <= RUNLOG_RUNS_ROOM; n++)
        report_unsynced(f, n, run_state_COMPLETED, NULL);
    confirm(f, RUNLOG_RUNS_ROOM);
    assert_int_equal(runlog_tidy(f->log, START_BY + RUNLOG_PRESSED_US), 0);
    assert_false(runlog_has_room(f->log));
    assert_int_equal(runlog_tidy(f->log, START_BY + RUNLOG_PRESSED_US + 1), 0);
    assert_true(runlog_has_room(f->log));
    assert_int_equal(known(f, 1), RUNLOG_UNKNOWN);
}

/* ---- a long life by chance, against a simple model ---- */

#define MODEL_RUNS 400

struct model {
    enum runlog_state known[MODEL_RUNS];
    int64_t final[MODEL_RUNS]; /* number of the final report */
    int64_t last, confirmed;
};

static void model_step(struct fixture *f, struct model *m, unsigned short random[3])
{
    uint32_t n = (uint32_t)nrand48(random) % MODEL_RUNS;

    switch (m->known[n]) {
    case RUNLOG_UNKNOWN:
        take(f, n, true);
        m->known[n] = RUNLOG_TAKEN;
        break;
    case RUNLOG_TAKEN:
        start(f, n);
        m->known[n] = RUNLOG_STARTED;
        break;
    case RUNLOG_STARTED:
        complete(f, n);
        m->known[n] = RUNLOG_FINISHED;
        m->final[n] = ++m->last;
        break;
    case RUNLOG_FINISHED:
        if (m->final[n] <= m->confirmed)
            break;
        confirm(f, m->final[n]);
        m->confirmed = m->final[n];
        break;
    case RUNLOG_SETTLED:
        break;
    }
    for (uint32_t i = 0; i < MODEL_RUNS; i++) {
        if (m->known[i] == RUNLOG_FINISHED && m->final[i] <= m->confirmed)
            m->known[i] = RUNLOG_SETTLED;
    }
}

static void model_restart(struct fixture *f, struct model *m)
{
    log_reopen_after_kill(f);
    for (int64_t number = m->last + 1; number <= runlog_last(f->log); number++) {
        struct bus_report report;

        read_report(f, number, &report);
        struct run_key key = run_key_of(&report.run);
        uint32_t n;
        memcpy(&n, key.job.bytes + 12, sizeof(n));
        assert_true(m->known[n] == RUNLOG_TAKEN || m->known[n] == RUNLOG_STARTED);
        assert_int_equal(report.code, run_code_INTERRUPTED);
        m->known[n] = RUNLOG_FINISHED;
        m->final[n] = number;
    }
    m->last = runlog_last(f->log);
}

static void a_long_life_agrees_with_the_model(void **state)
{
    struct fixture *f = *state;
    struct model m = {.last = 0};
    uint64_t seed = random_u64();
    unsigned short random[3] = {(unsigned short)seed, (unsigned short)(seed >> 16),
                                (unsigned short)(seed >> 32)};

    print_message("seed %llx\n", (unsigned long long)(seed & 0xffffffffffff));
    for (int i = 0; i < 1500; i++) {
        model_step(f, &m, random);
        if (nrand48(random) % 40 == 0)
            model_restart(f, &m);
        assert_int_equal(runlog_last(f->log), m.last);
        assert_int_equal(runlog_first_unconfirmed(f->log), m.confirmed + 1);
        for (uint32_t n = 0; n < MODEL_RUNS; n++)
            assert_int_equal(known(f, n), m.known[n]);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_log_has_an_epoch_and_no_reports),
        TEST(a_run_is_known_through_all_its_states),
        TEST(everything_is_there_after_a_restart),
        TEST(a_number_that_was_never_made_is_not_confirmed),
        TEST(a_renewed_log_numbers_from_one_again),
        TEST(the_outcome_of_a_settled_run_is_known),
        TEST(two_processes_can_not_have_it),
        TEST(unfinished_runs_are_interrupted),
        TEST(runs_are_interrupted_once),
        TEST(a_tail_torn_at_any_byte_is_cut),
        TEST(a_tail_of_garbage_is_cut),
        TEST(damage_within_sets_the_file_aside_and_keeps_the_rest),
        TEST(any_flipped_byte_is_noticed),
        TEST(a_missing_file_is_a_new_epoch),
        TEST(a_file_of_something_else_is_set_aside),
        TEST(a_new_boot_after_an_unclean_end_is_a_new_epoch),
        TEST(a_new_boot_after_a_clean_end_continues),
        TEST(nothing_synced_is_lost_when_the_writer_is_killed),
        TEST(a_query_is_forgotten_when_confirmed),
        TEST(a_change_is_remembered_for_an_hour_after_its_deadline),
        TEST(what_is_not_confirmed_is_never_forgotten),
        TEST(a_file_that_is_mostly_dead_is_written_anew),
        TEST(an_empty_log_keeps_its_numbers_when_written_anew),
        TEST(too_many_runs_leave_no_room),
        TEST(a_long_life_agrees_with_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
