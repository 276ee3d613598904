/* SPDX-License-Identifier: MIT */
/*
 * What must hold of the index: the bitmaps of a block that is not dirty are those its heads make.
 */
#include "ledger/verify_inside.h"

static const char *const dimension_words[DIMENSION_COUNT] = {
    [DIMENSION_ALL] = "all",
    [DIMENSION_STATUS] = "status",
    [DIMENSION_OPERATION] = "operation",
    [DIMENSION_USER] = "user",
    [DIMENSION_CODE] = "code",
    [DIMENSION_CHANGED] = "changed",
    [DIMENSION_TARGET] = "target",
    [DIMENSION_LABEL] = "label",
    [DIMENSION_BULK] = "bulk",
};

/* A dirty block is made anew at the next start, whatever its blob holds; so are those of an older
   format, when the ledger's is raised. */
static bool is_dirty(struct verify_index *index, uint64_t number)
{
    return verify_is_dirty(index->verify, number);
}

static bool is_old(const struct verify_index *index, struct slice blob)
{
    return index->verify->meta.format < LEDGER_FORMAT && block_blob_is_old(blob);
}

static void check_decoded(struct verify_index *index, const struct block *block)
{
    enum dimension dimension;
    uint32_t value;

    if (!block_differs(block, index->block, &dimension, &value)) {
        verify_say(index->verify, TABLE_BLOCKS, index->number,
                   "its bitmaps are written in another way");
        return;
    }
    verify_say(index->verify, TABLE_BLOCKS, index->number,
               "its bitmap of %s %u, with %u jobs, is not what the heads say, which is %u",
               dimension_words[dimension], (unsigned)value,
               (unsigned)block_count(block, dimension, value),
               (unsigned)block_count(index->block, dimension, value));
}

static void check_blob(struct verify_index *index, struct slice blob)
{
    struct block *block;

    buf_clear(&index->blob);
    block_encode(index->block, &index->blob);
    if (slice_equal(buf_slice(&index->blob), blob)) /* a set of jobs has one encoding */
        return;
    if (is_old(index, blob))
        return;
    if (block_decode(blob, &block)) {
        verify_say(index->verify, TABLE_BLOCKS, index->number, "its bitmaps can't be decoded");
        return;
    }
    check_decoded(index, block);
    block_free(block);
}

/* Blobs before block `number` are of blocks without jobs. Whether there is one of `number`. */
static bool blob_to(struct verify_index *index, uint64_t number)
{
    struct walk *blobs = &index->blobs;

    for (; blobs->here && blobs->number < number; walk_next(blobs)) {
        if (!is_dirty(index, blobs->number))
            verify_say(index->verify, TABLE_BLOCKS, blobs->number, "there are no jobs in it");
    }
    return blobs->here && blobs->number == number;
}

static void check_block(struct verify_index *index)
{
    bool here = blob_to(index, index->number);

    if (!index->in_doubt && !is_dirty(index, index->number)) {
        if (here)
            check_blob(index, index->blobs.value);
        else if (!index->blobs.broken)
            verify_say(index->verify, TABLE_BLOCKS, index->number, "its bitmaps are missing");
    }
    if (here)
        walk_next(&index->blobs);
    index->verify->report->n_blocks++;
}

struct verify_index verify_index_begin(struct verify *verify)
{
    struct verify_index index = {.verify = verify, .blobs = walk_begin(verify, TABLE_BLOCKS)};

    buf_init(&index.blob, BLOCK_BLOB_MAX);
    return index;
}

void verify_index_add(struct verify_index *index, uint64_t seq, const struct head *head)
{
    uint64_t number = seq / BLOCK_JOBS;

    if (index->block && index->number != number) {
        check_block(index);
        index->block = block_free(index->block);
    }
    if (!index->block) {
        index->block = block_new();
        index->number = number;
        index->in_doubt = false;
    }
    if (head)
        block_move(index->block, (uint16_t)(seq % BLOCK_JOBS), NULL, head);
    else
        index->in_doubt = true;
}

void verify_index_end(struct verify_index *index, bool cut)
{
    index->in_doubt |= cut;
    if (index->block)
        check_block(index);
    index->block = block_free(index->block);
    if (!cut) {
        blob_to(index, UINT64_MAX);
        walk_check_count(&index->blobs);
    }
    buf_release(&index->blob);
}
