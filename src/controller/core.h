/* SPDX-License-Identifier: MIT */
/*
 * The core: the only writer. One thread that takes calls from the HTTP loops and reports from the
 * agents, and turns them into records, tasks and answers.
 *
 * Each turn: take everything that has come → check each → apply → commit once → effects. A refusal
 * is decided before anything of its call is applied; nothing is answered or sent that is not
 * durable, but a query's task, which leaves at once. A fault ends the thread: nothing is retried in
 * place, the program is started anew. Only a disk that takes nothing (full, read-only) is waited
 * for, with reads going on (restore.c).
 */
#ifndef REEVE_CONTROLLER_CORE_H
#define REEVE_CONTROLLER_CORE_H

#include "controller/call.h"

#define CORE_QUEUE_MAX 10000   /* calls waiting for a turn; one more is refused as busy */
#define CORE_RUNS_MAX  1000000 /* open runs; a job that would pass it is refused as busy */
/* A query's outcome has this long to share one commit with its job. */
#define CORE_QUERY_HOLD_US (20 * US_PER_MS)
#define CORE_SPACE_RESERVE ((uint64_t)256 << 20) /* bytes kept free for outcomes */
#define CORE_SPACE_PER_RUN ((uint64_t)1 << 20)   /* and for each active run */
#define CORE_SEALED_MAX    ((size_t)64 << 20)    /* bytes of secret input of a job, for all hosts */
#define CORE_SILENT_US     (5 * US_PER_S)  /* without a turn for so long it counts as hanging */
#define CORE_ANSWER_US     (10 * US_PER_S) /* how long a loop waits for anything but a job's end */

struct core;
struct metrics;
struct seal_key;

/* Reads fleet and open runs from the ledger and opens the bus; the thread does not run yet.
   `bus_address` NULL: no agents. `key` seals secret input, and is copied. 0 or an outcome with *why
   for the operator. */
int core_open(struct ledger *ledger, const struct seal_key *key, const char *bus_address,
              struct core **ret, struct refusal *why);
/* `server` is woken when calls are answered. 0 or a fault. */
int core_start(struct core *core, struct http_server *server);
/* Finishes the turn, records what was held, joins the thread. Returns the fault that had ended it,
   or 0. */
int core_stop(struct core *core);
/* Accepts NULL. Not while the thread runs. */
void core_close(struct core *core);
/* Readable when the thread has ended by itself, which is a fault. */
int core_ended_fd(const struct core *core);

/* From any thread. Takes the reference; the call is answered in any case, at once when the queue is
   full. */
void core_send(struct core *core, struct call *call);
/* From a thread beside the core's: drops what is still as the record says, in the next turn, and
   waits until that is durable. 0 with the number of jobs; OUTCOME_NO_SPACE, and nothing is dropped;
   OUTCOME_UNAVAILABLE: the core has ended. */
int core_drop(struct core *core, const struct record_dropped *record, uint32_t *ret_n);
/* From any thread: whether it goes on, be it with refusals. */
bool core_turns(const struct core *core, int64_t boot_us);
/* From any thread: NULL when it can do its work, else what is missing. */
const char *core_not_ready(const struct core *core, int64_t boot_us);

/* What the core has before it, for those who look after it; up to a second old. */
struct core_figures {
    uint32_t queued; /* calls waiting for a turn; this one is of now */
    uint64_t open_runs, active_runs;
    uint32_t agents, agents_ready;
    uint64_t free_bytes; /* of the state disk */
};
/* From any thread. */
struct core_figures core_figures(struct core *core);
/* From any thread: what this process counts. Lives as long as the core. */
struct metrics *core_metrics(const struct core *core);
struct ledger *core_ledger(const struct core *core);

#endif
