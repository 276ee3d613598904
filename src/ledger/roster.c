/* SPDX-License-Identifier: MIT */
/*
 * The roster: one pass over `agents`, then one sort; shared by its version.
 */
#include "ledger/roster.h"

#include "base/json.h"
#include "base/mem.h"
#include "ledger/store.h"
#include "ledger/stored.h"

#include <assert.h>
#include <errno.h>

void rosters_init(struct rosters *rosters)
{
    int rc = pthread_mutex_init(&rosters->lock, NULL);

    assert(rc == 0);
    (void)rc;
    rosters->newest = NULL;
}

void rosters_release(struct rosters *rosters)
{
    rosters->newest = roster_unref(rosters->newest);
    pthread_mutex_destroy(&rosters->lock);
}

struct roster *roster_unref(struct roster *roster)
{
    if (!roster || atomic_fetch_sub_explicit(&roster->refs, 1, memory_order_acq_rel) > 1)
        return NULL;
    arena_release(&roster->arena);
    return mem_free(roster);
}

static int agents_count(struct txn *txn, uint32_t *ret)
{
    static const uint64_t meta_key = 0;
    struct meta_row meta;
    struct slice bytes;
    int r = table_get(txn, TABLE_META, u64_slice(&meta_key), &bytes);

    if (!r)
        r = meta_row_decode(bytes, &meta);
    if (r)
        return r;
    *ret = meta.n_hosts;
    return 0;
}

static struct slice slice_keep(struct arena *arena, struct slice text)
{
    return (struct slice){.at = arena_copy(arena, text), .size = text.size};
}

static int roster_read_names(struct roster *roster, struct txn *txn)
{
    struct buf quoted CLEANUP(buf_release);
    struct agent_row agent;
    struct slice bytes;

    buf_init(&quoted, STORED_ROW_MAX);
    for (uint32_t i = 0; i < roster->n; i++) {
        uint64_t key = (uint64_t)i + 1;
        int r = table_get(txn, TABLE_AGENTS, u64_slice(&key), &bytes);
        if (!r)
            r = agent_row_decode(bytes, &agent);
        if (r)
            return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
        buf_clear(&quoted);
        json_quote(&quoted, agent.hostname);
        roster->names[i] = slice_keep(&roster->arena, agent.hostname);
        roster->quoted[i] = slice_keep(&roster->arena, buf_slice(&quoted));
    }
    return 0;
}

/* By name; hosts of one name by number. */
static int compare_hosts(const void *a, const void *b, void *owner)
{
    const struct roster *roster = owner;
    uint32_t i, k;

    memcpy(&i, a, sizeof(i));
    memcpy(&k, b, sizeof(k));
    struct slice x = roster->names[i];
    struct slice y = roster->names[k];
    int order = memcmp(x.at, y.at, x.size < y.size ? x.size : y.size);
    if (order)
        return order;
    if (x.size != y.size)
        return x.size < y.size ? -1 : 1;
    return i < k ? -1 : i > k;
}

static void roster_rank_names(struct roster *roster)
{
    uint32_t *by_name CLEANUP(mem_freep) = mem_alloc(roster->n * sizeof(*by_name));

    for (uint32_t i = 0; i < roster->n; i++)
        by_name[i] = i;
    if (roster->n > 1)
        qsort_r(by_name, roster->n, sizeof(*by_name), compare_hosts, roster);
    for (uint32_t i = 0; i < roster->n; i++)
        roster->ranks[by_name[i]] = i;
}

static int roster_read(struct roster *roster, struct txn *txn)
{
    int r = agents_count(txn, &roster->n);

    if (r)
        return r;
    roster->names = arena_alloc(&roster->arena, roster->n * sizeof(*roster->names));
    roster->quoted = arena_alloc(&roster->arena, roster->n * sizeof(*roster->quoted));
    roster->ranks = arena_alloc(&roster->arena, roster->n * sizeof(*roster->ranks));
    r = roster_read_names(roster, txn);
    if (r)
        return r;
    roster_rank_names(roster);
    return 0;
}

static struct roster *find_shared(struct rosters *rosters, uint64_t version)
{
    struct roster *found = NULL;

    pthread_mutex_lock(&rosters->lock);
    if (rosters->newest && rosters->newest->version == version) {
        found = rosters->newest;
        atomic_fetch_add_explicit(&found->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&rosters->lock);
    return found;
}

/* A reader that was slow does not take the place of a newer one. */
static void share(struct rosters *rosters, struct roster *roster)
{
    struct roster *old = NULL;

    pthread_mutex_lock(&rosters->lock);
    if (!rosters->newest || rosters->newest->version < roster->version) {
        old = rosters->newest;
        rosters->newest = roster;
        atomic_fetch_add_explicit(&roster->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&rosters->lock);
    roster_unref(old);
}

int roster_hold(struct rosters *rosters, struct roster **held, struct txn *txn, uint64_t version)
{
    if (*held && (*held)->version == version)
        return 0;
    struct roster *roster = find_shared(rosters, version);
    if (!roster) {
        roster = mem_alloc(sizeof(*roster));
        atomic_init(&roster->refs, 1);
        roster->version = version;
        int r = roster_read(roster, txn);
        if (r) {
            roster_unref(roster);
            return r;
        }
        share(rosters, roster);
    }
    roster_unref(*held);
    *held = roster;
    return 0;
}

bool roster_has(const struct roster *roster, host_number host)
{
    return host >= 1 && host <= roster->n;
}

struct slice roster_name(const struct roster *roster, host_number host)
{
    assert(roster_has(roster, host));
    return roster->names[host - 1];
}

struct slice roster_quoted(const struct roster *roster, host_number host)
{
    assert(roster_has(roster, host));
    return roster->quoted[host - 1];
}

uint32_t roster_rank(const struct roster *roster, host_number host)
{
    assert(roster_has(roster, host));
    return roster->ranks[host - 1];
}
