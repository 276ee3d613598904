/* SPDX-License-Identifier: MIT */
/*
 * One run as the agent holds it, from its task to its final report, and the lists it is in, one at
 * a time. Whoever takes a run out of a list owns it.
 */
#ifndef REEVE_AGENT_RUN_LIST_H
#define REEVE_AGENT_RUN_LIST_H

#include "agent/run_table.h"
#include "agent/worker.h"

/* How a run ends. */
struct ending {
    enum run_state state;
    enum run_code code;
    const char *error; /* NULL: none */
    bool changed;
    struct slice data; /* empty: none */
    int64_t boot_us;
};

struct run {
    struct run_key key;
    const struct op *op;
    char *user;        /* who made the job */
    struct slice data; /* its own block; given to the work when chosen */
    int64_t limit_us, start_by_us;
    int64_t start_by_boot_us;     /* the same, by what was known when it was taken */
    int64_t taken_us, started_us; /* own clock; 0: not yet */
    bool sensitive;               /* nothing of what it came to is written down */
    bool told;                    /* what it does now has been reported */
    struct work *work;            /* since it was chosen */
    struct ending ending;         /* while untold; the error is its own block */
    struct run *next;
};

struct run_list {
    struct run *first, **end;
    int n;
};

void run_free(struct run *run);
/* Wipes and frees the input: the work has a copy, or nobody needs it. */
void run_drop_data(struct run *run);

void run_list_init(struct run_list *list);
void run_list_add(struct run_list *list, struct run *run);
void run_list_put_first(struct run_list *list, struct run *run);
/* Takes out *at, which points into the list. */
struct run *run_list_take(struct run_list *list, struct run **at);
/* For run_list_take(); NULL when it is not there. */
struct run **run_list_find(struct run_list *list, const struct run_key *key);

#endif
