/* SPDX-License-Identifier: MIT */
/*
 * One answer = one snapshot: while one thread writes, every page that others read agrees with
 * itself.
 *
 * The ledger never has more jobs than fit on a page, so a page holds all that match and they can be
 * counted.
 */
#include "ledger/fixture.h"

#include "base/json.h"
#include "base/mem.h"

#include <pthread.h>

#define N_READERS 2
#define N_BATCHES 30000u
#define JOBS_KEPT 60u

struct shared {
    struct fixture fixture;
    atomic_bool done;
    atomic_uint n_pages, n_versions;
};

static unsigned status_number(struct json item)
{
    struct json status;

    assert_true(json_member(item, "status", &status));
    struct slice word = {.at = status.text.at + 1, .size = status.text.size - 2};
    for (unsigned i = 0; i < job_status_COUNT; i++) {
        if (slice_is(word, job_status_words[i].word))
            return i;
    }
    abort();
}

/* Names, hosts, statuses and times: each comes from another place, and all must be of one commit.
 */
static const struct ledger_question questions[] = {
    {.limit = LEDGER_PAGE_MAX},
    {.limit = LEDGER_PAGE_MAX, .filter = {.operation = "node.", .user = "alice"}},
    {.limit = LEDGER_PAGE_MAX, .filter = {.hostname = "web-02"}},
    {.limit = LEDGER_PAGE_MAX, .filter = {.statuses = STATUSES_OPEN, .target = "_all"}},
    {.limit = LEDGER_PAGE_MAX, .filter = {.codes = 1u << run_code_NONE, .since_us = 1}},
    {.limit = LEDGER_PAGE_MAX, .filter = {.statuses = STATUSES_FINAL, .since_us = 1}},
};

static bool is_wanted(const struct ledger_question *question, unsigned status)
{
    return !question->filter.statuses || question->filter.statuses & 1u << status;
}

/* cmocka's assertions belong to the main thread: what is wrong here aborts. */
static void check_page(const struct ledger_question *question, const struct ledger_page *page,
                       struct slice text)
{
    uint64_t counts[job_status_COUNT] = {0};
    uint64_t sum = 0, all = 0;
    struct json items;
    unsigned n = 0;

    if (json_check(text, JSON_VALUES_MAX_RESULT, &items, NULL))
        abort();
    for (struct json_walk walk = json_walk(items); json_next(&walk); n++)
        counts[status_number(walk.value)]++;
    for (unsigned status = 0; status < job_status_COUNT; status++) {
        all += page->counts[status];
        sum += is_wanted(question, status) ? page->matching[status] : 0;
        if (counts[status] != (is_wanted(question, status) ? page->matching[status] : 0) ||
            page->matching[status] > page->counts[status])
            abort();
    }
    if (n != page->n_items || page->total != n || sum != n || all < n)
        abort();
}

static void *read_pages(void *owner)
{
    struct shared *shared = owner;
    struct ledger_reader *reader;
    struct buf items CLEANUP(buf_release);
    uint64_t version = 0;

    buf_init(&items, (size_t)16 << 20);
    if (ledger_reader_open(shared->fixture.ledger, &reader))
        abort();
    while (!shared->done) {
        struct ledger_page page;
        const struct ledger_question *question = &questions[shared->n_pages % COUNT_OF(questions)];
        uint64_t now = ledger_position(shared->fixture.ledger);
        buf_clear(&items);
        if (now < version || ledger_list(reader, question, &page, &items))
            abort();
        check_page(question, &page, buf_slice(&items));
        shared->n_versions += now != version;
        shared->n_pages++;
        version = now;
    }
    ledger_reader_close(reader);
    return NULL;
}

/* A batch that changes several jobs at once, which a torn answer would show. */
static void write_batch(struct fixture *fixture, uint64_t *oldest, uint64_t *newest, unsigned i)
{
    static const host_number hosts[] = {1, 2};
    struct ledger_effect effect;
    struct record records[] = {
        {.kind = RECORD_SUBMITTED,
         .submitted = {.id = uuid_make(fixture->now_us),
                       .op = op_by_type("node.hostname.get"),
                       .target = {.kind = TARGET_ALL, .text = SLICE("_all")},
                       .user = "alice",
                       .hosts = hosts,
                       .n_hosts = 1 + i % 2}},
        record_run(RECORD_STARTED, *newest - i % 5, 0),
        record_finished(*newest - i % 7, 0, i % 3 ? run_state_COMPLETED : run_state_SKIPPED,
                        run_code_NONE, NULL, "1"),
        {.kind = RECORD_DELETED, .job = {.seq = *oldest}},
    };
    bool deletes = *newest - *oldest > JOBS_KEPT;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    for (size_t k = 0; k < COUNT_OF(records) - !deletes; k++) {
        records[k].time_us = fixture->now_us++;
        int r = ledger_apply(fixture->ledger, &records[k], &effect);
        assert_true(r >= 0);
        if (k == 0)
            *newest = effect.seq;
    }
    *oldest += deletes;
    assert_int_equal(ledger_commit(fixture->ledger), 0);
    if (i % 100 == 99)
        assert_int_equal(ledger_checkpoint(fixture->ledger, 1), 0);
}

static void every_page_agrees_with_itself(void **state)
{
    static struct shared shared;
    pthread_t readers[N_READERS];
    uint64_t oldest, newest;

    (void)state;
    fixture_make(&shared.fixture);
    fixture_add_hosts(&shared.fixture, 2);
    for (unsigned i = 0; i < 10; i++)
        newest = fixture_submit(&shared.fixture, TARGET_HOST, 1).seq;
    oldest = newest - 9;
    for (unsigned i = 0; i < N_READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_pages, &shared), 0);
    for (unsigned i = 0; i < N_BATCHES; i++)
        write_batch(&shared.fixture, &oldest, &newest, i);
    shared.done = true;
    for (unsigned i = 0; i < N_READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    /* Neither side starved: readers saw many versions while the writer came to its end. */
    print_message("%u pages, %u versions seen\n", shared.n_pages, shared.n_versions);
    assert_true(shared.n_versions > 100);
    fixture_release(&shared.fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_agrees_with_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
