/* SPDX-License-Identifier: MIT */
/*
 * Runs a program: argv only, no shell, own process group, clean environment, bounded time and
 * output.
 *
 * The whole process group is killed when the time is up, when it is cancelled, and when the program
 * itself has ended and left children that hold its output open. Inherited descriptors are closed,
 * signals are reset, standard input is /dev/null unless there is something to say. Who is killed
 * itself leaves programs behind, unless there is a guard (spawn_guard.h).
 */
#ifndef REEVE_BASE_SPAWN_H
#define REEVE_BASE_SPAWN_H

#include "base/buf.h"
#include "base/spawn_identity.h"

#define SPAWN_OUTPUT_CAP                                                                           \
    ((size_t)1 << 20) /* bytes kept of each stream; the rest is read and dropped */
#define SPAWN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct spawn {
    const char *const
        *argv;       /* NULL-terminated; argv[0] is looked up in SPAWN_PATH unless it has a slash */
    const char *cwd; /* NULL: / */
    const struct spawn_identity *identity; /* NULL: stays who we are */
    /* Standard input; empty: /dev/null. What the program does not read is dropped. The caller's
       process ignores SIGPIPE. */
    struct slice in;
    int64_t timeout_us; /* more than 0; also counts while the machine sleeps */
    size_t output_cap;  /* 0: SPAWN_OUTPUT_CAP */
    int cancel_fd;      /* readable means: stop; negative: none */
};

enum spawn_end {
    SPAWN_EXITED,
    SPAWN_SIGNALLED,
    SPAWN_TIMED_OUT,
    SPAWN_CANCELLED,
    SPAWN_NOT_STARTED
};

struct spawn_result {
    enum spawn_end end;
    int exit_code;   /* SPAWN_EXITED */
    int signal;      /* SPAWN_SIGNALLED; SIGKILL after SPAWN_TIMED_OUT and SPAWN_CANCELLED */
    int start_errno; /* SPAWN_NOT_STARTED: why */
    bool cwd_failed; /* SPAWN_NOT_STARTED: it was the directory, not the program */
    int64_t duration_us;
    struct buf out, err; /* what was kept, also after a timeout; buf_overflowed() = truncated */
};

/* 0 with *ret filled, or a fault (no pipe, no fork). The caller releases with
 * spawn_result_release(). */
int spawn_run(const struct spawn *spawn, struct spawn_result *ret);
void spawn_result_release(struct spawn_result *result);

#endif
