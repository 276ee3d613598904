/* SPDX-License-Identifier: MIT */
/*
 * Whether every promise was kept: what the load was answered, what the ledger says and what the
 * host's witness saw, against each other.
 *
 * Lost: a job that an answer named is not in the ledger, or one whose deletion was confirmed is.
 * Doubled: a modify ran twice. Whatever else is wrong is a fault with a line of its own.
 */
#ifndef REEVE_TESTS_VERDICT_H
#define REEVE_TESTS_VERDICT_H

#include "client.h"
#include "load.h"

struct verdict {
    const char *name; /* begins each line */
    struct client *client;
    const char *token;
    struct load *load; /* its notes */
    uint64_t random;
    bool drops;     /* jobs may be gone for their age */
    size_t checked; /* notes of earlier rounds */
    unsigned lost, doubled, faults;
};

__attribute__((format(printf, 2, 3))) void verdict_fault(struct verdict *verdict,
                                                         const char *format, ...);

/* The token in the file that the controller or its supervisor makes at its first start; waits for
   it. In the arena. */
const char *verdict_token(const char *path, struct arena *arena);
/* The controller answers and its agent is ready. */
bool verdict_is_ready(struct verdict *verdict);
/* After a recovery: the notes since the last time, some older ones, and that counts add up. */
void verdict_round(struct verdict *verdict);
/* At the end: every job becomes final, each note holds, and each modify ran as often as the ledger
   says. */
void verdict_end(struct verdict *verdict, const char *witness_path);
/* Prints the sum. True when nothing was wrong. */
bool verdict_close(struct verdict *verdict);

#endif
