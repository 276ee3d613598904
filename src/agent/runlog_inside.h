/* SPDX-License-Identifier: MIT */
/*
 * What the files of the runlog share: runlog.c (what records mean), runlog_open.c (reading the file
 * and writing it anew).
 */
#ifndef REEVE_AGENT_RUNLOG_INSIDE_H
#define REEVE_AGENT_RUNLOG_INSIDE_H

#include "agent/runlog.h"
#include "agent/runlog_file.h"

/* A report that is not confirmed. */
struct report_ref {
    int64_t offset;
    size_t size; /* of its record */
    struct run_key run;
    bool final;
};

struct runlog {
    int dir_fd; /* locked */
    struct log_file file;
    struct uuid boot;
    int64_t epoch;
    int64_t confirmed; /* last number that is */
    struct run_table runs;
    struct report_ref *reports; /* numbers confirmed + 1 …; the first n_gone are confirmed by now */
    size_t n_reports, n_gone, room;
    int64_t live;          /* bytes of records still needed, about */
    bool durable_unsynced; /* something of a durable run is not yet on disk for good */
    char *set_aside;
};

/* What a record says about a run, a report, or the confirmed number; `offset` is where it stands.
 */
void runlog_apply(struct runlog *log, const struct log_record *record, int64_t offset);
/* Writes what is still needed into a new file in place of this one; numbers go on within an epoch
   and begin at 1 in a new one. 0; OUTCOME_NO_SPACE, and the old one goes on; or a fault. */
int runlog_write_anew(struct runlog *log, int64_t epoch);
int64_t runlog_epoch_make(void);

#endif
