/* SPDX-License-Identifier: MIT */
/*
 * Host names by number, and host numbers in the order of their names.
 *
 * Read from a snapshot when an agent came or was renamed, once for all readers that see that
 * version of the agents.
 */
#ifndef REEVE_LEDGER_ROSTER_H
#define REEVE_LEDGER_ROSTER_H

#include "base/arena.h"
#include "job/record.h"

#include <pthread.h>
#include <stdatomic.h>

struct txn;

/* Never changes; counted, since readers share it. */
struct roster {
    atomic_uint refs;
    uint64_t version;     /* of the ledger's agents */
    uint32_t n;           /* hosts are 1 … n */
    struct slice *names;  /* of host i + 1 */
    struct slice *quoted; /* the same as JSON strings, quotes included */
    uint32_t *ranks;      /* of host i + 1: its place among the names */
    struct arena arena;   /* owns all of it */
};

/* What the readers of a ledger share. */
struct rosters {
    pthread_mutex_t lock;
    struct roster *newest; /* NULL: none was read yet */
};

void rosters_init(struct rosters *rosters);
void rosters_release(struct rosters *rosters);
/* Makes *held, a reference or NULL, the roster of that version, which is that of `txn`. From any
   thread. 0 or a fault. */
int roster_hold(struct rosters *rosters, struct roster **held, struct txn *txn, uint64_t version);
struct roster *roster_unref(struct roster *roster); /* accepts NULL; returns NULL */
/* False when there is no such host. */
bool roster_has(const struct roster *roster, host_number host);
/* Of a host that it has. */
struct slice roster_name(const struct roster *roster, host_number host);
struct slice roster_quoted(const struct roster *roster, host_number host);
uint32_t roster_rank(const struct roster *roster, host_number host);

#endif
