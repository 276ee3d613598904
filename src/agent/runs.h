/* SPDX-License-Identifier: MIT */
/*
 * The runs this agent has been given and not finished: waiting for a worker, or being done.
 *
 * One pass of the main loop: messages and ended work come in (runs_take, runs_cancel,
 * runs_collect), time passes (runs_tick), waiting runs are chosen (runs_choose), the runlog is
 * synced, and only then the chosen ones begin (runs_begin). What is said about a run goes into the
 * runlog, from where the session sends it.
 *
 * Input may be secret: it is in memory alone, and wiped once its work has ended.
 *
 * `boot_us` is the own clock. All functions that return int: 0 or a fault.
 */
#ifndef REEVE_AGENT_RUNS_H
#define REEVE_AGENT_RUNS_H

#include "agent/clock_offset.h"
#include "agent/held.h"
#include "agent/policy.h"
#include "agent/runlog.h"
#include "agent/worker.h"
#include "base/fault.h"

/* Runs and bytes of input that may wait; more are refused. */
#define WAITING_MAX       100000
#define WAITING_BYTES_MAX ((size_t)64 << 20)
/* How long a run waits or works before that is reported by itself: short ones cost one report. */
#define TELL_WAITING_US WAIT_US("runs.tell", 200 * US_PER_MS)
#define TELL_STARTED_US WAIT_US("runs.tell", 500 * US_PER_MS)
/* A run that is not over this long after its limit is given up, with its thread. */
#define LIMIT_GRACE_US (5 * US_PER_S)
/* No run begins on a clock less certain than this. */
#define CLOCK_ERROR_MAX_US (1 * US_PER_S)
/* A longer result is a failure. What surrounds it in a message has the rest. */
#define RESULT_MAX        (BUS_MESSAGE_MAX - ((size_t)64 << 10))
#define RESULT_VALUES_MAX (BUS_VALUES_MAX - 100)

struct runs;

/* All three must outlive it. */
struct runs *runs_new(struct runlog *log, struct worker_pool *pool,
                      const struct clock_offset *clock);
/* Work that is still being done is abandoned. */
void runs_free(struct runs *runs);

/* What the host allows from now on; copied, but for the lists it points to. */
void runs_set_policy(struct runs *runs, const struct policy *policy);

/* A repeated task is answered from the runlog. */
int runs_take(struct runs *runs, const struct bus_task *task, int64_t boot_us);
int runs_cancel(struct runs *runs, const struct bus_run_ref *run, int64_t boot_us);
int runs_collect(struct runs *runs);
int runs_tick(struct runs *runs, int64_t boot_us);
int runs_choose(struct runs *runs, int64_t boot_us);
int runs_begin(struct runs *runs);
/* The disk takes nothing: no run is taken or begun, and outcomes are kept in memory, until
   runs_try_disk() finds that it does again. Who asks for that now and then also sees to it that the
   controller is not heard meanwhile: tasks are not taken. */
bool runs_disk_refuses(const struct runs *runs);
int runs_try_disk(struct runs *runs);
/* When runs_tick() has something to do at the latest; INT64_MAX: never. */
int64_t runs_deadline_us(const struct runs *runs);

/* What reports of sensitive runs have beside what the runlog has of them. */
struct held *runs_held(struct runs *runs);

int runs_n_running(const struct runs *runs);
int runs_n_waiting(const struct runs *runs);
/* The agent is about to end: what is being done is stopped, and not reported. It is found
   interrupted at the next start. */
void runs_kill(struct runs *runs);

#endif
