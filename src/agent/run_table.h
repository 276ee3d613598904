/* SPDX-License-Identifier: MIT */
/*
 * The runs a runlog knows, by key.
 *
 * A hash table without deletion: what is no longer wanted is left out when it is rebuilt
 * (run_table_keep()).
 */
#ifndef REEVE_AGENT_RUN_TABLE_H
#define REEVE_AGENT_RUN_TABLE_H

#include "base/uuid.h"
#include "bus/bus.h"

struct run_key {
    struct uuid job;
    uint32_t run;
};
/* Of a checked message. */
struct run_key run_key_of(const struct bus_run_ref *ref);
/* The other way round; text in `arena`. */
struct bus_run_ref run_key_ref(const struct run_key *key, struct arena *arena);
bool run_key_equal(const struct run_key *a, const struct run_key *b);

enum runlog_state {
    RUNLOG_UNKNOWN,
    RUNLOG_TAKEN,
    RUNLOG_STARTED,
    RUNLOG_FINISHED, /* its outcome is not confirmed, and will be sent or sent again */
    RUNLOG_SETTLED,  /* its outcome was confirmed, and its report is gone */
};

struct known_run {
    struct run_key key;
    int64_t start_by_us;
    int64_t started_us;  /* 0: not, or it is not known when */
    unsigned char known; /* enum runlog_state; RUNLOG_UNKNOWN: an empty slot */
    unsigned char state; /* enum run_state, enum run_code: the outcome */
    unsigned char code;
    bool durable; /* it changes the host */
};

/* Zeroed: empty. */
struct run_table {
    struct known_run *slots;
    size_t n_slots; /* a power of two */
    size_t n;
};

void run_table_release(struct run_table *table);
/* NULL when there is none. Pointers are valid until the next add or keep. */
struct known_run *run_table_find(const struct run_table *table, const struct run_key *key);
/* Of a key that is not there; the caller sets everything but the key, `known` first. */
struct known_run *run_table_add(struct run_table *table, const struct run_key *key);
/* All entries, one a call, from *at = 0; NULL at the end. */
struct known_run *run_table_next(const struct run_table *table, size_t *at);
/* Drops the entries for which `keep` is false, and memory that is then too much. */
void run_table_keep(struct run_table *table,
                    bool (*keep)(const struct known_run *entry, const void *argument),
                    const void *argument);

#endif
