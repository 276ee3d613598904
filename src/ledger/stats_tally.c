/* SPDX-License-Identifier: MIT */
/*
 * One block, counted a few microseconds at a time: value after value of each dimension that is
 * asked for, then the pieces of time.
 */
#include "ledger/stats.h"

#include "base/mem.h"
#include "ledger/block_inside.h"

/* ---- cells ---- */

static void cells_add(struct cells *cells, uint32_t key, uint32_t n)
{
    if (n == 0)
        return;
    if (cells->n == cells->room) {
        cells->room = cells->room ? 2 * cells->room : 8;
        cells->v = mem_realloc(cells->v, cells->room * sizeof(*cells->v));
    }
    cells->v[cells->n++] = (struct cell){.key = key, .n = n};
}

void tally_clear(struct tally *tally)
{
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++)
        mem_free(tally->cells[axis].v);
    if (tally->jobs)
        roaring_bitmap_free(tally->jobs);
    selection_release(&tally->selected);
    *tally = (struct tally){0};
}

/* ---- counting, under the lock ---- */

/* Of those that are a dimension of the index. */
static const enum dimension axis_dimension[AXIS_COUNT] = {
    [AXIS_STATUS] = DIMENSION_STATUS,
    [AXIS_OPERATION] = DIMENSION_OPERATION,
    [AXIS_USER] = DIMENSION_USER,
    [AXIS_CODE] = DIMENSION_CODE,
};

/* What a part of a step takes, about, of blocks that are in no cache: measured at 2 million jobs.
 */
#define SELECT_NS 8000 /* what the filter means */
#define JOIN_NS   2000
#define COUNT_NS  200
#define RANK_NS   600
#define ARRAY_MAX 4096 /* more positions are kept as bits */
#define BITS_NS   2500

/* One block, while the lock is held. */
struct step {
    const struct tally_question *question;
    const struct filter_view *view;
    size_t block_at; /* in view->blocks */
    const struct block *block;
    struct tally *tally;
    int64_t *left_ns;
};

static const struct value_sets *axis_sets(const struct step *step)
{
    return &step->block->dimensions[axis_dimension[step->tally->axis]];
}

static uint32_t count_set(const struct step *step, const struct value_set *set)
{
    if (step->tally->is_all || set->cardinality == 0) {
        *step->left_ns -= 2;
        return set->cardinality;
    }
    *step->left_ns -= COUNT_NS + (set->cardinality > ARRAY_MAX ? BITS_NS : 2 * set->cardinality);
    return (uint32_t)roaring_bitmap_and_cardinality(step->tally->selected.bits, set->bits);
}

/* False: time is up, and it goes on at tally->at. */
static bool count_values(const struct step *step)
{
    struct tally *tally = step->tally;
    const struct value_sets *sets = axis_sets(step);

    for (; tally->at < sets->n; tally->at++) {
        if (*step->left_ns <= 0)
            return false;
        const struct value_set *set = &sets->v[tally->at];
        cells_add(&tally->cells[tally->axis], set->value, count_set(step, set));
    }
    return true;
}

/* Jobs that have no failed run are those that have no value in the dimension. */
static void count_without_code(const struct step *step)
{
    static const struct block_term without = {.dimension = DIMENSION_CODE, .or_without = true};
    struct selection jobs = block_select(step->block, &without, 1, step->tally->selected.bits);

    *step->left_ns -= (1 + (int64_t)axis_sets(step)->n) * JOIN_NS;
    cells_add(&step->tally->cells[AXIS_CODE], run_code_NONE,
              (uint32_t)roaring_bitmap_get_cardinality(jobs.bits));
    selection_release(&jobs);
}

static bool count_codes(const struct step *step)
{
    if (!count_values(step) || *step->left_ns <= 0)
        return false;
    count_without_code(step);
    return true;
}

/* Counts of a block that lies in one bucket are those of its states. */
static void copy_states(const struct step *step, size_t bucket)
{
    const struct cells *states = &step->tally->cells[AXIS_STATUS];

    for (size_t i = 0; i < states->n; i++)
        cells_add(&step->tally->cells[AXIS_TIME],
                  (uint32_t)bucket * job_status_COUNT + states->v[i].key, states->v[i].n);
}

/* Jobs below seq `bound`. */
static uint64_t rank_of(const struct selection *jobs, uint64_t base, uint64_t bound)
{
    if (bound <= base)
        return 0;
    if (bound >= base + BLOCK_JOBS)
        return roaring_bitmap_get_cardinality(jobs->bits);
    return roaring_bitmap_rank(jobs->bits, (uint32_t)(bound - base - 1));
}

/* Buckets of one state, beginning with `bucket`, as far as time goes; *ret_next is the first that
   is left. */
static void count_ranges(const struct step *step, size_t bucket, unsigned status, size_t *ret_next)
{
    const struct stats_times *times = &step->question->times;
    uint64_t base = (step->view->blocks->first + step->block_at) * BLOCK_JOBS;
    const struct block_term term = {
        .dimension = DIMENSION_STATUS, .n = 1, .values = (const uint32_t[]){status}};
    struct selection jobs = block_select(step->block, &term, 1,
                                         step->tally->is_all ? NULL : step->tally->selected.bits);
    uint64_t below = rank_of(&jobs, base, times->bounds[bucket]);

    *step->left_ns -= JOIN_NS + RANK_NS;
    do {
        uint64_t end = rank_of(&jobs, base, times->bounds[bucket + 1]);
        cells_add(&step->tally->cells[AXIS_TIME], (uint32_t)bucket * job_status_COUNT + status,
                  (uint32_t)(end - below));
        below = end;
        *step->left_ns -= RANK_NS;
        bucket++;
    } while (*step->left_ns > 0 && stats_times_reach(times, bucket, base + BLOCK_JOBS));
    selection_release(&jobs);
    *ret_next = bucket;
}

/* tally->at counts states, and of each the buckets that the block reaches into. */
static bool count_times(const struct step *step)
{
    const struct stats_times *times = &step->question->times;
    uint64_t base = (step->view->blocks->first + step->block_at) * BLOCK_JOBS;
    size_t first = stats_times_find(times, base), n = 0, next;
    struct tally *tally = step->tally;

    while (stats_times_reach(times, first + n, base + BLOCK_JOBS))
        n++;
    if (n == 1) {
        copy_states(step, first);
        return true;
    }
    while (tally->at < n * job_status_COUNT) {
        if (*step->left_ns <= 0)
            return false;
        unsigned status = (unsigned)(tally->at / n);
        count_ranges(step, first + tally->at % n, status, &next);
        tally->at = (uint32_t)(status * n + (next - first));
    }
    return true;
}

static bool copy_jobs(const struct step *step)
{
    if (*step->left_ns <= 0)
        return false;
    step->tally->jobs = roaring_bitmap_copy(step->tally->selected.bits);
    *step->left_ns -= JOIN_NS;
    return true;
}

/* False: time is up. */
static bool (*const axis_count[AXIS_COUNT])(const struct step *step) = {
    [AXIS_STATUS] = count_values, [AXIS_OPERATION] = count_values, [AXIS_USER] = count_values,
    [AXIS_CODE] = count_codes,    [AXIS_TIME] = count_times,       [AXIS_HOSTS] = copy_jobs,
};

/* What is selected stays so while the block has this version. False: no job is. */
static bool step_select(const struct step *step)
{
    const struct value_set *all = block_set(step->block, DIMENSION_ALL, 0);
    struct tally *tally = step->tally;

    if (tally->selected.bits)
        return true;
    if (!filter_select(step->view, step->block_at, &tally->selected))
        return false;
    tally->is_all = all && tally->selected.bits == all->bits;
    *step->left_ns -= tally->is_all ? 0 : SELECT_NS;
    return true;
}

static bool step_run(const struct step *step)
{
    struct tally *tally = step->tally;

    if (!step_select(step))
        tally->axis = AXIS_COUNT;
    for (; tally->axis < AXIS_COUNT; tally->axis++) {
        if (step->question->wants[tally->axis] && !axis_count[tally->axis](step))
            return false;
        tally->at = 0;
    }
    selection_release(&tally->selected);
    return true;
}

bool tally_block(struct tally *tally, const struct tally_question *question,
                 const struct filter_view *view, size_t i, struct tally_budget *budget)
{
    const struct block_slot *slot = &view->blocks->v[i];
    uint64_t base = (view->blocks->first + i) * BLOCK_JOBS;
    uint32_t low = view->begin > base ? (uint32_t)(view->begin - base) : 0;
    uint32_t high = view->end < base + BLOCK_JOBS ? (uint32_t)(view->end - base) : BLOCK_JOBS;
    bool is_same = tally->version == slot->version && tally->low == low && tally->high == high;

    if (!slot->block) {
        tally_clear(tally); /* its last job may be gone since it was counted */
        return true;
    }
    if (is_same && tally->axis == AXIS_COUNT)
        return true;
    if (budget->left_ns <= 0)
        return false;
    if (!is_same) {
        budget->n_restarts += tally->version != 0;
        tally_clear(tally);
        *tally = (struct tally){.version = slot->version, .low = low, .high = high};
    }
    struct step step = {
        .question = question,
        .view = view,
        .block_at = i,
        .block = slot->block,
        .tally = tally,
        .left_ns = &budget->left_ns,
    };
    return step_run(&step);
}
