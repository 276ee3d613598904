/* SPDX-License-Identifier: MIT */
/*
 * Programs do not outlive who ran them, even when that is killed with SIGKILL.
 *
 * A process beside ours is told which process groups spawn_run() has begun and which have ended.
 * When nobody can tell it anything any more, it kills those that are left. A death signal
 * (PR_SET_PDEATHSIG) would reach the program alone, and not what it has started.
 */
#ifndef REEVE_BASE_SPAWN_GUARD_H
#define REEVE_BASE_SPAWN_GUARD_H

#include <sys/types.h>

/* Once, before there are threads, locks or descriptors that the process beside us should not have.
   Without it programs outlive a kill. 0 or a fault. */
int spawn_guard_start(void);

/* By the program's process itself, so that the guard knows it before it can do anything.
   Async-signal-safe. */
void spawn_guard_begun(pid_t group);
/* Before its leader is reaped: until then the number is nobody else's. */
void spawn_guard_ended(pid_t group);

#endif
