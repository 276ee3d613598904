/* SPDX-License-Identifier: MIT */
/*
 * LMDB's transactions and tables, wrapped once.
 *
 * Whatever can meet a page of the file is marked as being inside of LMDB: a fault of memory there
 * is damage (damage.h).
 */
#include "ledger/store_inside.h"

#include "base/fault.h"
#include "base/mem.h"
#include "ledger/damage.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Less than any batch, and than what a file system keeps for itself. */
#define SHORT_OF_BYTES ((uint64_t)1 << 20)

/* ---- transactions ---- */

int txn_begin(struct store *store, struct txn *ret)
{
    *ret = (struct txn){.store = store, .writes = true};
    int rc = FAULT_POINT("store.begin") ? errno : mdb_txn_begin(store->env, NULL, 0, &ret->mdb);
    return rc ? MDB_FAULT(rc) : 0;
}

static void cursors_close(struct txn *txn)
{
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        if (txn->cursors[table])
            mdb_cursor_close(txn->cursors[table]);
        txn->cursors[table] = NULL;
    }
}

/* What a commit meets before it touches a page that is in use: a disk that is full, over its quota
   or read-only. LMDB has then dropped the batch and can go on. A write that the disk took a part of
   is an EIO of its own; with nothing left on the disk, that is why. Everything else, above all a
   failed sync, leaves unknown what is on the disk: only a start finds out. */
static bool is_disk_refusal(struct store *store, int rc)
{
    uint64_t free_bytes;

    if (rc == EIO)
        return store_free_space(store, &free_bytes) == 0 && free_bytes < SHORT_OF_BYTES;
    return rc == ENOSPC || rc == EDQUOT || rc == EROFS;
}

int txn_commit(struct txn *txn)
{
    int rc = 0;

    cursors_close(txn);
    if (FAULT_POINT("store.commit")) {
        rc = errno;
        mdb_txn_abort(txn->mdb);
    } else {
        damage_in_lmdb = true;
        rc = mdb_txn_commit(txn->mdb);
        damage_in_lmdb = false;
    }
    txn->mdb = NULL;
    if (!rc && FAULT_POINT("store.committed"))
        return FAULT(-errno);
    if (!rc)
        return 0;
    int fault = MDB_FAULT(rc);
    return is_disk_refusal(txn->store, rc) ? OUTCOME_NO_SPACE : fault;
}

void txn_abort(struct txn *txn)
{
    cursors_close(txn);
    mdb_txn_abort(txn->mdb);
    txn->mdb = NULL;
}

int snapshot_open(struct store *store, struct txn *ret)
{
    *ret = (struct txn){.store = store};
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &ret->mdb);
    if (rc)
        return MDB_FAULT(rc);
    mdb_txn_reset(ret->mdb);
    return 0;
}

void snapshot_close(struct txn *snapshot)
{
    txn_abort(snapshot);
}

int snapshot_renew(struct txn *snapshot)
{
    int rc = FAULT_POINT("store.read") ? errno : mdb_txn_renew(snapshot->mdb);

    damage_in_lmdb = true; /* a cursor that is renewed finds its table's root */
    for (unsigned table = 0; !rc && table < TABLE_COUNT; table++) {
        if (snapshot->cursors[table])
            rc = mdb_cursor_renew(snapshot->mdb, snapshot->cursors[table]);
    }
    damage_in_lmdb = false;
    return rc ? MDB_FAULT(rc) : 0;
}

void snapshot_reset(struct txn *snapshot)
{
    mdb_txn_reset(snapshot->mdb);
}

uint64_t snapshot_id(const struct txn *snapshot)
{
    return mdb_txn_id(snapshot->mdb);
}

int snapshot_used_bytes(struct txn *snapshot, uint64_t *ret)
{
    MDB_dbi dbis[TABLE_COUNT + 2] = {FREE_DBI, MAIN_DBI};
    uint64_t bytes = 0;
    MDB_stat stat;

    memcpy(dbis + 2, snapshot->store->tables, sizeof(snapshot->store->tables));
    for (size_t i = 0; i < COUNT_OF(dbis); i++) {
        if (dbis[i] == TABLE_ABSENT)
            continue;
        int rc = mdb_stat(snapshot->mdb, dbis[i], &stat);
        if (rc)
            return MDB_FAULT(rc);
        bytes += (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
                 (uint64_t)stat.ms_psize;
    }
    *ret = bytes + META_PAGES * (uint64_t)stat.ms_psize;
    return 0;
}

/* ---- tables ---- */

static MDB_val mdb_val(struct slice bytes)
{
    union {
        const char *in;
        void *out;
    } at = {.in = bytes.at}; /* LMDB does not write there */

    return (MDB_val){.mv_data = at.out, .mv_size = bytes.size};
}

static struct slice mdb_slice(MDB_val val)
{
    return (struct slice){.at = val.mv_data, .size = val.mv_size};
}

static int cursor_get(struct txn *txn, enum table table, MDB_cursor_op op, MDB_val *key,
                      MDB_val *value)
{
    MDB_cursor **cursor = &txn->cursors[table];
    int rc = 0;

    if (txn->store->tables[table] == TABLE_ABSENT)
        return OUTCOME_NOT_FOUND;
    damage_in_lmdb = true;
    if (!*cursor)
        rc = mdb_cursor_open(txn->mdb, txn->store->tables[table], cursor);
    if (!rc)
        rc = mdb_cursor_get(*cursor, key, value, op);
    damage_in_lmdb = false;
    if (rc == MDB_NOTFOUND)
        return OUTCOME_NOT_FOUND;
    return rc ? MDB_FAULT(rc) : 0;
}

int table_get(struct txn *txn, enum table table, struct slice key, struct slice *ret)
{
    MDB_val mdb_key = mdb_val(key);
    MDB_val value;

    if (!txn->writes) {
        /* The rows of a page are neighbours: a cursor that stands near finds them without a walk
           from the root. */
        int r = cursor_get(txn, table, MDB_SET, &mdb_key, &value);
        if (r)
            return r;
    } else {
        damage_in_lmdb = true;
        int rc = mdb_get(txn->mdb, txn->store->tables[table], &mdb_key, &value);
        damage_in_lmdb = false;
        if (rc == MDB_NOTFOUND)
            return OUTCOME_NOT_FOUND;
        if (rc)
            return MDB_FAULT(rc);
    }
    *ret = mdb_slice(value);
    return 0;
}

static int table_put_as(struct txn *txn, enum table table, struct slice key, struct slice value,
                        unsigned flags)
{
    MDB_val mdb_key = mdb_val(key);
    MDB_val mdb_value = mdb_val(value);

    assert(txn->writes);
    if (FAULT_POINT("store.put"))
        return errno;
    damage_in_lmdb = true;
    int rc = mdb_put(txn->mdb, txn->store->tables[table], &mdb_key, &mdb_value, flags);
    damage_in_lmdb = false;
    return rc;
}

int table_find(struct txn *txn, enum table table, struct slice key, struct slice *ret)
{
    MDB_val mdb_key = mdb_val(key);
    MDB_val value;

    if (txn->store->tables[table] == TABLE_ABSENT)
        return OUTCOME_NOT_FOUND;
    int rc = mdb_get(txn->mdb, txn->store->tables[table], &mdb_key, &value);
    if (rc == MDB_NOTFOUND)
        return OUTCOME_NOT_FOUND;
    if (rc)
        return MDB_FAULT(rc);
    *ret = mdb_slice(value);
    return 0;
}

int table_put(struct txn *txn, enum table table, struct slice key, struct slice value)
{
    int rc = table_put_as(txn, table, key, value, 0);

    return rc ? MDB_FAULT(rc) : 0;
}

int table_append(struct txn *txn, enum table table, struct slice key, struct slice value)
{
    int rc = table_put_as(txn, table, key, value, MDB_APPEND);

    if (rc == MDB_KEYEXIST) /* not the last; nothing was changed */
        return table_put(txn, table, key, value);
    return rc ? MDB_FAULT(rc) : 0;
}

int table_delete(struct txn *txn, enum table table, struct slice key)
{
    MDB_val mdb_key = mdb_val(key);

    damage_in_lmdb = true;
    int rc = mdb_del(txn->mdb, txn->store->tables[table], &mdb_key, NULL);
    damage_in_lmdb = false;
    if (rc == MDB_NOTFOUND)
        return OUTCOME_NOT_FOUND;
    return rc ? MDB_FAULT(rc) : 0;
}

int table_seek(struct txn *txn, enum table table, struct slice key, struct slice *ret_key,
               struct slice *ret_value)
{
    MDB_val mdb_key = mdb_val(key);
    MDB_val value;
    int r = cursor_get(txn, table, MDB_SET_RANGE, &mdb_key, &value);

    if (r)
        return r;
    *ret_key = mdb_slice(mdb_key);
    *ret_value = mdb_slice(value);
    return 0;
}

static int cursor_move(struct txn *txn, enum table table, MDB_cursor_op op, struct slice *ret_key,
                       struct slice *ret_value)
{
    MDB_val key, value;
    int r = cursor_get(txn, table, op, &key, &value);

    if (r)
        return r;
    *ret_key = mdb_slice(key);
    *ret_value = mdb_slice(value);
    return 0;
}

int table_next(struct txn *txn, enum table table, struct slice *ret_key, struct slice *ret_value)
{
    return cursor_move(txn, table, MDB_NEXT, ret_key, ret_value);
}

int table_first(struct txn *txn, enum table table, struct slice *ret_key, struct slice *ret_value)
{
    return cursor_move(txn, table, MDB_FIRST, ret_key, ret_value);
}

int table_last(struct txn *txn, enum table table, struct slice *ret_key, struct slice *ret_value)
{
    return cursor_move(txn, table, MDB_LAST, ret_key, ret_value);
}

void value_fetch(struct slice value)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)value.at / page * page;

    /* Advice only: what the kernel makes of it changes no result. */
    (void)madvise((void *)begin, (uintptr_t)value.at + value.size - begin, MADV_WILLNEED);
}
