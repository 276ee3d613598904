/* SPDX-License-Identifier: MIT */
/*
 * What this host has done for the controller and not yet had confirmed.
 *
 * It makes "at most once" true: a run that changes the host is on disk as started before it begins,
 * and its outcome before that is told. A run found started and unfinished is never done again. It
 * also makes "nothing is lost" true: reports are numbered, and stay until the controller says that
 * they are durable.
 *
 * An epoch is one row of report numbers. It ends with the file: when that is missing, damaged, or
 * may have lost unsynced records in a power cut, since numbers that were sent already would then be
 * given out again. What the old file still tells is taken over, and unconfirmed reports are
 * numbered anew.
 *
 * Everything here is called by one thread. Times are the controller's.
 */
#ifndef REEVE_AGENT_RUNLOG_H
#define REEVE_AGENT_RUNLOG_H

#include "agent/run_table.h"

/* No new run is taken beyond either: the controller confirms nothing, or gives runs faster than
   they may be forgotten. Refusals are reported still, in numbers up to RUNLOG_RUNS_MAX. */
#define RUNLOG_RUNS_ROOM 100000
#define RUNLOG_RUNS_MAX  200000
#define RUNLOG_SIZE_ROOM ((int64_t)256 << 20)
/* A run that changed the host is remembered until its start_by + this; under pressure until
   start_by + RUNLOG_PRESSED_US, after which a repeated task is refused for its deadline anyway. A
   query only until its outcome is confirmed: doing it twice changes nothing. */
#define RUNLOG_KEPT_US      (3600 * US_PER_S)
#define RUNLOG_PRESSED_US   (2 * US_PER_S)
#define RUNLOG_TIME_UNKNOWN INT64_MIN

struct runlog;

struct runlog_options {
    const char *directory; /* made when missing, 0700; one process at a time */
    struct uuid boot;      /* id of the machine's boot */
    int64_t wall_us;       /* own clock, for the name of a file set aside */
};

/* Opens or makes `runlog` in the directory. Runs it finds unfinished are reported failed,
   interrupted. 0; OUTCOME_UNAVAILABLE another process has it, or the disk takes nothing; or a
   fault. */
int runlog_open(const struct runlog_options *options, struct runlog **ret, struct refusal *why);
/* Marks it as closed in good order. 0 or a fault; it is freed in both cases. */
int runlog_close(struct runlog *log);
/* Leaves the file as a kill would: after a fault, what it lacks is not known. */
void runlog_free(struct runlog *log);

int64_t runlog_epoch(const struct runlog *log);
int64_t runlog_first_unconfirmed(const struct runlog *log); /* last + 1 when there is none */
int64_t runlog_last(const struct runlog *log);              /* number of the newest report */
/* Where a damaged file was put when this one was opened, or NULL. */
const char *runlog_set_aside(const struct runlog *log);

/* *ret_state and *ret_code, if not NULL: the outcome, when there is one. */
enum runlog_state runlog_find(const struct runlog *log, const struct run_key *key,
                              enum run_state *ret_state, enum run_code *ret_code);
/* Runs whose outcome is not confirmed. */
struct bus_run_ref_list runlog_unconfirmed(const struct runlog *log, struct arena *arena);

bool runlog_has_room(const struct runlog *log); /* for runs to be done */
bool runlog_is_full(const struct runlog *log);  /* for refusals too */

/* Appends; none of these waits for the disk. Each 0; OUTCOME_NO_SPACE the disk takes nothing: it is
   full, over its quota or read-only; or a fault. Nothing has changed then. `durable`: the run
   changes the host. */
int runlog_take(struct runlog *log, const struct run_key *key, bool durable, int64_t start_by_us);
/* started_us: 0 when the controller's clock is not known. */
int runlog_start(struct runlog *log, const struct run_key *key, int64_t started_us);
/* Of a run that was taken. Fills report->number. A final state is the run's last report. */
int runlog_report(struct runlog *log, struct bus_report *report);
/* Whether the disk takes anything, by a record that says nothing new. */
int runlog_try(struct runlog *log);
/* Before a durable run is begun, and before a report of one is sent: waits for the disk when there
   is something of a durable run to wait for. */
int runlog_sync(struct runlog *log);

/* A report that is not confirmed. 0 or a fault. */
int runlog_read(const struct runlog *log, int64_t number, struct arena *arena,
                struct bus_report *ret);
/* Bytes it takes on disk, about what it takes on the bus. */
size_t runlog_report_size(const struct runlog *log, int64_t number);
/* All reports up to `number` are durable in the ledger. 0; OUTCOME_CONFLICT when it is one that was
   never made: the file is older than the ledger, and needs a new epoch; or a fault. */
int runlog_confirm(struct runlog *log, int64_t number);

/* Begins a new epoch. 0 or a fault. */
int runlog_renew(struct runlog *log);
/* Forgets what may be forgotten and writes the file anew when half of it is dead. To be called now
   and then; now_us may be RUNLOG_TIME_UNKNOWN. 0 or a fault. */
int runlog_tidy(struct runlog *log, int64_t now_us);

#endif
