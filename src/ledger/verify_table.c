/* SPDX-License-Identifier: MIT */
/*
 * What must hold of each table by itself, and of the file's pages.
 */
#include "ledger/verify_inside.h"

#include "base/json.h"
#include "base/mem.h"
#include "ledger/inside.h"

/* ---- pages ---- */

static void say_stranger(void *owner, struct slice name)
{
    verify_say(owner, TABLE_META, VERIFY_NO_KEY,
               "the file has a table \"%.*s\" that is none of ours",
               (int)(name.size < 64 ? name.size : 64), name.at);
}

static void say_pages(struct verify *verify, const struct page_use *use)
{
    verify_say(
        verify, TABLE_META, VERIFY_NO_KEY,
        "of %llu pages of the file %llu are used and %llu free, and %llu entries of the lists "
        "of free pages can't be",
        (unsigned long long)use->total, (unsigned long long)use->used,
        (unsigned long long)use->free, (unsigned long long)use->damaged);
}

void verify_pages(struct verify *verify)
{
    struct page_use use;
    uint64_t n_strangers = verify->report->n_findings;

    if (snapshot_each_stranger(&verify->txn, say_stranger, verify)) {
        verify_say(verify, TABLE_META, VERIFY_NO_KEY, "the list of tables can't be read (%s)",
                   fault_text());
        return;
    }
    n_strangers = verify->report->n_findings - n_strangers;
    if (snapshot_page_use(&verify->txn, verify->n_pages, &use)) {
        verify_say(verify, TABLE_META, VERIFY_NO_KEY, "the lists of free pages can't be read (%s)",
                   fault_text());
        return;
    }
    /* A stranger's pages are not counted. */
    if (use.damaged || (use.used + use.free != use.total && n_strangers == 0))
        say_pages(verify, &use);
}

/* ---- names ---- */

static const char *name_take(struct verify_names *names, struct slice name, uint32_t number)
{
    if (number == 0)
        return "its number is none";
    if (number >= names->room)
        return "its number was never given";
    if (names->v[number].at)
        return "its number is that of another name";
    names->v[number] = name;
    names->n++;
    return NULL;
}

static void name_check(struct verify *verify, const struct walk *walk)
{
    const char *wrong = "it is of no kind";
    enum name_kind kind;
    struct slice name;
    uint32_t number;

    if (names_row_decode(walk->key, walk->value, &kind, &name, &number))
        wrong = name_take(&verify->names[kind], name, number);
    if (wrong)
        verify_say(verify, TABLE_NAMES, VERIFY_NO_KEY, "\"%.*s\": %s", (int)walk->key.size,
                   walk->key.at, wrong);
}

/* Room for as many as were given; not for more than the file can hold. */
static void names_reserve(struct verify *verify)
{
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++) {
        struct verify_names *names = &verify->names[kind];
        uint64_t room = (uint64_t)names_last(&verify->meta, kind) + 1;
        uint64_t most = verify->n_pages * 4096;
        names->room = (uint32_t)(room < most ? room : most);
        names->v = mem_alloc(names->room * sizeof(*names->v));
    }
}

static void names_count(struct verify *verify)
{
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++) {
        uint32_t last = names_last(&verify->meta, kind);
        if (verify->names[kind].n != last)
            verify_say(verify, TABLE_NAMES, VERIFY_NO_KEY,
                       "%u %s have a number, and %u numbers were given",
                       (unsigned)verify->names[kind].n, names_word(kind), (unsigned)last);
    }
}

/* Numbers of a kind are 1 … the last one given, without a gap. */
void verify_names(struct verify *verify)
{
    struct walk walk;

    names_reserve(verify);
    for (walk = walk_begin(verify, TABLE_NAMES); walk.here; walk_next(&walk))
        name_check(verify, &walk);
    walk_check_count(&walk);
    if (!walk.broken)
        names_count(verify);
}

/* ---- agents ---- */

static bool labels_are_sound(struct slice labels)
{
    struct json json;

    if (json_check(labels, JSON_VALUES_MAX, &json, NULL) || json.kind != JSON_OBJECT)
        return false;
    for (struct json_walk walk = json_walk(json); json_next(&walk);) {
        if (walk.value.kind != JSON_STRING)
            return false;
    }
    return true;
}

static void agent_check(struct verify *verify, const struct walk *walk, struct slice *ret_machine)
{
    struct agent_row agent;
    uint64_t host = walk->number;

    *ret_machine = (struct slice){0};
    if (agent_row_decode(walk->value, &agent)) {
        verify_say(verify, TABLE_AGENTS, host, "its row can't be decoded");
        return;
    }
    *ret_machine = agent.machine_id;
    if (agent.machine_id.size == 0 || agent.hostname.size == 0)
        verify_say(verify, TABLE_AGENTS, host, "it has no machine id or no name");
    if (!labels_are_sound(agent.labels))
        verify_say(verify, TABLE_AGENTS, host, "its labels are no JSON object of texts");
    if (agent.changed_us < agent.first_seen_us || agent.changed_us > verify->meta.last_time_us)
        verify_say(verify, TABLE_AGENTS, host, "its times are out of order");
}

static int compare_slices(const void *a, const void *b)
{
    const struct slice *x = a;
    const struct slice *y = b;
    size_t size = x->size < y->size ? x->size : y->size;
    int order = size ? memcmp(x->at, y->at, size) : 0;

    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static void machines_check(struct verify *verify, struct slice *machines, uint32_t n)
{
    if (n > 1)
        qsort(machines, n, sizeof(*machines), compare_slices);
    for (uint32_t i = 1; i < n; i++) {
        if (machines[i].size && slice_equal(machines[i - 1], machines[i]))
            verify_say(verify, TABLE_AGENTS, VERIFY_NO_KEY, "two hosts have the machine id %.*s",
                       (int)machines[i].size, machines[i].at);
    }
}

/* Hosts are numbered 1 … n_hosts without a gap. */
void verify_agents(struct verify *verify)
{
    uint64_t n;
    struct walk walk;

    if (table_count(&verify->txn, TABLE_AGENTS, &n) || n != verify->meta.n_hosts)
        verify_say(verify, TABLE_AGENTS, VERIFY_NO_KEY,
                   "%llu hosts are there, and %u were numbered", (unsigned long long)n,
                   (unsigned)verify->meta.n_hosts);
    if (n > verify->n_pages * 4096) /* so many can't be; what is reserved is bounded by the file */
        return;
    struct slice *machines CLEANUP(mem_freep) = mem_alloc(n * sizeof(*machines));
    for (walk = walk_begin(verify, TABLE_AGENTS); walk.here && walk.n <= n; walk_next(&walk)) {
        if (walk.number != walk.n)
            verify_say(verify, TABLE_AGENTS, walk.number, "its number should be %llu",
                       (unsigned long long)walk.n);
        agent_check(verify, &walk, &machines[walk.n - 1]);
    }
    machines_check(verify, machines, (uint32_t)(walk.n < n ? walk.n : n));
}

/* ---- ids, dirty ---- */

static void id_check(struct verify *verify, const struct walk *walk)
{
    struct head head;
    struct uuid id;
    uint64_t seq;

    if (walk->key.size != sizeof(id) || u64_decode(walk->value, &seq)) {
        verify_say(verify, TABLE_IDS, VERIFY_NO_KEY, "an entry is none");
        return;
    }
    memcpy(&id, walk->key.at, sizeof(id));
    verify->job = id;
    verify->job_seq = seq;
    int r = head_get(&verify->txn, seq, &head);
    if (r == OUTCOME_NOT_FOUND)
        verify_say(verify, TABLE_IDS, seq, "there is no such job");
    if (r == 0 && !uuid_equal(&head.id, &id))
        verify_say(verify, TABLE_IDS, seq, "the job there has another id");
    verify->job_seq = 0;
}

void verify_ids(struct verify *verify)
{
    struct walk walk;

    for (walk = walk_begin(verify, TABLE_IDS); walk.here; walk_next(&walk))
        id_check(verify, &walk);
    walk_check_count(&walk);
}

bool verify_is_dirty(struct verify *verify, uint64_t block)
{
    struct slice value;

    return table_get(&verify->txn, TABLE_DIRTY, u64_slice(&block), &value) == 0;
}

void verify_dirty(struct verify *verify)
{
    struct walk walk;

    for (walk = walk_begin(verify, TABLE_DIRTY); walk.here; walk_next(&walk)) {
        if (walk.number > verify->meta.next_seq / BLOCK_JOBS || walk.value.size != 0)
            verify_say(verify, TABLE_DIRTY, walk.number, "there can be no such mark");
    }
    walk_check_count(&walk);
}
