/* SPDX-License-Identifier: MIT */
/*
 * What is heard of agents: hello and beat, and what is shown of them.
 *
 * Nothing here reaches the ledger or the bus: the core asks, and does what follows.
 */
#include "controller/fleet.h"

#include "base/mem.h"
#include "bus/bus.h"

/* Two texts a label, each byte escaped as \\u00xx at worst, and what stands around them. */
#define LABELS_JSON_MAX ((size_t)FLEET_LABELS_MAX * (2 * 6 * FLEET_LABEL_TEXT_MAX + 8))

/* ---- identity ---- */

static struct slice write_labels(struct arena *arena, const struct str_map *labels)
{
    CLEANUP(buf_release) struct buf json;

    buf_init(&json, LABELS_JSON_MAX);
    struct json_writer w = json_writer(&json);
    json_begin_object(&w);
    for (size_t i = 0; i < labels->n; i++) {
        json_key(&w, labels->v[i].key);
        json_text(&w, labels->v[i].val);
    }
    json_end_object(&w);
    return (struct slice){.at = arena_copy(arena, buf_slice(&json)), .size = json.size};
}

struct kept *identity_keep(const char *machine_id, const char *hostname,
                           const struct str_map *labels)
{
    struct kept *kept = kept_new();
    struct identity *identity = arena_alloc(&kept->arena, sizeof(*identity));

    identity->machine_id = arena_strdup(&kept->arena, machine_id);
    identity->hostname = arena_strdup(&kept->arena, hostname);
    identity->labels.n = labels->n;
    identity->labels.v = arena_alloc(&kept->arena, labels->n * sizeof(*labels->v));
    for (size_t i = 0; i < labels->n; i++) {
        identity->labels.v[i].key = arena_strdup(&kept->arena, labels->v[i].key);
        identity->labels.v[i].val = arena_strdup(&kept->arena, labels->v[i].val);
    }
    identity->labels_json = write_labels(&kept->arena, labels);
    kept->object = identity;
    return kept;
}

const struct identity *agent_identity(const struct agent *agent)
{
    return agent->identity->object;
}

static int check_labels(const struct str_map *labels, struct refusal *why)
{
    if (labels->n > FLEET_LABELS_MAX)
        return refuse(why, OUTCOME_INVALID, "labels", "more than %d labels", FLEET_LABELS_MAX);
    for (size_t i = 0; i < labels->n; i++) {
        if (strlen(labels->v[i].key) > FLEET_LABEL_TEXT_MAX ||
            strlen(labels->v[i].val) > FLEET_LABEL_TEXT_MAX)
            return refuse(why, OUTCOME_INVALID, "labels", "a label is longer than %d bytes",
                          FLEET_LABEL_TEXT_MAX);
    }
    return 0;
}

static int read_labels(struct slice text, struct arena *arena, struct str_map *ret,
                       struct refusal *why)
{
    struct json object;
    struct str_map labels = {0};

    int r = json_check(text, JSON_VALUES_MAX, &object, why);
    if (r)
        return r;
    if (object.kind != JSON_OBJECT)
        return refuse(why, OUTCOME_INVALID, "labels", "labels are no object");
    labels.v = arena_alloc(arena, FLEET_LABELS_MAX * sizeof(*labels.v));
    for (struct json_walk walk = json_walk(object); json_next(&walk); labels.n++) {
        if (labels.n == FLEET_LABELS_MAX || walk.value.kind != JSON_STRING)
            return refuse(why, OUTCOME_INVALID, "labels", "labels are at most %d texts",
                          FLEET_LABELS_MAX);
        r = json_string(walk.key, arena, &labels.v[labels.n].key, NULL);
        if (r)
            return r;
        r = json_string(walk.value, arena, &labels.v[labels.n].val, NULL);
        if (r)
            return r;
    }
    *ret = labels;
    return 0;
}

int fleet_restore(struct fleet *fleet, const struct ledger_agent *known, struct refusal *why)
{
    CLEANUP(arena_release) struct arena arena;
    struct str_map labels;

    arena_init(&arena);
    int r = read_labels(known->labels, &arena, &labels, why);
    if (r)
        return r;
    struct agent *agent =
        fleet_add(fleet, identity_keep(known->machine_id, known->hostname, &labels));
    agent->epoch = known->epoch;
    agent->reported = known->reported;
    agent->heard_us = known->changed_us;
    return 0;
}

/* ---- hello ---- */

int fleet_recognise(const struct fleet *fleet, const struct bus_hello *hello, struct agent **ret,
                    struct refusal *why)
{
    struct agent *agent = fleet_by_machine(fleet, hello->machine_id);
    struct agent *named =
        fleet_find(fleet, hello->hostname); /* names and machine ids are targets */

    if (agent && agent->peer)
        return refuse(why, OUTCOME_CONFLICT, "machine_id", "machine %s is connected already",
                      hello->machine_id);
    if (named && named != agent)
        return refuse(why, OUTCOME_CONFLICT, "hostname",
                      "the name %s belongs to machine %s; machine %s needs a name of its own",
                      hello->hostname, agent_identity(named)->machine_id, hello->machine_id);
    if (!agent && fleet->n >= FLEET_AGENTS_MAX)
        return refuse(why, OUTCOME_BUSY, NULL, "more than %d agents", FLEET_AGENTS_MAX);
    int r = check_labels(&hello->labels, why);
    if (r)
        return r;
    *ret = agent;
    return 0;
}

static bool identity_equal(const struct identity *a, const struct identity *b)
{
    return strcmp(a->hostname, b->hostname) == 0 && slice_equal(a->labels_json, b->labels_json);
}

static void keep(struct kept **slot, struct kept *kept)
{
    kept_unref(*slot);
    *slot = kept;
}

static void keep_version(struct agent *agent, const char *version)
{
    struct kept *kept = kept_new();

    kept->object = arena_strdup(&kept->arena, version);
    keep(&agent->version, kept);
}

static void judge(struct agent *agent, int64_t now_us);

struct agent *fleet_greet(struct fleet *fleet, struct agent *known, const struct bus_hello *hello,
                          int64_t now_us, bool *ret_changed)
{
    struct kept *identity = identity_keep(hello->machine_id, hello->hostname, &hello->labels);
    struct agent *agent = known;

    *ret_changed = true;
    if (!known)
        agent = fleet_add(fleet, identity);
    else if (!identity_equal(identity->object, agent_identity(known)))
        fleet_identify(fleet, known, identity);
    else {
        kept_unref(identity);
        *ret_changed = known->epoch != hello->epoch;
    }
    if (agent->epoch != hello->epoch)
        agent->reported = 0;
    agent->epoch = hello->epoch;
    agent->started_us = now_us - hello->up_us;
    agent->has_clock_error = false;
    keep(&agent->facts, kept_copy(&agent_facts_schema, &hello->facts));
    keep(&agent->vitals, kept_copy(&agent_vitals_schema, &hello->vitals));
    keep_version(agent, hello->version);
    judge(agent, now_us);
    return agent;
}

/* ---- beat ---- */

void agent_beat(struct agent *agent, const struct bus_beat *beat, int64_t now_us)
{
    if (beat->has_facts)
        keep(&agent->facts, kept_copy(&agent_facts_schema, &beat->facts));
    keep(&agent->vitals, kept_copy(&agent_vitals_schema, &beat->vitals));
    agent->has_clock_error = beat->has_clock_error_us;
    agent->clock_error_us = beat->clock_error_us;
    judge(agent, now_us);
}

void agent_heard(struct agent *agent, int64_t now_us, int64_t boot_us)
{
    agent->is_heard = true;
    agent->heard_us = now_us;
    agent->heard_boot_us = boot_us;
}

bool agent_is_ready(const struct agent *agent, int64_t boot_us)
{
    return agent->peer && boot_us - agent->heard_boot_us <= BUS_SILENT_US;
}

/* ---- conditions ---- */

#define GIB (1024.0 * 1024 * 1024)

/* Each writes the reason and returns whether the condition holds; without figures it says
   nothing. */
typedef bool judge_condition(const struct agent_facts *facts, const struct agent_vitals *vitals,
                             char reason[CONDITION_REASON_SIZE]);

static bool judge_memory(const struct agent_facts *facts, const struct agent_vitals *vitals,
                         char reason[CONDITION_REASON_SIZE])
{
    const struct memory *memory = &vitals->memory;
    double used = (double)memory->used, total = (double)memory->total;

    (void)facts;
    if (!vitals->has_memory || total <= 0)
        return false;
    snprintf(reason, CONDITION_REASON_SIZE, "memory %.0f%% used (%.1f/%.1f GB)", used / total * 100,
             used / GIB, total / GIB);
    return used / total > 0.9;
}

static bool judge_load(const struct agent_facts *facts, const struct agent_vitals *vitals,
                       char reason[CONDITION_REASON_SIZE])
{
    double load = vitals->load_average.one, threshold = 2.0 * (double)facts->cpu_count;

    if (!vitals->has_load_average || facts->cpu_count <= 0)
        return false;
    snprintf(reason, CONDITION_REASON_SIZE, "load %.2f, threshold %.2f for %lld CPUs", load,
             threshold, (long long)facts->cpu_count);
    return load > threshold;
}

static bool judge_disk(const struct agent_facts *facts, const struct agent_vitals *vitals,
                       char reason[CONDITION_REASON_SIZE])
{
    const struct disk *disk = &vitals->fullest_disk;
    double used = (double)disk->used, total = (double)disk->total;

    (void)facts;
    if (!vitals->has_fullest_disk || total <= 0)
        return false;
    struct slice name = slice_cut_at_character(slice_of(disk->name), 40);
    snprintf(reason, CONDITION_REASON_SIZE, "%.*s %.0f%% used (%.1f/%.1f GB)", (int)name.size,
             name.at, used / total * 100, used / GIB, total / GIB);
    return used / total > 0.9;
}

static judge_condition *const judges[condition_type_COUNT] = {
    [condition_type_MEMORY_PRESSURE] = judge_memory,
    [condition_type_HIGH_LOAD] = judge_load,
    [condition_type_DISK_PRESSURE] = judge_disk,
};

bool condition_judge(enum condition_type type, const struct agent_facts *facts,
                     const struct agent_vitals *vitals, char ret_reason[CONDITION_REASON_SIZE])
{
    ret_reason[0] = '\0';
    return judges[type](facts, vitals, ret_reason);
}

static void judge(struct agent *agent, int64_t now_us)
{
    for (int i = 0; i < condition_type_COUNT; i++) {
        struct condition *condition = &agent->conditions[i];
        char reason[CONDITION_REASON_SIZE];
        bool status = condition_judge((enum condition_type)i, agent->facts->object,
                                      agent->vitals->object, reason);
        if (status != condition->status || condition->since_us == 0)
            condition->since_us = now_us;
        condition->status = status;
    }
}

/* ---- what is shown ---- */

void agent_look(const struct agent *agent, const struct dispatch *dispatch, int64_t boot_us,
                struct agent_view *ret)
{
    *ret = (struct agent_view){
        .identity = kept_ref(agent->identity),
        .facts = kept_ref(agent->facts),
        .vitals = kept_ref(agent->vitals),
        .version = kept_ref(agent->version),
        .is_ready = agent_is_ready(agent, boot_us),
        .is_heard = agent->is_heard,
        .has_clock_error = agent->has_clock_error,
        .heard_us = agent->heard_us,
        .started_us = agent->started_us,
        .clock_error_us = agent->clock_error_us,
        .open_runs = dispatch_host_runs(dispatch, agent->host),
    };
    memcpy(ret->conditions, agent->conditions, sizeof(ret->conditions));
}

void agent_view_release(struct agent_view *view)
{
    kept_unref(view->identity);
    kept_unref(view->facts);
    kept_unref(view->vitals);
    kept_unref(view->version);
}
