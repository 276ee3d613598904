/* SPDX-License-Identifier: MIT */
/*
 * Host names by number, and host numbers in the order of their names.
 *
 * Each reader keeps its own copy, read again from its own snapshot when an agent came or was
 * renamed.
 */
#ifndef REEVE_LEDGER_ROSTER_H
#define REEVE_LEDGER_ROSTER_H

#include "base/arena.h"
#include "job/record.h"

struct txn;

struct roster {
    uint64_t version;     /* of the ledger's agents; 0: nothing read yet */
    uint32_t n;           /* hosts are 1 … n */
    struct slice *names;  /* of host i + 1 */
    struct slice *quoted; /* the same as JSON strings, quotes included */
    uint32_t *ranks;      /* of host i + 1: its place among the names */
    struct arena arena;   /* owns all of it */
};

void roster_release(struct roster *roster);
/* Does nothing when it has that version already. */
int roster_read(struct roster *roster, struct txn *txn, uint64_t version);
/* False when there is no such host. */
bool roster_has(const struct roster *roster, host_number host);
/* Of a host that it has. */
struct slice roster_name(const struct roster *roster, host_number host);
struct slice roster_quoted(const struct roster *roster, host_number host);
uint32_t roster_rank(const struct roster *roster, host_number host);

#endif
