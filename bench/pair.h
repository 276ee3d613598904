/* SPDX-License-Identifier: MIT */
/*
 * A controller and an agent as users start them: `reeve start` on fresh state.
 */
#ifndef REEVE_BENCH_PAIR_H
#define REEVE_BENCH_PAIR_H

#include "client.h"

#include <sys/types.h>

struct pair {
    pid_t supervisor, controller, agent;
    pid_t guard; /* the agent's; 0: none */
    char token[1024];
    struct client client;
};

/* Programs of one directory, state beneath another; returns when the agent is ready. */
void pair_start(struct pair *pair, const char *programs, const char *scratch);
void pair_stop(struct pair *pair);

/* A controller alone on fresh state: from before its exec to its word that it is ready, on
   --ready-fd. It is stopped again. `number`: another one each time. */
int64_t controller_start_us(const char *programs, const char *scratch, unsigned number);

#endif
