/* SPDX-License-Identifier: MIT */
/*
 * The supervisor over shell scripts in place of controller and agent, which write down what happens
 * to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DIARY_MAX   4096
#define PATIENCE_US (20 * US_PER_S)

struct stage {
    char diary[64]; /* what the scripts write, a word a line */
    struct arena arena;
    pid_t supervisor; /* 0: none runs */
};

/* Of scripts: `note WORD`; `meet NAME`, which waits for a stream and notes it; `ask` for one; and
   `stay NAME`, which notes its name when a SIGTERM may come, notes that, and ends with 0. */
static const char preamble[] =
    "note() { echo $1 >> $DIARY; }\n"
    "meet() { dd bs=1 count=1 <&3 >/dev/null 2>&1; note $1-met; }\n"
    "ask() { printf x >&3; }\n"
    "stay() { trap \"note $1-term; exit 0\" TERM; note $1; while :; do sleep 0.05; done; }\n";

static int stage_setup(void **state)
{
    struct stage *stage = mem_alloc(sizeof(*stage));

    arena_init(&stage->arena);
    stage->supervisor = 0;
    snprintf(stage->diary, sizeof(stage->diary), "/tmp/reeve-diary-XXXXXX");
    int fd = mkstemp(stage->diary);
    close(fd);
    *state = stage;
    return fd < 0 ? -1 : 0;
}

static int stage_teardown(void **state)
{
    struct stage *stage = *state;

    /* Of a test that failed; its children follow it. */
    if (stage->supervisor > 0)
        kill(stage->supervisor, SIGKILL);
    unlink(stage->diary);
    arena_release(&stage->arena);
    mem_free(stage);
    return 0;
}

static struct child child_of(struct stage *stage, const char *name, const char *script)
{
    struct child child = {
        .program = {.name = name, .cwd_fd = -1, .tells_ready = strcmp(name, "controller") == 0},
        .control_fd = -1,
        .ready_fd = -1,
    };

    CLEANUP(fd_closep) int fd = open("/bin/sh", O_PATH | O_CLOEXEC);
    child.program.fd = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_FREE_FD);
    program_add(&child.program, "/bin/sh");
    program_add(&child.program, "-c");
    program_add(&child.program,
                arena_printf(&stage->arena, "DIARY=%s\n%s%s", stage->diary, preamble, script));
    return child;
}

static void note_ready(void *owner, const char *url)
{
    const struct stage *stage = owner;
    FILE *diary = fopen(stage->diary, "a");

    fprintf(diary, "ready-%s\n", url);
    fclose(diary);
}

/* Log lines are of no use here. */
static void stage_start(struct stage *stage, const char *controller, const char *agent)
{
    struct supervisor supervisor = {
        .controller = child_of(stage, "controller", controller),
        .agent = child_of(stage, "agent", agent),
        .ready = note_ready,
        .owner = stage,
    };

    stage->supervisor = fork();
    if (stage->supervisor != 0) {
        close(supervisor.controller.program.fd);
        close(supervisor.agent.program.fd);
        return;
    }
    int null_fd = open("/dev/null", O_WRONLY);
    dup2(null_fd, STDERR_FILENO);
    _exit(supervise(&supervisor));
}

static int stage_exit_code(struct stage *stage)
{
    int status;

    assert_int_equal(waitpid(stage->supervisor, &status, 0), stage->supervisor);
    stage->supervisor = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const char *diary_read(struct stage *stage)
{
    struct slice text;

    assert_int_equal(file_read(stage->diary, DIARY_MAX, &stage->arena, &text), 0);
    return text.at;
}

static size_t diary_count(struct stage *stage, const char *word)
{
    size_t n = 0;

    for (const char *at = diary_read(stage); (at = strstr(at, word)); at++)
        n++;
    return n;
}

static void wait_for(struct stage *stage, const char *word, size_t n)
{
    int64_t until_us = clock_boot_us() + PATIENCE_US;

    while (diary_count(stage, word) < n) {
        if (clock_boot_us() > until_us)
            fail_msg("%s did not come %zu times: %s", word, n, diary_read(stage));
        usleep(10000);
    }
}

static const char ready_controller[] = "echo http://127.0.0.1:4711 >&4; exec 4>&-\n"
                                       "stay controller";
static const char steady_agent[] = "stay agent";

static void both_run_and_the_controller_ends_first(void **state)
{
    struct stage *stage = *state;

    stage_start(stage, ready_controller, steady_agent);
    wait_for(stage, "ready-http://127.0.0.1:4711", 1);
    wait_for(stage, "controller", 1);
    wait_for(stage, "agent", 1);
    kill(stage->supervisor, SIGTERM);
    assert_int_equal(stage_exit_code(stage), 0);
    const char *diary = diary_read(stage);
    const char *controller_end = strstr(diary, "controller-term");
    const char *agent_end = strstr(diary, "agent-term");
    assert_non_null(controller_end);
    assert_non_null(agent_end);
    assert_true(controller_end < agent_end);
}

static void a_controller_that_never_was_ready_ends_all_with_its_code(void **state)
{
    struct stage *stage = *state;

    stage_start(stage, "while ! grep -q agent $DIARY; do sleep 0.02; done; exit 7", steady_agent);
    assert_int_equal(stage_exit_code(stage), 7);
    assert_int_equal(diary_count(stage, "agent-term"), 1);
}

static void whoever_dies_is_started_again(void **state)
{
    struct stage *stage = *state;

    stage_start(stage, ready_controller, "note agent; sleep 0.1; exit 9");
    wait_for(stage, "ready-http://127.0.0.1:4711", 1);
    wait_for(stage, "agent", 3);
    kill(stage->supervisor, SIGINT);
    assert_int_equal(stage_exit_code(stage), 0);
    assert_int_equal(diary_count(stage, "controller-term"), 1);
}

static void a_hangup_that_comes_before_it_is_taken_ends_nobody(void **state)
{
    struct stage *stage = *state;

    stage_start(stage, ready_controller, "kill -HUP $$; note agent; exec sleep 60");
    wait_for(stage, "ready-", 1);
    wait_for(stage, "agent", 1);
    wait_for(stage, "controller", 1);
    kill(stage->supervisor, SIGTERM);
    assert_int_equal(stage_exit_code(stage), 0);
    assert_int_equal(diary_count(stage, "agent"), 1);
}

static void what_a_terminal_obeys_is_cut_from_the_address(void **state)
{
    struct stage *stage = *state;

    stage_start(stage, "printf 'http://127.0.0.1:4711\\033[2J\\n' >&4; exec 4>&-\nstay controller",
                steady_agent);
    wait_for(stage, "ready-http://127.0.0.1:4711\n", 1);
    wait_for(stage, "controller", 1);
    kill(stage->supervisor, SIGTERM);
    assert_int_equal(stage_exit_code(stage), 0);
}

static void a_wrong_command_line_is_not_tried_again(void **state)
{
    struct stage *stage = *state;

    stage_start(stage, ready_controller,
                "until grep -q ready $DIARY && grep -q controller $DIARY; do sleep 0.02; done\n"
                "note agent; exit 2");
    assert_int_equal(stage_exit_code(stage), outcome_exit(OUTCOME_USAGE));
    assert_int_equal(diary_count(stage, "agent"), 1);
    assert_int_equal(diary_count(stage, "controller-term"), 1);
}

static void a_second_signal_kills(void **state)
{
    struct stage *stage = *state;
    int64_t since_us = clock_boot_us();

    stage_start(stage,
                "trap 'note refused' TERM; echo http://[::]:1 >&4; while :; do sleep 0.05; done",
                steady_agent);
    wait_for(stage, "ready-http://[::]:1", 1);
    wait_for(stage, "agent", 1);
    kill(stage->supervisor, SIGTERM);
    wait_for(stage, "refused", 1);
    kill(stage->supervisor, SIGTERM);
    assert_int_equal(stage_exit_code(stage), 0);
    assert_true(clock_boot_us() - since_us < 9 * US_PER_S);
}

static void who_asks_for_a_stream_gets_one_and_the_other_too(void **state)
{
    struct stage *stage = *state;

    stage_start(stage,
                "echo http://h:1 >&4; exec 4>&-\n"
                "meet controller; meet controller; ask; meet controller; stay controller",
                "meet agent; ask; meet agent; meet agent; stay agent");
    wait_for(stage, "agent-met", 3);
    wait_for(stage, "controller-met", 3);
    kill(stage->supervisor, SIGTERM);
    assert_int_equal(stage_exit_code(stage), 0);
}

static void who_asks_all_the_time_gets_few_streams(void **state)
{
    struct stage *stage = *state;
    int64_t since_us = clock_boot_us();

    stage_start(stage, ready_controller, "while meet agent; do ask; ask; done");
    wait_for(stage, "agent-met", 4);
    assert_true(clock_boot_us() - since_us >= 3 * 200 * US_PER_MS);
    kill(stage->supervisor, SIGTERM);
    assert_int_equal(stage_exit_code(stage), 0);
}

static int64_t supervisor_cpu_us(const struct stage *stage)
{
    clockid_t clock;
    struct timespec used;

    assert_int_equal(clock_getcpuclockid(stage->supervisor, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return used.tv_sec * US_PER_S + used.tv_nsec / 1000;
}

static void a_child_that_closed_its_control_socket_costs_no_time(void **state)
{
    struct stage *stage = *state;

    stage_start(stage, ready_controller, "exec 3>&-; stay agent");
    wait_for(stage, "ready-http://127.0.0.1:4711", 1);
    wait_for(stage, "agent", 1);
    int64_t before_us = supervisor_cpu_us(stage);
    usleep(500000);
    assert_true(supervisor_cpu_us(stage) - before_us < 50 * US_PER_MS);
    kill(stage->supervisor, SIGTERM);
    assert_int_equal(stage_exit_code(stage), 0);
    assert_int_equal(diary_count(stage, "agent-term"), 1);
}

static void children_get_a_clean_environment_and_two_descriptors(void **state)
{
    struct stage *stage = *state;

    setenv("REEVE_TOKEN", "secret", 1);
    stage_start(stage,
                "note env-$(env | grep -c REEVE)\n"
                "note fds-$(ls /proc/self/fd | tr -d '\\n')\n"
                "echo http://h:1 >&4; stay controller",
                steady_agent);
    wait_for(stage, "ready-http://h:1", 1);
    kill(stage->supervisor, SIGTERM);
    assert_int_equal(stage_exit_code(stage), 0);
    assert_int_equal(diary_count(stage, "env-0"), 1);
    /* 5 is the directory that ls reads */
    assert_int_equal(diary_count(stage, "fds-012345\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_run_and_the_controller_ends_first, stage_setup,
                                        stage_teardown),
        cmocka_unit_test_setup_teardown(a_controller_that_never_was_ready_ends_all_with_its_code,
                                        stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(whoever_dies_is_started_again, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(a_hangup_that_comes_before_it_is_taken_ends_nobody,
                                        stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(what_a_terminal_obeys_is_cut_from_the_address, stage_setup,
                                        stage_teardown),
        cmocka_unit_test_setup_teardown(a_wrong_command_line_is_not_tried_again, stage_setup,
                                        stage_teardown),
        cmocka_unit_test_setup_teardown(a_second_signal_kills, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(who_asks_for_a_stream_gets_one_and_the_other_too,
                                        stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(who_asks_all_the_time_gets_few_streams, stage_setup,
                                        stage_teardown),
        cmocka_unit_test_setup_teardown(a_child_that_closed_its_control_socket_costs_no_time,
                                        stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(children_get_a_clean_environment_and_two_descriptors,
                                        stage_setup, stage_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
