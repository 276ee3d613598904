/* SPDX-License-Identifier: MIT */
/*
 * Running a program.
 *
 * Everything is prepared before fork(): in the child of a process with threads only
 * async-signal-safe calls are allowed. The child stays a zombie until its group has been killed, so
 * that the group's number can't belong to anybody else by then.
 */
#include "base/spawn.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/outcome.h"
#include "base/spawn_guard.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_STEP   ((size_t)16384)
#define PASSWD_ROOM ((size_t)16384)
#define DRAIN_US    (100 * US_PER_MS) /* for what is in the pipes when the program has ended */
#define REAP_MS     1000 /* SIGKILL works at once, except on a process stuck in the kernel */

/* What spawn_run() waits for, in the order in which it looks; first the pipes from the child, last
   the one to it. */
enum {
    WATCH_START,
    WATCH_OUT,
    WATCH_ERR,
    WATCH_END,
    WATCH_CANCEL,
    WATCH_TIME,
    WATCH_IN,
    WATCH_COUNT
};
#define N_PIPES 3

struct child {
    pid_t pid;                        /* 0: none that would have to be reaped */
    struct pollfd watch[WATCH_COUNT]; /* fd < 0: not, or no longer, watched */
    int write_end[N_PIPES];           /* the child's ends, until it is forked */
    int in_end;                       /* the same, of WATCH_IN; -1: /dev/null */
    struct slice in;                  /* what is still to be written */
};

/* What comes through the start pipe when the program could not be executed, and else nothing. */
struct start_failure {
    int error;
    bool cwd_failed;
};

/*
 * Environment
 */

static char *environment[5];

/* Once, since a name service may be slow: the user does not change. */
static void environment_make(void)
{
    char room[PASSWD_ROOM];
    struct passwd entry, *found = NULL;
    struct buf text;

    getpwuid_r(geteuid(), &entry, room, sizeof(room), &found);
    buf_init(&text, sizeof(room));
    buf_printf(&text, "HOME=%s", found ? found->pw_dir : "/");
    environment[0] = mem_strdup("PATH=" SPAWN_PATH);
    environment[1] = mem_strdup("LANG=C.UTF-8");
    environment[2] = mem_strdup(buf_text(&text));
    if (found) {
        buf_clear(&text);
        buf_printf(&text, "USER=%s", found->pw_name);
        environment[3] = mem_strdup(buf_text(&text));
    }
    buf_release(&text);
}

/* The path to execute: 0 or a positive errno. Not execvp(): that would search in the child, with
   calls that are not async-signal-safe, and would hand files of unknown format to a shell. */
static int program_find(const char *name, struct buf *ret)
{
    struct slice rest = SLICE(SPAWN_PATH), directory;
    int error = ENOENT;
    bool more = true;

    if (strchr(name, '/')) {
        buf_add_text(ret, name);
        return buf_overflowed(ret) ? ENAMETOOLONG : 0;
    }
    while (more) {
        struct stat stat_;
        more = slice_cut(&rest, ':', &directory);
        buf_clear(ret);
        buf_add_slice(ret, directory);
        buf_printf(ret, "/%s", name);
        if (buf_overflowed(ret))
            return ENAMETOOLONG;
        if (stat(buf_text(ret), &stat_) < 0 || !S_ISREG(stat_.st_mode))
            continue;
        if (faccessat(AT_FDCWD, ret->at, X_OK, AT_EACCESS) == 0)
            return 0;
        error = EACCES;
    }
    return error;
}

/*
 * The child's side: between fork() and execve()
 */

struct launch {
    const char *program, *cwd;
    const char *const *argv;
    const struct spawn_identity *identity;
    char **environment;
    int in_fd; /* -1: /dev/null */
    int out_fd, err_fd, start_fd;
};

#define CHILD_START_FD 3

static _Noreturn void child_give_up(bool cwd_failed)
{
    struct start_failure failure = {.error = errno, .cwd_failed = cwd_failed};
    ssize_t written = write(CHILD_START_FD, &failure, sizeof(failure));

    (void)written;
    _exit(127);
}

/* execve() resets handlers but not what is ignored. The kernel is asked directly: libc keeps two
   signals from sigaction(), and its own posix_spawn(), by which a shell may have started us, leaves
   those ignored. */
static void signals_reset(void)
{
    static const struct {
        void *handler; /* SIG_DFL */
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action;
    sigset_t none;

    for (int signal = 1; signal < NSIG; signal++)
        syscall(SYS_rt_sigaction, signal, &action, NULL,
                sizeof(action.mask)); /* not SIGKILL, SIGSTOP */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int null_arrange(void)
{
    int null = open("/dev/null", O_RDONLY);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        return -1;
    if (null != STDIN_FILENO)
        close(null);
    return 0;
}

/* The parent's ends are 3 or more, so that each stays whole until it has been moved. */
static int descriptors_arrange(const struct launch *launch)
{
    if (launch->in_fd >= 0 && dup2(launch->in_fd, STDIN_FILENO) < 0)
        return -1;
    if (dup2(launch->out_fd, STDOUT_FILENO) < 0 || dup2(launch->err_fd, STDERR_FILENO) < 0)
        return -1;
    if (launch->start_fd != CHILD_START_FD && dup3(launch->start_fd, CHILD_START_FD, O_CLOEXEC) < 0)
        return -1;
    if (close_range(CHILD_START_FD + 1, ~0U, 0) < 0)
        return -1;
    return launch->in_fd >= 0 ? 0 : null_arrange();
}

static _Noreturn void child_exec(const struct launch *launch)
{
    /* execve() does not write to them: POSIX left out a const to keep old callers compiling. */
    union {
        const char *const *given;
        char *const *taken;
    } argv = {.given = launch->argv};

    setpgid(0, 0);
    spawn_guard_begun(getpid());
    umask(022);
    if (descriptors_arrange(launch) < 0)
        child_give_up(false);
    if (launch->identity && spawn_identity_take(launch->identity) < 0)
        child_give_up(false);
    if (chdir(launch->cwd) < 0)
        child_give_up(true);
    signals_reset();
    if (!FAULT_POINT("spawn.exec"))
        execve(launch->program, argv.taken, launch->environment);
    child_give_up(false);
}

/*
 * The parent's side
 */

static void watch_close(struct child *child, int i)
{
    if (child->watch[i].fd >= 0)
        close(child->watch[i].fd);
    child->watch[i].fd = -1;
}

/* The child's ends of all pipes. */
static void child_ends_close(struct child *child)
{
    for (int i = 0; i < N_PIPES; i++) {
        fd_closep(&child->write_end[i]);
        child->write_end[i] = -1;
    }
    fd_closep(&child->in_end);
    child->in_end = -1;
}

static void child_init(struct child *child, const struct spawn *spawn)
{
    *child = (struct child){.in_end = -1, .in = spawn->in};
    for (int i = 0; i < WATCH_COUNT; i++)
        child->watch[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    for (int i = 0; i < N_PIPES; i++)
        child->write_end[i] = -1;
    child->watch[WATCH_CANCEL].fd = spawn->cancel_fd;
    child->watch[WATCH_IN].events = POLLOUT;
}

static void group_kill(const struct child *child)
{
    kill(-child->pid, SIGKILL);
}

/* A process stuck in the kernel is left behind as it is after REAP_MS. */
static int child_reap(struct child *child, siginfo_t *ret)
{
    struct pollfd end = child->watch[WATCH_END];
    siginfo_t ended = {0};

    while (poll(&end, 1, REAP_MS) < 0 && errno == EINTR)
        continue;
    spawn_guard_ended(child->pid);
    if (waitid(P_PIDFD, (id_t)end.fd, &ended, WEXITED | WNOHANG) < 0)
        return FAULT(-errno);
    if (ended.si_pid == 0)
        return FAULT(-ETIME);
    child->pid = 0;
    *ret = ended;
    return 0;
}

/* Also the way out of a fault: no process and no descriptor stays behind. */
static void child_release(struct child *child)
{
    siginfo_t ended;

    if (child->pid > 0) {
        group_kill(child);
        child_reap(child, &ended);
    }
    child_ends_close(child);
    for (int i = 0; i < WATCH_COUNT; i++) {
        if (i != WATCH_CANCEL)
            watch_close(child, i);
    }
}

/* Moves a descriptor above the standard ones, which are the child's to fill. */
static int fd_above_standard(int *fd)
{
    if (*fd > STDERR_FILENO)
        return 0;
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0)
        return FAULT(-errno);
    close(*fd);
    *fd = moved;
    return 0;
}

static int pipes_open(struct child *child)
{
    for (int i = 0; i < N_PIPES; i++) {
        int ends[2];
        if (FAULT_POINT("spawn.pipe") || pipe2(ends, O_CLOEXEC) < 0)
            return FAULT(-errno);
        child->watch[i].fd = ends[0];
        child->write_end[i] = ends[1];
        if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
            return FAULT(-errno);
        int r = fd_above_standard(&child->write_end[i]);
        if (r)
            return r;
    }
    return 0;
}

static int input_open(struct child *child)
{
    int ends[2];

    if (child->in.size == 0)
        return 0;
    if (FAULT_POINT("spawn.pipe") || pipe2(ends, O_CLOEXEC) < 0)
        return FAULT(-errno);
    child->in_end = ends[0];
    child->watch[WATCH_IN].fd = ends[1];
    if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
        return FAULT(-errno);
    return fd_above_standard(&child->in_end);
}

static int timer_open(struct child *child, int64_t deadline_us)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = deadline_us / US_PER_S, .tv_nsec = deadline_us % US_PER_S * 1000}};
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd < 0)
        return FAULT(-errno);
    child->watch[WATCH_TIME].fd = fd;
    if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        return FAULT(-errno);
    return 0;
}

/* No handler of ours may run in the child: all signals are blocked until it has reset them. */
static int child_fork(struct child *child, const struct launch *launch)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = FAULT_POINT("spawn.fork") ? -1 : fork();
    int error = errno;
    if (pid == 0)
        child_exec(launch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return FAULT(-error);

    /* Both sides do it: whoever comes first, the group exists before it can be killed. */
    setpgid(pid, pid);
    child->watch[WATCH_END].fd = FAULT_POINT("spawn.watch") ? -1 : pidfd_open(pid, 0);
    if (child->watch[WATCH_END].fd < 0) {
        error = errno;
        kill(-pid, SIGKILL);
        waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT);
        spawn_guard_ended(pid);
        waitpid(pid, NULL, 0);
        return FAULT(-error);
    }
    child->pid = pid;
    return 0;
}

static int child_start(struct child *child, const struct spawn *spawn, const char *program)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, environment_make);
    int r = pipes_open(child);
    if (!r)
        r = input_open(child);
    if (r)
        return r;
    char home[SPAWN_HOME_SIZE + sizeof("HOME=")], user[SPAWN_NAME_SIZE + sizeof("USER=")];
    char *own[] = {environment[0], environment[1], home, user, NULL};
    if (spawn->identity) {
        snprintf(home, sizeof(home), "HOME=%s", spawn->identity->home);
        snprintf(user, sizeof(user), "USER=%s", spawn->identity->user);
    }
    struct launch launch = {
        .program = program,
        .identity = spawn->identity,
        .environment = spawn->identity ? own : environment,
        .cwd = spawn->cwd ? spawn->cwd : "/",
        .argv = spawn->argv,
        .in_fd = child->in_end,
        .out_fd = child->write_end[WATCH_OUT],
        .err_fd = child->write_end[WATCH_ERR],
        .start_fd = child->write_end[WATCH_START],
    };
    r = child_fork(child, &launch);
    child_ends_close(child);
    return r;
}

/* Takes what one pipe holds, at most READ_STEP; closes it at its end. */
static void output_take(struct child *child, int i, struct buf *to)
{
    char step[READ_STEP];

    if (child->watch[i].fd < 0)
        return;
    ssize_t n = read(child->watch[i].fd, step, sizeof(step));
    if (n > 0)
        buf_add(to, step, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        watch_close(child, i);
}

/* Gives what the pipe has room for; closes it when all is written, or nobody reads any more. */
static void input_give(struct child *child)
{
    ssize_t n = write(child->watch[WATCH_IN].fd, child->in.at, child->in.size);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        child->in.at += n;
        child->in.size -= (size_t)n;
    }
    if (n < 0 || child->in.size == 0)
        watch_close(child, WATCH_IN);
}

/* True when the child says that it could not start the program. */
static bool start_failed(struct child *child, struct spawn_result *result)
{
    struct start_failure failure;

    if (child->watch[WATCH_START].fd < 0)
        return false;
    ssize_t n = read(child->watch[WATCH_START].fd, &failure, sizeof(failure));
    if (n < 0)
        return false;
    watch_close(child, WATCH_START);
    if (n != sizeof(failure))
        return false;
    result->start_errno = failure.error;
    result->cwd_failed = failure.cwd_failed;
    return true;
}

/* What the program said before counts first, its own end before ours. */
static bool child_is_over(struct child *child, struct spawn_result *result)
{
    if (start_failed(child, result))
        result->end = SPAWN_NOT_STARTED;
    else if (child->watch[WATCH_END].revents)
        result->end = SPAWN_EXITED;
    else if (child->watch[WATCH_CANCEL].revents)
        result->end = SPAWN_CANCELLED;
    else if (child->watch[WATCH_TIME].revents)
        result->end = SPAWN_TIMED_OUT;
    else
        return false;
    return true;
}

/* Reads until the program ends or has to. */
static int child_watch(struct child *child, struct spawn_result *result)
{
    do {
        if (poll(child->watch, WATCH_COUNT, -1) < 0) {
            if (errno == EINTR)
                continue;
            return FAULT(-errno);
        }
        if (child->watch[WATCH_OUT].revents)
            output_take(child, WATCH_OUT, &result->out);
        if (child->watch[WATCH_ERR].revents)
            output_take(child, WATCH_ERR, &result->err);
        if (child->watch[WATCH_IN].revents)
            input_give(child);
    } while (!child_is_over(child, result));
    return 0;
}

/* True when both pipes came to their end; children of the program may keep them open. */
static bool output_drain(struct child *child, struct spawn_result *result)
{
    int64_t until_us = clock_boot_us() + DRAIN_US;

    while (child->watch[WATCH_OUT].fd >= 0 || child->watch[WATCH_ERR].fd >= 0) {
        int64_t left_us = until_us - clock_boot_us();
        if (left_us <= 0)
            return false;
        poll(&child->watch[WATCH_OUT], 2, (int)(left_us / US_PER_MS) + 1);
        output_take(child, WATCH_OUT, &result->out);
        output_take(child, WATCH_ERR, &result->err);
    }
    return true;
}

static int child_end(struct child *child, struct spawn_result *result)
{
    bool stopped = result->end == SPAWN_TIMED_OUT || result->end == SPAWN_CANCELLED;
    siginfo_t ended;

    if (stopped)
        group_kill(child);
    if (!output_drain(child, result))
        group_kill(child);
    int r = child_reap(child, &ended);
    if (stopped) {
        result->signal = SIGKILL; /* whether or not it could be reaped in time */
        return 0;
    }
    if (r)
        return r;

    /* It may have failed to start after the look at that pipe and before the look at its end. */
    if (result->end == SPAWN_NOT_STARTED || start_failed(child, result)) {
        result->end = SPAWN_NOT_STARTED;
    } else if (ended.si_code == CLD_EXITED) {
        result->exit_code = ended.si_status;
    } else {
        result->end = SPAWN_SIGNALLED;
        result->signal = ended.si_status;
    }
    return 0;
}

static int64_t deadline_of(int64_t start_us, int64_t timeout_us)
{
    if (timeout_us < 1)
        timeout_us = 1; /* zero would disarm the timer */
    return timeout_us > INT64_MAX - start_us ? INT64_MAX : start_us + timeout_us;
}

static int program_run(const struct spawn *spawn, const char *program, struct spawn_result *result)
{
    CLEANUP(child_release) struct child child;
    int64_t start_us = clock_boot_us();

    child_init(&child, spawn);
    int r = timer_open(&child, deadline_of(start_us, spawn->timeout_us));
    if (r)
        return r;
    r = child_start(&child, spawn, program);
    if (r)
        return r;
    r = child_watch(&child, result);
    if (r)
        return r;
    result->duration_us = clock_boot_us() - start_us;
    return child_end(&child, result);
}

int spawn_run(const struct spawn *spawn, struct spawn_result *ret)
{
    CLEANUP(buf_release) struct buf program;
    struct spawn_result result = {.end = SPAWN_NOT_STARTED};
    size_t cap = spawn->output_cap ? spawn->output_cap : SPAWN_OUTPUT_CAP;

    assert(spawn->argv[0]);
    buf_init(&program, PATH_MAX - 1);
    buf_init_secret(&result.out, cap); /* what programs say may be */
    buf_init_secret(&result.err, cap);
    result.start_errno = program_find(spawn->argv[0], &program);
    if (result.start_errno == 0) {
        int r = program_run(spawn, buf_text(&program), &result);
        if (r) {
            spawn_result_release(&result);
            return r;
        }
    }
    *ret = result;
    return 0;
}

void spawn_result_release(struct spawn_result *result)
{
    buf_release(&result->out);
    buf_release(&result->err);
}
