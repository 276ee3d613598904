/* SPDX-License-Identifier: MIT */
/*
 * Results in the ledger, packed (docs/decisions/packed-results.md).
 *
 * LMDB gives a row of more than half a page whole pages of its own; most results of that size are
 * repetitive JSON, which then fits beside others. Each is a zstd frame with its size and a
 * checksum.
 */
#ifndef REEVE_LEDGER_PACK_H
#define REEVE_LEDGER_PACK_H

#include "base/buf.h"

#include <stdint.h>

#define PACK_MIN 1300u /* bytes; of shorter ones a page takes three */

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

/* One thread's; a zeroed one is ready. */
struct packer {
    struct ZSTD_CCtx_s *packing;
    struct ZSTD_DCtx_s *unpacking;
    struct buf room; /* of the last that was packed */
};
void packer_release(struct packer *packer);

/* False: it is short, or would not get smaller. *ret is valid until the next. */
bool packer_pack(struct packer *packer, struct slice text, struct slice *ret);
/* What it will have unpacked; false: these bytes are none of ours. */
bool packed_size(struct slice packed, uint32_t *ret);
/* Into packed_size() bytes. 0 or a fault. */
int packer_unpack(struct packer *packer, struct slice packed, char *to);

#endif
