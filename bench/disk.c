/* SPDX-License-Identifier: MIT */
/*
 * What the disk asks for: one appended record made durable, against one LMDB commit of five tables.
 *
 * Both take turns on the same disk, so that what else it does falls on both alike. The ratio is why
 * a batch of records shares one commit. Usage: disk [DIRECTORY]; the directory (default: the
 * current one) gets a file and an LMDB environment of some megabytes, which are removed again.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

#define N_ROUNDS   500
#define N_TABLES   5
#define N_FILLED   100000 /* rows there before: an empty tree costs less */
#define ROW_SIZE   400    /* bytes; what a query leaves in one table */
#define BATCH_SIZE 64     /* rows of a batch, for what sharing a commit saves */

struct disk {
    char dir[512];
    int log_fd;
    MDB_env *env;
    MDB_dbi tables[N_TABLES];
    uint64_t next_key;
};

/* Measurements of one kind, in the order they were taken until they are sorted. */
struct series {
    const char *name;
    int64_t took_us[N_ROUNDS];
    unsigned n;
};

static void check(int rc, const char *what)
{
    if (rc == 0)
        return;
    fprintf(stderr, "disk: %s: %s\n", what, mdb_strerror(rc));
    exit(1);
}

/* ---- the two ways ---- */

static void append_record(struct disk *disk)
{
    static const char record[ROW_SIZE];

    check(-fd_write_all(disk->log_fd, record, sizeof(record)), "write");
    check(fdatasync(disk->log_fd) < 0 ? errno : 0, "fdatasync");
}

static void put_row(struct disk *disk, MDB_txn *txn)
{
    static char row[ROW_SIZE];
    uint64_t key = disk->next_key++;
    MDB_val mdb_key = {.mv_size = sizeof(key), .mv_data = &key};
    MDB_val value = {.mv_size = sizeof(row), .mv_data = row};

    for (unsigned i = 0; i < N_TABLES; i++)
        check(mdb_put(txn, disk->tables[i], &mdb_key, &value, MDB_APPEND), "put");
}

static void commit_rows(struct disk *disk, unsigned n_rows)
{
    MDB_txn *txn;

    check(mdb_txn_begin(disk->env, NULL, 0, &txn), "begin");
    for (unsigned i = 0; i < n_rows; i++)
        put_row(disk, txn);
    check(mdb_txn_commit(txn), "commit");
}

/* ---- set up, clear away ---- */

static void path_of(const struct disk *disk, const char *name, char ret[600])
{
    snprintf(ret, 600, "%s/%s", disk->dir, name);
}

static void tables_open(struct disk *disk)
{
    MDB_txn *txn;

    check(mdb_txn_begin(disk->env, NULL, 0, &txn), "begin");
    for (unsigned i = 0; i < N_TABLES; i++) {
        char name[] = {(char)('a' + i), '\0'};
        check(mdb_dbi_open(txn, name, MDB_CREATE | MDB_INTEGERKEY, &disk->tables[i]), name);
    }
    check(mdb_txn_commit(txn), "commit");
    commit_rows(disk, N_FILLED);
}

static void disk_open(struct disk *disk, const char *parent)
{
    char path[600];

    snprintf(disk->dir, sizeof(disk->dir), "%s/reeve-disk-XXXXXX", parent);
    check(mkdtemp(disk->dir) ? 0 : errno, disk->dir);
    path_of(disk, "log", path);
    disk->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    check(disk->log_fd < 0 ? errno : 0, path);
    check(mdb_env_create(&disk->env), "LMDB");
    check(mdb_env_set_mapsize(disk->env, (size_t)64 << 30), "map size");
    check(mdb_env_set_maxdbs(disk->env, N_TABLES), "tables");
    check(mdb_env_open(disk->env, disk->dir, MDB_NORDAHEAD, 0600), "LMDB");
    tables_open(disk);
}

static void disk_remove(struct disk *disk)
{
    static const char *const names[] = {"log", "data.mdb", "lock.mdb", ""};
    char path[600];

    close(disk->log_fd);
    mdb_env_close(disk->env);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        path_of(disk, names[i], path);
        remove(path);
    }
}

/* ---- measuring ---- */

static void series_add(struct series *series, int64_t began_us)
{
    series->took_us[series->n++] = clock_boot_us() - began_us;
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void series_print(struct series *series)
{
    qsort(series->took_us, series->n, sizeof(series->took_us[0]), compare_times);
    printf("%-36s p50 %6.3f ms  p90 %6.3f ms\n", series->name,
           (double)series->took_us[series->n / 2] / 1000,
           (double)series->took_us[series->n * 9 / 10] / 1000);
}

static double ratio(const struct series *a, const struct series *b)
{
    return (double)a->took_us[a->n / 2] / (double)(b->took_us[b->n / 2] + !b->took_us[b->n / 2]);
}

int main(int argc, char **argv)
{
    static struct series append = {.name = "append 400 bytes, fdatasync"};
    static struct series commit = {.name = "LMDB commit, 1 row in 5 tables"};
    static struct series batch = {.name = "LMDB commit, 64 rows in 5 tables"};
    struct disk disk = {.log_fd = -1};

    disk_open(&disk, argc > 1 ? argv[1] : ".");
    for (unsigned i = 0; i < N_ROUNDS; i++) {
        int64_t began_us = clock_boot_us();
        append_record(&disk);
        series_add(&append, began_us);
        began_us = clock_boot_us();
        commit_rows(&disk, 1);
        series_add(&commit, began_us);
        began_us = clock_boot_us();
        commit_rows(&disk, BATCH_SIZE);
        series_add(&batch, began_us);
    }
    disk_remove(&disk);
    series_print(&append);
    series_print(&commit);
    series_print(&batch);
    printf("a commit costs %.1f appends; 64 rows in one commit cost %.1f single commits\n",
           ratio(&commit, &append), ratio(&batch, &commit));
    return 0;
}
