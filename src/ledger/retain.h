/* SPDX-License-Identifier: MIT */
/*
 * Retention: which final jobs the rules want gone, and what an archive keeps of them.
 *
 * Here they are only found, by a thread of its own that reads like any other; RECORD_DROPPED
 * removes them. Each step is bounded. No job is dropped that is not final, or is still being
 * answered.
 */
#ifndef REEVE_LEDGER_RETAIN_H
#define REEVE_LEDGER_RETAIN_H

#include "job/record.h"

struct ledger;
struct retain;

/* In the order in which the rules are followed. */
enum retain_reason {
    RETAIN_AGE,          /* queries, modifies, and age of a status */
    RETAIN_JOBS,         /* jobs */
    RETAIN_STATUS_JOBS,  /* jobs of a status */
    RETAIN_STATUS_BYTES, /* mib of a status */
    RETAIN_DISK,         /* disk_percent */
    RETAIN_REASON_COUNT
};
const char *retain_word(enum retain_reason reason);

/* A slice ends with the job that reaches one of these, or RECORD_DROPPED_MAX: so long does its
   record keep the writer from others. */
#define RETAIN_RUNS_MAX  4000u
#define RETAIN_BYTES_MAX ((uint64_t)64 << 20)
/* Heads that are read in one step. */
#define RETAIN_HEADS_MAX 16384u
/* So long after its end a job is not dropped: its reply may still be on the way. */
#define RETAIN_REST_US (1 * INT64_C(1000000))
/* The bytes of a block whose jobs change are counted again after this. */
#define RETAIN_COUNT_US (60 * INT64_C(1000000))

struct retain_slice {
    enum retain_reason reason;
    bool more; /* there is something left to do, or to look at, now */
    uint32_t n;
    struct record_drop jobs[RECORD_DROPPED_MAX];
};

/* 0 or a fault. Closed before the ledger is. */
int retain_open(struct ledger *ledger, struct retain **ret);
void retain_close(struct retain *retain);
/* Rules from now on; before the first call nothing is to be dropped. */
void retain_rule(struct retain *retain, const struct config_retention *rules);

/* The next jobs to drop, the oldest first by each rule; all of a slice by one rule. 0 or a fault.
 */
int retain_next(struct retain *retain, int64_t now_us, struct retain_slice *ret);

/* Takes a piece of text. 0; whatever else comes back ends the writing and is passed on. */
struct ledger_sink {
    int (*take)(void *owner, struct slice piece);
    void *owner;
};
/* The jobs of a slice as a line of JSON each: job_item with all of its runs. Jobs that have changed
   since they were found are taken out of the slice. 0, a fault, or what the sink came back with. */
int retain_write(struct retain *retain, struct retain_slice *slice, const struct ledger_sink *sink);

#endif
