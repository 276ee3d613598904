/* SPDX-License-Identifier: MIT */
/*
 * Who is known, and whom a target means.
 *
 * Agents are found by bisection in two sorted arrays; what changes rarely pays for what is looked
 * up with every request.
 */
#include "controller/fleet.h"

#include "base/mem.h"

#include <assert.h>

/* ---- sorted by a text ---- */

typedef const char *agent_text(const struct agent *);

static const char *text_hostname(const struct agent *agent)
{
    return agent_identity(agent)->hostname;
}

static const char *text_machine(const struct agent *agent)
{
    return agent_identity(agent)->machine_id;
}

/* Where `text` is or would be among the n agents. */
static uint32_t bisect(struct agent *const *sorted, uint32_t n, agent_text *text_of,
                       const char *text)
{
    uint32_t low = 0;

    while (low < n) {
        uint32_t middle = low + (n - low) / 2;
        if (strcmp(text_of(sorted[middle]), text) < 0)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

static struct agent *find(const struct fleet *fleet, struct agent *const *sorted,
                          agent_text *text_of, const char *text)
{
    uint32_t at = bisect(sorted, fleet->n, text_of, text);

    if (at == fleet->n || strcmp(text_of(sorted[at]), text) != 0)
        return NULL;
    return sorted[at];
}

/* Into the first n of an array with room for one more. */
static void insert(struct agent **sorted, uint32_t n, agent_text *text_of, struct agent *agent)
{
    uint32_t at = bisect(sorted, n, text_of, text_of(agent));

    memmove(sorted + at + 1, sorted + at, (n - at) * sizeof(struct agent *));
    sorted[at] = agent;
}

struct agent *fleet_by_host(const struct fleet *fleet, host_number host)
{
    return host > 0 && host <= fleet->n ? fleet->by_host[host - 1] : NULL;
}

struct agent *fleet_by_hostname(const struct fleet *fleet, const char *hostname)
{
    return find(fleet, fleet->by_name, text_hostname, hostname);
}

struct agent *fleet_by_machine(const struct fleet *fleet, const char *machine_id)
{
    return find(fleet, fleet->by_machine, text_machine, machine_id);
}

struct agent *fleet_find(const struct fleet *fleet, const char *name)
{
    struct agent *agent = fleet_by_hostname(fleet, name);

    return agent ? agent : fleet_by_machine(fleet, name);
}

/* ---- add, rename ---- */

static void grow(struct agent ***array, uint32_t n)
{
    *array = mem_realloc(*array, n * sizeof(struct agent *));
}

struct agent *fleet_add(struct fleet *fleet, struct kept *identity)
{
    struct agent *agent = mem_alloc(sizeof(*agent));

    if ((fleet->n & (fleet->n + 1)) == 0) { /* room grows to 1, 3, 7, 15, … */
        uint32_t room = 2 * fleet->n + 1;
        grow(&fleet->by_host, room);
        grow(&fleet->by_name, room);
        grow(&fleet->by_machine, room);
    }
    agent->host = fleet->n + 1;
    agent->identity = identity;
    fleet->by_host[fleet->n] = agent;
    insert(fleet->by_name, fleet->n, text_hostname, agent);
    insert(fleet->by_machine, fleet->n, text_machine, agent);
    fleet->n++;
    return agent;
}

void fleet_identify(struct fleet *fleet, struct agent *agent, struct kept *identity)
{
    uint32_t at = bisect(fleet->by_name, fleet->n, text_hostname, agent_identity(agent)->hostname);

    assert(fleet->by_name[at] == agent);
    memmove(fleet->by_name + at, fleet->by_name + at + 1, (fleet->n - at - 1) * sizeof(agent));
    kept_unref(agent->identity);
    agent->identity = identity;
    insert(fleet->by_name, fleet->n - 1, text_hostname, agent);
}

void fleet_release(struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->n; i++) {
        struct agent *agent = fleet->by_host[i];
        kept_unref(agent->identity);
        kept_unref(agent->facts);
        kept_unref(agent->vitals);
        kept_unref(agent->version);
        mem_free(agent);
    }
    mem_free(fleet->by_host);
    mem_free(fleet->by_name);
    mem_free(fleet->by_machine);
    *fleet = (struct fleet){0};
}

/* ---- targets ---- */

/* "…; known: web-01, web-02 (2 of 40)" */
static int refuse_unknown(const struct fleet *fleet, const struct target *target, const char *field,
                          struct refusal *why)
{
    CLEANUP(buf_release) struct buf names;
    uint32_t shown = fleet->n < FLEET_NAMES_SHOWN ? fleet->n : FLEET_NAMES_SHOWN;

    buf_init(&names, REFUSAL_TEXT_SIZE);
    for (uint32_t i = 0; i < shown; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", agent_identity(fleet->by_name[i])->hostname);
    if (shown < fleet->n)
        buf_printf(&names, " and %u more", (unsigned)(fleet->n - shown));
    return refuse(why, OUTCOME_INVALID, field, "%s: no agent %s \"%.*s\"; known agents: %s", field,
                  target->kind == TARGET_LABEL ? "has the label" : "is called",
                  (int)target->text.size, target->text.at, buf_text(&names));
}

static bool agent_has_label(const struct agent *agent, const struct target *target)
{
    const struct str_map *labels = &agent_identity(agent)->labels;

    for (size_t i = 0; i < labels->n; i++) {
        if (slice_is(target->key, labels->v[i].key) &&
            target_label_covers(target->value, slice_of(labels->v[i].val)))
            return true;
    }
    return false;
}

/* By name, machine id or label. */
static bool agent_is_meant(const struct agent *agent, const char *text)
{
    const struct identity *identity = agent_identity(agent);
    struct target target;

    if (strcmp(text, identity->hostname) == 0 || strcmp(text, identity->machine_id) == 0)
        return true;
    return target_parse(slice_of(text), &target, NULL) == 0 && target.kind == TARGET_LABEL &&
           agent_has_label(agent, &target);
}

bool agent_is_covered(const struct agent *agent, const struct str_list *targets)
{
    for (size_t i = 0; i < targets->n; i++) {
        if (agent_is_meant(agent, targets->v[i]))
            return true;
    }
    return false;
}

static bool is_allowed(const struct target_question *question, const struct agent *agent)
{
    return !question->allowed || agent_is_covered(agent, question->allowed);
}

static int refuse_forbidden(const struct target_question *question, const char *what,
                            struct refusal *why)
{
    CLEANUP(buf_release) struct buf targets;

    buf_init(&targets, REFUSAL_TEXT_SIZE);
    for (size_t i = 0; i < question->allowed->n; i++)
        buf_printf(&targets, "%s%s", i ? ", " : "", question->allowed->v[i]);
    return refuse(why, OUTCOME_FORBIDDEN, question->field,
                  "%s: the token is not for %s; it is for %s", question->field, what,
                  buf_text(&targets));
}

/* Whether `agent` is the better choice for _any. */
static bool is_preferred(const struct agent *agent, const struct agent *to,
                         const struct target_question *question)
{
    bool ready = agent_is_ready(agent, question->boot_us);

    if (!to)
        return true;
    if (ready != agent_is_ready(to, question->boot_us))
        return ready;
    if (ready)
        return dispatch_host_runs(question->dispatch, agent->host) <
               dispatch_host_runs(question->dispatch, to->host);
    return agent->heard_us > to->heard_us;
}

static const struct agent *choose_any(const struct fleet *fleet,
                                      const struct target_question *question)
{
    const struct agent *best = NULL;

    for (uint32_t i = 0; i < fleet->n; i++) {
        if (is_allowed(question, fleet->by_host[i]) &&
            is_preferred(fleet->by_host[i], best, question))
            best = fleet->by_host[i];
    }
    return best;
}

/* The one agent of a target that means one; NULL when there is none. */
static const struct agent *resolve_one(const struct fleet *fleet,
                                       const struct target_question *question)
{
    const struct target *target = question->target;
    char name[TARGET_TEXT_MAX + 1];

    if (target->kind == TARGET_ANY)
        return choose_any(fleet, question);
    assert(target->text.size <= TARGET_TEXT_MAX);
    memcpy(name, target->text.at, target->text.size);
    name[target->text.size] = '\0';
    return fleet_find(fleet, name);
}

int fleet_resolve(const struct fleet *fleet, const struct target_question *question,
                  struct arena *arena, struct host_list *ret, struct refusal *why)
{
    const struct target *target = question->target;

    if (fleet->n == 0)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                      "no agent has ever connected to this controller");

    bool is_broadcast = target_is_broadcast(target->kind);
    host_number *hosts = arena_alloc(arena, (is_broadcast ? fleet->n : 1) * sizeof(*hosts));
    uint32_t n = 0;
    if (!is_broadcast) {
        const struct agent *agent = resolve_one(fleet, question);
        if (agent)
            hosts[n++] = agent->host;
    }
    for (uint32_t i = 0; is_broadcast && i < fleet->n; i++) {
        if (target->kind == TARGET_ALL || agent_has_label(fleet->by_host[i], target))
            hosts[n++] = i + 1;
    }
    if (n == 0 && target->kind == TARGET_ANY)
        return refuse_forbidden(question, "any host", why);
    if (n == 0)
        return refuse_unknown(fleet, target, question->field, why);
    for (uint32_t i = 0; i < n; i++) {
        const struct agent *agent = fleet_by_host(fleet, hosts[i]);
        if (!is_allowed(question, agent))
            return refuse_forbidden(question, agent_identity(agent)->hostname, why);
    }
    *ret = (struct host_list){.v = hosts, .n = n};
    return 0;
}
