/* SPDX-License-Identifier: MIT */
/*
 * A program under test as a process of ours: started, killed, kept running, stopped.
 *
 * It is started without arguments: a script that becomes the program by exec, so that its process
 * is the one to kill.
 */
#ifndef REEVE_TESTS_PROGRAM_H
#define REEVE_TESTS_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

struct program {
    const char *name, *path;
    pid_t pid; /* 0: it has ended */
};

void program_start(struct program *program);
/* With SIGKILL, and waits for its end. */
void program_kill(struct program *program);
/* True when it has ended by itself; *ret_status is its wait status. */
bool program_ended(struct program *program, int *ret_status);
/* Wait status after a SIGTERM; that of a SIGKILL when it does not end in time. */
int program_stop(struct program *program);

#endif
