/* SPDX-License-Identifier: MIT */
/*
 * The two ways to make something durable, without anything of Reeve around them: a record appended
 * to a file, and an LMDB commit of five tables.
 *
 * Each returns when its bytes are on the disk. Whatever fails ends the program.
 */
#ifndef REEVE_BENCH_DURABLE_H
#define REEVE_BENCH_DURABLE_H

#include <lmdb.h>
#include <stdint.h>

#define DURABLE_TABLES 5

struct durable {
    char dir[512];
    int log_fd;
    MDB_env *env;
    MDB_dbi tables[DURABLE_TABLES];
    uint64_t next_key;
};

/* A file and an environment of some hundred megabytes in a new directory beneath `parent`. */
void durable_open(struct durable *durable, const char *parent);
/* Removes them. */
void durable_remove(struct durable *durable);

/* 400 bytes, and one fdatasync. */
void durable_append(struct durable *durable);
/* Rows of 400 bytes, each of them in each table. */
void durable_commit(struct durable *durable, unsigned n_rows);

#endif
