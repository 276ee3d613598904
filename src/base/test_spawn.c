/* SPDX-License-Identifier: MIT */
/*
 * Programs that behave badly: each way in which one can end, hang, flood, hide or fail to start.
 *
 * The shell is a convenient bad program here; nothing of Reeve runs one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENOUGH_US (30 * US_PER_S)

static char directory[] = "/tmp/reeve-test-spawn-XXXXXX";

/* A path in the test's directory, valid until the next call. */
static const char *path_of(const char *name)
{
    static char path[200];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static struct spawn_result run(const char *const *argv, int64_t timeout_us)
{
    const struct spawn spawn = {.argv = argv, .timeout_us = timeout_us, .cancel_fd = -1};
    struct spawn_result result;

    assert_int_equal(spawn_run(&spawn, &result), 0);
    return result;
}

#define ARGV(...)     ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(script) ARGV("sh", "-c", (script))

#define assert_text(buf_, text_)                                                                   \
    do {                                                                                           \
        assert_int_equal((buf_).size, strlen(text_));                                              \
        assert_string_equal(buf_text(&(buf_)), text_);                                             \
    } while (0)

static void assert_exited(const struct spawn_result *result, int exit_code)
{
    assert_int_equal(result->end, SPAWN_EXITED);
    assert_int_equal(result->exit_code, exit_code);
    assert_int_equal(result->signal, 0);
    assert_int_equal(result->start_errno, 0);
}

static void assert_not_started(const struct spawn_result *result, int error, bool cwd_failed)
{
    assert_int_equal(result->end, SPAWN_NOT_STARTED);
    assert_int_equal(result->start_errno, error);
    assert_int_equal(result->cwd_failed, cwd_failed);
    assert_int_equal(result->out.size, 0);
    assert_int_equal(result->err.size, 0);
}

/* A zombie whose parent is another process than this one counts as gone. */
static bool is_alive(pid_t pid)
{
    CLEANUP(arena_release) struct arena arena = {0};
    char path[40];
    struct slice stat;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (file_read(path, 4096, &arena, &stat) != 0)
        return false;
    const char *state = strrchr(stat.at, ')');
    return state && state[2] != 'Z' && state[2] != 'X';
}

/* SIGKILL takes a moment. */
static bool is_gone_soon(pid_t pid)
{
    for (int i = 0; i < 200; i++) {
        if (!is_alive(pid))
            return true;
        usleep(10000);
    }
    return false;
}

static pid_t pid_in(struct buf *text)
{
    pid_t pid = (pid_t)strtol(buf_text(text), NULL, 10);

    assert_true(pid > 1);
    return pid;
}

static void output_streams_and_exit_code_are_kept(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(SHELL("echo out; echo err >&2; exit 7"), ENOUGH_US);
    assert_exited(&result, 7);
    assert_text(result.out, "out\n");
    assert_text(result.err, "err\n");
    assert_false(buf_overflowed(&result.out));
    assert_in_range(result.duration_us, 1, ENOUGH_US);
}

static void arguments_pass_without_a_shell(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result =
        run(ARGV("printf", "[%s]", "a b", "$HOME;`id`", "", "*"), ENOUGH_US);
    assert_exited(&result, 0);
    assert_text(result.out, "[a b][$HOME;`id`][][*]");
}

static void the_environment_is_path_language_home_and_user(void **state)
{
    (void)state;
    setenv("LD_PRELOAD_OF_MINE", "secret", 1);
    CLEANUP(spawn_result_release) struct spawn_result result = run(ARGV("env"), ENOUGH_US);
    assert_exited(&result, 0);
    const char *env = buf_text(&result.out);
    assert_non_null(strstr(env, "PATH=" SPAWN_PATH "\n"));
    assert_non_null(strstr(env, "LANG=C.UTF-8\n"));
    assert_non_null(strstr(env, "HOME=/"));
    assert_null(strstr(env, "secret"));
    size_t n = 0;
    for (const char *at = env; *at; at++)
        n += *at == '\n';
    assert_in_range(n, 3, 4);
}

static void standard_input_is_empty(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release) struct spawn_result result = run(ARGV("cat"), ENOUGH_US);
    assert_exited(&result, 0);
    assert_text(result.out, "");
}

static void the_directory_is_the_root_or_the_given_one(void **state)
{
    (void)state;
    {
        CLEANUP(spawn_result_release) struct spawn_result result = run(ARGV("pwd"), ENOUGH_US);
        assert_text(result.out, "/\n");
    }
    const struct spawn spawn = {
        .argv = ARGV("pwd"), .cwd = "/usr", .timeout_us = ENOUGH_US, .cancel_fd = -1};
    CLEANUP(spawn_result_release) struct spawn_result result;
    assert_int_equal(spawn_run(&spawn, &result), 0);
    assert_text(result.out, "/usr\n");
}

static void a_missing_program_is_reported(void **state)
{
    (void)state;
    static const char *const names[] = {"reeve-no-such-program", "/nonexistent/program", "./x", ""};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CLEANUP(spawn_result_release) struct spawn_result result = run(ARGV(names[i]), ENOUGH_US);
        assert_not_started(&result, ENOENT, false);
    }
}

static void a_missing_directory_is_told_from_a_missing_program(void **state)
{
    (void)state;
    const struct spawn spawn = {
        .argv = ARGV("true"), .cwd = "/nonexistent", .timeout_us = ENOUGH_US, .cancel_fd = -1};
    CLEANUP(spawn_result_release) struct spawn_result result;
    assert_int_equal(spawn_run(&spawn, &result), 0);
    assert_not_started(&result, ENOENT, true);
}

static void a_file_as_directory_is_reported(void **state)
{
    (void)state;
    const struct spawn spawn = {
        .argv = ARGV("true"), .cwd = "/etc/passwd", .timeout_us = ENOUGH_US, .cancel_fd = -1};
    CLEANUP(spawn_result_release) struct spawn_result result;
    assert_int_equal(spawn_run(&spawn, &result), 0);
    assert_not_started(&result, ENOTDIR, true);
}

static void a_directory_is_no_program(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release) struct spawn_result result = run(ARGV("/etc"), ENOUGH_US);
    assert_not_started(&result, EACCES, false);
}

static void a_file_that_is_not_executable_is_no_program(void **state)
{
    (void)state;
    assert_int_equal(file_write(path_of("plain"), SLICE("#!/bin/sh\nexit 0\n"), 0644), 0);
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(ARGV(path_of("plain")), ENOUGH_US);
    assert_not_started(&result, EACCES, false);
}

static void a_script_without_interpreter_is_not_handed_to_a_shell(void **state)
{
    (void)state;
    assert_int_equal(file_write(path_of("bare"), SLICE("exit 0\n"), 0755), 0);
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(ARGV(path_of("bare")), ENOUGH_US);
    assert_not_started(&result, ENOEXEC, false);
}

static void a_script_with_interpreter_runs(void **state)
{
    (void)state;
    assert_int_equal(file_write(path_of("script"), SLICE("#!/bin/sh\nexit 3\n"), 0755), 0);
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(ARGV(path_of("script")), ENOUGH_US);
    assert_exited(&result, 3);
}

static void death_by_signal_is_told_from_an_exit(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(SHELL("echo before; kill -TERM $$"), ENOUGH_US);
    assert_int_equal(result.end, SPAWN_SIGNALLED);
    assert_int_equal(result.signal, SIGTERM);
    assert_text(result.out, "before\n");
}

static void a_timeout_kills_the_group_and_keeps_the_output(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(SHELL("trap '' TERM; sleep 60 & echo $!; wait"), US_PER_S);
    assert_int_equal(result.end, SPAWN_TIMED_OUT);
    assert_int_equal(result.signal, SIGKILL);
    assert_in_range(result.duration_us, US_PER_S, 10 * US_PER_S);
    assert_true(is_gone_soon(pid_in(&result.out)));
}

static void no_time_at_all_is_a_timeout(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release) struct spawn_result result = run(ARGV("sleep", "60"), 0);
    assert_int_equal(result.end, SPAWN_TIMED_OUT);
}

static void a_program_that_writes_without_end_is_stopped_in_time(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release) struct spawn_result result = run(ARGV("yes"), US_PER_S);
    assert_int_equal(result.end, SPAWN_TIMED_OUT);
    assert_true(buf_overflowed(&result.out));
    assert_int_equal(result.out.size, SPAWN_OUTPUT_CAP);
    assert_in_range(result.duration_us, US_PER_S, 10 * US_PER_S);
}

static void a_program_is_over_when_it_ends_not_when_its_children_do(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(SHELL("sleep 60 & echo $!; exit 5"), ENOUGH_US);
    assert_exited(&result, 5);
    assert_in_range(result.duration_us, 1, 10 * US_PER_S);
    assert_true(is_gone_soon(pid_in(&result.out)));
}

static void a_child_that_took_no_output_with_it_is_left_alone(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(SHELL("sleep 60 >/dev/null 2>&1 & echo $!"), ENOUGH_US);
    assert_exited(&result, 0);
    pid_t pid = pid_in(&result.out);
    assert_true(is_alive(pid));
    kill(pid, SIGKILL);
}

/* It says by a FIFO that it has its session, before the program ends. */
static void a_child_in_a_session_of_its_own_is_not_waited_for(void **state)
{
    char script[500];

    (void)state;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    snprintf(script, sizeof(script),
             "fifo=%s; export fifo; setsid sh -c 'echo $$ >$fifo; exec sleep 60' &"
             " read pid <$fifo; echo $pid",
             path_of("fifo"));
    CLEANUP(spawn_result_release) struct spawn_result result = run(SHELL(script), ENOUGH_US);
    assert_exited(&result, 0);
    assert_in_range(result.duration_us, 1, 10 * US_PER_S);
    pid_t pid = pid_in(&result.out);
    assert_true(is_alive(pid));
    kill(pid, SIGKILL);
    assert_int_equal(unlink(path_of("fifo")), 0);
}

static void what_children_write_just_after_the_end_is_kept(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(SHELL("echo late & exit 0"), ENOUGH_US);
    assert_exited(&result, 0);
    assert_text(result.out, "late\n");
}

static void output_beyond_the_cap_is_read_and_dropped(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result =
        run(SHELL("echo first; head -c 5000000 /dev/zero; echo last >&2; exit 4"), ENOUGH_US);
    assert_exited(&result, 4);
    assert_true(buf_overflowed(&result.out));
    assert_int_equal(result.out.size, SPAWN_OUTPUT_CAP);
    assert_memory_equal(result.out.at, "first\n\0", 7);
    assert_text(result.err, "last\n");
    assert_false(buf_overflowed(&result.err));
}

static void both_streams_can_be_large_at_once(void **state)
{
    (void)state;
    const struct spawn spawn = {
        .argv = SHELL("head -c 300000 /dev/zero & head -c 300000 /dev/zero >&2; wait"),
        .timeout_us = ENOUGH_US,
        .output_cap = 200000,
        .cancel_fd = -1,
    };
    CLEANUP(spawn_result_release) struct spawn_result result;
    assert_int_equal(spawn_run(&spawn, &result), 0);
    assert_exited(&result, 0);
    assert_int_equal(result.out.size, 200000);
    assert_int_equal(result.err.size, 200000);
    assert_true(buf_overflowed(&result.out) && buf_overflowed(&result.err));
}

static void output_of_exactly_the_cap_is_not_truncated(void **state)
{
    (void)state;
    const struct spawn spawn = {.argv = ARGV("head", "-c", "100000", "/dev/zero"),
                                .timeout_us = ENOUGH_US,
                                .output_cap = 100000,
                                .cancel_fd = -1};
    CLEANUP(spawn_result_release) struct spawn_result result;
    assert_int_equal(spawn_run(&spawn, &result), 0);
    assert_int_equal(result.out.size, 100000);
    assert_false(buf_overflowed(&result.out));
}

/* The program itself asks for it, by a FIFO, so that nothing depends on how fast it is. */
static void a_program_is_cancelled(void **state)
{
    char script[300];

    (void)state;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    snprintf(script, sizeof(script), "echo begun; sleep 60 & echo $! >&2; echo >%s; wait",
             path_of("fifo"));
    int cancel_fd = open(path_of("fifo"), O_RDWR | O_CLOEXEC);
    assert_true(cancel_fd >= 0);
    const struct spawn spawn = {
        .argv = SHELL(script), .timeout_us = ENOUGH_US, .cancel_fd = cancel_fd};
    CLEANUP(spawn_result_release) struct spawn_result result;
    assert_int_equal(spawn_run(&spawn, &result), 0);
    assert_int_equal(result.end, SPAWN_CANCELLED);
    assert_int_equal(result.signal, SIGKILL);
    assert_text(result.out, "begun\n");
    assert_true(is_gone_soon(pid_in(&result.err)));

    /* the descriptor is the caller's: still open, still readable, and the next run ends at once */
    struct spawn_result again;
    assert_int_equal(spawn_run(&spawn, &again), 0);
    assert_int_equal(again.end, SPAWN_CANCELLED);
    spawn_result_release(&again);
    assert_int_equal(close(cancel_fd), 0);
    assert_int_equal(unlink(path_of("fifo")), 0);
}

static void signals_are_as_at_boot(void **state)
{
    sigset_t blocked, before;

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    CLEANUP(spawn_result_release)
    struct spawn_result result =
        run(ARGV("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"), ENOUGH_US);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_text(result.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void no_descriptor_is_inherited(void **state)
{
    (void)state;
    int leaked = fcntl(STDOUT_FILENO, F_DUPFD, 77);
    assert_true(leaked >= 77);
    /* not by listing: the shell would see the descriptor of its own list */
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(SHELL("for n in 0 1 2 3 4 5 6 7 8 9 10 11 77; do"
                                           " [ ! -e /proc/$$/fd/$n ] || echo $n; done"),
                                     ENOUGH_US);
    close(leaked);
    assert_exited(&result, 0);
    assert_text(result.out, "0\n1\n2\n");
}

static void the_program_leads_a_group_of_its_own(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result = run(SHELL("set -- $(cat /proc/$$/stat); echo $1 $5"), ENOUGH_US);
    int pid, group;
    assert_int_equal(sscanf(buf_text(&result.out), "%d %d", &pid, &group), 2);
    assert_int_equal(pid, group);
    assert_int_not_equal(group, getpgrp());
}

static void the_umask_is_022(void **state)
{
    (void)state;
    mode_t before = umask(077);
    CLEANUP(spawn_result_release) struct spawn_result result = run(SHELL("umask"), ENOUGH_US);
    umask(before);
    assert_text(result.out, "0022\n");
}

static size_t open_descriptors(void)
{
    size_t n = 0;
    DIR *fds = opendir("/proc/self/fd");

    assert_non_null(fds);
    while (readdir(fds))
        n++;
    closedir(fds);
    return n;
}

static void no_descriptor_and_no_zombie_stays_behind(void **state)
{
    static const char *const scripts[] = {"exit 1", "kill -9 $$", "sleep 60", "sleep 60 & exit 0"};

    (void)state;
    size_t before = open_descriptors();
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct spawn_result result = run(SHELL(scripts[i]), 300 * US_PER_MS);
        spawn_result_release(&result);
        result = run(ARGV("/nonexistent"), ENOUGH_US);
        spawn_result_release(&result);
    }
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* In a process without descriptors 0 to 2 the pipes would get these numbers. */
static void it_works_without_standard_descriptors(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        const struct spawn spawn = {
            .argv = SHELL("cat; echo out; echo err >&2"), .timeout_us = ENOUGH_US, .cancel_fd = -1};
        struct spawn_result result;
        if (spawn_run(&spawn, &result) != 0 || result.end != SPAWN_EXITED)
            _exit(1);
        bool same =
            slice_is(buf_slice(&result.out), "out\n") && slice_is(buf_slice(&result.err), "err\n");
        _exit(same ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void *run_many(void *number)
{
    for (int i = 0; i < 15; i++) {
        char script[64], expected[16];
        snprintf(script, sizeof(script), "echo %d-%d; exit %d", *(int *)number, i, i);
        snprintf(expected, sizeof(expected), "%d-%d\n", *(int *)number, i);
        struct spawn_result result = run(SHELL(script), ENOUGH_US);
        assert_exited(&result, i);
        assert_text(result.out, expected);
        spawn_result_release(&result);
    }
    return NULL;
}

static void threads_run_programs_at_once(void **state)
{
    pthread_t threads[8];
    int numbers[COUNT_OF(threads)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        numbers[i] = (int)i;
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, &numbers[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
}

/* ---- standard input ---- */

#define MUCH ((size_t)1 << 20) /* more than the pipes of both directions hold */

static struct spawn_result run_with_input(const char *const *argv, struct slice in)
{
    const struct spawn spawn = {.argv = argv, .in = in, .timeout_us = ENOUGH_US, .cancel_fd = -1};
    struct spawn_result result;

    assert_int_equal(spawn_run(&spawn, &result), 0);
    return result;
}

static struct slice much(void)
{
    static char text[MUCH];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    return (struct slice){.at = text, .size = sizeof(text)};
}

static void input_and_output_can_be_large_at_once(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release) struct spawn_result result = run_with_input(ARGV("cat"), much());
    assert_exited(&result, 0);
    assert_true(slice_equal(buf_slice(&result.out), much()));
}

static void input_that_nobody_reads_is_dropped(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release) struct spawn_result result = run_with_input(ARGV("true"), much());
    assert_exited(&result, 0);
}

static void input_that_is_refused_halfway_is_dropped(void **state)
{
    (void)state;
    CLEANUP(spawn_result_release)
    struct spawn_result result =
        run_with_input(SHELL("head -c 5; exec <&-; sleep 0.2; exit 3"), much());
    assert_exited(&result, 3);
    assert_text(result.out, "abcde");
}

static void a_program_that_never_reads_is_killed_in_time(void **state)
{
    const struct spawn spawn = {
        .argv = ARGV("sleep", "30"), .in = much(), .timeout_us = 200 * US_PER_MS, .cancel_fd = -1};

    (void)state;
    CLEANUP(spawn_result_release) struct spawn_result result;
    assert_int_equal(spawn_run(&spawn, &result), 0);
    assert_int_equal(result.end, SPAWN_TIMED_OUT);
}

static int make_directory(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* what spawn_run() wants of its process */
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    static const char *const names[] = {"plain", "bare", "script"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unlink(path_of(names[i]));
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_streams_and_exit_code_are_kept),
        cmocka_unit_test(arguments_pass_without_a_shell),
        cmocka_unit_test(the_environment_is_path_language_home_and_user),
        cmocka_unit_test(standard_input_is_empty),
        cmocka_unit_test(the_directory_is_the_root_or_the_given_one),
        cmocka_unit_test(a_missing_program_is_reported),
        cmocka_unit_test(a_missing_directory_is_told_from_a_missing_program),
        cmocka_unit_test(a_file_as_directory_is_reported),
        cmocka_unit_test(a_directory_is_no_program),
        cmocka_unit_test(a_file_that_is_not_executable_is_no_program),
        cmocka_unit_test(a_script_without_interpreter_is_not_handed_to_a_shell),
        cmocka_unit_test(a_script_with_interpreter_runs),
        cmocka_unit_test(death_by_signal_is_told_from_an_exit),
        cmocka_unit_test(a_timeout_kills_the_group_and_keeps_the_output),
        cmocka_unit_test(no_time_at_all_is_a_timeout),
        cmocka_unit_test(a_program_that_writes_without_end_is_stopped_in_time),
        cmocka_unit_test(a_program_is_over_when_it_ends_not_when_its_children_do),
        cmocka_unit_test(a_child_that_took_no_output_with_it_is_left_alone),
        cmocka_unit_test(a_child_in_a_session_of_its_own_is_not_waited_for),
        cmocka_unit_test(what_children_write_just_after_the_end_is_kept),
        cmocka_unit_test(output_beyond_the_cap_is_read_and_dropped),
        cmocka_unit_test(both_streams_can_be_large_at_once),
        cmocka_unit_test(output_of_exactly_the_cap_is_not_truncated),
        cmocka_unit_test(a_program_is_cancelled),
        cmocka_unit_test(signals_are_as_at_boot),
        cmocka_unit_test(no_descriptor_is_inherited),
        cmocka_unit_test(the_program_leads_a_group_of_its_own),
        cmocka_unit_test(the_umask_is_022),
        cmocka_unit_test(no_descriptor_and_no_zombie_stays_behind),
        cmocka_unit_test(it_works_without_standard_descriptors),
        cmocka_unit_test(threads_run_programs_at_once),
        cmocka_unit_test(input_and_output_can_be_large_at_once),
        cmocka_unit_test(input_that_nobody_reads_is_dropped),
        cmocka_unit_test(input_that_is_refused_halfway_is_dropped),
        cmocka_unit_test(a_program_that_never_reads_is_killed_in_time),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
