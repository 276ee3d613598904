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
#include "bus/seal.h"
#include "controller/core.h"
#include "controller/metrics.h"

#include <pthread.h>

/* A growing array of pointers; a zeroed struct is empty. */
struct pointers {
    void **v;
    size_t n, room;
};
void pointers_add(struct pointers *pointers, void *pointer);

/* What a thread beside the core's has it do in a batch, and waits for: the first member of a struct
   with the rest. */
struct errand {
    /* 0: applied, and answered when the batch is committed or lost. An outcome has applied nothing,
       may say why, and is the answer. < 0 ends the core. */
    int (*run)(struct core *core, struct errand *errand);
    struct refusal why;
    int outcome;
    bool is_answered;
};

struct core {
    struct ledger *ledger;
    struct ledger_reader *reader; /* sees what is committed */
    struct seal_key seal_key;
    struct bus *bus; /* NULL: no agents */
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
    struct pointers applied;  /* struct errand: in this batch */

    uint64_t free_bytes; /* of the state disk, as of free_boot_us */
    int64_t free_boot_us;
    int64_t try_boot_us;        /* while the disk takes nothing: when to try again */
    int64_t try_pause_us;       /* that was after the last loss */
    int64_t space_boot_us;      /* when it last took something again */
    bool was_full;              /* at the last look, as is_full */
    int64_t checkpoint_boot_us; /* of the last */
    bool is_dirty;              /* a checkpoint has something to write */

    /* Any thread. */
    struct metrics *metrics;
    pthread_t thread;
    bool is_running; /* the main thread's */
    int wake_fd, ended_fd;
    atomic_bool stopping;
    _Atomic int64_t turn_boot_us; /* when the last turn began */
    atomic_bool is_full;          /* no room for submissions */
    atomic_bool is_refused;       /* by the disk: nothing can be written */
    pthread_mutex_t lock;         /* of what follows */
    struct pointers queue;
    struct core_figures figures;
    struct pointers errands; /* for the next turn */
    bool has_ended;          /* the thread: nobody takes them */
    pthread_cond_t errand_done;
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
/* Applies what was decided to end, and commits. 0: the batch is durable. OUTCOME_NO_SPACE or a
   fault: it is lost. */
int batch_commit(struct core *core);
/* Confirms, gives, tells and answers. 0 or a fault. */
int batch_effects(struct core *core);

/* ---- input.c ---- */

/* The input of each run of a job, sealed, for its record: in the turn's arena. NULL: nothing of it
   is secret. */
const struct slice *input_seal(struct core *core, const struct call *call);
/* Fills operation, data, user and sensitive, from the job's call while that has its input, else
   from the ledger. 0; OUTCOME_UNAVAILABLE: it is sealed, and can't be opened; or a fault. */
int input_find(struct core *core, const struct open_run *run, struct bus_task *ret);

/* ---- core.c ---- */

/* Whether there is room for another n runs. 0; OUTCOME_NO_SPACE, OUTCOME_BUSY. */
int core_room(struct core *core, uint32_t n_runs, struct refusal *why);

/* ---- errand.c ---- */

/* From a thread beside the core's: what the errand came to. OUTCOME_NO_SPACE: the disk takes
   nothing; OUTCOME_UNAVAILABLE: the core has ended. */
int core_do(struct core *core, struct errand *errand);
/* Runs those that wait. 0 or a fault. */
int errands_run(struct core *core);
/* The batch is committed (0), or lost. */
void errands_answer(struct core *core, int outcome);
/* No turn follows. */
void errands_end(struct core *core);

/* ---- restore.c ---- */

/* What dispatch has to know of a job that the ledger has. */
struct job_terms core_terms(const struct ledger_job *job);
/* Fleet and open runs from the ledger. 0 or an outcome with *why. */
int core_restore(struct core *core, struct refusal *why);
/* The disk did not take the batch: whoever waits for what was in it is told, and memory is made
   from the ledger again. Nothing is written until core_try_again() finds that it can be. Each 0 or
   a fault. */
int core_lose_batch(struct core *core);
int core_try_again(struct core *core);
/* 0, or OUTCOME_NO_SPACE in that state. */
int core_can_write(struct core *core, struct refusal *why);

/* ---- command.c ---- */

/* Does what a call asks. 0, or a fault; the call is answered or will be. */
int command_run(struct core *core, struct call *call);
/* Records it, and stops the job's runs. OUTCOME_CONFLICT: it has ended; else as ledger_apply(). The
   seq of `meant` is looked up here. */
int core_cancel(struct core *core, const struct uuid *id, const struct record_job *meant,
                struct cancel_counts *ret);
/* Records it, stops the job's runs and answers whoever waits for them. Outcomes as
   ledger_apply(). */
int core_delete(struct core *core, const struct uuid *id, const struct record_job *meant);

/* ---- session.c ---- */

extern const struct bus_callbacks session_callbacks;

#endif
