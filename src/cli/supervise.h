/* SPDX-License-Identifier: MIT */
/*
 * "reeve start": one controller and one agent on this machine, joined by socket pairs, kept
 * running.
 */
#ifndef REEVE_CLI_SUPERVISE_H
#define REEVE_CLI_SUPERVISE_H

#include "cli/child.h"

struct command;

/* Runs until a signal ends it or the controller can't even be started. */
int start_run(struct command *command, struct refusal *why);

struct supervisor {
    struct child controller, agent;
    void (*ready)(void *owner, const char *url); /* the controller serves; at each start */
    void (*daily)(void *owner);                  /* once a day */
    void *owner;
};

/* Starts both and keeps them running and connected until SIGTERM or SIGINT, or SIGHUP from a
   terminal that goes away; without a terminal SIGHUP is passed on: both read their configuration
   anew. Then the controller ends first, so that no outcome is lost, each within 10 s; a second
   signal kills both. Returns the program's exit code: 0 after a signal, the controller's when it
   ended before it was ready, a child's when that was "usage", which no restart mends. */
int supervise(struct supervisor *supervisor);

#endif
