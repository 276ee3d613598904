/* SPDX-License-Identifier: MIT */
/*
 * LMDB, wrapped once.
 *
 * No MDB_WRITEMAP: it is three times slower at single commits, and a stray pointer could write into
 * the map. MDB_NOTLS, because a reader belongs to an answer and not to a thread. MDB_NORDAHEAD:
 * pages are read at random.
 */
#include "ledger/store.h"

#include "base/file.h"
#include "base/mem.h"
#include "ledger/damage.h"
#include "ledger/stored.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAP_SIZE    ((size_t)1 << 40) /* sparse: address space, not disk */
#define READERS_MAX 126

struct store {
    char *dir;
    int lock_fd;
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
};

/* LMDB's own codes in terms of errno. */
static int mdb_errno(int rc)
{
    if (rc > 0)
        return -rc;
    switch (rc) {
    case MDB_MAP_FULL:
        return -ENOSPC;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
        return -EUCLEAN;
    case MDB_READERS_FULL:
        return -EMFILE;
    case MDB_BAD_VALSIZE:
        return -EMSGSIZE;
    }
    return -EIO;
}

#define MDB_FAULT(rc) FAULT(mdb_errno(rc))

/* ---- open ---- */

/* statfs(2). Neither locks nor coherent maps can be had there. */
static const struct network_fs {
    uint32_t magic;
    const char *name;
} network_file_systems[] = {
    {.magic = 0x6969, .name = "NFS"},      {.magic = 0x517B, .name = "SMB"},
    {.magic = 0xFF534D42, .name = "CIFS"}, {.magic = 0xFE534D42, .name = "SMB2"},
    {.magic = 0x01021997, .name = "9p"},   {.magic = 0x5346414F, .name = "AFS"},
    {.magic = 0x6B414653, .name = "AFS"},  {.magic = 0x00C36400, .name = "Ceph"},
    {.magic = 0x73757245, .name = "Coda"},
};

static int refuse_errno(struct refusal *why, const char *what, const char *dir, int negative_errno)
{
    char room[64];

    return refuse(why, OUTCOME_UNAVAILABLE, NULL, "can't %s the ledger in %s: %s", what, dir,
                  strerror_r(-negative_errno, room, sizeof(room)));
}

static int refuse_network(const char *dir, struct refusal *why)
{
    struct statfs fs;

    if (statfs(dir, &fs) < 0)
        return refuse_errno(why, "look at", dir, -errno);
    for (size_t i = 0; i < COUNT_OF(network_file_systems); i++) {
        if ((uint32_t)fs.f_type == network_file_systems[i].magic)
            return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                          "%s is on a network file system (%s); the ledger needs a local disk", dir,
                          network_file_systems[i].name);
    }
    return 0;
}

/* The lock goes with the process, however it ends. */
static int store_lock(struct store *store, struct refusal *why)
{
    int dir_fd CLEANUP(fd_closep) = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0)
        return refuse_errno(why, "open", store->dir, -errno);
    store->lock_fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock_fd < 0)
        return refuse_errno(why, "lock", store->dir, -errno);
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return refuse(why, OUTCOME_CONFLICT, NULL, "another controller has the ledger in %s",
                      store->dir);
    return refuse_errno(why, "lock", store->dir, -errno);
}

static void on_assertion(MDB_env *env, const char *text)
{
    (void)env;
    damage_end(text);
}

static int env_open(struct store *store, bool no_sync)
{
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (no_sync ? MDB_NOSYNC : 0);
    int dead;
    int rc = mdb_env_create(&store->env);

    if (rc)
        return MDB_FAULT(rc);
    damage_watch(store->dir);
    rc = mdb_env_set_assert(store->env, on_assertion);
    if (!rc)
        rc = mdb_env_set_mapsize(store->env, MAP_SIZE);
    if (!rc)
        rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    if (!rc)
        rc = mdb_env_set_maxreaders(store->env, READERS_MAX);
    if (!rc)
        rc = mdb_env_open(store->env, store->dir, flags, 0600);
    if (!rc)
        rc = mdb_reader_check(store->env, &dead);
    return rc ? MDB_FAULT(rc) : 0;
}

static const struct table_row {
    const char *name;
    unsigned flags;
} table_rows[] = {
#define X(id, name_, number_keys)                                                                  \
    [TABLE_##id] = {.name = (name_), .flags = MDB_CREATE | ((number_keys) ? MDB_INTEGERKEY : 0)},
    STORE_TABLES(X)
#undef X
};

static int table_open(struct store *store, struct txn *txn, enum table table)
{
    const struct table_row *row = &table_rows[table];
    int rc = mdb_dbi_open(txn->mdb, row->name, row->flags, &store->tables[table]);

    return rc ? MDB_FAULT(rc) : 0;
}

/* A newer format is refused before anything is touched: its tables may be others. */
static int format_check_or_make(struct store *store, struct txn *txn, struct refusal *why)
{
    static const uint64_t key = 0;
    struct slice bytes;
    struct meta_row meta;
    int r = table_get(txn, TABLE_META, u64_slice(&key), &bytes);

    if (r == OUTCOME_NOT_FOUND) {
        meta = (struct meta_row){.format = LEDGER_FORMAT, .next_seq = 1};
        return table_put(txn, TABLE_META, u64_slice(&key),
                         (struct slice){.at = (const char *)&meta, .size = sizeof(meta)});
    }
    if (r)
        return r;
    if (bytes.size < sizeof(meta.format))
        return FAULT(-EUCLEAN);
    memcpy(&meta.format, bytes.at, sizeof(meta.format));
    if (meta.format > LEDGER_FORMAT)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                      "the ledger in %s has format %u, this version knows formats up to %u: it was "
                      "written by a newer version",
                      store->dir, meta.format, LEDGER_FORMAT);
    return 0;
}

static int tables_open(struct store *store, struct refusal *why)
{
    struct txn txn;
    int r = txn_begin(store, &txn);

    if (r)
        return r;
    r = table_open(store, &txn, TABLE_META);
    if (!r)
        r = format_check_or_make(store, &txn, why);
    for (unsigned table = 0; !r && table < TABLE_COUNT; table++) {
        if (table != TABLE_META)
            r = table_open(store, &txn, table);
    }
    if (!r)
        return txn_commit(&txn);
    txn_abort(&txn);
    return r;
}

/* A file that was just made lasts only when the directories that lead to it do. */
static int store_sync_dirs(struct store *store)
{
    size_t size = strlen(store->dir) + sizeof("/..");
    char *parent CLEANUP(mem_freep) = mem_alloc(size);
    int r = dir_sync(store->dir);

    if (r)
        return FAULT(r);
    snprintf(parent, size, "%s/..", store->dir);
    r = dir_sync(parent);
    /* The parent may be readable to root alone; whoever made the directory there has synced it. */
    return r == -EACCES || r == -EPERM ? 0 : r;
}

static int store_open_in(struct store *store, bool no_sync, struct refusal *why)
{
    int r = dir_make(store->dir, 0700);

    if (r < 0)
        return refuse_errno(why, "make", store->dir, r);
    r = refuse_network(store->dir, why);
    if (r)
        return r;
    r = store_lock(store, why);
    if (r)
        return r;
    r = env_open(store, no_sync);
    if (!r)
        r = tables_open(store, why);
    if (!r && !no_sync)
        r = store_sync_dirs(store);
    return r < 0 ? refuse_errno(why, "open", store->dir, r) : r;
}

int store_open(const char *dir, bool no_sync, struct store **ret, struct refusal *why)
{
    struct store *store = mem_alloc(sizeof(*store));

    store->dir = mem_strdup(dir);
    store->lock_fd = -1;
    int r = store_open_in(store, no_sync, why);
    if (r) {
        store_close(store);
        return r;
    }
    *ret = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->env)
        mdb_env_close(store->env);
    /* Last: while the lock is held nobody else can have opened the file. */
    fd_closep(&store->lock_fd);
    mem_free(store->dir);
    mem_free(store);
}

int store_free_space(struct store *store, uint64_t *ret_bytes)
{
    struct statvfs fs;

    if (statvfs(store->dir, &fs) < 0)
        return FAULT(-errno);
    *ret_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

uint64_t store_last_txn(struct store *store)
{
    MDB_envinfo info;

    mdb_env_info(store->env, &info);
    return info.me_last_txnid;
}

/* A line of mdb_reader_list(): "pid thread txnid", the last "-" for an idle reader. */
static int reader_line(const char *line, void *ret_oldest)
{
    uint64_t *oldest = ret_oldest;
    size_t txn;

    if (sscanf(line, "%*d %*x %zu", &txn) == 1 && txn < *oldest)
        *oldest = txn;
    return 0;
}

int store_oldest_txn(struct store *store, uint64_t *ret)
{
    uint64_t oldest = store_last_txn(store);

    int rc = mdb_reader_list(store->env, reader_line, &oldest);
    if (rc < 0)
        return MDB_FAULT(rc);
    *ret = oldest;
    return 0;
}

uint64_t store_file_bytes(struct store *store)
{
    MDB_envinfo info;
    MDB_stat stat;

    mdb_env_info(store->env, &info);
    mdb_env_stat(store->env, &stat);
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

/* ---- transactions ---- */

int txn_begin(struct store *store, struct txn *ret)
{
    *ret = (struct txn){.store = store, .writes = true};
    int rc = mdb_txn_begin(store->env, NULL, 0, &ret->mdb);
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

int txn_commit(struct txn *txn)
{
    cursors_close(txn);
    int rc = mdb_txn_commit(txn->mdb);
    txn->mdb = NULL;
    return rc ? MDB_FAULT(rc) : 0;
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
    int rc = mdb_txn_renew(snapshot->mdb);

    for (unsigned table = 0; !rc && table < TABLE_COUNT; table++) {
        if (snapshot->cursors[table])
            rc = mdb_cursor_renew(snapshot->mdb, snapshot->cursors[table]);
    }
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

    if (!*cursor)
        rc = mdb_cursor_open(txn->mdb, txn->store->tables[table], cursor);
    if (!rc)
        rc = mdb_cursor_get(*cursor, key, value, op);
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
        int rc = mdb_get(txn->mdb, txn->store->tables[table], &mdb_key, &value);
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
    return mdb_put(txn->mdb, txn->store->tables[table], &mdb_key, &mdb_value, flags);
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
    int rc = mdb_del(txn->mdb, txn->store->tables[table], &mdb_key, NULL);

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

int table_next(struct txn *txn, enum table table, struct slice *ret_key, struct slice *ret_value)
{
    MDB_val key, value;
    int r = cursor_get(txn, table, MDB_NEXT, &key, &value);

    if (r)
        return r;
    *ret_key = mdb_slice(key);
    *ret_value = mdb_slice(value);
    return 0;
}

void value_fetch(struct slice value)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)value.at / page * page;

    /* Advice only: what the kernel makes of it changes no result. */
    (void)madvise((void *)begin, (uintptr_t)value.at + value.size - begin, MADV_WILLNEED);
}
