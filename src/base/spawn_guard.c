/* SPDX-License-Identifier: MIT */
/*
 * The guard: a pipe's reader. Its end of file is our death, since every writer is a thread of ours
 * or a child that has not yet become its program.
 */
#include "base/spawn_guard.h"

#include "base/fault.h"
#include "base/mem.h"
#include "base/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Less than PIPE_BUF: written whole. */
struct word {
    pid_t group;
    bool begun;
};

static int guard_fd = -1; /* nobody is told when there is none */

/* ---- the guard's own process ---- */

struct groups {
    pid_t *v;
    size_t n, room;
};

static void groups_add(struct groups *groups, pid_t group)
{
    if (groups->n == groups->room) {
        groups->room = groups->room ? 2 * groups->room : 16;
        groups->v = mem_realloc(groups->v, groups->room * sizeof(*groups->v));
    }
    groups->v[groups->n++] = group;
}

static void groups_take(struct groups *groups, pid_t group)
{
    for (size_t i = 0; i < groups->n; i++) {
        if (groups->v[i] != group)
            continue;
        groups->v[i] = groups->v[--groups->n];
        return;
    }
}

static _Noreturn void guard_main(int fd)
{
    struct groups groups = {0};
    struct word word;
    ssize_t size;

    while ((size = read(fd, &word, sizeof(word))) != 0) {
        if (size != sizeof(word))
            continue;
        if (word.begun)
            groups_add(&groups, word.group);
        else
            groups_take(&groups, word.group);
    }
    for (size_t i = 0; i < groups.n; i++)
        kill(-groups.v[i], SIGKILL);
    _exit(0);
}

/* It has nothing but the pipe, and no signal that is meant for us ends it. */
static _Noreturn void guard_begin(int fd)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "reeve-guard");
    if (setsid() < 0 || dup2(fd, STDIN_FILENO) < 0 || close_range(STDIN_FILENO + 1, ~0U, 0) < 0)
        _exit(1);
    guard_main(STDIN_FILENO);
}

/* ---- ours ---- */

int spawn_guard_start(void)
{
    int ends[2];

    if (FAULT_POINT("guard.pipe") || pipe2(ends, O_CLOEXEC) < 0)
        return FAULT(-errno);
    pid_t pid = FAULT_POINT("guard.fork") ? -1 : fork();
    if (pid == 0)
        guard_begin(ends[0]);
    close(ends[0]);
    if (pid < 0) {
        int fault = FAULT(-errno);
        close(ends[1]);
        return fault;
    }
    guard_fd = ends[1];
    return 0;
}

/* A guard that was killed is missed by nobody before we are killed as well. */
static void tell(pid_t group, bool begun)
{
    struct word word = {.group = group, .begun = begun};

    if (guard_fd >= 0)
        (void)!write(guard_fd, &word, sizeof(word));
}

void spawn_guard_begun(pid_t group)
{
    tell(group, true);
}

void spawn_guard_ended(pid_t group)
{
    tell(group, false);
}
