/* SPDX-License-Identifier: MIT */
/*
 * Dispatch: who runs what, when again, until when. The table of all runs that are not final.
 *
 * Pure: time and messages are arguments, what is to be done comes out as decisions, nothing is
 * read, sent or recorded here; so a whole fleet is simulated in one process from a seed
 * (test_promises.c). What a decision says becomes true only when its owner reports back:
 * dispatch_sent(), dispatch_moved(), dispatch_end().
 *
 * The promise kept here: a run is given to its host again only when it is certain that the host
 * does not have it, which is when the host's own hello does not name it. Silence proves nothing.
 */
#ifndef REEVE_CONTROLLER_DISPATCH_H
#define REEVE_CONTROLLER_DISPATCH_H

#include "base/fault.h"
#include "base/uuid.h"
#include "controller/timers.h"
#include "job/record.h"

/* A silent host is given this long after start_by to say that a run did start in time. */
#define DISPATCH_EXPIRE_SLACK_US (2 * US_PER_S)
/* A started run that outlives its limit by this much is presumed lost: its agent would have killed
   it. */
#define DISPATCH_LOST_SLACK_US WAIT_US("dispatch.lost", 600 * US_PER_S)

/* ---- decisions ---- */

enum decision_kind {
    DECISION_TASK,   /* send the run to its host; check dispatch_find() then: it may have ended
                        meanwhile */
    DECISION_CANCEL, /* tell the host to stop it, whether or not it is still in the table */
    DECISION_END,    /* record the run as failed(code), then dispatch_end() */
};

struct decision {
    enum decision_kind kind;
    struct uuid job;
    uint32_t run;
    host_number host;
    enum run_code code; /* DECISION_END */
    bool presumed;      /* DECISION_END: concluded from silence */
};

/* In the order they were made. A zeroed struct is empty. */
struct decisions {
    struct decision *v;
    size_t n, room;
};
void decisions_release(struct decisions *decisions);
void decisions_add(struct decisions *to, const struct decision *decision);

/* ---- the table ---- */

/* Whether the host may have the task. */
enum sent {
    SENT_NO,
    SENT_DECIDED, /* a DECISION_TASK is under way: the host does not have it yet */
    SENT_UNKNOWN, /* known only from the ledger: until that host's next hello */
    SENT_YES,
};

struct open_run {
    struct open_job *job;
    struct timer timer;
    int64_t started_us;
    uint32_t number;
    host_number host;
    enum run_state state; /* waiting, acknowledged or started */
    enum sent sent;
    bool is_open;
    bool is_named;                    /* by the hello being worked on */
    struct run_queue *queue;          /* its host's: given, or not yet */
    struct open_run *next, *previous; /* in the queue */
};

struct open_job {
    struct uuid id;
    uint64_t seq;        /* in the ledger; 0: not there yet. The caller's to set */
    void *owner;         /* the caller's */
    const struct op *op; /* NULL: one that this version does not have */
    int64_t limit_us, start_by_us;
    int64_t ledger_start_by_us, clock_set_by_us; /* dispatch_shift() makes start_by_us of them */
    bool cancelled;
    bool sensitive, sealed; /* as the ledger has it */
    uint32_t n_runs, n_open;
    struct open_job *next_in_bucket;
    struct open_run runs[]; /* by number; those that have ended are not open */
};

/* What a job brings with it. */
struct job_terms {
    struct uuid id;
    uint64_t seq;
    const struct op *op;
    int64_t limit_us, start_by_us;
    uint32_t n_runs;
    bool cancelled, sensitive, sealed;
};

/* Where one of its runs stands. */
struct run_place {
    uint32_t number;
    host_number host;
    enum run_state state;
    int64_t started_us;
};

struct dispatch;

struct dispatch *dispatch_new(void);
void dispatch_free(struct dispatch *dispatch);

/* A new job; its run i waits for hosts[i], terms->n_runs of them. Tasks for those that are
   connected and have room. The pointer is valid until the job's last run ends. */
struct open_job *dispatch_submit(struct dispatch *dispatch, const struct job_terms *terms,
                                 const host_number *hosts, struct decisions *to);
/* A run from the ledger, at start or because its agent overruled a presumption. Whether it was sent
   is not known before that host's next hello; a presumption about it comes no earlier than
   `listening_us`, for nobody has listened before. */
struct open_job *dispatch_restore(struct dispatch *dispatch, const struct job_terms *terms,
                                  const struct run_place *place, int64_t listening_us);

/* NULL when it is not open. */
struct open_job *dispatch_find_job(const struct dispatch *dispatch, const struct uuid *id);
struct open_run *dispatch_find(const struct dispatch *dispatch, const struct uuid *id,
                               uint32_t run);

/* In no order; `each` leaves the table as it is. */
void dispatch_each_job(struct dispatch *dispatch, void (*each)(void *owner, struct open_job *job),
                       void *owner);

/* The task went to a connected host. */
void dispatch_sent(struct dispatch *dispatch, struct open_run *run);
/* The ledger has the run acknowledged or started (then since started_us). */
void dispatch_moved(struct dispatch *dispatch, struct open_run *run, enum run_state state,
                    int64_t started_us);
/* The ledger has the run final. The job is freed with its last run; the host is given its next. */
void dispatch_end(struct dispatch *dispatch, struct open_run *run, struct decisions *to);

/* Runs that the host surely does not have end at once; of the others the host is told, and its word
   decides. */
struct cancel_counts {
    uint32_t never_start, stopping;
};
void dispatch_cancel(struct dispatch *dispatch, struct open_job *job, struct decisions *to,
                     struct cancel_counts *ret);
/* All of a job's runs leave the table, as with dispatch_end(). */
void dispatch_forget(struct dispatch *dispatch, struct open_job *job, struct decisions *to);

/* ---- hosts ---- */

/* A hello: first every run it names (false: the table does not have that run at that host), then
   the rest. Runs it does not name are given again while there is time; those that had been begun,
   or may have been under another epoch of the runlog, are interrupted. */
struct greeting {
    host_number host;
    bool new_epoch;
    uint32_t window; /* runs the host is given at once; the others wait here */
};
bool dispatch_named(struct dispatch *dispatch, host_number host, const struct uuid *id,
                    uint32_t run, struct decisions *to);
void dispatch_connected(struct dispatch *dispatch, const struct greeting *greeting, int64_t now_us,
                        struct decisions *to);
void dispatch_gone(struct dispatch *dispatch, host_number host);

/* Open runs of a host; of all; those of all that are acknowledged or started. */
uint32_t dispatch_host_runs(const struct dispatch *dispatch, host_number host);
uint64_t dispatch_runs(const struct dispatch *dispatch);
uint64_t dispatch_active(const struct dispatch *dispatch);

/* ---- time ---- */

/* Ends what is due. */
void dispatch_tick(struct dispatch *dispatch, int64_t now_us, struct decisions *to);
/* The clock was set: what was `now` is now + by_us. Limits stay as far away as they were, and so do
   deadlines to begin, but not beyond what the ledger has: a controller that is started anew knows
   that alone, and tells expired what an agent with a later one would still begin. */
void dispatch_shift(struct dispatch *dispatch, int64_t by_us);
/* When to tick next; INT64_MAX: not needed. */
int64_t dispatch_due_us(const struct dispatch *dispatch);

#endif
