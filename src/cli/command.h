/* SPDX-License-Identifier: MIT */
/*
 * One command line, read: which verb, what it was given, and the flags that every verb takes.
 */
#ifndef REEVE_CLI_COMMAND_H
#define REEVE_CLI_COMMAND_H

#include "cli/argument.h"
#include "cli/verb.h"

struct command {
    struct arena *arena;
    struct slice words;            /* of the verb or, without one, of the group */
    const struct verb *verb;       /* NULL: a group, of which only help can be shown */
    struct argument_set arguments; /* of the verb and of cli_options */
    struct cli_options options;
    int exit_code; /* of a verb that returns 0 but has one of its own */
};

/* Reads the words after the program's name. 0; OUTCOME_USAGE. What was read up to a mistake stays
 * in *ret. */
int command_read(int n_words, char *const *words, struct arena *arena, struct command *ret,
                 struct refusal *why);

/* The input of a verb that has no op, decoded by its schema into `ret`. 0; OUTCOME_USAGE. */
int command_input(struct command *command, void *ret, struct refusal *why);

#endif
