/* SPDX-License-Identifier: MIT */
/*
 * "reeve doctor": what is wrong on this machine, and what to do about it.
 */
#ifndef REEVE_CLI_DOCTOR_H
#define REEVE_CLI_DOCTOR_H

struct command;
struct refusal;

/* Prints a line for each check and, where it found something, what to do. 0; OUTCOME_RUN_FAILED
   when something does not work. Only looks: nothing is changed. */
int doctor_run(struct command *command, struct refusal *why);

#endif
