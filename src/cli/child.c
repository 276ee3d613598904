/* SPDX-License-Identifier: MIT */
/*
 * Starting children.
 *
 * Between fork and exec everything that could lead from the child back to the supervisor's rights
 * goes: identity, environment, descriptors, signals.
 */
#include "cli/child.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKOFF_FIRST_US    (200 * US_PER_MS)
#define BACKOFF_MAX_US      (10 * US_PER_S)
#define BACKOFF_FORGIVEN_US (60 * US_PER_S) /* who lived so long starts anew with the first */

void program_add(struct program *program, const char *argument)
{
    assert(program->n_arguments + 1 < CHILD_ARGUMENTS_MAX);
    program->argv[program->n_arguments++] = argument;
}

void program_add_variable(struct program *program, const char *name, struct arena *arena)
{
    const char *value = getenv(name);

    if (!value)
        return;
    assert(program->n_variables < CHILD_VARIABLES_MAX);
    program->environment[program->n_variables++] = arena_printf(arena, "%s=%s", name, value);
}

void program_add_option(struct program *program, const char *name, const char *value)
{
    program_add(program, name);
    program_add(program, value);
}

/*
 * In the child
 */

/* SIGHUP stays blocked: one that comes before the program can take it would end it. */
static void reset_signals(void)
{
    sigset_t hangup;

    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &hangup, NULL);
}

/* `from` becomes `to`, without close-on-exec. All `from` are above every `to`. */
static int place_fd(int from, int to)
{
    return dup2(from, to) < 0 ? -errno : 0;
}

/* Standard output belongs to the supervisor's one line. */
static int place_fds(int control_fd, int ready_fd)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null_fd < 0)
        return -errno;
    int r = place_fd(null_fd, STDIN_FILENO);
    if (!r)
        r = place_fd(STDERR_FILENO, STDOUT_FILENO);
    if (!r)
        r = place_fd(control_fd, CHILD_BUS_FD);
    if (!r && ready_fd >= 0)
        r = place_fd(ready_fd, CHILD_READY_FD);
    if (r)
        return r;
    /* Ours are close-on-exec anyway; those that we inherited need not be. */
    unsigned first = ready_fd >= 0 ? CHILD_READY_FD + 1 : CHILD_BUS_FD + 1;
    return close_range(first, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

/* The kernel forgets the death signal when ids change, so it comes after that; a supervisor that
   was gone by then is noticed by the new parent. */
static int restrict_self(const struct program *program, pid_t supervisor)
{
    int r = identity_take(&program->identity);

    if (r)
        return r;
    if (program->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
        return -errno;
    return getppid() == supervisor ? 0 : -ESRCH;
}

static int run_program(const struct program *program, int control_fd, int ready_fd,
                       pid_t supervisor)
{
    static char path[] = "PATH=" SPAWN_PATH;
    static char locale[] = "LC_ALL=C.UTF-8";
    char *environment[CHILD_VARIABLES_MAX + 4] = {path, locale};
    char *argv[CHILD_ARGUMENTS_MAX];
    size_t n = 2;

    /* execveat() wants them writable. */
    for (size_t i = 0; i < program->n_arguments; i++)
        argv[i] = mem_strdup(program->argv[i]);
    argv[program->n_arguments] = NULL;
    for (size_t i = 0; i < program->n_variables; i++)
        environment[n++] = mem_strdup(program->environment[i]);
    environment[n] = fault_environment();
    reset_signals();
    if (setsid() < 0)
        return -errno;
    if (program->cwd_fd < 0 ? chdir("/") : fchdir(program->cwd_fd))
        return -errno;
    int r = place_fds(control_fd, ready_fd);
    if (!r)
        r = restrict_self(program, supervisor);
    if (r)
        return r;
    /* By descriptor: the directories above the program need not be open to the new user. */
    if (!FAULT_POINT("child.exec"))
        execveat(program->fd, "", argv, environment, AT_EMPTY_PATH);
    return -errno;
}

static _Noreturn void child_main(const struct program *program, int control_fd, int ready_fd,
                                 pid_t supervisor)
{
    int r = run_program(program, control_fd, ready_fd, supervisor);

    fprintf(stderr, "reeve: can't run %s: %s\n", program->name, strerror(-r));
    _exit(outcome_exit(OUTCOME_UNAVAILABLE));
}

/*
 * In the supervisor
 */

/* Moves it above CHILD_FREE_FD. */
static int raise_fd(int *fd)
{
    int raised = fcntl(*fd, F_DUPFD_CLOEXEC, CHILD_FREE_FD);

    if (raised < 0)
        return FAULT(-errno);
    close(*fd);
    *fd = raised;
    return 0;
}

struct links {
    int control[2], ready[2]; /* ours, the child's */
};

static void links_release(struct links *links)
{
    for (int i = 0; i < 2; i++) {
        fd_closep(&links->control[i]);
        fd_closep(&links->ready[i]);
    }
}

static int links_open(struct links *links, bool ready)
{
    if (FAULT_POINT("child.link") ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, links->control) < 0)
        return FAULT(-errno);
    if (ready && pipe2(links->ready, O_CLOEXEC) < 0)
        return FAULT(-errno);
    int r = raise_fd(&links->control[1]);
    return r || !ready ? r : raise_fd(&links->ready[1]);
}

int child_start(struct child *child, int64_t boot_us)
{
    CLEANUP(links_release) struct links links = {.control = {-1, -1}, .ready = {-1, -1}};
    pid_t supervisor = getpid();

    int r = links_open(&links, child->program.tells_ready);
    if (r)
        return r;
    fflush(NULL);
    pid_t pid = FAULT_POINT("child.fork") ? -1 : fork();
    if (pid < 0)
        return FAULT(-errno);
    if (pid == 0)
        child_main(&child->program, links.control[1], links.ready[1], supervisor);
    child->pid = pid;
    child->control_fd = links.control[0];
    child->ready_fd = links.ready[0];
    child->started_boot_us = boot_us;
    child->restart_boot_us = INT64_MAX;
    links.control[0] = links.ready[0] = -1;
    return 0;
}

void child_ended(struct child *child, int64_t boot_us)
{
    fd_closep(&child->control_fd);
    fd_closep(&child->ready_fd);
    child->control_fd = child->ready_fd = -1;
    child->pid = 0;
    if (child->backoff_us == 0 || boot_us - child->started_boot_us >= BACKOFF_FORGIVEN_US)
        child->backoff_us = BACKOFF_FIRST_US;
    child->restart_boot_us = boot_us + child->backoff_us;
    child->backoff_us *= 2;
    if (child->backoff_us > BACKOFF_MAX_US)
        child->backoff_us = BACKOFF_MAX_US;
}

void child_signal(const struct child *child, int signal)
{
    if (child->pid > 0)
        kill(child->pid, signal);
}
