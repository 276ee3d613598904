/* SPDX-License-Identifier: MIT */
/*
 * A controller on a state directory, alone: as a service manager starts it, on any free port of
 * 127.0.0.1.
 */
#ifndef REEVE_BENCH_CONTROLLER_H
#define REEVE_BENCH_CONTROLLER_H

#include <stdint.h>
#include <sys/types.h>

#define CONTROLLER_TOKEN_SIZE 1024

struct controller_options {
    const char *programs; /* directory */
    const char *state, *log;
    const char *bus; /* NULL: no agent */
    unsigned loops;  /* 0: one a processor */
};

struct controller {
    pid_t pid;
    char url[64];
    uint16_t port;
    char token[CONTROLLER_TOKEN_SIZE];
    int64_t start_us; /* from before its exec to its word that it is ready, on --ready-fd */
};

/* Returns when it is ready. What it does not answer by then ends the program. Retention keeps what
   is less than ten years old. */
void controller_start(struct controller *controller, const struct controller_options *options);
void controller_stop(const struct controller *controller);

#endif
