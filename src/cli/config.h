/* SPDX-License-Identifier: MIT */
/*
 * "reeve config": what the configuration of this machine's programs says.
 */
#ifndef REEVE_CLI_CONFIG_H
#define REEVE_CLI_CONFIG_H

struct command;
struct refusal;

/* Every key, what holds, and where that was said. 0; OUTCOME_USAGE, OUTCOME_UNAVAILABLE as of
   config_read(). */
int config_show_run(struct command *command, struct refusal *why);
/* Whether a file is acceptable. */
int config_check_run(struct command *command, struct refusal *why);
/* A file with every key and its default. */
int config_sample_run(struct command *command, struct refusal *why);

#endif
