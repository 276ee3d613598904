/* SPDX-License-Identifier: MIT */
/*
 * What stands in the tables: rows as bytes, and as what they mean.
 *
 * Numbers are in the machine's byte order, like LMDB's own pages: a ledger moves between machines
 * of the same byte order only. Every struct on disk is of fixed size, has no hidden padding and
 * carries `format`. Decoders believe nothing: sizes inside a row are checked before use, and a bad
 * row is a fault (-EUCLEAN), never a crash. Decoded slices point into the row's bytes.
 *
 * To change a row:
 *   1. keep the old struct and its decoder under the name struct x_disk_v<N>;
 *   2. raise its X_FORMAT, and let x_decode() fill what the old rows lack, by the row's own
 * `format`;
 *   3. encoders write the newest format only: rows are brought up when they are next written;
 *   4. when older programs must not open the ledger any more, raise LEDGER_FORMAT as well;
 *   5. keep a row of the old format in tests/fuzz/corpus/stored and in test_apply.c.
 */
#ifndef REEVE_LEDGER_STORED_H
#define REEVE_LEDGER_STORED_H

#include "base/buf.h"
#include "job/record.h"

/* Of the ledger as a whole. A program opens what has its own format or an older one, which it
   raises before it does anything else. 2: inputs may be sealed, and a payload of *** is none. 3:
   heads have numbers of label targets and of bulk actions. */
#define LEDGER_FORMAT 3

/* No row is larger; a result or payload that is, was let through by whoever received it. */
#define STORED_ROW_MAX ((size_t)64 << 20) /* bytes */

/* ---- meta: one row ---- */

struct meta_row {
    uint32_t format;      /* LEDGER_FORMAT of the writer; stays first for ever */
    uint32_t n_hosts;     /* the last host number given */
    uint64_t next_seq;    /* seqs are never used twice, also when the newest job is deleted */
    int64_t last_time_us; /* of the newest record: no later one has an earlier time */
    uint64_t n_records;   /* applied so far */
    /* The last number of each in `names`. */
    uint16_t n_operations, n_users;
    uint32_t n_targets, n_bulks;
    uint8_t spare[20]; /* 0 */
};
_Static_assert(sizeof(struct meta_row) == 64, "on disk");

int meta_row_decode(struct slice bytes, struct meta_row *ret);

/* ---- heads: seq -> what pages, counts and filters need of a job ---- */

#define HEAD_FORMAT 2

enum head_flag {
    HEAD_CANCELLED = 1 << 0,
    HEAD_CHANGED = 1 << 1, /* a run completed and had changed its host */
    HEAD_EVENTS = 1 << 2,  /* there is a row in `events` */
    HEAD_SEALED = 1 << 3,  /* its input is in `sealed`, for each run until that is final */
    HEAD_SENSITIVE = 1 << 4,
};

struct head {
    struct uuid id;
    int64_t created_us;
    int64_t updated_us; /* rises with every change of the job, if only by 1: it is the job's version
                           too */
    struct run_counts counts;
    host_number host;         /* of the run when there is one, else 0 */
    uint16_t operation, user; /* numbers in `names`; 0: one of those beyond its room */
    uint8_t target_kind;      /* enum target_kind */
    uint8_t codes;            /* bit set of 1 << run_code, of the runs that are failed now */
    uint8_t flags;            /* enum head_flag */
    uint8_t format;
    /* Numbers in `names`; 0: none, or one beyond its room. */
    uint32_t target; /* TARGET_LABEL: of its text, as it was asked */
    uint32_t bulk;   /* of the bulk action that made the job, or cancelled it */
};
_Static_assert(sizeof(struct run_counts) == 20 && sizeof(struct uuid) == 16,
               "parts of struct head");
_Static_assert(sizeof(struct head) == 72, "on disk");

/* Also of a row of an older format, which ends before `target`. */
int head_decode(struct slice bytes, struct head *ret);
bool head_is_old(struct slice bytes);
enum job_status head_status(const struct head *head);

/* A host was changed: no answer while pending and for failed and skipped jobs. */
enum job_changed { JOB_CHANGED_NULL, JOB_CHANGED_FALSE, JOB_CHANGED_TRUE };
enum job_changed head_changed(const struct head *head);

/* ---- jobs: seq -> what never changes after submission ---- */

struct job_row {
    int64_t limit_us, start_by_us;
    /* Members of job_item as they are sent: "operation":{"type":…,"data":…},"target":…,"user":… */
    struct slice fragment;
    struct slice type, data; /* in the fragment */
    struct slice target, user;
};

void job_row_encode(const struct record_submitted *submitted, struct buf *to);
int job_row_decode(struct slice bytes, struct job_row *ret);

/* ---- hosts: seq -> host numbers of a job with several runs, ascending ---- */

int hosts_row_decode(struct slice bytes, uint32_t n_hosts);
host_number hosts_row_at(struct slice bytes, uint32_t run);

/* ---- runs: (seq, run) -> a run of which something is known ---- */

struct run_row {
    struct run_point at;
    bool has_changed, changed;
    int64_t acknowledged_us, started_us, finished_us; /* 0: not known */
    struct slice error;                               /* text */
    struct slice data;                                /* JSON, or empty; packed (pack.h) when: */
    bool is_packed;
    uint32_t data_size; /* decoded: of the JSON */
};

void run_row_encode(const struct run_row *run, struct buf *to);
int run_row_decode(struct slice bytes, struct run_row *ret);

/* Keys sort by seq, then run. */
struct run_key {
    uint8_t bytes[12]; /* big-endian */
};
struct run_key run_key(uint64_t seq, uint32_t run);
struct slice run_key_slice(const struct run_key *key);
/* False when it is no such key. */
bool run_key_decode(struct slice key, uint64_t *ret_seq, uint32_t *ret_run);
/* False when the key belongs to another job. */
bool run_key_is_of(struct slice key, uint64_t seq, uint32_t *ret_run);

/* ---- sealed: (seq, run) -> the input of a run, as bus/seal.h writes it ---- */

/* ---- events: seq -> what happened to a job beside its runs' states, oldest first ---- */

/* On disk: numbers stay; new ones are added at the end. */
enum job_event_kind {
    JOB_EVENT_RETRIED = 1,
    JOB_EVENT_CANCELLED = 2,
    JOB_EVENT_OVERRULED =
        3, /* a run was presumed failed, with `code`, until its agent said otherwise */
    JOB_EVENT_RELEASED = 4,
    JOB_EVENT_MOVED = 5,
};

#define JOB_EVENTS_MAX     100
#define JOB_EVENT_TEXT_MAX 255 /* bytes; longer texts are cut at a character */

struct job_event_row {
    enum job_event_kind kind;
    int64_t time_us;
    host_number host;   /* OVERRULED, RELEASED; MOVED: the new one */
    enum run_code code; /* OVERRULED */
    struct uuid id;     /* RETRIED: of the new job */
    struct slice text;  /* CANCELLED: by whom; OVERRULED: the run's error */
};

struct job_events {
    unsigned n;
    struct job_event_row v[JOB_EVENTS_MAX];
};

void job_events_encode(const struct job_events *events, struct buf *to);
int job_events_decode(struct slice bytes, struct job_events *ret);

/* ---- agents: host number -> an agent ---- */

struct agent_row {
    int64_t first_seen_us, changed_us;
    int64_t epoch, reported;
    struct slice machine_id, hostname, labels;
};

void agent_row_encode(const struct agent_row *agent, struct buf *to);
int agent_row_decode(struct slice bytes, struct agent_row *ret);

/* ---- keys and values that are one number ---- */

struct slice u64_slice(const uint64_t *number);
int u64_decode(struct slice bytes, uint64_t *ret);

#endif
