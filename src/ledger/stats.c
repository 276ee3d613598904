/* SPDX-License-Identifier: MIT */
/*
 * Counts of jobs, from the index alone but for hosts.
 *
 * The blocks are counted one after the other, a few microseconds at a time under the ledger's lock,
 * and each with its version, so that what changed meanwhile is counted again. The round that finds
 * every block current is the answer: its snapshot is the one that all counts belong to.
 */
#include "ledger/stats.h"

#include "base/mem.h"
#include "ledger/inside.h"

struct stats {
    const struct ledger_stats_question *question;
    struct tally_question tally;
    /* What the filter's names meant when the tallies were begun. */
    struct filter_meaning {
        uint64_t names_version, stamps[FILTER_HOSTS_MAX];
    } meaning;
    struct tally *tallies; /* of blocks first_block … */
    uint64_t first_block;
    size_t n_tallies;
    unsigned n_restarts;
    bool must_end;
    /* Of the last round. */
    size_t n_left; /* blocks that have still to be counted */
    bool too_many;
    uint64_t begin_block, end_block;
};

static struct tally *tally_of(const struct stats *stats, uint64_t number)
{
    return &stats->tallies[number - stats->first_block];
}

static void stats_forget(struct stats *stats)
{
    for (size_t i = 0; i < stats->n_tallies; i++)
        tally_clear(&stats->tallies[i]);
}

static void stats_release(struct stats *stats)
{
    stats_forget(stats);
    mem_free(stats->tallies);
    stats_times_release(&stats->tally.times);
}

/* ---- rounds ---- */

/* About how long one may hold the lock. */
#define STEP_NS 8000

/* Blocks of the answer: numbers from begin_block on, below end_block. */
static void find_blocks(struct stats *stats, const struct filter_view *view)
{
    uint64_t first = view->blocks->first, end = first + view->blocks->n;
    uint64_t begin_block = view->begin / BLOCK_JOBS;
    uint64_t end_block = (view->end + BLOCK_JOBS - 1) / BLOCK_JOBS;
    bool is_empty = view->begin >= view->end || (view->filter && view->filter->matches_nothing);

    stats->begin_block = begin_block > first ? begin_block : first;
    stats->end_block = end_block < end ? end_block : end;
    if (is_empty || stats->end_block < stats->begin_block)
        stats->end_block = stats->begin_block;
}

static void cover_blocks(struct stats *stats)
{
    /* Where the jobs before `since` are deleted, it may mean a lower seq than it did. */
    if (stats->n_tallies == 0 || stats->begin_block < stats->first_block) {
        stats_forget(stats);
        stats->first_block = stats->begin_block;
    }
    size_t n = (size_t)(stats->end_block - stats->first_block);
    if (n <= stats->n_tallies)
        return;
    stats->tallies = mem_realloc(stats->tallies, n * sizeof(*stats->tallies));
    memset(stats->tallies + stats->n_tallies, 0, (n - stats->n_tallies) * sizeof(*stats->tallies));
    stats->n_tallies = n;
}

/* A name that came, or a host's set that was read anew, is no change of a block. */
static void note_meaning(struct stats *stats, const struct filter *filter)
{
    struct filter_meaning meaning = {.names_version = 0};

    if (!filter)
        return;
    meaning.names_version = filter->names_version;
    memcpy(meaning.stamps, filter->stamps, sizeof(meaning.stamps));
    if (memcmp(&meaning, &stats->meaning, sizeof(meaning)) != 0)
        stats_forget(stats);
    stats->meaning = meaning;
}

/* A filter_copy that never asks for another round by itself: how far it came is seen outside. */
static bool stats_copy(const struct filter_view *view, bool must_end, void *owner)
{
    struct stats *stats = owner;
    struct tally_budget budget = {
        .left_ns = stats->must_end ? INT64_MAX : STEP_NS,
        .n_restarts = stats->n_restarts,
    };

    (void)must_end;
    find_blocks(stats, view);
    stats->n_left = 0;
    stats->too_many = stats->tally.wants[AXIS_HOSTS] && view->end > view->begin &&
                      view->end - view->begin > LEDGER_JOBS_BY_HOST_MAX;
    if (stats->too_many)
        return true;
    note_meaning(stats, view->filter);
    cover_blocks(stats);
    for (uint64_t number = stats->begin_block; number < stats->end_block; number++)
        stats->n_left += !tally_block(tally_of(stats, number), &stats->tally, view,
                                      (size_t)(number - view->blocks->first), &budget);
    stats->n_restarts = budget.n_restarts;
    return true;
}

/* Blocks that change faster than they can be counted in steps are counted at one go, when they are
   all that is left; or when everything changes all the time. */
#define RESTARTS_MAX     16
#define RESTARTS_LEFT    2
#define RESTARTS_MAX_ALL 1000

/* After 0 the reader is in the snapshot of the tallies, unless there are too many jobs. */
static int count_blocks(struct stats *stats, struct ledger_reader *reader)
{
    for (;;) {
        int r = filter_begin(reader, &stats->question->filter, stats_copy, stats);
        if (r || stats->n_left == 0)
            return r;
        reader_end(reader);
        stats->must_end = stats->n_restarts > RESTARTS_MAX_ALL ||
                          (stats->n_restarts > RESTARTS_MAX && stats->n_left <= RESTARTS_LEFT);
    }
}

/* A bucket's bound that lies behind the newest job may have jobs on both sides in a later snapshot:
   then once more. */
static int count_in_times(struct stats *stats, struct ledger_reader *reader)
{
    for (;;) {
        bool has_moved;
        int r = reader_begin(reader, NULL, NULL);
        if (r)
            return r;
        r = stats_times_read(&stats->tally.times, &reader->txn, &has_moved);
        reader_end(reader);
        if (!r)
            r = count_blocks(stats, reader);
        if (r)
            return r;
        r = stats_times_read(&stats->tally.times, &reader->txn, &has_moved);
        if (!r && !has_moved)
            return 0;
        reader_end(reader);
        if (r)
            return r;
        stats_forget(stats);
    }
}

/* ---- sums ---- */

/* Of all blocks, by key. */
static uint64_t *sum_cells(const struct stats *stats, enum axis axis, struct arena *arena,
                           size_t *ret_n)
{
    size_t n = 0;

    for (uint64_t number = stats->begin_block; number < stats->end_block; number++) {
        const struct cells *cells = &tally_of(stats, number)->cells[axis];
        for (size_t k = 0; k < cells->n; k++)
            n = cells->v[k].key >= n ? (size_t)cells->v[k].key + 1 : n;
    }
    uint64_t *sums = arena_alloc(arena, n * sizeof(*sums));
    for (uint64_t number = stats->begin_block; number < stats->end_block; number++) {
        const struct cells *cells = &tally_of(stats, number)->cells[axis];
        for (size_t k = 0; k < cells->n; k++)
            sums[cells->v[k].key] += cells->v[k].n;
    }
    *ret_n = n;
    return sums;
}

static void sum_words(const struct stats *stats, enum axis axis, const struct word *words,
                      struct arena *arena, struct ledger_groups *ret)
{
    struct stats_sums sums = {.words = words};

    sums.v = sum_cells(stats, axis, arena, &sums.n);
    stats_groups_of_words(&sums, arena, ret);
}

static int sum_names(const struct stats *stats, enum axis axis, enum name_kind kind,
                     struct ledger_reader *reader, struct arena *arena, struct ledger_groups *ret)
{
    struct stats_sums sums = {.v = NULL};

    sums.v = sum_cells(stats, axis, arena, &sums.n);
    return stats_groups_of_names(&sums, &reader->txn, kind, arena, ret);
}

static int sum_hosts(const struct stats *stats, struct ledger_reader *reader, struct arena *arena,
                     struct ledger_groups *ret)
{
    CLEANUP(host_counts_release) struct host_counts counts = {.n_jobs = 0};
    host_counts_init(&counts, reader->roster);

    for (uint64_t number = stats->begin_block; number < stats->end_block; number++) {
        const struct tally *tally = tally_of(stats, number);
        int r = tally->jobs ? host_counts_add(&counts, &reader->txn, number, tally->jobs) : 0;
        if (r)
            return r;
    }
    host_counts_groups(&counts, reader->roster, arena, ret);
    return 0;
}

static void sum_times(const struct stats *stats, struct arena *arena, struct ledger_stats *ret)
{
    const struct stats_times *times = &stats->tally.times;
    size_t n;
    const uint64_t *sums = sum_cells(stats, AXIS_TIME, arena, &n);

    ret->n_buckets = times->n;
    ret->buckets = arena_alloc(arena, times->n * sizeof(*ret->buckets));
    for (size_t i = 0; i < times->n; i++)
        ret->buckets[i].start_us = times->first_us + (int64_t)i * times->bucket_us;
    for (size_t i = 0; i < n; i++)
        ret->buckets[i / job_status_COUNT].counts[i % job_status_COUNT] = sums[i];
}

static uint64_t sum_total(const struct stats *stats, struct arena *arena)
{
    size_t n;
    const uint64_t *sums = sum_cells(stats, AXIS_STATUS, arena, &n);
    uint64_t total = 0;

    for (size_t i = 0; i < n; i++)
        total += sums[i];
    return total;
}

static int sum_all(const struct stats *stats, struct ledger_reader *reader, struct arena *arena,
                   struct ledger_stats *ret)
{
    struct ledger_stats all = {.total = sum_total(stats, arena)};
    unsigned by = stats->question->by;
    int r = 0;

    if (by & 1u << stats_by_STATUS)
        sum_words(stats, AXIS_STATUS, job_status_words, arena, &all.by[stats_by_STATUS]);
    if (by & 1u << stats_by_CODE)
        sum_words(stats, AXIS_CODE, run_code_words, arena, &all.by[stats_by_CODE]);
    if (by & 1u << stats_by_OPERATION)
        r = sum_names(stats, AXIS_OPERATION, NAME_OPERATION, reader, arena,
                      &all.by[stats_by_OPERATION]);
    if (!r && by & 1u << stats_by_USER)
        r = sum_names(stats, AXIS_USER, NAME_USER, reader, arena, &all.by[stats_by_USER]);
    if (!r && by & 1u << stats_by_HOSTNAME)
        r = sum_hosts(stats, reader, arena, &all.by[stats_by_HOSTNAME]);
    if (r)
        return r;
    sum_times(stats, arena, &all);
    *ret = all;
    return 0;
}

/* ---- the answer ---- */

static int stats_answer(struct stats *stats, struct ledger_reader *reader, struct arena *arena,
                        struct ledger_stats *ret, struct refusal *why)
{
    int r = stats->tally.times.n > 0 ? count_in_times(stats, reader) : count_blocks(stats, reader);

    if (r)
        return r;
    if (stats->too_many)
        r = refuse(why, OUTCOME_INVALID, "since",
                   "since: jobs are counted by hostname where at most %u were submitted from since "
                   "to until; give a later since",
                   LEDGER_JOBS_BY_HOST_MAX);
    else
        r = sum_all(stats, reader, arena, ret);
    reader_end(reader);
    return r;
}

int ledger_stats(struct ledger_reader *reader, const struct ledger_stats_question *question,
                 struct arena *arena, struct ledger_stats *ret, struct refusal *why)
{
    struct stats stats = {
        .question = question,
        .tally.wants =
            {
                [AXIS_STATUS] = true, /* the total is its sum */
                [AXIS_OPERATION] = question->by & 1u << stats_by_OPERATION,
                [AXIS_USER] = question->by & 1u << stats_by_USER,
                [AXIS_CODE] = question->by & 1u << stats_by_CODE,
                [AXIS_TIME] = question->bucket_us > 0,
                [AXIS_HOSTS] = question->by & 1u << stats_by_HOSTNAME,
            },
    };

    if (question->bucket_us > 0)
        stats_times_init(&stats.tally.times, question->filter.since_us, question->filter.until_us,
                         question->bucket_us);
    int r = stats_answer(&stats, reader, arena, ret, why);
    stats_release(&stats);
    return r;
}
