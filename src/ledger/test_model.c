/* SPDX-License-Identifier: MIT */
/*
 * Random records against a copy of the ledger that is kept in arrays and counted by hand.
 *
 * After each batch totals, counts, a page at a random offset and the runs of a random job must
 * agree. Batches are aborted now and then, and the ledger is closed, or dropped as by a crash, and
 * opened again. REEVE_STEPS=<number> of records; repeat a failure with REEVE_SEED=<printed number>.
 */
#include "ledger/fixture.h"

#include "base/json.h"
#include "base/mem.h"
#include "ledger/hostruns.h"
#include "ledger/names.h"

#include <roaring/roaring.h>

#define BATCH_MAX   200u
#define JOBS_MAX    3000u
#define HOSTS_MAX   12u
#define FIRST_HOSTS 6u
#define BULKS       5u
/* The first jobs end one block, the others begin the next. */
#define FIRST_SEQ (3 * (uint64_t)BLOCK_JOBS - 4000)

/* ---- the copy ---- */

struct model_run {
    struct run_point at;
    bool changed;
    host_number host;
};

struct model_job {
    uint64_t seq;
    struct uuid id;
    enum target_kind kind;
    bool cancelled;
    unsigned bulk; /* of BULKS that made or cancelled it; 0: none */
    unsigned n_events;
    uint32_t n_runs;
    struct model_run runs[HOSTS_MAX];
};

/* No pointers: a batch that is aborted is undone by assignment. */
struct model {
    struct model_job jobs[JOBS_MAX]; /* oldest first */
    uint32_t n_jobs;
    uint64_t next_seq;
    uint32_t n_hosts;
    unsigned names[HOSTS_MAX + 1]; /* of each host: the number in its name */
    unsigned last_name;
    uint64_t n_refused;
};

static enum job_status model_status(const struct model_job *job)
{
    uint32_t n[run_state_COUNT] = {0};

    for (uint32_t i = 0; i < job->n_runs; i++)
        n[job->runs[i].at.state]++;
    if (n[run_state_WAITING] == job->n_runs)
        return job_status_SUBMITTED;
    if (n[run_state_WAITING] + n[run_state_ACKNOWLEDGED] + n[run_state_STARTED] > 0)
        return job_status_PROCESSING;
    if (n[run_state_FAILED] > 0)
        return n[run_state_COMPLETED] > 0 ? job_status_PARTIAL_FAILURE : job_status_FAILED;
    return n[run_state_COMPLETED] > 0 ? job_status_COMPLETED : job_status_SKIPPED;
}

static const char *model_changed(const struct model_job *job)
{
    enum job_status status = model_status(job);

    if (status != job_status_COMPLETED && status != job_status_PARTIAL_FAILURE)
        return "null";
    for (uint32_t i = 0; i < job->n_runs; i++) {
        if (job->runs[i].at.state == run_state_COMPLETED && job->runs[i].changed)
            return "true";
    }
    return "false";
}

static struct model_job *model_job_by_seq(struct model *model, uint64_t seq)
{
    for (uint32_t i = 0; i < model->n_jobs; i++) {
        if (model->jobs[i].seq == seq)
            return &model->jobs[i];
    }
    return NULL;
}

static void model_name(const struct model *model, host_number host, char ret[32])
{
    snprintf(ret, 32, "host-%u", model->names[host]);
}

/* ---- random ---- */

static uint64_t random_state;

static uint64_t random_next(void) /* xorshift64 */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint32_t random_below(uint32_t n)
{
    return (uint32_t)(random_next() % n);
}

static bool one_in(uint32_t n)
{
    return random_below(n) == 0;
}

/* ---- one record to both ---- */

struct both {
    struct fixture fixture;
    struct model model, before_batch;
    unsigned n_applied;
};

/* What the ledger must answer: an outcome, and when that is 0 the status after it. */
struct expectation {
    int outcome;
    uint64_t seq;
    enum job_status status;
    bool became_final;
};

static void apply_both(struct both *both, struct record *record, struct expectation expected)
{
    struct ledger_effect effect = {0};

    both->fixture.now_us += random_below(3000);
    /* Clocks jump back. */
    record->time_us = both->fixture.now_us - (one_in(20) ? (int64_t)random_below(5000000) : 0);
    int r = ledger_apply(both->fixture.ledger, record, &effect);
    if (r != expected.outcome)
        fail_msg("kind %d: %d instead of %d", (int)record->kind, r, expected.outcome);
    if (r == 0 && expected.seq) {
        assert_int_equal(effect.seq, expected.seq);
        assert_int_equal(effect.status, expected.status);
        assert_int_equal(effect.became_final, expected.became_final);
    }
    both->n_applied++;
}

static struct expectation after(const struct model_job *job, enum job_status before)
{
    enum job_status status = model_status(job);

    return (struct expectation){
        .seq = job->seq,
        .status = status,
        .became_final = !job_status_is_final(before) && job_status_is_final(status),
    };
}

static unsigned random_bulk(void)
{
    return one_in(3) ? 1 + random_below(BULKS) : 0;
}

static const struct uuid *bulk_id(unsigned bulk)
{
    static struct uuid ids[BULKS];

    if (bulk == 0)
        return NULL;
    ids[bulk - 1].bytes[0] = (uint8_t)bulk;
    return &ids[bulk - 1];
}

static void submit(struct both *both)
{
    static const char *const texts[] = {
        [TARGET_ANY] = "_any", [TARGET_ALL] = "_all", [TARGET_HOST] = "some-host"};
    static const char *const labels[] = {"group:web", "group:web.dev", "os:debian"};
    static const char *const users[] = {"alice", "bob", "carol"};
    static const char *const types[] = {"node.hostname.get", "node.disk.get", "node.load.get"};
    struct model *model = &both->model;
    struct model_job *job = &model->jobs[model->n_jobs++];
    host_number hosts[HOSTS_MAX];

    *job = (struct model_job){.seq = model->next_seq++,
                              .id = uuid_make(both->fixture.now_us),
                              .kind = random_below(TARGET_KIND_COUNT),
                              .bulk = random_bulk()};
    const char *text =
        job->kind == TARGET_LABEL ? labels[random_below(COUNT_OF(labels))] : texts[job->kind];
    for (host_number host = 1; host <= model->n_hosts; host++) {
        bool wanted = one_in(2) || (host == model->n_hosts && job->n_runs == 0);
        if (!wanted || (!target_is_broadcast(job->kind) && job->n_runs == 1))
            continue;
        hosts[job->n_runs] = host;
        job->runs[job->n_runs++].host = host;
    }
    struct record record = {.kind = RECORD_SUBMITTED,
                            .submitted = {.id = job->id,
                                          .op = op_by_type(types[random_below(COUNT_OF(types))]),
                                          .data = SLICE("{}"),
                                          .target = {.kind = job->kind, .text = slice_of(text)},
                                          .user = users[random_below(COUNT_OF(users))],
                                          .hosts = hosts,
                                          .n_hosts = job->n_runs,
                                          .bulk = bulk_id(job->bulk)}};
    apply_both(both, &record, after(job, job_status_SUBMITTED));
}

static struct run_point random_final_point(bool *ret_by_agent)
{
    static const enum run_state finals[] = {run_state_COMPLETED, run_state_COMPLETED,
                                            run_state_FAILED, run_state_SKIPPED};
    struct run_point to = {.state = finals[random_below(COUNT_OF(finals))]};

    *ret_by_agent = !one_in(3);
    if (to.state == run_state_FAILED)
        to.code = run_code_ERROR + random_below(run_code_COUNT - run_code_ERROR);
    if (!*ret_by_agent && (to.code == run_code_EXPIRED || to.code == run_code_LOST))
        to.presumed = !one_in(4);
    if (one_in(100)) /* nonsense */
        to = (struct run_point){.state = random_below(run_state_COUNT),
                                .code = random_below(run_code_COUNT),
                                .presumed = one_in(2)};
    return to;
}

static void change_run(struct both *both, struct model_job *job, enum record_kind kind)
{
    uint32_t run = random_below(job->n_runs);
    enum job_status before = model_status(job);
    struct model_run *at = &job->runs[run];
    struct record record = {.kind = kind, .run = {.seq = job->seq, .run = run, .by_agent = true}};
    struct record_run *said = &record.run;

    if (kind == RECORD_ACKNOWLEDGED)
        said->to.state = run_state_ACKNOWLEDGED;
    if (kind == RECORD_STARTED)
        said->to.state = run_state_STARTED;
    if (kind == RECORD_FINISHED)
        said->to = random_final_point(&said->by_agent);
    said->has_changed = one_in(2);
    said->changed = said->has_changed && one_in(2);
    if (said->to.state == run_state_FAILED)
        said->error = SLICE("it broke");
    else if (said->to.state == run_state_COMPLETED)
        said->data = SLICE("{\"x\":[1,2]}");
    enum run_move move = run_move(&at->at, &said->to, said->by_agent);
    if (kind == RECORD_FINISHED && !run_state_is_final(said->to.state))
        move = RUN_MOVE_REFUSE;
    if (move == RUN_MOVE_REFUSE) {
        both->model.n_refused++;
        apply_both(both, &record, (struct expectation){.outcome = OUTCOME_CONFLICT});
        return;
    }
    if (move == RUN_MOVE_APPLY) {
        if (at->at.presumed && job->n_events < JOB_EVENTS_MAX)
            job->n_events++;
        at->at = said->to;
        at->changed = said->changed;
    }
    apply_both(both, &record, after(job, before));
}

static void add_event(struct model_job *job)
{
    if (job->n_events < JOB_EVENTS_MAX)
        job->n_events++;
}

static void release(struct both *both, struct model_job *job)
{
    uint32_t run = random_below(job->n_runs);
    struct model_run *at = &job->runs[run];
    struct record record = {.kind = RECORD_RELEASED, .run = {.seq = job->seq, .run = run}};

    if (at->at.state != run_state_WAITING && at->at.state != run_state_ACKNOWLEDGED) {
        both->model.n_refused++;
        apply_both(both, &record, (struct expectation){.outcome = OUTCOME_CONFLICT});
        return;
    }
    at->at.state = run_state_WAITING;
    add_event(job);
    apply_both(both, &record, after(job, job_status_SUBMITTED));
}

static void move(struct both *both, struct model_job *job)
{
    struct record record = {
        .kind = RECORD_MOVED,
        .run = {.seq = job->seq, .host = 1 + random_below(both->model.n_hosts)}};

    if (job->n_runs != 1 || job->runs[0].at.state != run_state_WAITING) {
        both->model.n_refused++;
        apply_both(both, &record, (struct expectation){.outcome = OUTCOME_CONFLICT});
        return;
    }
    if (job->runs[0].host != record.run.host)
        add_event(job);
    job->runs[0].host = record.run.host;
    apply_both(both, &record, after(job, job_status_SUBMITTED));
}

static void cancel(struct both *both, struct model_job *job)
{
    struct record record = {.kind = RECORD_CANCELLED, .job = {.seq = job->seq, .user = "eve"}};

    unsigned bulk = random_bulk();
    record.job.bulk = bulk_id(bulk);
    if (!job->cancelled)
        add_event(job);
    if (!job->cancelled && bulk)
        job->bulk = bulk;
    job->cancelled = true;
    apply_both(both, &record, after(job, model_status(job)));
}

static void retry(struct both *both, struct model_job *job)
{
    struct record record = {.kind = RECORD_RETRIED, .job = {.seq = job->seq, .new_id = job->id}};
    struct expectation expected = after(job, model_status(job));

    if (job->n_events == JOB_EVENTS_MAX)
        expected.outcome = OUTCOME_CONFLICT;
    else
        job->n_events++;
    apply_both(both, &record, expected);
}

static void delete_job(struct both *both, struct model_job *job)
{
    struct model *model = &both->model;
    struct record record = {.kind = RECORD_DELETED, .job = {.seq = job->seq}};
    uint32_t at = (uint32_t)(job - model->jobs);

    apply_both(both, &record, after(job, job_status_COMPLETED));
    memmove(job, job + 1, (model->n_jobs - at - 1) * sizeof(*job));
    model->n_jobs--;
}

/* Of those that are final, and only by the version they have. */
static void drop_jobs(struct both *both)
{
    struct record_drop drops[8];
    struct model *model = &both->model;
    struct record record = {.kind = RECORD_DROPPED, .dropped = {.jobs = drops}};
    uint32_t kept = 0, begin = random_below(model->n_jobs);
    uint32_t end =
        begin + COUNT_OF(drops) < model->n_jobs ? begin + COUNT_OF(drops) : model->n_jobs;

    for (uint32_t i = 0; i < model->n_jobs; i++) {
        const struct model_job *job = &model->jobs[i];
        bool is_named = i >= begin && i < end, is_meant = !one_in(4);
        struct head head;
        if (is_named) {
            assert_int_equal(head_get(&both->fixture.ledger->txn, job->seq, &head), 0);
            drops[record.dropped.n++] =
                (struct record_drop){.seq = job->seq, .version = head.updated_us - !is_meant};
        }
        if (!is_named || !is_meant || !job_status_is_final(model_status(job)))
            model->jobs[kept++] = *job;
    }
    model->n_jobs = kept;
    apply_both(both, &record, (struct expectation){.outcome = 0});
}

static void add_or_rename_host(struct both *both)
{
    struct model *model = &both->model;
    bool new = model->n_hosts < FIRST_HOSTS || (model->n_hosts < HOSTS_MAX && one_in(3));
    host_number host = new ? ++model->n_hosts : 1 + random_below(model->n_hosts);
    char machine_id[40], name[32];

    model->names[host] = 1000 - ++model->last_name % 1000;
    model_name(model, host, name);
    snprintf(machine_id, sizeof(machine_id), "%032x", (unsigned)host);
    struct record record = {.kind = RECORD_AGENT,
                            .agent = {.host = host,
                                      .machine_id = machine_id,
                                      .hostname = name,
                                      .labels = SLICE("{}"),
                                      .epoch = 7}};
    apply_both(both, &record, (struct expectation){.outcome = 0});
}

static void unknown_job(struct both *both)
{
    static const enum record_kind kinds[] = {RECORD_ACKNOWLEDGED, RECORD_FINISHED,
                                             RECORD_RELEASED,     RECORD_MOVED,
                                             RECORD_DELETED,      RECORD_CANCELLED};
    struct record record = {.kind = kinds[random_below(COUNT_OF(kinds))]};
    uint64_t seq = FIRST_SEQ + random_below((uint32_t)(both->model.next_seq - FIRST_SEQ) + 3);

    if (model_job_by_seq(&both->model, seq))
        return;
    if (record.kind == RECORD_DELETED || record.kind == RECORD_CANCELLED)
        record.job = (struct record_job){.seq = seq, .user = "x"};
    else
        record.run.seq = seq;
    apply_both(both, &record, (struct expectation){.outcome = OUTCOME_NOT_FOUND});
}

static void random_record(struct both *both)
{
    struct model *model = &both->model;
    uint32_t dice = random_below(100);

    if (model->n_hosts < FIRST_HOSTS || dice == 0) {
        add_or_rename_host(both);
        return;
    }
    if (dice < 3) {
        unknown_job(both);
        return;
    }
    if (model->n_jobs == 0 || (dice < 25 && model->n_jobs < JOBS_MAX)) {
        submit(both);
        return;
    }
    /* Mostly the younger ones. */
    uint32_t range = one_in(4) || model->n_jobs < 50 ? model->n_jobs : 50;
    struct model_job *job = &model->jobs[model->n_jobs - 1 - random_below(range)];
    if (dice < 35)
        change_run(both, job, RECORD_ACKNOWLEDGED);
    else if (dice < 50)
        change_run(both, job, RECORD_STARTED);
    else if (dice < 80)
        change_run(both, job, RECORD_FINISHED);
    else if (dice < 84)
        release(both, job);
    else if (dice < 88)
        move(both, job);
    else if (dice < 90)
        cancel(both, job);
    else if (dice < 94)
        retry(both, job);
    else if (dice < 98)
        delete_job(both, job);
    else
        drop_jobs(both);
}

/* ---- comparing ---- */

static void check_member(struct json item, const char *name, const char *expected)
{
    struct json member;

    if (!json_member(item, name, &member)) {
        if (expected)
            fail_msg("no %s in %.*s", name, (int)item.text.size, item.text.at);
        return;
    }
    if (!expected || !slice_is(member.text, expected))
        fail_msg("%s is not %s in %.*s", name, expected ? expected : "absent", (int)item.text.size,
                 item.text.at);
}

static void check_item(struct model *model, const struct model_job *job, struct json item)
{
    char text[64], id[UUID_TEXT_SIZE], name[32];
    struct json member;

    uuid_format(&job->id, id);
    snprintf(text, sizeof(text), "\"%s\"", id);
    check_member(item, "id", text);
    snprintf(text, sizeof(text), "\"%s\"", job_status_words[model_status(job)].word);
    check_member(item, "status", text);
    check_member(item, "changed", model_changed(job));
    model_name(model, job->runs[0].host, name);
    snprintf(text, sizeof(text), "\"%s\"", name);
    check_member(item, "hostname", job->n_runs == 1 ? text : NULL);
    bool completed = job->n_runs == 1 && job->runs[0].at.state == run_state_COMPLETED;
    check_member(item, "result", completed ? "{\"x\":[1,2]}" : NULL);
    assert_int_equal(json_member(item, "responses", &member), target_is_broadcast(job->kind));
}

static void check_page(struct both *both)
{
    struct model *model = &both->model;
    struct ledger_filter filter = {.statuses =
                                       one_in(3) ? 0 : 1u << random_below(job_status_COUNT)};
    uint32_t offset = random_below(model->n_jobs / (one_in(2) ? 1 : 5) + 2);
    unsigned limit = random_below(LEDGER_PAGE_MAX + 1);
    uint64_t counts[job_status_COUNT] = {0};
    uint64_t total = 0;
    unsigned n = 0;
    const char *items;
    struct json array;

    struct ledger_page page = fixture_list(&both->fixture, &filter, offset, limit, &items);
    assert_int_equal(json_check(slice_of(items), JSON_VALUES_MAX_RESULT, &array, NULL), 0);
    struct json_walk walk = json_walk(array);
    for (uint32_t i = model->n_jobs; i-- > 0;) {
        const struct model_job *job = &model->jobs[i];
        enum job_status status = model_status(job);
        counts[status]++;
        if (filter.statuses && !(filter.statuses & 1u << status))
            continue;
        if (total++ >= offset && n < limit) {
            assert_true(json_next(&walk));
            check_item(model, job, walk.value);
            n++;
        }
    }
    assert_int_equal(page.n_items, n);
    assert_int_equal(page.total, total);
    assert_memory_equal(page.counts, counts, sizeof(counts));
}

static void check_runs(struct both *both)
{
    struct model *model = &both->model;
    struct arena arena CLEANUP(arena_release) = {0};
    struct ledger_run *runs;
    uint32_t n;

    if (model->n_jobs == 0)
        return;
    const struct model_job *job = &model->jobs[random_below(model->n_jobs)];
    int r = ledger_runs(both->fixture.reader, &job->id, &arena, &runs, &n);
    assert_int_equal(r, 0);
    assert_int_equal(n, job->n_runs);
    for (uint32_t i = 0; i < n; i++) {
        const struct model_run *expected = &job->runs[runs[i].run];
        char name[32];
        model_name(model, expected->host, name);
        assert_string_equal(runs[i].hostname, name);
        assert_int_equal(runs[i].at.state, expected->at.state);
        assert_int_equal(runs[i].at.code, expected->at.code);
        assert_int_equal(runs[i].at.presumed, expected->at.presumed);
        assert_true(i == 0 || strcmp(runs[i - 1].hostname, runs[i].hostname) < 0);
    }
}

static bool model_has_host(const struct model_job *job, host_number host)
{
    for (uint32_t i = 0; i < job->n_runs; i++) {
        if (job->runs[i].host == host)
            return true;
    }
    return false;
}

/* Jobs of a block that have a run on the host: by rows once there are some, else by heads. */
static void check_hosts(struct both *both, uint64_t block)
{
    struct model *model = &both->model;
    struct txn *txn = &both->fixture.ledger->txn;
    host_number host = 1 + random_below(HOSTS_MAX); /* also one that is not there yet */
    roaring_bitmap_t *bits;
    uint32_t from = 0;
    bool written;

    assert_int_equal(ledger_begin(both->fixture.ledger), 0);
    assert_int_equal(hostruns_is_written(txn, block, &written), 0);
    assert_int_equal(hostruns_read(txn, block, host, &bits), 0);
    if (!written) {
        assert_true(roaring_bitmap_is_empty(bits));
        assert_int_equal(hostruns_scan(txn, block, host, &from, bits), 0);
    }
    ledger_abort(both->fixture.ledger);
    for (uint32_t i = 0; i < model->n_jobs; i++) {
        const struct model_job *job = &model->jobs[i];
        if (job->seq / BLOCK_JOBS == block)
            assert_int_equal(roaring_bitmap_contains(bits, (uint32_t)(job->seq % BLOCK_JOBS)),
                             model_has_host(job, host));
    }
    roaring_bitmap_free(bits);
}

static void check_bulk(struct both *both)
{
    struct model *model = &both->model;
    struct txn *txn = &both->fixture.ledger->txn;
    uint32_t number = 0;
    struct head head;

    if (model->n_jobs == 0)
        return;
    const struct model_job *job = &model->jobs[random_below(model->n_jobs)];
    assert_int_equal(ledger_begin(both->fixture.ledger), 0);
    assert_int_equal(head_get(txn, job->seq, &head), 0);
    if (job->bulk)
        assert_int_equal(names_find(txn, NAME_BULK, name_of_uuid(bulk_id(job->bulk)), &number), 0);
    assert_int_equal(head.bulk, number);
    ledger_abort(both->fixture.ledger);
}

struct open_runs {
    struct model *model;
    uint32_t n;
};

static int check_open_run(void *owner, const struct ledger_job *job, const struct ledger_run *run)
{
    struct open_runs *open = owner;
    const struct model_job *expected = model_job_by_seq(open->model, job->seq);

    assert_non_null(expected);
    assert_int_equal(job->cancelled, expected->cancelled);
    assert_int_equal(run->at.state, expected->runs[run->run].at.state);
    open->n++;
    return 0;
}

static void check_open_runs(struct both *both)
{
    struct open_runs open = {.model = &both->model};
    uint32_t n = 0;

    assert_int_equal(ledger_each_open_run(both->fixture.reader, check_open_run, &open), 0);
    for (uint32_t i = 0; i < both->model.n_jobs; i++) {
        for (uint32_t run = 0; run < both->model.jobs[i].n_runs; run++)
            n += !run_state_is_final(both->model.jobs[i].runs[run].at.state);
    }
    assert_int_equal(open.n, n);
}

/* ---- the test ---- */

static void random_batch(struct both *both)
{
    unsigned n = 1 + random_below(one_in(3) ? BATCH_MAX : 8);
    struct ledger *ledger = both->fixture.ledger;

    both->before_batch = both->model;
    assert_int_equal(ledger_begin(ledger), 0);
    for (unsigned i = 0; i < n; i++)
        random_record(both);
    if (one_in(25)) {
        ledger_abort(ledger);
        uint64_t n_refused = both->model.n_refused;
        both->model = both->before_batch;
        both->model.n_refused = n_refused;
        return;
    }
    assert_int_equal(ledger_commit(ledger), 0);
}

static void random_upkeep(struct both *both)
{
    if (one_in(15))
        assert_int_equal(ledger_checkpoint(both->fixture.ledger, random_below(3)), 0);
    if (one_in(40)) {
        assert_int_equal(ledger_refused(both->fixture.ledger), both->model.n_refused);
        both->model.n_refused = 0;
        fixture_reopen(&both->fixture, one_in(2));
        check_open_runs(both);
        fixture_expect_sound(&both->fixture);
    }
}

static void the_ledger_agrees_with_brute_force(void **state)
{
    struct both *both = mem_alloc(sizeof(*both));
    uint32_t n_steps = fixture_steps();

    (void)state;
    random_state = fixture_seed();
    fixture_make(&both->fixture);
    assert_int_equal(ledger_begin(both->fixture.ledger), 0);
    both->fixture.ledger->meta.next_seq = FIRST_SEQ;
    assert_int_equal(ledger_commit(both->fixture.ledger), 0);
    both->model.next_seq = FIRST_SEQ;
    while (both->n_applied < n_steps) {
        random_batch(both);
        check_page(both);
        check_runs(both);
        check_hosts(both, both->model.next_seq / BLOCK_JOBS - random_below(2));
        check_bulk(both);
        random_upkeep(both);
    }
    assert_true(both->model.next_seq > 3 * (uint64_t)BLOCK_JOBS + 1000);
    fixture_release(&both->fixture);
    mem_free(both);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledger_agrees_with_brute_force),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
