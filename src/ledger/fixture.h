/* SPDX-License-Identifier: MIT */
/*
 * What the tests of this folder share: a ledger in a directory of its own, and records in one line.
 *
 * Everything here fails the test when it does not come back with 0, unless it returns an int.
 */
#ifndef REEVE_LEDGER_FIXTURE_H
#define REEVE_LEDGER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/inside.h"

#define FIXTURE_START_US INT64_C(1764000000000000) /* 2025-11-24T16:00:00Z */

struct fixture {
    char dir[256];
    struct ledger *ledger;
    struct ledger_reader *reader;
    int64_t now_us; /* time of the next record */
    struct buf text;
};

/* A directory under $TMPDIR, gone with fixture_release(). */
void fixture_make_dir(struct fixture *fixture);
void fixture_remove_dir(struct fixture *fixture);

void fixture_make(struct fixture *fixture);
void fixture_release(struct fixture *fixture);
/* Closes and opens again; without `orderly` as after a crash. */
void fixture_reopen(struct fixture *fixture, bool orderly);

/* How many steps a random test goes: REEVE_STEPS, or 100,000. */
uint32_t fixture_steps(void);
/* Where its random numbers begin: REEVE_SEED, or some number that is not 0; printed. */
uint64_t fixture_seed(void);

/* A check of it has no findings (verify.h). */
void fixture_expect_sound(const struct fixture *fixture);

/* One record, one batch, 1 ms later than the one before. */
int fixture_try(struct fixture *fixture, struct record *record, struct ledger_effect *ret);
struct ledger_effect fixture_apply(struct fixture *fixture, struct record record);

/* Hosts 1 … n with names web-01 … */
void fixture_add_hosts(struct fixture *fixture, uint32_t n);

struct fixture_job {
    uint64_t seq;
    struct uuid id;
};
/* A job of node.hostname.get by "alice" on the hosts 1 … n_hosts; a host target when that is one
   and kind says so. */
struct fixture_job fixture_submit(struct fixture *fixture, enum target_kind kind, uint32_t n_hosts);

struct record record_run(enum record_kind kind, uint64_t seq, uint32_t run);
struct record record_finished(uint64_t seq, uint32_t run, enum run_state state, enum run_code code,
                              const char *error, const char *data);

/* The item as text, proven against job_item's schema; valid until the next call. */
const char *fixture_item(struct fixture *fixture, const struct uuid *id);
/* A page; *items is valid until the next call and proven like an item. */
struct ledger_page fixture_list(struct fixture *fixture, const struct ledger_filter *filter,
                                uint64_t offset, unsigned limit, const char **ret_items);

#endif
