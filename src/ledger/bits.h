/* SPDX-License-Identifier: MIT */
/*
 * Sets of positions in a block, as they stand in rows: CRoaring's portable format.
 *
 * CRoaring checks sizes but believes contents, and its other functions rely on them: bytes are
 * proven first. A set has one form, since none is ever run_optimize'd; the empty set has none.
 */
#ifndef REEVE_LEDGER_BITS_H
#define REEVE_LEDGER_BITS_H

#include "base/buf.h"

struct roaring_bitmap_s;

#define BITS_POSITIONS 65536u /* a position is below it */

struct roaring_bitmap_s *bits_new(void);
void bits_encode(const struct roaring_bitmap_s *bits, struct buf *to);
/* A new bitmap that the caller frees; or -EUCLEAN. */
int bits_decode(struct slice bytes, struct roaring_bitmap_s **ret);

#endif
