/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the decoders of stored rows: a row of any bytes is decoded or damaged, and what is decoded
 * can be used.
 *
 * The first byte of the input chooses the decoder. What was decoded is encoded and decoded again:
 * the same bytes must come out the second time.
 */
#include "base/mem.h"
#include "ledger/bits.h"
#include "ledger/item.h"
#include "ledger/names.h"
#include "ledger/select.h"
#include "ledger/stored.h"

#include <roaring/roaring.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void same(struct slice a, const struct buf *b)
{
    if (!slice_equal(a, buf_slice(b)))
        abort();
}

/* Reads every byte, so that the sanitizer sees one that is not there. */
static size_t touch(struct slice text)
{
    size_t sum = 0;

    for (size_t i = 0; i < text.size; i++)
        sum += (unsigned char)text.at[i];
    return sum;
}

static void fuzz_meta(struct slice bytes, struct buf *again)
{
    struct meta_row meta;

    if (meta_row_decode(bytes, &meta))
        return;
    buf_add(again, &meta, sizeof(meta));
    same(bytes, again);
}

static void fuzz_head(struct slice bytes, struct buf *again)
{
    struct head head, second;

    if (head_decode(bytes, &head))
        return;
    if (head_status(&head) >= job_status_COUNT || head_changed(&head) > JOB_CHANGED_TRUE)
        abort();
    /* The index takes every head that decodes. */
    struct block *block = block_new();
    block_move(block, 7, NULL, &head);
    block_move(block, 7, &head, NULL);
    if (block_count(block, DIMENSION_ALL, 0) != 0)
        abort();
    block_free(block);
    buf_add(again, &head, sizeof(head));
    if (!head_is_old(bytes))
        same(bytes, again);
    else if (head_decode(buf_slice(again), &second) || memcmp(&head, &second, sizeof(head)) != 0)
        abort();
}

static void fuzz_job(struct slice bytes, struct buf *again)
{
    struct job_row job;

    (void)again;
    if (job_row_decode(bytes, &job))
        return;
    size_t parts = job.fragment.size + job.target.size + job.user.size;
    if (parts > bytes.size || job.type.size + job.data.size > job.fragment.size)
        abort();
    if (touch(job.type) + touch(job.data) > touch(job.fragment))
        abort();
    touch(job.target);
    touch(job.user);
}

/* A result is unpacked to what its row says, or is damaged. */
static void fuzz_result(const struct run_row *run)
{
    struct packer packer = {0};
    struct buf text CLEANUP(buf_release);

    buf_init(&text, STORED_ROW_MAX);
    int r = put_run_data(&text, run, &packer);
    if (r > 0 || (!r && !buf_overflowed(&text) && text.size != run->data_size))
        abort();
    touch(buf_slice(&text));
    packer_release(&packer);
}

static void fuzz_run(struct slice bytes, struct buf *again)
{
    struct run_row run, second;

    if (run_row_decode(bytes, &run))
        return;
    run_row_encode(&run, again);
    if (run_row_decode(buf_slice(again), &second) || !slice_equal(run.error, second.error) ||
        !slice_equal(run.data, second.data) || run.at.state != second.at.state)
        abort();
    fuzz_result(&run);
}

static void fuzz_events(struct slice bytes, struct buf *again)
{
    struct job_events events, second;

    if (job_events_decode(bytes, &events))
        return;
    job_events_encode(&events, again);
    if (job_events_decode(buf_slice(again), &second) || second.n != events.n)
        abort();
}

static void fuzz_agent(struct slice bytes, struct buf *again)
{
    struct agent_row agent, second;

    if (agent_row_decode(bytes, &agent))
        return;
    agent_row_encode(&agent, again);
    if (agent_row_decode(buf_slice(again), &second) || !slice_equal(agent.labels, second.labels) ||
        agent.epoch != second.epoch)
        abort();
}

static void fuzz_block(struct slice bytes, struct buf *again)
{
    struct block *block;
    uint16_t page[100];

    if (block_decode(bytes, &block))
        return;
    struct selection all = block_select(block, NULL, 0, NULL);
    uint32_t count = block_count(block, DIMENSION_ALL, 0);
    for (uint32_t offset = 0; offset < count; offset += 1 + count / 8) {
        unsigned wanted = count - offset < 100 ? count - offset : 100;
        if (selection_down(&all, BLOCK_JOBS, offset, 100, page) != wanted ||
            selection_up(&all, page[0], 100, page) == 0)
            abort();
    }
    selection_release(&all);
    block_encode(block, again);
    block_free(block);
    if (block_decode(buf_slice(again), &block))
        abort();
    block_free(block);
}

static void fuzz_bits(struct slice bytes, struct buf *again)
{
    roaring_bitmap_t *bits;

    if (bits_decode(bytes, &bits))
        return;
    if (roaring_bitmap_is_empty(bits) || roaring_bitmap_maximum(bits) >= BITS_POSITIONS)
        abort();
    bits_encode(bits, again);
    roaring_bitmap_free(bits);
    same(bytes, again);
}

/* A key, whose size comes first, and its value. */
static void fuzz_name(struct slice bytes, struct buf *again)
{
    enum name_kind kind;
    struct slice name;
    uint32_t number;

    (void)again;
    if (bytes.size == 0)
        return;
    size_t size = (unsigned char)bytes.at[0];
    if (size > bytes.size - 1)
        size = bytes.size - 1;
    struct slice key = {.at = bytes.at + 1, .size = size};
    struct slice value = {.at = key.at + size, .size = bytes.size - 1 - size};
    if (!names_row_decode(key, value, &kind, &name, &number))
        return;
    if (kind >= NAME_KIND_COUNT || !names_word(kind) || name.size + 1 != key.size)
        abort();
    touch(name);
}

typedef void fuzz_row(struct slice bytes, struct buf *again);

static fuzz_row *const rows[] = {
    fuzz_meta,  fuzz_head,  fuzz_job,  fuzz_run,  fuzz_events,
    fuzz_agent, fuzz_block, fuzz_bits, fuzz_name,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct buf again CLEANUP(buf_release);

    buf_init(&again, STORED_ROW_MAX);
    if (size == 0)
        return 0;
    struct slice row = {.at = (const char *)bytes + 1, .size = size - 1};
    rows[bytes[0] % COUNT_OF(rows)](row, &again);
    return 0;
}
