/* SPDX-License-Identifier: MIT */
/*
 * Counts against brute force: random jobs over a block border, random changes, every kind of
 * filter, range and bucket; and counts while others write.
 *
 * REEVE_STEPS=<number> of records; repeat a failure with REEVE_SEED=<printed number>.
 */
#include "ledger/fixture_copy.h"

#include "base/json.h"
#include "base/mem.h"

#include <pthread.h>

#define BATCH_MAX    400u
#define N_WRITES     3000u
#define N_GROUPS_MAX 64u

/* ---- brute force ---- */

struct counted {
    const char *name;
    uint64_t n;
};

/* By name; n is how many names there are. */
struct tallies {
    struct counted v[N_GROUPS_MAX];
    size_t n;
};

struct expected {
    uint64_t total;
    struct tallies by[stats_by_COUNT];
    uint64_t buckets[LEDGER_BUCKETS_MAX][job_status_COUNT];
};

static void count(struct tallies *tallies, const char *name)
{
    size_t i = 0;

    while (i < tallies->n && tallies->v[i].name != name && strcmp(tallies->v[i].name, name) != 0)
        i++;
    assert_true(i < N_GROUPS_MAX);
    if (i == tallies->n)
        tallies->v[tallies->n++] = (struct counted){.name = name};
    tallies->v[i].n++;
}

/* Two hosts of a job may have one name. */
static bool came_before(const struct copy *copy, const struct copy_job *job, unsigned i)
{
    for (unsigned k = 0; k < i; k++) {
        if (strcmp(copy->names[job->hosts[k]], copy->names[job->hosts[i]]) == 0)
            return true;
    }
    return false;
}

static void count_hosts(const struct copy *copy, const struct copy_job *job,
                        struct tallies *tallies)
{
    for (unsigned i = 0; i < job->n_hosts; i++) {
        if (!came_before(copy, job, i))
            count(tallies, copy->names[job->hosts[i]]);
    }
}

static void count_job(const struct copy_job *job, struct expected *expected)
{
    unsigned codes = copy_job_codes(job);

    expected->total++;
    count(&expected->by[stats_by_STATUS], job_status_words[job->status].word);
    count(&expected->by[stats_by_OPERATION], copy_operations[job->operation]);
    count(&expected->by[stats_by_USER], copy_users[job->user]);
    for (unsigned code = 0; code < run_code_COUNT; code++) {
        if (code == run_code_NONE ? codes == 0 : (codes & 1u << code) != 0)
            count(&expected->by[stats_by_CODE], run_code_words[code].word);
    }
}

static void brute_force(const struct copy *copy, const struct ledger_stats_question *question,
                        struct expected *expected)
{
    const struct ledger_filter *filter = &question->filter;

    memset(expected, 0, sizeof(*expected));
    for (uint32_t i = copy->first; i < copy->n_jobs; i++) {
        const struct copy_job *job = &copy->jobs[i];
        enum job_status status = job->status;
        if (!copy_matches(copy, job, filter) ||
            (filter->statuses && !(filter->statuses & 1u << status)))
            continue;
        count_job(job, expected);
        if (question->by & 1u << stats_by_HOSTNAME)
            count_hosts(copy, job, &expected->by[stats_by_HOSTNAME]);
        if (question->bucket_us)
            expected->buckets[job->created_us / question->bucket_us -
                              filter->since_us / question->bucket_us][status]++;
    }
}

/* ---- the answer ---- */

static void expect_groups(const struct ledger_groups *groups, const struct tallies *tallies)
{
    assert_int_equal(groups->n, tallies->n);
    assert_int_equal(groups->others, 0);
    for (size_t i = 0; i < groups->n; i++) {
        size_t k = 0;
        while (k < tallies->n && strcmp(tallies->v[k].name, groups->v[i].name) != 0)
            k++;
        assert_true(k < tallies->n);
        assert_int_equal(groups->v[i].n, tallies->v[k].n);
        assert_true(i == 0 || groups->v[i].n <= groups->v[i - 1].n);
    }
}

static void check_question(struct copy *copy, const struct ledger_stats_question *question)
{
    static struct expected expected;
    struct arena arena CLEANUP(arena_release) = {0};
    struct refusal why = {.text = ""};
    struct ledger_stats stats;

    brute_force(copy, question, &expected);
    int r = ledger_stats(copy->fixture.reader, question, &arena, &stats, &why);
    if (r)
        fail_msg("%d: %s", r, why.text);
    assert_int_equal(stats.total, expected.total);
    for (unsigned by = 0; by < stats_by_COUNT; by++) {
        if (question->by & 1u << by)
            expect_groups(&stats.by[by], &expected.by[by]);
        else
            assert_int_equal(stats.by[by].n, 0);
    }
    if (!question->bucket_us)
        return;
    assert_int_equal(stats.n_buckets,
                     ledger_n_buckets(question->filter.since_us, question->filter.until_us,
                                      question->bucket_us));
    for (size_t i = 0; i < stats.n_buckets; i++) {
        assert_int_equal(stats.buckets[i].start_us % question->bucket_us, 0);
        assert_memory_equal(stats.buckets[i].counts, expected.buckets[i],
                            sizeof(expected.buckets[i]));
    }
}

/* From one bucket to very many of some milliseconds. */
static void choose_buckets(const struct copy *copy, struct ledger_stats_question *question)
{
    struct ledger_filter *filter = &question->filter;

    if (!filter->since_us)
        filter->since_us = copy_random_time(copy);
    if (!filter->until_us || filter->until_us <= filter->since_us)
        filter->until_us = filter->since_us + 1 + (int64_t)(random_next() % (100 * US_PER_S));
    int64_t range_us = filter->until_us - filter->since_us;
    question->bucket_us = 1 + range_us / (1 + random_below(LEDGER_BUCKETS_MAX - 2));
    if (one_in(3)) /* borders where jobs are */
        question->bucket_us = (question->bucket_us / US_PER_MS + 1) * US_PER_MS;
}

static void ask(struct copy *copy)
{
    unsigned which = random_below(COPY_FILTERS);
    struct ledger_stats_question question = {.by = random_below(1u << stats_by_COUNT)};

    if (one_in(10))
        copy_choose_filter(copy, which);
    if (!one_in(3))
        question.filter = copy->filters[which];
    if (one_in(3))
        question.filter.statuses = random_below(1u << job_status_COUNT);
    if (one_in(3))
        question.filter.since_us = copy_random_time(copy);
    if (one_in(3))
        question.filter.until_us = copy_random_time(copy);
    if (one_in(2))
        choose_buckets(copy, &question);
    check_question(copy, &question);
}

static void counts_agree_with_a_walk_over_all_jobs(void **state)
{
    struct copy *copy = copy_new();
    uint32_t n_steps = fixture_steps();

    (void)state;
    for (uint32_t n = 0, size; n < n_steps; n += size) {
        size = 1 + random_below(BATCH_MAX);
        copy_batch(copy, size);
        for (unsigned i = 0; i < 3; i++)
            ask(copy);
        if (one_in(40))
            fixture_reopen(&copy->fixture, one_in(2));
        if (one_in(80))
            copy_drop_front(copy);
    }
    copy_free(copy);
}

static void no_jobs_are_no_groups_and_empty_buckets(void **state)
{
    struct fixture fixture;
    struct arena arena CLEANUP(arena_release) = {0};
    struct ledger_stats_question question = {
        .by = (1u << stats_by_COUNT) - 1,
        .bucket_us = 60 * US_PER_S,
        .filter = {.since_us = 90 * US_PER_S, .until_us = 180 * US_PER_S + 1}};
    struct ledger_stats stats;

    (void)state;
    fixture_make(&fixture);
    assert_int_equal(ledger_stats(fixture.reader, &question, &arena, &stats, NULL), 0);
    assert_int_equal(stats.total, 0);
    assert_int_equal(stats.n_buckets, 3); /* 60 s to 240 s */
    assert_int_equal(stats.buckets[0].start_us, 60 * US_PER_S);
    for (unsigned by = 0; by < stats_by_COUNT; by++)
        assert_int_equal(stats.by[by].n, 0);
    fixture_release(&fixture);
}

/* ---- while others write ---- */

struct shared {
    struct copy *copy;
    uint64_t n_jobs; /* always: the writer changes states alone */
    atomic_bool done;
    atomic_uint n_answers;
};

static uint64_t sum_of(const struct ledger_groups *groups)
{
    uint64_t sum = groups->others;

    for (size_t i = 0; i < groups->n; i++)
        sum += groups->v[i].n;
    return sum;
}

/* cmocka's assertions belong to the main thread: what is wrong here aborts. */
static void *read_stats(void *owner)
{
    struct shared *shared = owner;
    struct ledger_stats_question question = {
        .by = 1u << stats_by_STATUS | 1u << stats_by_OPERATION | 1u << stats_by_USER,
        .bucket_us = US_PER_S,
        .filter = {.since_us = FIXTURE_START_US, .until_us = FIXTURE_START_US + 500 * US_PER_S}};
    struct arena arena CLEANUP(arena_release) = {0};
    struct ledger_reader *reader;

    if (ledger_reader_open(shared->copy->fixture.ledger, &reader))
        abort();
    for (unsigned n = 0; !shared->done; n++) {
        struct ledger_stats stats;
        uint64_t in_buckets = 0;
        /* All jobs by another way as well: each has a name that begins so, or none. */
        question.filter.codes = n % 2 ? (1u << run_code_COUNT) - 1 : 0;
        if (ledger_stats(reader, &question, &arena, &stats, NULL))
            abort();
        for (size_t i = 0; i < stats.n_buckets; i++) {
            for (unsigned status = 0; status < job_status_COUNT; status++)
                in_buckets += stats.buckets[i].counts[status];
        }
        if (stats.total != shared->n_jobs || in_buckets != stats.total ||
            sum_of(&stats.by[stats_by_STATUS]) != stats.total ||
            sum_of(&stats.by[stats_by_OPERATION]) != stats.total ||
            sum_of(&stats.by[stats_by_USER]) != stats.total)
            abort();
        shared->n_answers++;
        arena_reset(&arena);
    }
    ledger_reader_close(reader);
    return NULL;
}

/* One job in each block changes its state, and back: a block counted at another time would show. */
static void write_states(struct copy *copy, unsigned i)
{
    struct ledger_effect effect;

    assert_int_equal(ledger_begin(copy->fixture.ledger), 0);
    for (uint32_t k = i % 97; k < copy->n_jobs; k += 7919) {
        struct record record =
            record_finished(copy->jobs[k].seq, 0, run_state_FAILED, run_code_ERROR, NULL, NULL);
        record.time_us = copy->fixture.now_us++;
        assert_true(ledger_apply(copy->fixture.ledger, &record, &effect) >= 0);
    }
    assert_int_equal(ledger_commit(copy->fixture.ledger), 0);
}

static void counts_are_of_one_moment_while_others_write(void **state)
{
    static struct shared shared;
    pthread_t reader;

    (void)state;
    shared.copy = copy_new();
    for (uint32_t i = 0; i < shared.copy->n_jobs; i++)
        shared.n_jobs += shared.copy->jobs[i].is_there;
    assert_int_equal(pthread_create(&reader, NULL, read_stats, &shared), 0);
    for (unsigned i = 0; i < N_WRITES || shared.n_answers < 20; i++)
        write_states(shared.copy, i);
    shared.done = true;
    assert_int_equal(pthread_join(reader, NULL), 0);
    print_message("%u answers\n", shared.n_answers);
    copy_free(shared.copy);
}

/* ---- caps ---- */

/* More operations' worth of users than are named. */
static void groups_beyond_the_largest_are_added_up(void **state)
{
    struct fixture fixture;
    struct arena arena CLEANUP(arena_release) = {0};
    struct ledger_stats_question question = {.by = 1u << stats_by_USER | 1u << stats_by_HOSTNAME};
    struct ledger_stats stats;

    (void)state;
    fixture_make(&fixture);
    fixture_add_hosts(&fixture, LEDGER_GROUPS_MAX + 5);
    for (unsigned i = 0; i < LEDGER_GROUPS_MAX + 5; i++) {
        char user[16];
        host_number host = 1 + i;
        snprintf(user, sizeof(user), "user-%u", i);
        for (unsigned k = 0; k < 1 + (i < LEDGER_GROUPS_MAX); k++)
            fixture_apply(&fixture, (struct record){.kind = RECORD_SUBMITTED,
                                                    .submitted = {.id = uuid_make(fixture.now_us),
                                                                  .op = op_by_type("node.disk.get"),
                                                                  .target = {.text = SLICE("_any")},
                                                                  .user = user,
                                                                  .hosts = &host,
                                                                  .n_hosts = 1}});
    }
    assert_int_equal(ledger_stats(fixture.reader, &question, &arena, &stats, NULL), 0);
    assert_int_equal(stats.total, 2 * LEDGER_GROUPS_MAX + 5);
    assert_int_equal(stats.by[stats_by_USER].n, LEDGER_GROUPS_MAX);
    assert_int_equal(stats.by[stats_by_USER].others, 5);
    assert_int_equal(stats.by[stats_by_HOSTNAME].n, LEDGER_GROUPS_MAX);
    assert_int_equal(stats.by[stats_by_HOSTNAME].others, 5);
    fixture_release(&fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_jobs_are_no_groups_and_empty_buckets),
        cmocka_unit_test(groups_beyond_the_largest_are_added_up),
        cmocka_unit_test(counts_agree_with_a_walk_over_all_jobs),
        cmocka_unit_test(counts_are_of_one_moment_while_others_write),
    };

    random_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
