/* SPDX-License-Identifier: MIT */
/*
 * A ledger's file opened to be read alone, for a check or a backup, and what those ask of LMDB.
 *
 * A controller may run meanwhile: a snapshot is entered in its lock file, so that it uses no page
 * of it again. Nothing else is written.
 */
#include "ledger/store_inside.h"

#include "base/mem.h"
#include "ledger/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- open ---- */

/* Its text goes nowhere: whoever waits for this process tells what happened. */
static void on_assertion(MDB_env *env, const char *text)
{
    (void)env;
    (void)text;
    abort();
}

/* With read-ahead: what is read is read whole. */
static int env_open_to_read(struct store *store, unsigned flags, struct refusal *why)
{
    int rc = mdb_env_create(&store->env);

    if (rc)
        return MDB_FAULT(rc);
    rc = mdb_env_set_assert(store->env, on_assertion);
    if (!rc)
        rc = mdb_env_set_mapsize(store->env, MAP_SIZE);
    if (!rc)
        rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    if (!rc)
        rc = mdb_env_open(store->env, store->dir, MDB_RDONLY | MDB_NOTLS | flags, 0600);
    if (!rc)
        return 0;
    mdb_env_close(store->env);
    store->env = NULL;
    return rc == MDB_INVALID ? store_damaged(store, NO_LMDB_FILE, why) : MDB_FAULT(rc);
}

/* Where the lock file can't be written (a medium that is read-only, a copy of somebody else's), no
   controller can be told of the snapshot; so there may be none, and none may start meanwhile. */
static int env_open_unlocked(struct store *store, struct refusal *why)
{
    char *path CLEANUP(mem_freep) = store_path(store, "lock");

    store->lock_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (store->lock_fd >= 0 && flock(store->lock_fd, LOCK_SH | LOCK_NB) < 0)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                      "a controller has the ledger in %s, and this user can't write its lock.mdb: "
                      "be the user of the controller",
                      store->name);
    return env_open_to_read(store, MDB_NOLOCK, why);
}

static int tables_open_to_read(struct store *store, struct refusal *why)
{
    struct txn txn = {.store = store};
    uint32_t format;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn.mdb);

    if (rc)
        return MDB_FAULT(rc);
    bool some_absent = false;
    int r = 0;
    for (unsigned table = 0; !r && table < TABLE_COUNT; table++) {
        r = table_open(store, &txn, table, 0);
        if (r != OUTCOME_NOT_FOUND)
            continue;
        store->tables[table] = TABLE_ABSENT;
        some_absent = true;
        r = 0;
    }
    if (!r)
        r = store_read_format(store, &txn, &format, why);
    if (!r && some_absent && format == LEDGER_FORMAT)
        r = store_damaged(store, NO_TABLE, why);
    if (r) {
        txn_abort(&txn);
        return r;
    }
    return txn_commit(&txn); /* which keeps the tables open */
}

static int store_open_in(struct store *store, struct refusal *why)
{
    int r = store_check_file(store, why);

    if (r == OUTCOME_NOT_FOUND)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "there is no ledger in %s", store->name);
    if (r)
        return r;
    r = env_open_to_read(store, 0, why);
    if (r == -EACCES || r == -EROFS || r == -EPERM)
        r = env_open_unlocked(store, why);
    return r ? r : tables_open_to_read(store, why);
}

int store_open_to_read(const char *dir, struct store **ret, struct refusal *why)
{
    struct store *store = store_new(dir);

    store_find_name(store);
    int r = store_open_in(store, why);
    if (r < 0)
        r = store_refuse(store, "read", r, why);
    if (r) {
        store_close(store);
        return r;
    }
    *ret = store;
    return 0;
}

/* ---- the tables as LMDB sees them ---- */

int table_count(struct txn *txn, enum table table, uint64_t *ret)
{
    MDB_stat stat = {.ms_entries = 0};
    int rc = 0;

    if (txn->store->tables[table] != TABLE_ABSENT)
        rc = mdb_stat(txn->mdb, txn->store->tables[table], &stat);
    if (rc)
        return MDB_FAULT(rc);
    *ret = stat.ms_entries;
    return 0;
}

static bool is_table(MDB_val name)
{
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        if (strlen(table_name(table)) == name.mv_size &&
            memcmp(table_name(table), name.mv_data, name.mv_size) == 0)
            return true;
    }
    return false;
}

int snapshot_each_stranger(struct txn *txn, void (*each)(void *owner, struct slice name),
                           void *owner)
{
    MDB_cursor *cursor;
    MDB_val name, value;
    int rc = mdb_cursor_open(txn->mdb, MAIN_DBI, &cursor);

    if (rc)
        return MDB_FAULT(rc);
    for (unsigned n = 0; !rc && n <= 2 * TABLE_COUNT; n++) {
        rc = mdb_cursor_get(cursor, &name, &value, MDB_NEXT);
        if (!rc && !is_table(name))
            each(owner, (struct slice){.at = name.mv_data, .size = name.mv_size});
    }
    mdb_cursor_close(cursor);
    return rc && rc != MDB_NOTFOUND ? MDB_FAULT(rc) : 0;
}

/* ---- pages ---- */

/* A list: its length, then numbers of pages, descending. */
static void add_free_list(MDB_val value, uint8_t *seen, struct page_use *use)
{
    size_t n_words = value.mv_size / sizeof(size_t);
    size_t n = 0;

    if (n_words > 0)
        memcpy(&n, value.mv_data, sizeof(n));
    if (n_words == 0 || n > n_words - 1) {
        use->damaged++;
        return;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t page;
        memcpy(&page, (const char *)value.mv_data + i * sizeof(page), sizeof(page));
        if (page < META_PAGES || page >= use->total || seen[page / 8] & 1u << page % 8) {
            use->damaged++;
            continue;
        }
        seen[page / 8] |= (uint8_t)(1u << page % 8);
        use->free++;
    }
}

static int read_free_lists(struct txn *txn, uint8_t *seen, struct page_use *use)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    size_t id, last_id = 0;
    int rc = mdb_cursor_open(txn->mdb, FREE_DBI, &cursor);

    if (rc)
        return MDB_FAULT(rc);
    while (!(rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        if (key.mv_size == sizeof(id))
            memcpy(&id, key.mv_data, sizeof(id));
        if (key.mv_size != sizeof(id) || id <= last_id) { /* it might have no end */
            use->damaged++;
            break;
        }
        last_id = id;
        add_free_list(value, seen, use);
    }
    mdb_cursor_close(cursor);
    return rc && rc != MDB_NOTFOUND ? MDB_FAULT(rc) : 0;
}

int snapshot_renew_newest(struct txn *snapshot, uint64_t *ret_pages)
{
    MDB_envinfo info;

    for (;;) {
        int r = snapshot_renew(snapshot);
        if (r)
            return r;
        mdb_env_info(snapshot->store->env, &info);
        if (info.me_last_txnid <= snapshot_id(snapshot))
            break;
        snapshot_reset(snapshot); /* a commit came between the two */
    }
    *ret_pages = (uint64_t)info.me_last_pgno + 1;
    return 0;
}

int snapshot_page_use(struct txn *txn, uint64_t n_pages, struct page_use *ret)
{
    struct page_use use = {.total = n_pages};
    MDB_stat stat;
    uint64_t used_bytes;
    int r = snapshot_used_bytes(txn, &used_bytes);

    if (r)
        return r;
    mdb_env_stat(txn->store->env, &stat);
    use.used = used_bytes / stat.ms_psize;
    uint8_t *seen CLEANUP(mem_freep) = mem_alloc(n_pages / 8 + 1);
    r = read_free_lists(txn, seen, &use);
    if (!r)
        *ret = use;
    return r;
}

/* ---- copy ---- */

int store_copy(struct store *store, int fd)
{
    int rc = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);

    return rc ? MDB_FAULT(rc) : 0;
}
