/* SPDX-License-Identifier: MIT */
/*
 * What the parts of a check share: where findings go, and walks over tables that end whatever the
 * file holds.
 */
#ifndef REEVE_LEDGER_VERIFY_INSIDE_H
#define REEVE_LEDGER_VERIFY_INSIDE_H

#include "ledger/block.h"
#include "ledger/names.h"
#include "ledger/pack.h"
#include "ledger/store.h"
#include "ledger/stored.h"
#include "ledger/verify.h"

/* What was read last, for the case that reading on is the end of the process. */
struct verify_place {
    enum table table;
    bool has_key;
    uint64_t key;
};

/* Names of a kind by their number, which is an index of the bitmaps. */
struct verify_names {
    struct slice *v; /* of the numbers below `room`; .at NULL: the number is free */
    uint32_t room, n;
};

struct verify {
    struct txn txn; /* the snapshot: slices of it stay valid to the end */
    uint64_t n_pages;
    struct meta_row meta;
    struct verify_names names[NAME_KIND_COUNT];
    struct uuid job; /* with seq `job_seq`, for findings about its rows */
    uint64_t job_seq;
    struct buf json;
    struct packer packer;
    /* Shared with the process that waits for this one. */
    struct verify_report *report;
    struct verify_place *place;
};

/* A key is a seq, a host's or a block's number, as its table has it. */
#define VERIFY_NO_KEY UINT64_MAX
void verify_say(struct verify *verify, enum table table, uint64_t key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One table from its first to its last entry: `while (walk.here) { …; walk_next(&walk); }`. What
   can't be read, and keys that do not ascend, are findings and the end of the walk. */
struct walk {
    struct verify *verify;
    enum table table;
    bool here;   /* there is an entry: */
    bool broken; /* no word can be said on what the table lacks */
    struct slice key, value;
    uint64_t number; /* of the key, where keys are numbers or begin with one */
    uint32_t run;    /* of the key, where it names a run */
    uint64_t n;      /* entries so far */
};
struct walk walk_begin(struct verify *verify, enum table table);
void walk_next(struct walk *walk);
/* Entries before `number` have no job: each is a finding. Whether there is one of `number`. */
bool walk_to(struct walk *walk, uint64_t number);
/* The rest has no job either, and the table has as many entries as it says. */
void walk_end(struct walk *walk);
/* The latter alone. */
void walk_check_count(struct walk *walk);

/* The bitmaps in `blocks`, against heads that come one after the other: memory is that of one
   block. */
struct verify_index {
    struct verify *verify;
    struct walk blobs;
    struct block *block; /* as the heads have it; NULL: none yet */
    uint64_t number;     /* of that block */
    bool in_doubt;       /* a head of it can't be decoded */
    struct buf blob;     /* for encoding it */
};
struct verify_index verify_index_begin(struct verify *verify);
/* NULL: a head that can't be decoded. */
void verify_index_add(struct verify_index *index, uint64_t seq, const struct head *head);
/* `cut`: not all heads came, and no word can be said on blocks after them. */
void verify_index_end(struct verify_index *index, bool cut);

/* Whether the block is marked as changed since it was written. */
bool verify_is_dirty(struct verify *verify, uint64_t block);

/* The parts, in the order in which they need one another. */
void verify_pages(struct verify *verify);
void verify_names(struct verify *verify);
void verify_agents(struct verify *verify);
void verify_jobs(struct verify *verify);
void verify_ids(struct verify *verify);
void verify_hostruns(struct verify *verify);
void verify_dirty(struct verify *verify);

#endif
