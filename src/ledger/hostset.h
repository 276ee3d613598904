/* SPDX-License-Identifier: MIT */
/*
 * Which jobs a host has runs of, as a reader remembers it: read once from `hostruns` and heads, and
 * then only what is new.
 *
 * A job's hosts are fixed when it is submitted, so what was read stays true; only a run that moved
 * or a host that was renamed makes a set begin anew. Jobs that are deleted stay in a set: whoever
 * uses it joins it with the jobs there are.
 */
#ifndef REEVE_LEDGER_HOSTSET_H
#define REEVE_LEDGER_HOSTSET_H

#include "ledger/block.h"
#include "ledger/roster.h"

struct roaring_bitmap_s;
struct txn;

#define HOST_SETS_MAX 64 /* of one reader; the one not used for longest makes room */

/* What a set was made from: any change of it may change the set. */
struct host_versions {
    uint64_t agents, moved;
};

struct host_set {
    char *name; /* host name or machine id */
    struct host_versions versions;
    uint64_t stamp;     /* another one whenever the set begins anew */
    uint64_t last_used; /* rises */
    host_number *hosts; /* several, if a machine was replaced by another of its name */
    uint32_t n_hosts;
    struct host_block {
        struct roaring_bitmap_s *bits; /* NULL: none */
        uint32_t end;                  /* positions below it are known */
    } * blocks;
    uint64_t first; /* number of the block at blocks[0] */
    size_t n_blocks;
};

struct host_sets {
    struct host_set *v[HOST_SETS_MAX];
    unsigned n;
    uint64_t last_stamp, uses;
};

void host_sets_release(struct host_sets *sets);
/* The set of the hosts that have the name now, or that machine id; of none, if there is no such
   host. Valid until HOST_SETS_MAX others were asked for. 0 or a fault. */
int host_sets_find(struct host_sets *sets, struct txn *txn, const struct roster *roster,
                   const char *name, struct host_versions versions, struct host_set **ret);
/* How many jobs from `first_block` on and below seq `end` the set has not seen yet. */
uint64_t host_set_missing(const struct host_set *set, uint64_t first_block, uint64_t end);
/* Reads them. 0 or a fault. */
int host_set_read(struct host_set *set, struct txn *txn, uint64_t first_block, uint64_t end);
/* NULL: none in this block. */
const struct roaring_bitmap_s *host_set_bits(const struct host_set *set, uint64_t block);

#endif
