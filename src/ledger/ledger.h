/* SPDX-License-Identifier: MIT */
/*
 * The ledger: all jobs and runs of a controller, in LMDB tables and bitmap blocks
 * (docs/architecture.md).
 *
 * One thread writes (struct ledger), any number read (struct ledger_reader, one a thread). One
 * answer is one snapshot: items, totals and counts of a reply always agree, because a reader takes
 * the index and its LMDB transaction of the same commit. Pointers into LMDB never leave this
 * folder; what is returned is in the caller's arena or buf. No transaction is open between calls of
 * a reader.
 */
#ifndef REEVE_LEDGER_LEDGER_H
#define REEVE_LEDGER_LEDGER_H

#include "base/arena.h"
#include "base/buf.h"
#include "job/record.h"

struct ledger;
struct ledger_reader;

/* ---- open and close ---- */

/* Opens or makes the ledger in directory `dir` (made 0700 if absent), rebuilds the index of blocks
   that changed after their last checkpoint. 0; OUTCOME_CONFLICT another controller has it;
   OUTCOME_UNAVAILABLE network file system, newer format, no permission, no space, damaged; *why is
   one line for the operator. */
int ledger_open(const char *dir, struct ledger **ret, struct refusal *why);
/* Writes the dirty blocks and closes. All readers are closed before. */
void ledger_close(struct ledger *ledger);

/* Bytes free for the ledger's file on its disk. */
int ledger_free_space(struct ledger *ledger, uint64_t *ret_bytes);

struct ledger_use {
    uint64_t file_bytes;
    /* How many commits ago the oldest snapshot was taken that is being read, by any process: pages
       freed since can't be used again. 0: none is. */
    uint64_t oldest_reader_commits;
};
/* From any thread. 0 or a fault. */
int ledger_use(struct ledger *ledger, struct ledger_use *ret);

/* ---- write: one thread ---- */

/* begin, any number of apply, commit. A batch is durable (fsync) when commit returns 0, and only
   then visible. OUTCOME_NO_SPACE, of a commit only: the disk is full, over its quota or read-only.
   The ledger is what it was before the batch, and another batch may be tried later. */
int ledger_begin(struct ledger *ledger);
/* What apply has to tell: filled for every kind that touches a job. */
struct ledger_effect {
    uint64_t seq;           /* RECORD_SUBMITTED: of the new job */
    enum job_status status; /* of the job after it; RECORD_DELETED: before it */
    bool became_final;      /* this record made the job final */
    uint32_t n_dropped;     /* RECORD_DROPPED: jobs that are gone by it */
};
/* 0 applied; a repeat is 0 and changes nothing. OUTCOME_NOT_FOUND: no such job, run or host.
   OUTCOME_CONFLICT: the transition table refuses it (counted), the job is another version, or the
   record is not sound: hosts out of order, an id or machine id that is another's, one retry too
   many for the job's history.
   Outcomes change nothing. < 0: the batch is lost, the process must stop. */
int ledger_apply(struct ledger *ledger, const struct record *record, struct ledger_effect *ret);
int ledger_commit(struct ledger *ledger);
void ledger_abort(struct ledger *ledger);

/* Writes the index of up to `blocks_max` blocks that changed since their last checkpoint, and of
   one block that is full which jobs each host has, in a commit of its own. Called when idle;
   start-up rebuilds what was not written. Returns as a commit. */
int ledger_checkpoint(struct ledger *ledger, unsigned blocks_max);
/* Whether another checkpoint has something to write. */
bool ledger_is_behind(const struct ledger *ledger);
/* Whether the disk takes a commit, by one that changes nothing. Returns as a commit. */
int ledger_try(struct ledger *ledger);

/* Moves refused so far by the transition table, since start. From any thread. */
uint64_t ledger_refused(const struct ledger *ledger);

/* ---- read: any thread, one reader each ---- */

int ledger_reader_open(struct ledger *ledger, struct ledger_reader **ret);
void ledger_reader_close(struct ledger_reader *reader);

/* Which commit an answer shows: rises with each commit. Equal positions of one ledger are equal
   answers. From any thread. */
uint64_t ledger_position(const struct ledger *ledger);

/* Which jobs: all that is given must hold. A zeroed one is all jobs. Names that the ledger does not
   know match nothing. */
struct ledger_filter {
    unsigned statuses;     /* 1 << enum job_status of each wanted; 0: any */
    unsigned codes;        /* 1 << enum run_code of each wanted: a run is failed with it; with the
                              bit of run_code_NONE also jobs without a failed run. 0: any */
    bool has_changed;      /* given: only jobs that changed a host, or */
    bool changed;          /* only those that completed and changed none */
    const char *operation; /* a type, or a prefix that ends with '.' */
    const char *user;
    const char *hostname;    /* name now, or machine id, of a host that has a run */
    const char *target;      /* "_any", "_all", a label as it was asked; else a host by name or
                                machine id: jobs for that host alone */
    const struct uuid *bulk; /* jobs that this bulk action made or cancelled */
    int64_t since_us;        /* created then or later; 0: any time */
    int64_t until_us;        /* created before; 0: any time */
};

#define LEDGER_PAGE_MAX   100               /* jobs */
#define LEDGER_PAGE_BYTES ((size_t)8 << 20) /* a page ends early there, after at least one job */
#define LEDGER_RUNS_SHOWN 1000              /* runs in one item */

enum ledger_from {
    LEDGER_FROM_OFFSET, /* leaves out the newest `at` */
    LEDGER_FROM_OLDER,  /* begins with the newest that is older than seq `at` */
    LEDGER_FROM_NEWER,  /* ends with the oldest that is newer than seq `at` */
};
enum ledger_view { LEDGER_FULL, LEDGER_SUMMARY };

struct ledger_question {
    struct ledger_filter filter;
    enum ledger_view view;
    enum ledger_from from;
    uint64_t at;
    unsigned limit;                   /* at most LEDGER_PAGE_MAX */
    size_t bytes_max;                 /* 0: LEDGER_PAGE_BYTES; the same, of this page */
    const struct ledger_lines *lines; /* NULL: the items are a JSON array */
};

/* Items as JSON lines, each ended by a newline: `begin` appends how each begins, an object that is
   not closed, to which the item's members are added: {"cursor":"…" */
struct ledger_lines {
    void (*begin)(void *owner, uint64_t seq, struct buf *to);
    void *owner;
};

struct ledger_page {
    uint64_t position;                 /* as ledger_position() */
    uint64_t total;                    /* jobs matching the filter */
    uint64_t counts[job_status_COUNT]; /* of all jobs */
    uint64_t
        matching[job_status_COUNT]; /* of those that match all of the filter but its statuses */
    unsigned n_items;
    uint64_t newest_seq, oldest_seq; /* of the items, when there are any */
    bool has_newer, has_older;       /* jobs that match, beyond the items */
};
/* Appends the page to *items, as a JSON array of job_item or as lines of it, newest first. Where
 *items has no room left the page ends early too. */
int ledger_list(struct ledger_reader *reader, const struct ledger_question *question,
                struct ledger_page *ret_page, struct buf *items);
/* The same jobs as what they are found by, without reading more than their heads. */
struct ledger_found {
    uint64_t seq;
    struct uuid id;
    int64_t version; /* as in struct record_drop */
};
int ledger_find(struct ledger_reader *reader, const struct ledger_question *question,
                struct ledger_page *ret_page, struct ledger_found found[LEDGER_PAGE_MAX]);
/* The totals alone, of all jobs. */
int ledger_counts(struct ledger_reader *reader, struct ledger_page *ret);
/* ---- counts of jobs by what they have in common, and by time ---- */

#define LEDGER_BUCKETS_MAX      1000
#define LEDGER_GROUPS_MAX       1000       /* named of one kind */
#define LEDGER_JOBS_BY_HOST_MAX (1u << 20) /* submitted in the filter's times, to count by host */

struct ledger_stats_question {
    struct ledger_filter filter;
    unsigned by; /* 1 << enum stats_by of each wanted */
    /* Pieces of time that begin at multiples of it; 0: none. The filter then has both times, and
       there are at most LEDGER_BUCKETS_MAX between. */
    int64_t bucket_us;
};
struct ledger_group {
    const char *name;
    uint64_t n;
};
struct ledger_groups {
    struct ledger_group *v; /* those with jobs, the largest first */
    size_t n;
    uint64_t others; /* the sum of those that have no name or found no room */
};
struct ledger_bucket {
    int64_t start_us;
    uint64_t counts[job_status_COUNT];
};
struct ledger_stats {
    uint64_t total; /* jobs matching the filter */
    struct ledger_groups by[stats_by_COUNT];
    struct ledger_bucket *buckets; /* the oldest first */
    size_t n_buckets;
};
/* In the arena, all from one snapshot. OUTCOME_INVALID naming `since`: over
   LEDGER_JOBS_BY_HOST_MAX; OUTCOME_TOO_LARGE: as ledger_list(). */
int ledger_stats(struct ledger_reader *reader, const struct ledger_stats_question *question,
                 struct arena *arena, struct ledger_stats *ret, struct refusal *why);
/* How many pieces there are from one time to the other. */
uint64_t ledger_n_buckets(int64_t since_us, int64_t until_us, int64_t bucket_us);

/* Appends one job_item. OUTCOME_NOT_FOUND. */
int ledger_item(struct ledger_reader *reader, const struct uuid *id, struct buf *item);

/* A job as the controller works with it; text lives in the arena. */
struct ledger_job {
    uint64_t seq;
    struct uuid id;
    const struct op *op; /* NULL: an operation this version does not have */
    const char *operation;
    struct slice data; /* the job payload, as anyone may see it */
    const char *target;
    enum target_kind target_kind;
    const char *user;
    enum job_status status;
    bool cancelled; /* a RECORD_CANCELLED was applied */
    bool sensitive;
    bool sealed; /* what its open runs are given is not `data` but ledger_sealed() */
    int64_t created_us, limit_us, start_by_us;
    struct run_counts counts;
};
/* OUTCOME_NOT_FOUND. */
int ledger_job(struct ledger_reader *reader, const struct uuid *id, struct arena *arena,
               struct ledger_job *ret);

/* The sealed input of a run that is not final, in the arena. OUTCOME_NOT_FOUND: there is none (any
   more). */
int ledger_sealed(struct ledger_reader *reader, const struct uuid *id, uint32_t run,
                  struct arena *arena, struct slice *ret);

struct ledger_run {
    uint32_t run;
    host_number host;
    const char *hostname; /* its name now */
    struct run_point at;
    bool has_changed, changed;
    const char *error; /* NULL: none */
    struct slice data; /* empty: none */
    int64_t acknowledged_us, started_us, finished_us;
};
#define LEDGER_RUNS_BYTES ((size_t)64 << 20)
/* The job's runs in order of host names. OUTCOME_TOO_LARGE: their results and errors are together
   over LEDGER_RUNS_BYTES. */
int ledger_runs(struct ledger_reader *reader, const struct uuid *id, struct arena *arena,
                struct ledger_run **ret, uint32_t *ret_n);

/* Where one run stands, without reading the others. OUTCOME_NOT_FOUND: no such job or run. */
int ledger_run_point(struct ledger_reader *reader, const struct uuid *id, uint32_t number,
                     host_number *ret_host, struct run_point *ret);

/* Runs of one job, in order of run number, which never changes. */
#define LEDGER_RUN_PAGE_MAX 1000
struct ledger_run_question {
    unsigned states; /* 1 << enum run_state of each wanted; 0: any */
    uint32_t from;   /* the first run number that may be shown */
    unsigned limit;  /* at most LEDGER_RUN_PAGE_MAX */
};
struct ledger_run_page {
    struct run_counts counts; /* of all runs of the job */
    uint32_t total;           /* runs of the wanted states */
    unsigned n_items;
    bool has_next; /* there are more, from run number `next` on */
    uint32_t next;
};
/* Appends the page to *items, as a JSON array of job_run; it ends early at LEDGER_PAGE_BYTES and
   where *items has no room left. Without `states` it costs the same for any number of runs.
   OUTCOME_NOT_FOUND: no such job. */
int ledger_run_page(struct ledger_reader *reader, const struct uuid *id,
                    const struct ledger_run_question *question, struct ledger_run_page *ret,
                    struct buf *items);

/* Every run that is not final, oldest job first; for dispatch at start. A non-zero return of `each`
   stops the walk and is returned. `job` and `run` are valid during the call. */
int ledger_each_open_run(struct ledger_reader *reader,
                         int (*each)(void *owner, const struct ledger_job *job,
                                     const struct ledger_run *run),
                         void *owner);

struct ledger_agent {
    host_number host;
    const char *machine_id, *hostname;
    struct slice labels;     /* JSON object */
    int64_t epoch, reported; /* of its runlog; last report number that is in the ledger */
    int64_t first_seen_us, changed_us;
};
/* All agents by number. */
int ledger_agents(struct ledger_reader *reader, struct arena *arena, struct ledger_agent **ret,
                  uint32_t *ret_n);

#endif
