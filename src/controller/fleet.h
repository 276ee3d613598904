/* SPDX-License-Identifier: MIT */
/*
 * The fleet: every agent that was ever accepted, and what is heard of it now.
 *
 * Agents are numbered from 1 in the order they were first seen and never go away. A machine id
 * belongs to one agent, and so does a host name: a target is resolved by either.
 */
#ifndef REEVE_CONTROLLER_FLEET_H
#define REEVE_CONTROLLER_FLEET_H

#include "controller/dispatch.h"
#include "controller/kept.h"
#include "ledger/ledger.h"

#define FLEET_LABELS_MAX     64  /* of one agent */
#define FLEET_LABEL_TEXT_MAX 255 /* bytes of a key or a value */
#define FLEET_AGENTS_MAX     50000
#define FLEET_NAMES_SHOWN    10 /* in a refusal that tells what exists */

struct bus_peer;

/* Who an agent is; changes only with a hello. */
struct identity {
    const char *machine_id, *hostname;
    struct str_map labels;
    struct slice labels_json; /* the same, as the ledger has them */
};

struct condition {
    bool status;
    int64_t since_us;
};

struct agent {
    host_number host;
    struct kept *identity;   /* struct identity */
    struct kept *facts;      /* struct agent_facts; NULL before its first hello in this process */
    struct kept *vitals;     /* struct agent_vitals; the same */
    struct kept *version;    /* char *; the same */
    int64_t epoch, reported; /* of its runlog; last report number that was applied */
    struct bus_peer *peer;   /* NULL: no connection */
    bool is_heard;           /* in this process */
    int64_t heard_us,
        heard_boot_us;  /* last message; before the first: when the ledger's entry last changed */
    int64_t started_us; /* when the agent's process began; 0: not known */
    bool has_clock_error;
    int64_t clock_error_us;
    struct condition conditions[condition_type_COUNT];
    /* The core's, for the batch it is working on. */
    bool has_reported, is_greeted;
};

struct fleet {
    struct agent **by_host; /* by_host[i] has number i + 1 */
    struct agent **by_name; /* sorted by host name */
    struct agent **by_machine;
    uint32_t n;
};

/* A zeroed struct fleet is empty. */
void fleet_release(struct fleet *fleet);

/* Takes the reference. Neither the machine id nor the host name is anybody's yet. */
struct agent *fleet_add(struct fleet *fleet, struct kept *identity);
/* Another host name or other labels, the same machine id. Takes the reference. */
void fleet_identify(struct fleet *fleet, struct agent *agent, struct kept *identity);

/* An agent the ledger knows; they come in order of their numbers. 0, or OUTCOME_INVALID when its
   labels are no labels. */
int fleet_restore(struct fleet *fleet, const struct ledger_agent *agent, struct refusal *why);
/* NULL when there is none. */
struct agent *fleet_by_host(const struct fleet *fleet, host_number host);
struct agent *fleet_by_hostname(const struct fleet *fleet, const char *hostname);
struct agent *fleet_by_machine(const struct fleet *fleet, const char *machine_id);
/* By host name, else by machine id. */
struct agent *fleet_find(const struct fleet *fleet, const char *name);

/* ---- hello, beat ---- */

/* Whose hello this is. *ret is NULL for an agent not seen before. 0; OUTCOME_CONFLICT the machine
   id is connected already, or the host name is the name or the id of another machine;
   OUTCOME_INVALID labels; OUTCOME_BUSY the fleet is full. */
int fleet_recognise(const struct fleet *fleet, const struct bus_hello *hello, struct agent **ret,
                    struct refusal *why);
/* Takes what the hello says; adds the agent when `known` is NULL. *ret_changed: the ledger has to
   be told. */
struct agent *fleet_greet(struct fleet *fleet, struct agent *known, const struct bus_hello *hello,
                          int64_t now_us, bool *ret_changed);
void agent_beat(struct agent *agent, const struct bus_beat *beat, int64_t now_us);
void agent_heard(struct agent *agent, int64_t now_us, int64_t boot_us);

/* Copies all of it. */
struct kept *identity_keep(const char *machine_id, const char *hostname,
                           const struct str_map *labels);
const struct identity *agent_identity(const struct agent *agent);

/* Connected, and heard within BUS_SILENT_US. */
bool agent_is_ready(const struct agent *agent, int64_t boot_us);

/* ---- targets ---- */

struct host_list {
    const host_number *v; /* ascending */
    uint32_t n;           /* at least 1 */
};

struct target_question {
    const struct target *target;
    const char *field;               /* to blame when there is no such host */
    const struct dispatch *dispatch; /* for _any: who has how many open runs */
    int64_t boot_us;                 /* and who is ready now */
    const struct str_list *allowed;  /* targets beyond which nobody may be meant; NULL: none */
};

/* Whether an agent is meant by one of these: host names, machine ids, labels. */
bool agent_is_covered(const struct agent *agent, const struct str_list *targets);

/* Whom a target means, now. Silent hosts are meant as well; _any is the ready agent with the fewest
   open runs (the lowest number of equals), or when nobody is ready, the one heard last. 0;
   OUTCOME_INVALID no such host or label, with `field` and what exists; OUTCOME_FORBIDDEN it means a
   host that is not allowed, or _any and none is; OUTCOME_UNAVAILABLE there is no agent at all. */
int fleet_resolve(const struct fleet *fleet, const struct target_question *question,
                  struct arena *arena, struct host_list *ret, struct refusal *why);

/* ---- what is shown ---- */

/* An agent at one moment, safe in another thread. */
struct agent_view {
    struct kept *identity, *facts, *vitals, *version;
    bool is_ready, is_heard, has_clock_error;
    int64_t heard_us, started_us, clock_error_us;
    uint32_t open_runs;
    struct condition conditions[condition_type_COUNT];
};
void agent_look(const struct agent *agent, const struct dispatch *dispatch, int64_t boot_us,
                struct agent_view *ret);
void agent_view_release(struct agent_view *view);

#define CONDITION_REASON_SIZE 96
/* What the condition is judged by, in words; "" when there is nothing to judge by. Whether it
   holds. */
bool condition_judge(enum condition_type type, const struct agent_facts *facts,
                     const struct agent_vitals *vitals, char ret_reason[CONDITION_REASON_SIZE]);

#endif
