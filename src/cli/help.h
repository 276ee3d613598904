/* SPDX-License-Identifier: MIT */
/*
 * Help at every level, from the rows.
 */
#ifndef REEVE_CLI_HELP_H
#define REEVE_CLI_HELP_H

#include "cli/command.h"

/* Appends the help of the command's verb or, without one, of its group. */
void help_write(const struct command *command, struct buf *to);

#endif
