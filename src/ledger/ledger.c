/* SPDX-License-Identifier: MIT */
/*
 * Opening, committing, and the snapshot protocol.
 *
 * Writer: commit; write lock; index moves; `published` = transaction id; unlock. Reader: read lock;
 * renew; the id is not `published`: unlock and again; copy from the index; unlock; read rows. Every
 * commit of the environment goes through ledger_publish(), checkpoints too, or readers would wait
 * for ever.
 */
#include "ledger/inside.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>

/* ---- the index at start ---- */

static int block_read_heads(struct block *block, struct txn *txn, uint64_t number)
{
    uint64_t first = number * BLOCK_JOBS;
    struct slice key, bytes;
    struct head head;
    uint64_t seq;
    int r = table_seek(txn, TABLE_HEADS, u64_slice(&first), &key, &bytes);

    while (!r) {
        r = u64_decode(key, &seq);
        if (!r && seq / BLOCK_JOBS != number)
            return 0;
        if (!r)
            r = head_decode(bytes, &head);
        if (r)
            return r;
        block_move(block, (uint16_t)(seq % BLOCK_JOBS), NULL, &head);
        r = table_next(txn, TABLE_HEADS, &key, &bytes);
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

static int ledger_rebuild_block(struct ledger *ledger, uint64_t number)
{
    struct block *block = block_new();
    int r = block_read_heads(block, &ledger->txn, number);

    if (r) {
        block_free(block);
        return r;
    }
    blocks_add(&ledger->blocks, number, block, true);
    return 0;
}

/* A blob is derived from heads: one that does not decode is made again, and marked so that it is
   not read again. */
static int ledger_load_block(struct ledger *ledger, uint64_t number, struct slice blob)
{
    struct block *block;

    if (blocks_is_dirty(&ledger->blocks, number))
        return 0;
    value_fetch(blob);
    if (block_decode(blob, &block)) {
        int r = table_put(&ledger->txn, TABLE_DIRTY, u64_slice(&number), (struct slice){.at = ""});
        return r ? r : ledger_rebuild_block(ledger, number);
    }
    blocks_add(&ledger->blocks, number, block, false);
    return 0;
}

/* Every block that has jobs has a blob or a mark: the first change after a checkpoint writes the
   mark. */
static int ledger_load_blocks(struct ledger *ledger, enum table table)
{
    uint64_t number_end = ledger->meta.next_seq / BLOCK_JOBS + 1;
    uint64_t number = 0;
    struct slice key, value;
    int r;

    while (!(r = table_seek(&ledger->txn, table, u64_slice(&number), &key, &value))) {
        r = u64_decode(key, &number);
        if (!r && number >= number_end)
            r = FAULT(-EUCLEAN);
        if (!r)
            r = table == TABLE_DIRTY ? ledger_rebuild_block(ledger, number)
                                     : ledger_load_block(ledger, number, value);
        if (r)
            return r;
        number++;
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

static const uint64_t meta_key = 0;

/* A number that is given out again would write over what has it. */
static int last_is_below(struct ledger *ledger, enum table table, uint64_t end)
{
    struct slice key, value;
    uint64_t last;
    int r = table_last(&ledger->txn, table, &key, &value);

    if (r)
        return r == OUTCOME_NOT_FOUND ? 0 : r;
    r = u64_decode(key, &last);
    return r || last < end ? r : FAULT(-EUCLEAN);
}

int ledger_read_meta(struct ledger *ledger)
{
    struct slice bytes;
    int r = table_get(&ledger->txn, TABLE_META, u64_slice(&meta_key), &bytes);

    if (!r)
        r = meta_row_decode(bytes, &ledger->meta);
    if (r)
        return r;
    ledger->committed_meta = ledger->meta;
    return 0;
}

static int ledger_load(struct ledger *ledger)
{
    int r = ledger_read_meta(ledger);

    if (!r)
        r = last_is_below(ledger, TABLE_HEADS, ledger->meta.next_seq);
    if (!r)
        r = last_is_below(ledger, TABLE_AGENTS, (uint64_t)ledger->meta.n_hosts + 1);
    if (!r)
        r = ledger_load_blocks(ledger, TABLE_DIRTY);
    if (!r)
        r = ledger_load_blocks(ledger, TABLE_BLOCKS);
    return r;
}

/* ---- open and close ---- */

/* The default kind prefers readers: a few of them starve the writer (95 commits in 3 s instead of
   1,082). */
static void lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;
    int rc = pthread_rwlockattr_init(&attributes);

    if (!rc)
        rc = pthread_rwlockattr_setkind_np(&attributes,
                                           PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    if (!rc)
        rc = pthread_rwlock_init(lock, &attributes);
    assert(rc == 0);
    pthread_rwlockattr_destroy(&attributes);
}

void ledger_drop(struct ledger *ledger)
{
    if (ledger->in_batch)
        ledger_abort(ledger);
    blocks_release(&ledger->blocks);
    buf_release(&ledger->row);
    packer_release(&ledger->packer);
    mem_free(ledger->moves);
    rosters_release(&ledger->rosters);
    pthread_rwlock_destroy(&ledger->lock);
    store_close(ledger->store);
    mem_free(ledger);
}

static int ledger_open_in(struct ledger *ledger)
{
    int r = ledger_raise(ledger);

    if (!r)
        r = ledger_begin(ledger);
    if (r)
        return r;
    r = ledger_load(ledger);
    if (r) {
        ledger_abort(ledger);
        return r;
    }
    return ledger_commit(ledger);
}

int ledger_open_with(const char *dir, const struct ledger_options *options, struct ledger **ret,
                     struct refusal *why)
{
    struct store *store;
    int r = store_open(dir, options->no_sync, &store, why);

    if (r)
        return r;
    struct ledger *ledger = mem_alloc(sizeof(*ledger));
    ledger->store = store;
    ledger->agents_version = ledger->names_version = ledger->moved_version = 1;
    buf_init(&ledger->row, BLOCK_BLOB_MAX);
    lock_init(&ledger->lock);
    rosters_init(&ledger->rosters);
    r = ledger_open_in(ledger);
    if (r) {
        if (r == OUTCOME_NO_SPACE)
            r = store_refuse(store, "write", -ENOSPC, why);
        else if (r < 0)
            r = store_refuse(store, "read", r, why);
        ledger_drop(ledger);
        return r;
    }
    *ret = ledger;
    return 0;
}

int ledger_open(const char *dir, struct ledger **ret, struct refusal *why)
{
    static const struct ledger_options durable = {.no_sync = false};

    return ledger_open_with(dir, &durable, ret, why);
}

void ledger_close(struct ledger *ledger)
{
    if (ledger->in_batch)
        ledger_abort(ledger);
    /* What can't be written now is rebuilt at the next start. */
    (void)ledger_checkpoint(ledger, UINT_MAX);
    ledger_drop(ledger);
}

int ledger_free_space(struct ledger *ledger, uint64_t *ret_bytes)
{
    return store_free_space(ledger->store, ret_bytes);
}

/* ---- write ---- */

int ledger_begin(struct ledger *ledger)
{
    assert(!ledger->in_batch);
    int r = txn_begin(ledger->store, &ledger->txn);
    if (r)
        return r;
    ledger->in_batch = true;
    ledger->n_moves = 0;
    ledger->agents_changed = ledger->names_added = ledger->runs_moved = false;
    return 0;
}

void ledger_abort(struct ledger *ledger)
{
    assert(ledger->in_batch);
    txn_abort(&ledger->txn);
    ledger->in_batch = false;
    ledger->meta = ledger->committed_meta;
}

static int meta_put(struct ledger *ledger)
{
    struct slice bytes = {.at = (const char *)&ledger->meta, .size = sizeof(ledger->meta)};

    return table_put(&ledger->txn, TABLE_META, u64_slice(&meta_key), bytes);
}

static int meta_write(struct ledger *ledger)
{
    if (memcmp(&ledger->meta, &ledger->committed_meta, sizeof(ledger->meta)) == 0)
        return 0;
    return meta_put(ledger);
}

int batch_write(struct ledger *ledger)
{
    int r = txn_commit(&ledger->txn);

    ledger->in_batch = false;
    if (r < 0) /* it may be on the disk all the same, and is never published */
        atomic_store(&ledger->is_lost, true);
    if (r)
        ledger->meta = ledger->committed_meta;
    else
        ledger->committed_meta = ledger->meta;
    return r;
}

void ledger_publish(struct ledger *ledger)
{
    pthread_rwlock_wrlock(&ledger->lock);
    for (size_t i = 0; i < ledger->n_moves; i++) {
        const struct move *move = &ledger->moves[i];
        blocks_move(&ledger->blocks, move->seq, move->has_before ? &move->before : NULL,
                    move->has_after ? &move->after : NULL);
    }
    blocks_trim(&ledger->blocks);
    ledger->end_seq = ledger->committed_meta.next_seq;
    ledger->agents_version += ledger->agents_changed;
    ledger->names_version += ledger->names_added;
    ledger->moved_version += ledger->runs_moved;
    /* Not the id the batch had: LMDB writes nothing for a batch that changed nothing. */
    ledger->published = store_last_txn(ledger->store);
    pthread_rwlock_unlock(&ledger->lock);
}

/* The batch ends here, whether or not its meta row could be put (`r`). */
static int batch_end(struct ledger *ledger, int r)
{
    if (r) {
        ledger_abort(ledger);
        return r;
    }
    r = batch_write(ledger);
    if (r)
        return r;
    ledger_publish(ledger);
    return 0;
}

int ledger_commit(struct ledger *ledger)
{
    assert(ledger->in_batch);
    return batch_end(ledger, meta_write(ledger));
}

int ledger_try(struct ledger *ledger)
{
    int r = ledger_begin(ledger);

    return r ? r : batch_end(ledger, meta_put(ledger));
}

int ledger_use(struct ledger *ledger, struct ledger_use *ret)
{
    uint64_t oldest;

    int r = store_oldest_txn(ledger->store, &oldest);
    if (r)
        return r;
    ret->oldest_reader_commits = store_last_txn(ledger->store) - oldest;
    ret->file_bytes = store_file_bytes(ledger->store);
    return 0;
}

uint64_t ledger_refused(const struct ledger *ledger)
{
    return ledger->refused;
}

/* ---- read ---- */

int ledger_reader_open(struct ledger *ledger, struct ledger_reader **ret)
{
    struct ledger_reader *reader = mem_alloc(sizeof(*reader));
    int r = snapshot_open(ledger->store, &reader->txn);

    if (r) {
        mem_free(reader);
        return r;
    }
    reader->ledger = ledger;
    buf_init(&reader->lines, STORED_ROW_MAX);
    *ret = reader;
    return 0;
}

void ledger_reader_close(struct ledger_reader *reader)
{
    snapshot_close(&reader->txn);
    roster_unref(reader->roster);
    filters_release(&reader->filters);
    host_sets_release(&reader->host_sets);
    runs_release(&reader->runs);
    buf_release(&reader->lines);
    packer_release(&reader->packer);
    mem_free(reader);
}

/* True: done, *ret_r says how. False: a commit is between disk and index. */
static bool reader_try(struct ledger_reader *reader, snapshot_copy *copy, void *ret,
                       uint64_t *ret_agents_version, int *ret_r)
{
    struct ledger *ledger = reader->ledger;

    pthread_rwlock_rdlock(&ledger->lock);
    *ret_r = snapshot_renew(&reader->txn);
    bool same = *ret_r || snapshot_id(&reader->txn) == ledger->published;
    if (same && !*ret_r) {
        *ret_agents_version = ledger->agents_version;
        if (copy)
            copy(ledger, ret);
    }
    pthread_rwlock_unlock(&ledger->lock);
    return same;
}

int reader_begin(struct ledger_reader *reader, snapshot_copy *copy, void *ret)
{
    uint64_t agents_version;
    int r;

    while (!reader_try(reader, copy, ret, &agents_version, &r)) {
        snapshot_reset(&reader->txn);
        if (atomic_load(&reader->ledger->is_lost))
            return FAULT(-EIO);
        sched_yield();
    }
    if (r)
        return r;
    r = roster_hold(&reader->ledger->rosters, &reader->roster, &reader->txn, agents_version);
    if (r)
        snapshot_reset(&reader->txn);
    return r;
}

void reader_end(struct ledger_reader *reader)
{
    snapshot_reset(&reader->txn);
}

/* ---- rows of a job ---- */

int head_get(struct txn *txn, uint64_t seq, struct head *ret)
{
    struct slice bytes;
    int r = table_get(txn, TABLE_HEADS, u64_slice(&seq), &bytes);

    return r ? r : head_decode(bytes, ret);
}

/* What one table says must be there, and another does not have. */
static int missing_is_damage(int r)
{
    return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
}

int reader_seq(struct ledger_reader *reader, const struct uuid *id, uint64_t *ret)
{
    struct slice key = {.at = (const char *)id->bytes, .size = sizeof(id->bytes)};
    struct slice bytes;
    int r = table_get(&reader->txn, TABLE_IDS, key, &bytes);

    return r ? r : u64_decode(bytes, ret);
}

int reader_head(struct ledger_reader *reader, uint64_t seq, struct head *ret)
{
    return missing_is_damage(head_get(&reader->txn, seq, ret));
}

int reader_job(struct ledger_reader *reader, uint64_t seq, struct job_row *ret)
{
    struct slice bytes;
    int r = table_get(&reader->txn, TABLE_JOBS, u64_slice(&seq), &bytes);

    return r ? missing_is_damage(r) : job_row_decode(bytes, ret);
}
