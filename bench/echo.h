/* SPDX-License-Identifier: MIT */
/*
 * An agent that answers at once and remembers nothing: what is measured against it is the
 * controller.
 *
 * It speaks the bus of the real one, as the first host of the mix, in a process of its own that
 * ends with this one.
 */
#ifndef REEVE_BENCH_ECHO_H
#define REEVE_BENCH_ECHO_H

#include <sys/types.h>

/* `address` is unix:PATH, in a directory that this user alone can write; the controller runs as the
   same user. Returns when it listens. */
pid_t echo_start(const char *address);

#endif
