/* SPDX-License-Identifier: MIT */
/*
 * The inside of the core, shared by core.c (the turn), batch.c (records and their effects),
 * command.c (what loops ask) and session.c (what agents say).
 *
 * All of it belongs to the core's thread but what stands under "any thread".
 */
#ifndef REEVE_CONTROLLER_INSIDE_H
#define REEVE_CONTROLLER_INSIDE_H

#include "bus/bus.h"
#include "controller/core.h"
#include "controller/metrics.h"

#include <pthread.h>

/* A growing array of pointers; a zeroed struct is empty. */
struct pointers {
    void **v;
    size_t n, room;
};
void pointers_add(struct pointers *pointers, void *pointer);

struct core {
    struct ledger *ledger;
    struct ledger_reader *reader; /* sees what is committed */
    struct bus *bus;              /* NULL: no agents */
    struct http_server *server;
    struct fleet fleet;
    struct dispatch *dispatch;
    struct call *first_held; /* queries that are not recorded yet, oldest first */
    struct call *last_held;
    int epoll_fd;

    /* This turn. */
    int64_t now_us, boot_us;
    struct arena arena;
    bool has_begun;           /* a batch is open in the ledger */
    int fault;                /* of a bus callback */
    struct decisions at_once; /* of a query just submitted: not part of the batch */
    struct decisions decisions;
    struct pointers taken;    /* calls */
    size_t n_settled;         /* decisions whose ends are applied */
    struct pointers recorded; /* struct call: submissions applied in this batch */
    struct pointers done;     /* struct call: answered with 0 after the commit */
    struct pointers touched;  /* struct agent: has_reported or is_greeted */

    uint64_t free_bytes; /* of the state disk, as of free_boot_us */
    int64_t free_boot_us;
    int64_t checkpoint_boot_us; /* of the last */
    bool is_dirty;              /* committed since */

    /* Any thread. */
    struct metrics *metrics;
    pthread_t thread;
    bool is_running; /* the main thread's */
    int wake_fd, ended_fd;
    atomic_bool stopping;
    _Atomic int64_t turn_boot_us; /* when the last turn began */
    atomic_bool is_full;          /* no room for submissions */
    pthread_mutex_t lock;         /* of what follows */
    struct pointers queue;
    struct core_figures figures;
};

/* ---- batch.c ---- */

/* Applies a record in this turn's batch. Its time is this turn's unless it has one. Outcomes as
   ledger_apply(). */
int core_apply(struct core *core, struct record *record, struct ledger_effect *ret);
/* Records the submission of an open job unless it is recorded. 0 or a fault. */
int core_record(struct core *core, struct open_job *job);
/* What ended a run or moved it, by whoever's word. The job is recorded first. Outcomes as
   ledger_apply(). */
int core_move(struct core *core, struct open_run *run, struct record_run *record);
/* Gives tasks to their hosts and tells them what to stop. 0 or a fault. */
int core_deliver(struct core *core, const struct decisions *decisions);
/* The agent gets something after the commit. */
void core_touch(struct core *core, struct agent *agent);
/* Applies what was decided to end, and commits. 0 or a fault: the batch is durable, or lost. */
int batch_commit(struct core *core);
/* Confirms, gives, tells and answers. 0 or a fault. */
int batch_effects(struct core *core);

/* ---- core.c ---- */

/* Whether there is room for another n runs. 0; OUTCOME_NO_SPACE, OUTCOME_BUSY. */
int core_room(struct core *core, uint32_t n_runs, struct refusal *why);
/* What dispatch has to know of a job that the ledger has. */
struct job_terms core_terms(const struct ledger_job *job);

/* ---- command.c ---- */

/* Does what a call asks. 0, or a fault; the call is answered or will be. */
int command_run(struct core *core, struct call *call);

/* ---- session.c ---- */

extern const struct bus_callbacks session_callbacks;

#endif
