/* SPDX-License-Identifier: MIT */
/*
 * What a block is made of, for the files that count and select in it: block.c, select.c, stats.c.
 */
#ifndef REEVE_LEDGER_BLOCK_INSIDE_H
#define REEVE_LEDGER_BLOCK_INSIDE_H

#include "ledger/block.h"

#include <roaring/roaring.h>

struct value_set {
    uint32_t value;
    uint32_t cardinality;
    roaring_bitmap_t *bits;
};

/* Ascending by value. A set may be empty. */
struct value_sets {
    struct value_set *v;
    uint32_t n, room;
};

struct block {
    struct value_sets dimensions[DIMENSION_COUNT];
};

/* NULL: no job ever had it. */
const struct value_set *block_set(const struct block *block, enum dimension dimension,
                                  uint32_t value);

#endif
