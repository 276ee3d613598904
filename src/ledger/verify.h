/* SPDX-License-Identifier: MIT */
/*
 * Everything that must hold in a ledger, looked for in one snapshot of it.
 *
 * The ledger is only read, whether a controller runs or not. It is read in a process of its own:
 * damage to a page can end that (damage.h), and is then a finding like any other. What it can't see
 * is a letter that changed inside of a text: rows carry no checksums.
 */
#ifndef REEVE_LEDGER_VERIFY_H
#define REEVE_LEDGER_VERIFY_H

#include "base/outcome.h"

#include <stdint.h>

#define VERIFY_SHOWN_MAX 20
#define VERIFY_TEXT_MAX  320 /* bytes of one finding and NUL */

struct verify_report {
    uint64_t n_jobs, n_runs, n_blocks;
    uint64_t n_findings; /* 0: all is well */
    unsigned n_shown;    /* the first of them */
    /* A line each, without its end: the table, the job or what else, what is wrong. Bytes of the
       file in it are made harmless. */
    char shown[VERIFY_SHOWN_MAX][VERIFY_TEXT_MAX];
};

/* The ledger in directory `dir`. 0 with the report, findings or not; OUTCOME_UNAVAILABLE: there is
   none, or it can't be opened. */
int ledger_verify(const char *dir, struct verify_report *ret, struct refusal *why);

#endif
