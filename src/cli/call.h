/* SPDX-License-Identifier: MIT */
/*
 * Verbs that ask the controller: request, exchange, reply.
 */
#ifndef REEVE_CLI_CALL_H
#define REEVE_CLI_CALL_H

#include "base/outcome.h"

struct command;

/* Any operation of the catalog. Prints its reply; OUTCOME_RUN_FAILED when some host failed. */
int call_run(struct command *command, struct refusal *why);
/* Prints the version of this program and, when one can be reached, of the controller. */
int version_run(struct command *command, struct refusal *why);

/* The outcome an error reply stands for: by its reason, else by its HTTP status. */
enum outcome call_outcome(int status, const char *reason);

#endif
