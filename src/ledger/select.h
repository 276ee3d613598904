/* SPDX-License-Identifier: MIT */
/*
 * Sets of jobs inside one block: conditions on dimensions, joined; counts and pages of the result.
 *
 * A position is a job's place in its block; sets are CRoaring bitmaps of them. Everything here
 * takes a few microseconds at most, since readers call it under the ledger's lock.
 */
#ifndef REEVE_LEDGER_SELECT_H
#define REEVE_LEDGER_SELECT_H

#include "ledger/block.h"

struct roaring_bitmap_s;

/* Jobs that have one of the values. */
struct block_term {
    enum dimension dimension;
    bool or_without; /* or no value of the dimension at all */
    uint32_t n;
    const uint32_t *values;
};

/* Of a set of statuses, bits 1 << enum job_status, whose values are put into `values`. */
struct block_term term_of_statuses(unsigned statuses, uint32_t values[job_status_COUNT]);

/* `bits` may be the block's own: then nothing is owned, and it is valid until the block changes. */
struct selection {
    const struct roaring_bitmap_s *bits;
    struct roaring_bitmap_s *owned;
};
void selection_release(struct selection *selection);

/* Jobs that meet all terms, and are in `also` unless that is NULL. */
struct selection block_select(const struct block *block, const struct block_term *terms, unsigned n,
                              const struct roaring_bitmap_s *also);
/* How many of a selection have the value. */
uint32_t selection_count(const struct selection *selection, const struct block *block,
                         enum dimension dimension, uint32_t value);

/* At most `limit` positions below `below`, highest first, leaving out the first `offset`; or from
   `from` on, lowest first. How many. */
unsigned selection_down(const struct selection *selection, uint32_t below, uint32_t offset,
                        unsigned limit, uint16_t *ret);
unsigned selection_up(const struct selection *selection, uint32_t from, unsigned limit,
                      uint16_t *ret);

#endif
