/* SPDX-License-Identifier: MIT */
/*
 * The data model: read this and record.h and you know the program.
 *
 * A job is one operation asked of one target. At submission the target is resolved, once, to a
 * fixed set of runs: one job on one host, numbered from 0 in the order of host numbers. Only
 * records (record.h) change jobs and runs. Here are the rules that need nothing but their
 * arguments: no I/O, no clock, no threads.
 *
 * enum run_state, enum run_code and enum job_status are rows of catalog/job.def.
 */
#ifndef REEVE_JOB_JOB_H
#define REEVE_JOB_JOB_H

#include "base/outcome.h"
#include "base/slice.h"
#include "catalog/catalog.h"

/* ---- target: who shall do it ---- */

enum target_kind { TARGET_ANY, TARGET_ALL, TARGET_HOST, TARGET_LABEL, TARGET_KIND_COUNT };

#define TARGET_TEXT_MAX 255 /* bytes */

struct target {
    enum target_kind kind;
    struct slice text;       /* as it was asked */
    struct slice key, value; /* TARGET_LABEL */
};

/* "_any", "_all", "key:value" (value dot-separated), else a host name or machine id. Points into
   `text`. 0, or OUTCOME_INVALID naming the field target_hostname and what is accepted. */
int target_parse(struct slice text, struct target *ret, struct refusal *why);
/* Whether a host with this label value is meant: equal, or beneath it (target web takes web.dev).
 */
bool target_label_covers(struct slice target_value, struct slice host_value);
/* A job to several hosts answers with responses by host, also when the fleet happens to have one.
 */
bool target_is_broadcast(enum target_kind kind);

/* ---- status of a job ---- */

struct run_counts {
    uint32_t total;  /* at least 1, fixed at submission */
    uint32_t active; /* acknowledged or started */
    uint32_t completed, failed, skipped;
    /* the rest is waiting */
};

/* DESIGN: every run waiting -> submitted; any not final -> processing; completed and failed ->
   partial_failure; failed -> failed; all skipped -> skipped; else completed. */
enum job_status job_status_of(const struct run_counts *counts);
bool job_status_is_final(enum job_status status);

/* ---- run transitions ---- */

bool run_state_is_final(enum run_state state);

/* Where a run stands, and where a record wants it. */
struct run_point {
    enum run_state state;
    enum run_code code; /* run_code_NONE unless failed */
    bool presumed;      /* concluded from silence: EXPIRED or LOST only */
};

enum run_move {
    RUN_MOVE_APPLY,
    RUN_MOVE_REPEAT, /* said before, or overtaken by a later state: changes nothing and is no error
                      */
    RUN_MOVE_REFUSE, /* not in the table: changes nothing, counted */
};

/* The whole table of DESIGN "Run transitions". `by_agent`: the agent's own word, which alone may
   overrule a presumption. */
enum run_move run_move(const struct run_point *from, const struct run_point *to, bool by_agent);

#endif
