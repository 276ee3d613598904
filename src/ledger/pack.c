/* SPDX-License-Identifier: MIT */
/*
 * zstd at its fastest level: a reply waits for it.
 */
#include "ledger/pack.h"

#include "base/mem.h"
#include "base/outcome.h"
#include "ledger/stored.h"

#include <errno.h>
#include <zstd.h>

#define LEVEL 1

void packer_release(struct packer *packer)
{
    ZSTD_freeCCtx(packer->packing);
    ZSTD_freeDCtx(packer->unpacking);
    buf_release(&packer->room);
    *packer = (struct packer){0};
}

static void packing_begin(struct packer *packer)
{
    if (packer->packing)
        return;
    packer->packing = ZSTD_createCCtx();
    if (!packer->packing)
        abort(); /* out of memory */
    ZSTD_CCtx_setParameter(packer->packing, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(packer->packing, ZSTD_c_checksumFlag, 1);
    buf_init(&packer->room, ZSTD_compressBound(STORED_ROW_MAX));
}

bool packer_pack(struct packer *packer, struct slice text, struct slice *ret)
{
    if (text.size < PACK_MIN || text.size > STORED_ROW_MAX)
        return false;
    packing_begin(packer);
    buf_clear(&packer->room);
    size_t bound = ZSTD_compressBound(text.size);
    char *at = buf_reserve(&packer->room, bound);
    size_t size = ZSTD_compress2(packer->packing, at, bound, text.at, text.size);
    if (ZSTD_isError(size) || size >= text.size)
        return false;
    *ret = (struct slice){.at = at, .size = size};
    return true;
}

bool packed_size(struct slice packed, uint32_t *ret)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.at, packed.size);

    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size < PACK_MIN ||
        size > STORED_ROW_MAX ||
        ZSTD_findFrameCompressedSize(packed.at, packed.size) != packed.size)
        return false;
    *ret = (uint32_t)size;
    return true;
}

int packer_unpack(struct packer *packer, struct slice packed, char *to)
{
    uint32_t size;

    if (!packed_size(packed, &size))
        return FAULT(-EUCLEAN);
    if (!packer->unpacking)
        packer->unpacking = ZSTD_createDCtx();
    if (!packer->unpacking)
        abort(); /* out of memory */
    size_t got = ZSTD_decompressDCtx(packer->unpacking, to, size, packed.at, packed.size);
    return got == size ? 0 : FAULT(-EUCLEAN);
}
