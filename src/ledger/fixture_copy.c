/* SPDX-License-Identifier: MIT */
/*
 * Random jobs, and what is known of them without the ledger.
 */
#include "ledger/fixture_copy.h"

#include "base/mem.h"

#define DELETED_OFF 3u /* one job in so many is deleted when blocks are dropped from the front */

/* ---- the copy ---- */

const char *const copy_operations[COPY_OPERATIONS] = {"node.hostname.get", "node.disk.get",
                                                      "node.uptime.get", "command.exec.execute",
                                                      "command.shell.execute"};
static const char *const prefixes[] = {"node.", "command.", "node.disk.", "no.such."};
const char *const copy_users[COPY_USERS] = {"alice", "bob", "carol"};

enum copy_target { COPY_ANY, COPY_ALL, COPY_NAME, COPY_MACHINE, COPY_LABEL_A, COPY_LABEL_B };
static const char *const labels[] = {
    [COPY_LABEL_A] = "group:web", [COPY_LABEL_B] = "group:web.dev"};

static enum job_status status_of(const struct copy_job *job)
{
    struct run_counts counts = {.total = job->n_hosts};

    for (unsigned i = 0; i < job->n_hosts; i++) {
        counts.active += job->states[i] == run_state_STARTED;
        counts.completed += job->states[i] == run_state_COMPLETED;
        counts.failed += job->states[i] == run_state_FAILED;
        counts.skipped += job->states[i] == run_state_SKIPPED;
    }
    return job_status_of(&counts);
}

unsigned copy_job_codes(const struct copy_job *job)
{
    unsigned codes = 0;

    for (unsigned i = 0; i < job->n_hosts; i++) {
        if (job->states[i] == run_state_FAILED)
            codes |= 1u << job->codes[i];
    }
    return codes;
}

static bool host_is(const struct copy *copy, unsigned host, const char *text)
{
    return strcmp(copy->names[host], text) == 0 || strcmp(copy->machines[host], text) == 0;
}

static bool has_host(const struct copy *copy, const struct copy_job *job, const char *text)
{
    for (unsigned i = 0; i < job->n_hosts; i++) {
        if (host_is(copy, job->hosts[i], text))
            return true;
    }
    return false;
}

static bool has_target(const struct copy *copy, const struct copy_job *job, const char *text)
{
    if (job->target == COPY_NAME || job->target == COPY_MACHINE)
        return text[0] != '_' && !strchr(text, ':') && has_host(copy, job, text);
    return strcmp(job->target_text, text) == 0;
}

static bool has_operation(const struct copy_job *job, const char *wanted)
{
    const char *operation = copy_operations[job->operation];
    size_t size = strlen(wanted);

    return wanted[size - 1] == '.' ? strncmp(operation, wanted, size) == 0
                                   : strcmp(operation, wanted) == 0;
}

static bool has_codes(const struct copy_job *job, unsigned wanted)
{
    unsigned codes = copy_job_codes(job);

    return codes & wanted || (codes == 0 && wanted & 1u << run_code_NONE);
}

static bool has_changed(const struct copy_job *job, bool wanted)
{
    enum job_status status = job->status;

    if (status != job_status_COMPLETED && status != job_status_PARTIAL_FAILURE)
        return false;
    return job->changed == wanted;
}

bool copy_matches(const struct copy *copy, const struct copy_job *job,
                  const struct ledger_filter *filter)
{
    return job->is_there && (!filter->operation || has_operation(job, filter->operation)) &&
           (!filter->user || strcmp(copy_users[job->user], filter->user) == 0) &&
           (!filter->hostname || has_host(copy, job, filter->hostname)) &&
           (!filter->target || has_target(copy, job, filter->target)) &&
           (!filter->codes || has_codes(job, filter->codes)) &&
           (!filter->has_changed || has_changed(job, filter->changed)) &&
           (!filter->bulk || (job->bulk && filter->bulk == &copy->bulks[job->bulk - 1])) &&
           (!filter->since_us || job->created_us >= filter->since_us) &&
           (!filter->until_us || job->created_us < filter->until_us);
}

/* ---- random ---- */

static uint64_t random_state;

void random_seed(void)
{
    random_state = fixture_seed();
}

uint64_t random_next(void) /* xorshift64 */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

uint32_t random_below(uint32_t n)
{
    return (uint32_t)(random_next() % n);
}

bool one_in(uint32_t n)
{
    return random_below(n) == 0;
}

const struct copy_job *copy_random_job(const struct copy *copy)
{
    return &copy->jobs[copy->first + random_below(copy->n_jobs - copy->first)];
}

static struct copy_job *recent_job(struct copy *copy)
{
    uint32_t n = copy->n_jobs - copy->first;

    return &copy->jobs[copy->n_jobs - 1 - random_below(one_in(3) || n < 2000 ? n : 2000)];
}

/* ---- records, to both ---- */

static int apply(struct copy *copy, struct record *record, struct ledger_effect *ret)
{
    copy->fixture.now_us += random_below(2000);
    record->time_us = copy->fixture.now_us;
    return ledger_apply(copy->fixture.ledger, record, ret);
}

static void apply_good(struct copy *copy, struct record *record, struct ledger_effect *ret)
{
    int r = apply(copy, record, ret);

    if (r)
        fail_msg("a record of kind %d was refused: %d", (int)record->kind, r);
}

static void choose_target(struct copy *copy, struct copy_job *job, struct target *ret)
{
    unsigned first = 1 + random_below(COPY_HOSTS);

    job->target = (uint8_t)random_below(COPY_LABEL_B + 1);
    job->n_hosts = 1;
    if (job->target == COPY_ALL || (job->target >= COPY_LABEL_A && !one_in(3))) {
        job->n_hosts =
            job->target == COPY_ALL ? COPY_HOSTS : (uint8_t)(1 + random_below(COPY_HOSTS));
        first = 1;
    }
    for (unsigned i = 0; i < job->n_hosts; i++)
        job->hosts[i] = (uint8_t)(first + i);
    snprintf(job->target_text, sizeof(job->target_text), "%s",
             job->target == COPY_ANY       ? "_any"
             : job->target == COPY_ALL     ? "_all"
             : job->target == COPY_NAME    ? copy->names[first]
             : job->target == COPY_MACHINE ? copy->machines[first]
                                           : labels[job->target]);
    assert_int_equal(target_parse(slice_of(job->target_text), ret, NULL), 0);
}

static void submit(struct copy *copy)
{
    struct copy_job *job = &copy->jobs[copy->n_jobs++];
    host_number hosts[COPY_HOSTS];
    struct ledger_effect effect;
    struct target target;

    assert_true(copy->n_jobs < COPY_JOBS_MAX);
    *job = (struct copy_job){.is_there = true,
                             .status = job_status_SUBMITTED,
                             .operation = (uint8_t)random_below(COUNT_OF(copy_operations)),
                             .user = (uint8_t)(one_in(50) ? 2 : random_below(2)),
                             .bulk = (uint8_t)(one_in(100) ? 1 + random_below(COPY_BULKS) : 0),
                             .id = uuid_make(copy->fixture.now_us)};
    choose_target(copy, job, &target);
    for (unsigned i = 0; i < job->n_hosts; i++)
        hosts[i] = job->hosts[i];
    struct record record = {.kind = RECORD_SUBMITTED,
                            .submitted = {.id = job->id,
                                          .op = op_by_type(copy_operations[job->operation]),
                                          .target = target,
                                          .user = copy_users[job->user],
                                          .bulk = job->bulk ? &copy->bulks[job->bulk - 1] : NULL,
                                          .hosts = hosts,
                                          .n_hosts = job->n_hosts}};
    apply_good(copy, &record, &effect);
    job->seq = effect.seq;
    job->created_us = record.time_us;
}

static void finish(struct copy *copy, struct copy_job *job)
{
    static const enum run_state ends[] = {run_state_STARTED, run_state_COMPLETED,
                                          run_state_COMPLETED, run_state_FAILED, run_state_SKIPPED};
    unsigned run = random_below(job->n_hosts);
    enum run_state end = ends[random_below(COUNT_OF(ends))];
    bool starts = end == run_state_STARTED;
    struct ledger_effect effect;

    if (!job->is_there || run_state_is_final(job->states[run]) ||
        (starts && job->states[run] == run_state_STARTED))
        return;
    static const enum run_code codes[] = {run_code_ERROR, run_code_TIMEOUT, run_code_CANCELLED};
    enum run_code code = end == run_state_FAILED ? codes[random_below(3)] : run_code_NONE;
    struct record record = record_finished(job->seq, run, end, code, NULL, NULL);
    record.kind = starts ? RECORD_STARTED : RECORD_FINISHED;
    record.run.has_changed = end == run_state_COMPLETED;
    record.run.changed = record.run.has_changed && one_in(3);
    apply_good(copy, &record, &effect);
    job->states[run] = (uint8_t)end;
    job->codes[run] = (uint8_t)code;
    job->changed |= record.run.changed;
    job->status = status_of(job);
    assert_int_equal(effect.status, job->status);
}

static void cancel(struct copy *copy, struct copy_job *job)
{
    unsigned bulk = random_below(COPY_BULKS);
    struct ledger_effect effect;
    struct record record = {.kind = RECORD_CANCELLED,
                            .job = {.seq = job->seq, .user = "alice", .bulk = &copy->bulks[bulk]}};

    if (!job->is_there || job->cancelled)
        return;
    apply_good(copy, &record, &effect);
    job->cancelled = true;
    job->bulk = (uint8_t)(bulk + 1);
}

static void delete (struct copy *copy, struct copy_job *job)
{
    struct ledger_effect effect;
    struct record record = {.kind = RECORD_DELETED, .job = {.seq = job->seq}};

    if (!job->is_there)
        return;
    apply_good(copy, &record, &effect);
    job->is_there = false;
}

static void move(struct copy *copy, struct copy_job *job)
{
    unsigned host = 1 + random_below(COPY_HOSTS);
    struct ledger_effect effect;
    struct record record = record_run(RECORD_MOVED, job->seq, 0);

    if (!job->is_there || job->n_hosts != 1 || job->states[0] != run_state_WAITING)
        return;
    record.run.host = host;
    apply_good(copy, &record, &effect);
    job->hosts[0] = (uint8_t)host;
}

/* Names are taken over from others: then two hosts have one. */
static void rename_host(struct copy *copy)
{
    unsigned host = 1 + random_below(COPY_HOSTS);
    struct ledger_effect effect;

    snprintf(copy->names[host], sizeof(copy->names[host]), "web-%02u",
             (unsigned)(1 + random_below(COPY_HOSTS + 2)));
    struct record record = {.kind = RECORD_AGENT,
                            .agent = {.host = host,
                                      .machine_id = copy->machines[host],
                                      .hostname = copy->names[host],
                                      .labels = SLICE("{}"),
                                      .epoch = 1}};
    apply_good(copy, &record, &effect);
}

static void step(struct copy *copy)
{
    struct copy_job *job = recent_job(copy);
    unsigned what = random_below(1000);

    if (what < 300)
        submit(copy);
    else if (what < 900)
        finish(copy, job);
    else if (what < 930)
        cancel(copy, job);
    else if (what < 970)
        delete (copy, job);
    else if (what < 995)
        move(copy, job);
    else if (what == 999 && one_in(5))
        rename_host(copy);
}

int64_t copy_random_time(const struct copy *copy)
{
    return copy_random_job(copy)->created_us + (int64_t)random_below(3) - 1;
}

static const char *random_host(const struct copy *copy, char ret[33])
{
    unsigned host = 1 + random_below(COPY_HOSTS);

    if (one_in(3))
        snprintf(ret, 33, "%s", copy->machines[host]);
    else
        snprintf(ret, 33, "web-%02u", (unsigned)(1 + random_below(COPY_HOSTS + 3)));
    return ret;
}

static const char *random_target(const struct copy *copy, char ret[33])
{
    static const char *const texts[] = {"_any", "_all", "group:web", "group:web.dev", "no:such"};
    unsigned which = random_below(COUNT_OF(texts) + 2);

    return which < COUNT_OF(texts) ? texts[which] : random_host(copy, ret);
}

void copy_choose_filter(struct copy *copy, unsigned i)
{
    struct ledger_filter *filter = &copy->filters[i];

    *filter = (struct ledger_filter){0};
    if (one_in(2))
        filter->operation = one_in(2) ? prefixes[random_below(COUNT_OF(prefixes))]
                                      : copy_operations[random_below(COUNT_OF(copy_operations))];
    if (one_in(3))
        filter->user = one_in(10) ? "nobody" : copy_users[random_below(COPY_USERS)];
    if (one_in(3))
        filter->hostname = random_host(copy, copy->texts[i][0]);
    if (one_in(4))
        filter->target = random_target(copy, copy->texts[i][1]);
    if (one_in(4))
        filter->codes = 1 + random_below((1u << run_code_COUNT) - 1);
    if (one_in(4)) {
        filter->has_changed = true;
        filter->changed = one_in(2);
    }
    if (one_in(8))
        filter->bulk = &copy->bulks[random_below(COPY_BULKS)];
}

/* ---- the walk ---- */

void copy_batch(struct copy *copy, uint32_t n)
{
    assert_int_equal(ledger_begin(copy->fixture.ledger), 0);
    for (uint32_t i = 0; i < n; i++)
        step(copy);
    assert_int_equal(ledger_commit(copy->fixture.ledger), 0);
}

static void fill(struct copy *copy)
{
    while (copy->n_jobs < COPY_AT_FIRST) {
        assert_int_equal(ledger_begin(copy->fixture.ledger), 0);
        for (uint32_t i = 0; i < 1000; i++) {
            submit(copy);
            if (!one_in(20))
                finish(copy, &copy->jobs[copy->n_jobs - 1]);
        }
        assert_int_equal(ledger_commit(copy->fixture.ledger), 0);
    }
}

void copy_drop_front(struct copy *copy)
{
    uint64_t border = copy->jobs[copy->n_jobs - 1].seq / BLOCK_JOBS * BLOCK_JOBS;

    assert_int_equal(ledger_begin(copy->fixture.ledger), 0);
    for (; copy->jobs[copy->first].seq + BLOCK_JOBS / DELETED_OFF < border; copy->first++)
        delete (copy, &copy->jobs[copy->first]);
    assert_int_equal(ledger_commit(copy->fixture.ledger), 0);
}

struct copy *copy_new(void)
{
    struct copy *copy = mem_alloc(sizeof(*copy));

    fixture_make(&copy->fixture);
    fixture_add_hosts(&copy->fixture, COPY_HOSTS);
    copy->jobs = mem_alloc(COPY_JOBS_MAX * sizeof(*copy->jobs));
    for (unsigned host = 1; host <= COPY_HOSTS; host++) {
        snprintf(copy->names[host], sizeof(copy->names[host]), "web-%02u", host);
        snprintf(copy->machines[host], sizeof(copy->machines[host]), "%032x", host);
    }
    for (unsigned i = 0; i < COPY_BULKS; i++)
        copy->bulks[i] = uuid_make(copy->fixture.now_us);
    for (unsigned i = 0; i < COPY_FILTERS; i++)
        copy_choose_filter(copy, i);
    fill(copy);
    return copy;
}

void copy_free(struct copy *copy)
{
    fixture_release(&copy->fixture);
    mem_free(copy->jobs);
    mem_free(copy);
}
