/* SPDX-License-Identifier: MIT */
/*
 * Numbers of what jobs are found by: operations, users, label targets, bulk actions.
 *
 * A name gets the next number of its kind at first use, from 1, and keeps it for ever, also when no
 * job has it any more. The text itself stands in the job's row; 0 stands for a name that is too
 * long or found no room: no filter finds its jobs, and all else works.
 */
#ifndef REEVE_LEDGER_NAMES_H
#define REEVE_LEDGER_NAMES_H

#include "ledger/store.h"
#include "ledger/stored.h"

struct ledger;

enum name_kind { NAME_OPERATION, NAME_USER, NAME_TARGET, NAME_BULK, NAME_KIND_COUNT };

#define NAME_SIZE_MAX 255 /* bytes; LMDB's keys end at 511 */

/* Bytes of a bulk action's id are its name. */
struct slice name_of_uuid(const struct uuid *id);

/* Of a transaction of either kind. OUTCOME_NOT_FOUND: no job ever had it. */
int names_find(struct txn *txn, enum name_kind kind, struct slice name, uint32_t *ret);
/* All names that begin so, in their order. OUTCOME_TOO_LARGE: they are more than `max`. */
int names_find_prefix(struct txn *txn, enum name_kind kind, struct slice prefix, uint32_t *ret,
                      size_t max, size_t *ret_n);
/* In the writer's batch; a new name gets a number. */
int names_number(struct ledger *ledger, enum name_kind kind, struct slice name, uint32_t *ret);

uint32_t names_last(const struct meta_row *meta, enum name_kind kind); /* the last number given */
const char *names_word(enum name_kind kind);                           /* "operations" */
/* Whether the name would get a number now. */
bool names_has_room(const struct meta_row *meta, enum name_kind kind, struct slice name);

/* For a walk over the table, which has the kinds one after the other: no key of the kind is before
   this one. */
struct slice names_begin(enum name_kind kind);
/* False when a row is of no kind. *ret_number 0: what stands there is no number. */
bool names_row_decode(struct slice key, struct slice value, enum name_kind *ret_kind,
                      struct slice *ret_name, uint32_t *ret_number);

#endif
