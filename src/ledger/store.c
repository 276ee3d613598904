/* SPDX-License-Identifier: MIT */
/*
 * The file of a controller: opened by one at a time, refused unless it is sound as far as that
 * shows at once. What is done in it: table.c.
 *
 * No MDB_WRITEMAP: it is three times slower at single commits, and a stray pointer could write into
 * the map. MDB_NOTLS, because a reader belongs to an answer and not to a thread. MDB_NORDAHEAD:
 * pages are read at random.
 */
#include "ledger/store_inside.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "ledger/damage.h"
#include "ledger/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define READERS_MAX 126

int mdb_errno(int rc)
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
    case MDB_MAP_RESIZED: /* its own size is nonsense */
    case MDB_CURSOR_FULL: /* its tree is deeper than trees are */
    case MDB_BAD_TXN:     /* one of these came before */
    case MDB_BAD_DBI:
        return -EUCLEAN;
    case MDB_READERS_FULL:
        return -EMFILE;
    case MDB_BAD_VALSIZE:
        return -EMSGSIZE;
    }
    return -EIO;
}

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

int store_damaged(const struct store *store, const char *what, struct refusal *why)
{
    return refuse(why, OUTCOME_UNAVAILABLE, NULL, DAMAGE_TEXT "%s; " DAMAGE_ADVICE, store->name,
                  what);
}

int store_refuse(const struct store *store, const char *what, int negative_errno,
                 struct refusal *why)
{
    char room[64];

    if (negative_errno == -EUCLEAN)
        return store_damaged(store, fault_text(), why);
    return refuse(why, OUTCOME_UNAVAILABLE, NULL, "can't %s the ledger in %s: %s", what,
                  store->name, strerror_r(-negative_errno, room, sizeof(room)));
}

static int refuse_network(const struct store *store, struct refusal *why)
{
    struct statfs fs;

    if (statfs(store->dir, &fs) < 0)
        return store_refuse(store, "look at", -errno, why);
    for (size_t i = 0; i < COUNT_OF(network_file_systems); i++) {
        if ((uint32_t)fs.f_type == network_file_systems[i].magic)
            return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                          "%s is on a network file system (%s); the ledger needs a local disk",
                          store->name, network_file_systems[i].name);
    }
    return 0;
}

/* The lock goes with the process, however it ends. */
static int store_lock(struct store *store, struct refusal *why)
{
    int dir_fd CLEANUP(fd_closep) = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0)
        return store_refuse(store, "open", -errno, why);
    store->lock_fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock_fd < 0)
        return store_refuse(store, "lock", -errno, why);
    if (!FAULT_POINT("store.lock") && flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return refuse(why, OUTCOME_CONFLICT, NULL, "another controller has the ledger in %s",
                      store->name);
    return store_refuse(store, "lock", -errno, why);
}

static void on_assertion(MDB_env *env, const char *text)
{
    (void)env;
    damage_end(text);
}

static int env_open(struct store *store, const char *path, unsigned flags, struct refusal *why)
{
    int dead;
    int rc = mdb_env_create(&store->env);

    if (rc)
        return MDB_FAULT(rc);
    damage_watch(store->name);
    rc = mdb_env_set_assert(store->env, on_assertion);
    if (!rc)
        rc = mdb_env_set_mapsize(store->env, MAP_SIZE);
    if (!rc)
        rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    if (!rc)
        rc = mdb_env_set_maxreaders(store->env, READERS_MAX);
    damage_in_lmdb = true;
    if (!rc)
        rc = FAULT_POINT("store.open") ? errno : mdb_env_open(store->env, path, flags, 0600);
    if (!rc)
        rc = mdb_reader_check(store->env, &dead);
    damage_in_lmdb = false;
    if (rc == MDB_INVALID)
        return store_damaged(store, NO_LMDB_FILE, why);
    return rc ? MDB_FAULT(rc) : 0;
}

static const struct table_row {
    const char *name;
    unsigned flags;
} table_rows[] = {
#define X(id, name_, number_keys)                                                                  \
    [TABLE_##id] = {.name = (name_), .flags = (number_keys) ? MDB_INTEGERKEY : 0},
    STORE_TABLES(X)
#undef X
};

const char *table_name(enum table table)
{
    return table_rows[table].name;
}

int table_open(struct store *store, struct txn *txn, enum table table, unsigned flags)
{
    const struct table_row *row = &table_rows[table];

    damage_in_lmdb = true;
    int rc = mdb_dbi_open(txn->mdb, row->name, row->flags | flags, &store->tables[table]);
    damage_in_lmdb = false;
    if (rc == MDB_NOTFOUND)
        return OUTCOME_NOT_FOUND;
    return rc ? MDB_FAULT(rc) : 0;
}

static const uint64_t meta_key = 0;

static int format_make(struct txn *txn)
{
    struct meta_row meta = {.format = LEDGER_FORMAT, .next_seq = 1};

    return table_put(txn, TABLE_META, u64_slice(&meta_key),
                     (struct slice){.at = (const char *)&meta, .size = sizeof(meta)});
}

int store_read_format(const struct store *store, struct txn *txn, uint32_t *ret,
                      struct refusal *why)
{
    struct slice bytes;
    uint32_t format;
    int r = table_get(txn, TABLE_META, u64_slice(&meta_key), &bytes);

    if (r == OUTCOME_NOT_FOUND)
        return store_damaged(store, NO_LEDGER, why);
    if (r)
        return r;
    if (bytes.size < sizeof(format))
        return FAULT(-EUCLEAN);
    memcpy(&format, bytes.at, sizeof(format));
    if (format > LEDGER_FORMAT)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                      "the ledger in %s has format %u, this version knows formats up to %u: it was "
                      "written by a newer version",
                      store->name, format, LEDGER_FORMAT);
    *ret = format;
    return 0;
}

/* A newer format is refused before anything is touched: its tables may be others. What an older
   version did not have is made; in a file of today's format all tables are there, and to make one
   would be to write into damage. */
static int tables_open_in(struct store *store, struct txn *txn, bool is_new, struct refusal *why)
{
    uint32_t format = 0;
    int r = table_open(store, txn, TABLE_META, is_new ? MDB_CREATE : 0);

    if (r == OUTCOME_NOT_FOUND)
        return store_damaged(store, NO_LEDGER, why);
    if (!r)
        r = is_new ? format_make(txn) : store_read_format(store, txn, &format, why);
    for (unsigned table = 0; !r && table < TABLE_COUNT; table++) {
        if (table != TABLE_META)
            r = table_open(store, txn, table, format < LEDGER_FORMAT ? MDB_CREATE : 0);
        if (r == OUTCOME_NOT_FOUND)
            r = store_damaged(store, NO_TABLE, why);
    }
    return r;
}

static int tables_open(struct store *store, bool is_new, struct refusal *why)
{
    struct txn txn;
    int r = txn_begin(store, &txn);

    if (r)
        return r;
    r = tables_open_in(store, &txn, is_new, why);
    if (!r)
        return txn_commit(&txn);
    txn_abort(&txn);
    return r;
}

/* ---- the file ---- */

#define DATA_NAME "data.mdb"
#define LOCK_NAME "lock.mdb"
#define NEW_NAME  "new.mdb"

char *store_path(const struct store *store, const char *name)
{
    size_t size = strlen(store->dir) + strlen(name) + 2;
    char *path = mem_alloc(size);

    snprintf(path, size, "%s/%s", store->dir, name);
    return path;
}

/* A file gets its name when it is whole, and a lock file beside it later: without the one or the
   other something was taken away. */
int store_check_file(const struct store *store, struct refusal *why)
{
    char *path CLEANUP(mem_freep) = store_path(store, DATA_NAME);
    char *lock CLEANUP(mem_freep) = store_path(store, LOCK_NAME);
    struct stat file;

    if (stat(path, &file) == 0) {
        if (S_ISREG(file.st_mode) && file.st_size > 0)
            return 0;
        return store_damaged(store, "its " DATA_NAME " is empty, or no file at all", why);
    }
    if (errno != ENOENT)
        return store_refuse(store, "open", -errno, why);
    if (access(lock, F_OK) == 0)
        return store_damaged(store, "its " DATA_NAME " is gone", why);
    return OUTCOME_NOT_FOUND;
}

static int file_make(struct store *store, unsigned flags, struct refusal *why)
{
    char *made CLEANUP(mem_freep) = store_path(store, NEW_NAME);
    char *path CLEANUP(mem_freep) = store_path(store, DATA_NAME);

    if (unlink(made) < 0 && errno != ENOENT) /* of a start that was killed here */
        return FAULT(-errno);
    int r = env_open(store, made, flags | MDB_NOSUBDIR | MDB_NOLOCK, why);
    if (!r)
        r = tables_open(store, true, why);
    if (store->env)
        mdb_env_close(store->env);
    store->env = NULL;
    if (!r && (FAULT_POINT("store.rename") || rename(made, path) < 0))
        r = FAULT(-errno);
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

static int file_open(struct store *store, bool no_sync, struct refusal *why)
{
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (no_sync ? MDB_NOSYNC : 0);
    int r = store_check_file(store, why);

    if (r == OUTCOME_NOT_FOUND)
        r = file_make(store, flags, why);
    if (!r)
        r = env_open(store, store->dir, flags, why);
    if (!r)
        r = tables_open(store, false, why);
    if (!r && !no_sync)
        r = store_sync_dirs(store);
    return r;
}

static int store_open_in(struct store *store, bool no_sync, struct refusal *why)
{
    int r = dir_make(store->dir, 0700);

    if (r < 0)
        return store_refuse(store, "make", r, why);
    store_find_name(store);
    r = refuse_network(store, why);
    if (!r)
        r = store_lock(store, why);
    if (r)
        return r;
    r = file_open(store, no_sync, why);
    if (r == OUTCOME_NO_SPACE)
        return store_refuse(store, "write", -ENOSPC, why);
    return r < 0 ? store_refuse(store, "open", r, why) : r;
}

struct store *store_new(const char *dir)
{
    struct store *store = mem_alloc(sizeof(*store));

    store->dir = mem_strdup(dir);
    store->name = mem_strdup(dir);
    store->lock_fd = -1;
    return store;
}

void store_find_name(struct store *store)
{
    char absolute[PATH_MAX];

    if (!realpath(store->dir, absolute))
        return;
    mem_free(store->name);
    store->name = mem_strdup(absolute);
}

int store_open(const char *dir, bool no_sync, struct store **ret, struct refusal *why)
{
    struct store *store = store_new(dir);
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
    mem_free(store->name);
    mem_free(store);
}

const char *store_name(const struct store *store)
{
    return store->name;
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

void store_drop_dead_readers(struct store *store)
{
    int dead;

    /* What it can't tell now it tells the next time. */
    (void)mdb_reader_check(store->env, &dead);
}

uint64_t store_file_bytes(struct store *store)
{
    MDB_envinfo info;
    MDB_stat stat;

    mdb_env_info(store->env, &info);
    mdb_env_stat(store->env, &stat);
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}
