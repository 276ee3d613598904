/* SPDX-License-Identifier: MIT */
/*
 * One program that a supervisor runs: how it is started, and what the supervisor holds of it.
 *
 * A child finds the supervisor's control socket (SOCK_SEQPACKET, bus.h) at descriptor 3, and one
 * that tells when it is ready a pipe at descriptor 4. It has a clean environment and a process
 * group of its own, so that Ctrl-C reaches it only through the supervisor, and gets SIGTERM when
 * the supervisor is gone.
 */
#ifndef REEVE_CLI_CHILD_H
#define REEVE_CLI_CHILD_H

#include "cli/state.h"

#include <stdint.h>

#define CHILD_ARGUMENTS_MAX 32
#define CHILD_VARIABLES_MAX 64
#define CHILD_BUS_FD        3
#define CHILD_READY_FD      4
#define CHILD_FREE_FD       10 /* where descriptors stay out of their way */

/* What to run; stays as it is for all starts. */
struct program {
    const char *name;
    int fd;     /* the executable, opened before any identity is changed */
    int cwd_fd; /* -1: / */
    struct identity identity;
    bool no_new_privileges;                /* its programs gain nothing from set-uid files */
    bool tells_ready;                      /* has a descriptor 4 */
    const char *argv[CHILD_ARGUMENTS_MAX]; /* NULL-terminated */
    size_t n_arguments;
    const char *environment[CHILD_VARIABLES_MAX]; /* NAME=VALUE */
    size_t n_variables;
};

void program_add(struct program *program, const char *argument);
/* A variable of our own environment that it gets too, if it is set; copied to the arena. */
void program_add_variable(struct program *program, const char *name, struct arena *arena);
/* "--name VALUE" */
void program_add_option(struct program *program, const char *name, const char *value);

struct child {
    struct program program;
    pid_t pid;      /* 0: does not run */
    int control_fd; /* our end; -1 without a process, or when that has closed its own */
    int ready_fd;   /* readable when it is ready; -1 when it was, or without a process */
    int64_t started_boot_us;
    int64_t restart_boot_us; /* when it is started again; INT64_MAX: it runs, or shall not */
    int64_t backoff_us;
};

/* 0 or a fault: no process. */
int child_start(struct child *child, int64_t boot_us);
/* After waitpid() has returned it: closes what we hold, and sets when to start it again. */
void child_ended(struct child *child, int64_t boot_us);
/* Nothing when it does not run. */
void child_signal(const struct child *child, int signal);

#endif
