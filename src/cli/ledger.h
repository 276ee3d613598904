/* SPDX-License-Identifier: MIT */
/*
 * "reeve ledger check" and "reeve ledger backup": a controller's state, read while the controller
 * runs or does not.
 *
 * Both take the state directory of "reeve start", that of a controller alone, or the directory of a
 * ledger. What is below it is read as the user it belongs to, never as root (state.h).
 */
#ifndef REEVE_CLI_LEDGER_H
#define REEVE_CLI_LEDGER_H

#include "cli/state.h"

#include <stdint.h>

struct command;

struct ledger_place {
    const char *path;      /* of the directory that holds it, absolute, for messages */
    int fd;                /* of the same */
    const char *ledger;    /* from there */
    bool nested;           /* in "controller" of a state directory of "reeve start" */
    struct identity owner; /* whom to become before anything in it is touched */
};

/* From --state, REEVE_STATE or the default. 0; OUTCOME_UNAVAILABLE there is none. */
int ledger_place_find(const struct command *command, struct ledger_place *ret, struct refusal *why);
/* Becomes its owner, for good, with it as the working directory. 0 or -errno. */
int ledger_place_enter(const struct ledger_place *place);

/* 1,234,567: room for any number. */
#define COUNT_TEXT_SIZE 32
void count_format(uint64_t count, char ret[COUNT_TEXT_SIZE]);

/* Prints what is wrong, a line each, and a summary. Exit code 0 nothing, 1 something; else
   OUTCOME_UNAVAILABLE. */
int ledger_check_run(struct command *command, struct refusal *why);
/* Exit code 0; 1 when the copy is made and its check found something. OUTCOME_CONFLICT: the
   directory holds something; OUTCOME_UNAVAILABLE, OUTCOME_USAGE. */
int ledger_backup_run(struct command *command, struct refusal *why);

#endif
