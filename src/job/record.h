/* SPDX-License-Identifier: MIT */
/*
 * Records: the facts that change a ledger. Nothing else does.
 *
 * The core makes them, ledger_apply() turns them into state, in one total order (the journal). A
 * record is complete in itself: applying it reads the ledger and the record, never a clock.
 */
#ifndef REEVE_JOB_RECORD_H
#define REEVE_JOB_RECORD_H

#include "base/uuid.h"
#include "job/job.h"

enum record_kind {
    RECORD_SUBMITTED,    /* a job exists: record.submitted */
    RECORD_ACKNOWLEDGED, /* an agent has a run: record.run */
    RECORD_STARTED,      /* an agent does a run: record.run */
    RECORD_FINISHED,     /* a run ended, by the agent's word or presumed: record.run */
    RECORD_RELEASED,     /* an agent gave a run back that it had not started: record.run */
    RECORD_MOVED,        /* a released run has another host: record.run, with host */
    RECORD_CANCELLED,    /* somebody wants the job stopped: record.job */
    RECORD_RETRIED,      /* the job's operation was submitted again: record.job, with new_id */
    RECORD_DELETED,      /* all of a job is gone: record.job */
    RECORD_DROPPED,      /* the same of many, by retention: record.dropped */
    RECORD_AGENT,        /* an agent was seen for the first time, or changed: record.agent */
    RECORD_REPORTED,     /* an agent's reports up to a number are in the ledger: record.reported */
    RECORD_KIND_COUNT
};

/* Hosts are numbered from 1 in the order they were first seen; 0 is no host. */
typedef uint32_t host_number;

struct record_submitted {
    struct uuid id;
    const struct op *op;
    struct slice data; /* the job payload as anyone may see it: JSON */
    bool sensitive;    /* so are the results: they come as "***" */
    /* By run: the whole input, sealed for it, until the run is final. NULL: data is all of it. */
    const struct slice *sealed;
    struct target target;
    const char *user;         /* subject of the token */
    int64_t limit_us;         /* how long a run may take */
    int64_t start_by_us;      /* a run not started by then expires */
    const host_number *hosts; /* ascending, no repeats; run number = position */
    uint32_t n_hosts;         /* at least 1 */
    const struct uuid *bulk;  /* the bulk action that made it; NULL: none */
};

struct record_run {
    uint64_t seq; /* of the job */
    uint32_t run;
    host_number host; /* RECORD_MOVED: the new one; else 0 */
    struct run_point to;
    bool by_agent;
    bool has_changed, changed;
    struct slice error; /* text, UTF-8 */
    struct slice data;  /* result: JSON, or empty */
    /* 0: not known. Controller's clock. */
    int64_t acknowledged_us, started_us, finished_us;
};

struct record_job {
    uint64_t seq;
    struct uuid new_id;
    const char *user;
    const struct uuid *bulk; /* RECORD_CANCELLED: the bulk action that did it; NULL: none */
    int64_t version;         /* not 0: a job that has changed since is left alone */
};

/* Jobs in one record. */
#define RECORD_DROPPED_MAX 1000u

/* By now a job may have changed, or be gone: one that is not final, or no longer the version that
   was meant, stays. */
struct record_drop {
    uint64_t seq;
    int64_t version;
};

struct record_dropped {
    const struct record_drop *jobs; /* ascending by seq */
    uint32_t n;
};

struct record_agent {
    host_number host; /* new: the next number */
    const char *machine_id, *hostname;
    struct slice labels; /* JSON object of strings */
    int64_t epoch;       /* of its runlog */
};

struct record_reported {
    host_number host;
    int64_t epoch, number;
};

struct record {
    enum record_kind kind;
    int64_t time_us; /* when the core made it; the ledger raises it to the previous record's time if
                        it is less */
    union {
        struct record_submitted submitted;
        struct record_run run;
        struct record_job job;
        struct record_dropped dropped;
        struct record_agent agent;
        struct record_reported reported;
    };
};

#endif
