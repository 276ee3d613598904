/* SPDX-License-Identifier: MIT */
/*
 * The host's own journal: a line for every run that may change the host, before it begins, whatever
 * becomes of the run, the agent or the controller's ledger.
 *
 * It goes to /dev/log, which journald and every syslog daemon read. A host without one, or one
 * whose reader hangs, loses the line and nothing else (docs/decisions/journal-line.md).
 */
#ifndef REEVE_AGENT_JOURNAL_H
#define REEVE_AGENT_JOURNAL_H

#include "agent/run_table.h"

#define JOURNAL_SOCKET "/dev/log"

struct journal_line {
    const struct run_key *run;
    const char *operation;
    const char *user; /* who made the job */
};

/* Never waits. False: nobody takes it. */
bool journal_write(const struct journal_line *line);

#endif
