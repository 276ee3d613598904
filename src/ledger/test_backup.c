/* SPDX-License-Identifier: MIT */
/*
 * Copies: of one commit, whole, at the rate that was asked for, and not of what is damaged.
 */
#include "ledger/fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "ledger/backup.h"
#include "ledger/verify.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB ((size_t)1024)

/* A process that writes what `size` says, or the ledger in `dir`, to a pipe. */
static pid_t begin_writer(const char *dir, size_t size, int *ret_fd)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct refusal why;
        close(ends[0]);
        if (dir)
            _exit(backup_write(dir, ends[1], &why) ? 1 : 0);
        char *bytes = mem_alloc(size);
        _exit(fd_write_all(ends[1], bytes, size) ? 1 : 0);
    }
    close(ends[1]);
    *ret_fd = ends[0];
    return child;
}

static int end_writer(pid_t child, int fd)
{
    int status;

    close(fd);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int open_to(const char *dir, const char *name)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void a_copy_is_of_one_commit_while_others_are_made(void **state)
{
    struct fixture fixture, copy = {.now_us = FIXTURE_START_US};
    struct verify_report report;
    struct refusal why;
    uint64_t size;
    int from;

    (void)state;
    fixture_make(&fixture);
    fixture_make_dir(&copy);
    fixture_add_hosts(&fixture, 3);
    for (unsigned i = 0; i < 200; i++)
        fixture_submit(&fixture, TARGET_ALL, 3);
    int to = open_to(copy.dir, "data.mdb");
    pid_t child = begin_writer(fixture.dir, 0, &from);
    char byte;
    assert_int_equal(read(from, &byte, 1), 1); /* it has its snapshot */
    assert_int_equal(write(to, &byte, 1), 1);
    for (unsigned i = 0; i < 200; i++) {
        struct fixture_job job = fixture_submit(&fixture, TARGET_ALL, 3);
        fixture_apply(&fixture,
                      record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "{}"));
    }
    assert_int_equal(backup_pump(from, to, UINT64_MAX / 2, &size), 0);
    assert_int_equal(end_writer(child, from), 0);
    close(to);
    assert_int_equal(ledger_verify(copy.dir, &report, &why), 0);
    assert_int_equal(report.n_findings, 0);
    assert_int_equal(report.n_jobs, 200);
    fixture_release(&fixture);
    fixture_remove_dir(&copy);
}

static void what_is_pumped_comes_at_its_rate(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    uint64_t size;
    int from;

    (void)state;
    fixture_make_dir(&fixture);
    int to = open_to(fixture.dir, "to");
    pid_t child = begin_writer(NULL, 512 * KIB, &from);
    int64_t begin_us = clock_boot_us();
    assert_int_equal(backup_pump(from, to, 1024 * KIB, &size), 0);
    assert_int_equal(size, 512 * KIB);
    assert_true(clock_boot_us() - begin_us >= US_PER_S / 2);
    assert_int_equal(end_writer(child, from), 0);
    close(to);
    fixture_remove_dir(&fixture);
}

static void a_disk_that_is_full_is_told(void **state)
{
    uint64_t size;
    int from;

    (void)state;
    int to = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(to >= 0);
    pid_t child = begin_writer(NULL, 512 * KIB, &from);
    assert_int_equal(backup_pump(from, to, 1024 * KIB, &size), -ENOSPC);
    end_writer(child, from);
    close(to);
}

static void a_file_that_was_cut_short_is_no_copy(void **state)
{
    struct fixture fixture;
    char path[300];
    uint64_t size;
    int from;

    (void)state;
    fixture_make(&fixture);
    fixture_add_hosts(&fixture, 3);
    for (unsigned i = 0; i < 200; i++)
        fixture_submit(&fixture, TARGET_ALL, 3);
    ledger_reader_close(fixture.reader);
    ledger_close(fixture.ledger);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture.dir);
    assert_int_equal(truncate(path, 16384), 0);
    int to = open_to(fixture.dir, "to");
    pid_t child = begin_writer(fixture.dir, 0, &from);
    assert_int_equal(backup_pump(from, to, UINT64_MAX / 2, &size), 0);
    assert_int_not_equal(end_writer(child, from), 0);
    close(to);
    buf_release(&fixture.text);
    fixture_remove_dir(&fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_of_one_commit_while_others_are_made),
        cmocka_unit_test(what_is_pumped_comes_at_its_rate),
        cmocka_unit_test(a_disk_that_is_full_is_told),
        cmocka_unit_test(a_file_that_was_cut_short_is_no_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
