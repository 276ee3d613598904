/* SPDX-License-Identifier: MIT */
/*
 * A call: what an HTTP loop asks of the core, and the core's answer.
 *
 * Two threads share it, one after the other: it is the sender's until core_send(), the core's until
 * call_answer(), and the sender's again once call_is_answered(). The id and the kind never change
 * and are anyone's to read. A sender whose client has left just drops its reference. What may be
 * secret is wiped with the last one.
 */
#ifndef REEVE_CONTROLLER_CALL_H
#define REEVE_CONTROLLER_CALL_H

#include "base/arena.h"
#include "base/uuid.h"
#include "controller/fleet.h"
#include "http/http.h"
#include "http/token.h"
#include "job/record.h"

#include <pthread.h>
#include <stdatomic.h>

enum call_kind {
    CALL_SUBMIT, /* make a job */
    CALL_CANCEL, /* stop one */
    CALL_DELETE, /* remove one and all that belongs to it */
    CALL_AGENTS, /* look at agents */
    CALL_BULK,   /* act on many jobs: sent to the thread of bulk.h, not to the core */
    CALL_KIND_COUNT
};

enum call_until {
    CALL_UNTIL_RECORDED, /* answered when the job is durable */
    CALL_UNTIL_FINAL, /* answered when the job is final; may be never, the sender stops waiting */
};

struct call_submit {
    const struct op *op;
    struct slice
        data; /* the job payload as anyone may see it; empty once the core is done with it */
    /* The same with all that is secret, for the hosts. Empty: data is all of it. */
    struct slice whole;
    bool sensitive;
    struct target target;
    const char *target_field; /* what a refusal of the target calls it */
    const char *user;
    struct str_list allowed;      /* the token's targets; none: all hosts */
    int64_t limit_us, expires_us; /* expires: from now */
    enum call_until until;
    uint64_t retry_of; /* seq of the job that is submitted again; 0: none */

    /* The core's own. */
    struct host_list hosts;
    int64_t time_us; /* when it was taken */
    int64_t hold_until_boot_us;
    struct call *next_held;
};

struct call_job {
    uint64_t seq;
    const char *user;
    struct cancel_counts counts; /* answer of CALL_CANCEL */
};

struct call_agents {
    const char *name; /* host name or machine id; NULL: all */
    /* Answer: by host name. */
    struct agent_view *v;
    uint32_t n;
};

enum bulk_action { BULK_RETRY, BULK_CANCEL, BULK_DELETE, BULK_ACTION_COUNT };

struct call_bulk {
    enum bulk_action action;
    struct kept *asked;          /* struct job_filter: what `filter` points into */
    struct ledger_filter filter; /* whose bulk action is the call's id when it is done */
    uint64_t older_than;         /* seq */
    unsigned limit;              /* jobs that are looked at */
    bool dry_run;
    int64_t expires_us;      /* BULK_RETRY: from now; 0: what each job had */
    struct token *token;     /* the caller's */
    struct str_list allowed; /* its targets; none: all hosts */

    /* Answer. */
    uint64_t matched;
    uint32_t taken;
    uint64_t next; /* seq of the last that was looked at, when there are older; 0: there are none */
};

/* What the runs of a sensitive job came to: nothing but the reply has it. */
#define CALL_RESULTS_MAX     ((size_t)64 << 20)  /* bytes, of one job; the rest shows as "***" */
#define CALL_RESULTS_ALL_MAX ((size_t)256 << 20) /* of all that are waited for */
struct call_result {
    struct slice error, data;
};

struct call {
    atomic_uint refs;
    atomic_bool answered;
    enum call_kind kind;
    struct uuid id; /* of the job, also of one that is to be made */
    struct http_ticket ticket;
    struct arena arena;
    union {
        struct call_submit submit;
        struct call_job job;
        struct call_agents agents;
        struct call_bulk bulk;
    };
    pthread_mutex_t lock; /* of the results: the core adds to them while the sender stops waiting */
    struct kept_result **results; /* by run; NULL: none yet */
    uint32_t n_results;
    size_t results_size;
    bool results_unwanted;
    int outcome;         /* the answer: 0, an outcome, or a fault */
    struct refusal *why; /* of an outcome; in the arena */
};

/* One reference. */
struct call *call_new(enum call_kind kind);
struct call *call_ref(struct call *call);
/* Accepts NULL. Returns NULL. */
struct call *call_unref(struct call *call);

/* Where a refusal is written. */
struct refusal *call_why(struct call *call);
/* The answer is there; wakes the request and drops the answerer's reference. */
void call_answer(struct call *call, struct http_server *server, int outcome);
bool call_is_answered(const struct call *call);

/* By the core: keeps what run `run` of a sensitive job came to while somebody waits for it. */
void call_keep_result(struct call *call, uint32_t run, const struct call_result *result);
/* By the sender, answered or not. False: it is not there, not yet or not any more. Copied into the
   arena. */
bool call_find_result(struct call *call, uint32_t run, struct arena *arena,
                      struct call_result *ret);
/* By the sender: it has its reply, or nobody to send it to. */
void call_drop_results(struct call *call);

#endif
