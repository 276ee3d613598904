/* SPDX-License-Identifier: MIT */
/*
 * Filters against brute force: random jobs over a block border, random changes, and every kind of
 * condition; counts, totals, pages by offset and by cursor must be those of a walk over all jobs.
 *
 * REEVE_STEPS=<number> of records; repeat a failure with REEVE_SEED=<printed number>.
 */
#include "ledger/fixture_copy.h"

#include "base/json.h"
#include "base/mem.h"

#define BATCH_MAX 400u

/* ---- questions ---- */

struct answer {
    uint64_t total, counts[job_status_COUNT], matching[job_status_COUNT];
    uint32_t *matched; /* indexes, oldest first */
};

static struct answer brute_force(const struct copy *copy, const struct ledger_filter *filter)
{
    struct answer answer = {.matched =
                                mem_alloc((copy->n_jobs - copy->first + 1) * sizeof(uint32_t))};

    for (uint32_t i = copy->first; i < copy->n_jobs; i++) {
        const struct copy_job *job = &copy->jobs[i];
        if (!job->is_there)
            continue;
        enum job_status status = job->status;
        answer.counts[status]++;
        if (!copy_matches(copy, job, filter))
            continue;
        answer.matching[status]++;
        if (!filter->statuses || filter->statuses & 1u << status)
            answer.matched[answer.total++] = i;
    }
    return answer;
}

/* Where the page lies in answer->matched: [*ret_low, *ret_high). */
static void expect_page(const struct copy *copy, const struct answer *answer,
                        const struct ledger_question *question, uint64_t *ret_low,
                        uint64_t *ret_high)
{
    uint64_t n_below = 0, n_above = 0;

    for (uint64_t i = 0; i < answer->total; i++) {
        uint64_t seq = copy->jobs[answer->matched[i]].seq;
        n_below += seq < question->at;
        n_above += seq > question->at;
    }
    uint64_t high = question->from == LEDGER_FROM_OLDER ? n_below
                    : question->at < answer->total      ? answer->total - question->at
                                                        : 0;
    uint64_t low = high > question->limit ? high - question->limit : 0;
    if (question->from == LEDGER_FROM_NEWER) {
        low = answer->total - n_above;
        high = low + (n_above < question->limit ? n_above : question->limit);
    }
    *ret_low = low;
    *ret_high = high;
}

static void check_question(struct copy *copy, const struct ledger_question *question)
{
    struct answer answer = brute_force(copy, &question->filter);
    struct ledger_found found[LEDGER_PAGE_MAX];
    struct ledger_page page;
    uint64_t low, high;

    assert_int_equal(ledger_find(copy->fixture.reader, question, &page, found), 0);
    assert_int_equal(page.position, ledger_position(copy->fixture.ledger));
    assert_memory_equal(page.counts, answer.counts, sizeof(page.counts));
    assert_memory_equal(page.matching, answer.matching, sizeof(page.matching));
    assert_int_equal(page.total, answer.total);
    expect_page(copy, &answer, question, &low, &high);
    assert_int_equal(page.n_items, high - low);
    for (uint64_t i = low; i < high; i++) {
        const struct copy_job *job = &copy->jobs[answer.matched[i]];
        assert_int_equal(found[high - 1 - i].seq, job->seq);
        assert_memory_equal(&found[high - 1 - i].id, &job->id, sizeof(job->id));
    }
    if (high > low) {
        assert_int_equal(page.has_older, low > 0);
        assert_int_equal(page.has_newer, high < answer.total);
        assert_int_equal(page.oldest_seq, copy->jobs[answer.matched[low]].seq);
        assert_int_equal(page.newest_seq, copy->jobs[answer.matched[high - 1]].seq);
    }
    mem_free(answer.matched);
}

static void ask(struct copy *copy)
{
    unsigned which = random_below(COPY_FILTERS);
    struct ledger_question question;

    if (one_in(10))
        copy_choose_filter(copy, which);
    question = (struct ledger_question){
        .filter = copy->filters[which],
        .from = (enum ledger_from)random_below(LEDGER_FROM_NEWER + 1),
        .limit = random_below(LEDGER_PAGE_MAX + 1),
    };
    question.at = question.from == LEDGER_FROM_OFFSET
                      ? random_below(one_in(2) ? 200 : copy->n_jobs)
                      : copy_random_job(copy)->seq + random_below(3) - 1;
    if (one_in(2))
        question.filter.statuses = random_below(1u << job_status_COUNT);
    if (one_in(3))
        question.filter.since_us = copy_random_time(copy);
    if (one_in(4))
        question.filter.until_us = copy_random_time(copy);
    check_question(copy, &question);
}

/* ---- the walk ---- */

static void filters_agree_with_a_walk_over_all_jobs(void **state)
{
    struct copy *copy = copy_new();
    uint32_t n_steps = fixture_steps();

    (void)state;
    for (uint32_t n = 0, size; n < n_steps; n += size) {
        size = 1 + random_below(BATCH_MAX);
        copy_batch(copy, size);
        for (unsigned i = 0; i < 3; i++)
            ask(copy);
        if (one_in(10))
            assert_int_equal(ledger_checkpoint(copy->fixture.ledger, 2), 0);
        if (one_in(60))
            fixture_reopen(&copy->fixture, one_in(2));
        if (one_in(150))
            copy_drop_front(copy);
    }
    fixture_expect_sound(&copy->fixture);
    copy_free(copy);
}

/* ---- walks by cursor ---- */

/* What one walk meets, by index of the job. */
static void note(const struct copy *copy, const struct ledger_found *found, uint8_t *seen)
{
    uint32_t low = copy->first, high = copy->n_jobs;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (copy->jobs[middle].seq < found->seq)
            low = middle + 1;
        else
            high = middle;
    }
    assert_true(low < copy->n_jobs && copy->jobs[low].seq == found->seq);
    seen[low]++;
}

static void a_walk_meets_every_surviving_job_once(void **state)
{
    struct copy *copy = copy_new();
    struct ledger_question question = {
        .filter = {.operation = "node.", .statuses = STATUSES_FINAL},
        .from = LEDGER_FROM_OLDER,
        .at = UINT64_MAX,
        .limit = LEDGER_PAGE_MAX,
    };
    struct ledger_found found[LEDGER_PAGE_MAX];
    struct ledger_page page;

    (void)state;
    uint32_t n_before = copy->n_jobs;
    bool *was_there = mem_alloc(n_before * sizeof(*was_there));
    uint8_t *seen = mem_alloc(COPY_JOBS_MAX);
    for (uint32_t i = 0; i < n_before; i++)
        was_there[i] = copy->jobs[i].is_there &&
                       copy_matches(copy, &copy->jobs[i], &question.filter) &&
                       job_status_is_final(copy->jobs[i].status);
    do {
        assert_int_equal(ledger_find(copy->fixture.reader, &question, &page, found), 0);
        for (unsigned i = 0; i < page.n_items; i++)
            note(copy, &found[i], seen);
        question.at = page.n_items ? page.oldest_seq : 0;
        copy_batch(copy, 40); /* inserts, ends, deletes */
    } while (page.has_older);
    for (uint32_t i = 0; i < n_before; i++) {
        assert_true(seen[i] <= 1);
        if (was_there[i] && copy->jobs[i].is_there)
            assert_int_equal(seen[i], 1);
    }
    mem_free(was_there);
    mem_free(seen);
    copy_free(copy);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_agree_with_a_walk_over_all_jobs),
        cmocka_unit_test(a_walk_meets_every_surviving_job_once),
    };

    random_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
