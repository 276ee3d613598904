/* SPDX-License-Identifier: MIT */
/*
 * What the tests of retention share: a ledger with hosts, jobs that have ended some way, and
 * retention done by hand.
 */
#ifndef REEVE_LEDGER_FIXTURE_RETAIN_H
#define REEVE_LEDGER_FIXTURE_RETAIN_H

#include "ledger/fixture.h"
#include "ledger/retain.h"

#define DAY_US  (86400 * US_PER_S)
#define HOUR_US (3600 * US_PER_S)

/* What another version had. */
extern const struct op unknown_op;

struct world {
    struct fixture fixture;
    struct retain *retain;
    unsigned n_steps; /* of the last world_clean() */
    uint64_t n_dropped[RETAIN_REASON_COUNT];
};

int world_setup(void **state);
int world_teardown(void **state);
void world_reopen(struct world *world, bool orderly);

/* ---- jobs ---- */

struct made {
    const struct op *op;    /* NULL: a query */
    uint32_t n_hosts;       /* 0: one */
    enum job_status status; /* SUBMITTED: nothing has happened to it */
    const char *data;       /* of completed runs */
};

struct record record_end(uint64_t seq, uint32_t run, const struct made *made);
/* In a batch that is open; created and ended now. Its seq. */
uint64_t world_add_in_batch(struct world *world, const struct made *made);
uint64_t world_add(struct world *world, struct made made);
void world_add_many(struct world *world, unsigned n, struct made made);
/* False: there is no such job. */
bool world_head(struct world *world, uint64_t seq, struct head *ret);
bool world_has(struct world *world, uint64_t seq);
/* Totals and counts, and a page that begins in the middle. */
struct ledger_page world_count(struct world *world);

/* ---- retention ---- */

/* How many went. */
uint32_t world_drop(struct world *world, const struct retain_slice *slice);
/* Until nothing is left to do. How many went. */
uint64_t world_clean(struct world *world);
uint64_t world_clean_by(struct world *world, struct config_retention rules);

#endif
