/* SPDX-License-Identifier: MIT */
/*
 * What must hold of each job: its rows in all tables agree with its head.
 *
 * One pass, by seq, over all tables at once.
 */
#include "ledger/item.h"
#include "ledger/verify_inside.h"

#include "base/json.h"

struct pass {
    struct verify *verify;
    struct walk heads, jobs, hosts, events, runs, sealed;
    struct verify_index index;
    uint64_t seq;
    struct head head; /* of this job */
    int64_t last_created_us;
};

static void say(struct pass *pass, enum table table, const char *text)
{
    verify_say(pass->verify, table, pass->seq, "%s", text);
}

static bool is_host(const struct pass *pass, host_number host)
{
    return host >= 1 && host <= pass->verify->meta.n_hosts;
}

/* ---- heads, ids ---- */

static void check_head(struct pass *pass)
{
    const struct head *head = &pass->head;
    const struct meta_row *meta = &pass->verify->meta;

    if (pass->seq == 0 || pass->seq >= meta->next_seq)
        say(pass, TABLE_HEADS, "it has a number that was not given yet");
    if (head->created_us < pass->last_created_us)
        say(pass, TABLE_HEADS, "it was created before the job that came before it");
    if (head->created_us > meta->last_time_us || head->updated_us < head->created_us)
        say(pass, TABLE_HEADS, "its times are out of order");
    if (head->counts.total == 1 ? !is_host(pass, head->host) : head->host != 0)
        say(pass, TABLE_HEADS, "its host is none");
    if (head_is_old(pass->heads.value) && meta->format == LEDGER_FORMAT)
        say(pass, TABLE_HEADS, "it has the format of an older ledger");
    pass->last_created_us = head->created_us;
}

static void check_id(struct pass *pass)
{
    struct slice key = {.at = (const char *)pass->head.id.bytes, .size = sizeof(struct uuid)};
    struct slice value;
    uint64_t seq;
    int r = table_get(&pass->verify->txn, TABLE_IDS, key, &value);

    if (r == OUTCOME_NOT_FOUND)
        say(pass, TABLE_HEADS, "its id is not in ids");
    else if (!r && u64_decode(value, &seq) == 0 && seq != pass->seq)
        say(pass, TABLE_HEADS, "its id is that of another job");
}

/* ---- jobs ---- */

/* The members of a job_item that stand in its row. */
static bool fragment_is_sound(struct pass *pass, const struct job_row *job)
{
    struct buf *text = &pass->verify->json;
    struct json item, operation, type, target, user;

    buf_clear(text);
    buf_add_char(text, '{');
    buf_add_slice(text, job->fragment);
    buf_add_char(text, '}');
    if (buf_overflowed(text) || json_check(buf_slice(text), JSON_VALUES_MAX_RESULT, &item, NULL))
        return false;
    return json_member(item, "operation", &operation) && operation.kind == JSON_OBJECT &&
           json_member(operation, "type", &type) && type.kind == JSON_STRING &&
           json_member(item, "target", &target) && target.kind == JSON_STRING &&
           json_member(item, "user", &user) && user.kind == JSON_STRING;
}

/* Number 0 is for what found no room among the names. */
static bool name_is(const struct pass *pass, enum name_kind kind, uint32_t number,
                    struct slice name)
{
    const struct verify_names *names = &pass->verify->names[kind];

    if (number == 0)
        return !names_has_room(&pass->verify->meta, kind, name);
    return number < names->room && slice_equal(names->v[number], name);
}

/* Label targets alone have a number. */
static bool target_is(const struct pass *pass, struct slice text)
{
    uint32_t number = pass->head.target;

    if (pass->head.target_kind != TARGET_LABEL || head_is_old(pass->heads.value))
        return number == 0;
    return name_is(pass, NAME_TARGET, number, text);
}

/* Nothing but the head knows of a job's bulk action. */
static bool bulk_is_sound(const struct pass *pass)
{
    const struct verify_names *names = &pass->verify->names[NAME_BULK];
    uint32_t number = pass->head.bulk;

    return number == 0 || (number < names->room && names->v[number].size == sizeof(struct uuid));
}

static void check_job(struct pass *pass)
{
    const struct head *head = &pass->head;
    struct target target;
    struct job_row job;

    if (!walk_to(&pass->jobs, pass->seq)) {
        if (!pass->jobs.broken)
            say(pass, TABLE_JOBS, "its row is missing");
        return;
    }
    if (job_row_decode(pass->jobs.value, &job)) {
        say(pass, TABLE_JOBS, "its row can't be decoded");
        return;
    }
    if (!fragment_is_sound(pass, &job))
        say(pass, TABLE_JOBS, "what was asked is no valid JSON");
    if (target_parse(job.target, &target, NULL) || target.kind != head->target_kind)
        say(pass, TABLE_JOBS, "its target is of another kind than its head says");
    else if (!target_is(pass, job.target))
        say(pass, TABLE_JOBS, "its label target is not what its head says");
    if (!name_is(pass, NAME_OPERATION, head->operation, job.type) ||
        !name_is(pass, NAME_USER, head->user, job.user))
        say(pass, TABLE_JOBS, "its operation or user is not what its head says");
    if (!bulk_is_sound(pass))
        say(pass, TABLE_HEADS, "its bulk action is none");
}

/* ---- hosts, events ---- */

static void check_hosts(struct pass *pass)
{
    uint32_t n = pass->head.counts.total;
    bool here = walk_to(&pass->hosts, pass->seq);
    host_number last = 0;

    if (here && n == 1)
        say(pass, TABLE_HOSTS, "it has one run, and that host stands in its head");
    if (!here && n > 1 && !pass->hosts.broken)
        say(pass, TABLE_HOSTS, "its hosts are missing");
    if (!here || n == 1)
        return;
    if (hosts_row_decode(pass->hosts.value, n)) {
        say(pass, TABLE_HOSTS, "it has not as many hosts as runs");
        return;
    }
    for (uint32_t run = 0; run < n; run++) {
        host_number host = hosts_row_at(pass->hosts.value, run);
        if (!is_host(pass, host) || host <= last) {
            say(pass, TABLE_HOSTS, "its hosts are unknown, or out of order");
            return;
        }
        last = host;
    }
}

static bool event_is_sound(const struct pass *pass, const struct job_event_row *event)
{
    bool has_host = event->kind == JOB_EVENT_OVERRULED || event->kind == JOB_EVENT_RELEASED ||
                    event->kind == JOB_EVENT_MOVED;
    bool presumed = event->code == run_code_EXPIRED || event->code == run_code_LOST;

    return event->time_us >= pass->head.created_us &&
           (has_host ? is_host(pass, event->host) : event->host == 0) &&
           (event->kind == JOB_EVENT_OVERRULED ? presumed : event->code == run_code_NONE) &&
           (event->kind != JOB_EVENT_CANCELLED || pass->head.flags & HEAD_CANCELLED);
}

static void check_events(struct pass *pass)
{
    struct job_events events;
    bool here = walk_to(&pass->events, pass->seq);

    if (here != ((pass->head.flags & HEAD_EVENTS) != 0) && !pass->events.broken)
        say(pass, TABLE_EVENTS, here ? "its head knows of no events" : "its events are missing");
    if (!here)
        return;
    if (job_events_decode(pass->events.value, &events)) {
        say(pass, TABLE_EVENTS, "its events can't be decoded");
        return;
    }
    for (unsigned i = 0; i < events.n; i++) {
        if (!event_is_sound(pass, &events.v[i]))
            verify_say(pass->verify, TABLE_EVENTS, pass->seq, "event %u can't be", i + 1);
    }
}

/* ---- runs ---- */

/* What the head should say of its runs. */
struct tally {
    struct run_counts counts;
    uint8_t codes;
    bool changed;
    uint32_t n_started; /* of those active */
};

static void tally_add(struct tally *tally, const struct run_row *run)
{
    switch (run->at.state) {
    case run_state_WAITING:
    case run_state_COUNT:
        break;
    case run_state_ACKNOWLEDGED:
        tally->counts.active++;
        break;
    case run_state_STARTED:
        tally->counts.active++;
        tally->n_started++;
        break;
    case run_state_COMPLETED:
        tally->counts.completed++;
        tally->changed |= run->has_changed && run->changed;
        break;
    case run_state_FAILED:
        tally->counts.failed++;
        tally->codes |= (uint8_t)(1u << run->at.code);
        break;
    case run_state_SKIPPED:
        tally->counts.skipped++;
        break;
    }
}

/* created <= acknowledged <= started <= finished, as far as they are known; a final run is
   finished. */
static bool times_are_sound(const struct pass *pass, const struct run_row *run)
{
    const int64_t times[] = {run->acknowledged_us, run->started_us, run->finished_us};
    int64_t last_us = pass->head.created_us;

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (times[i] && times[i] < last_us)
            return false;
        if (times[i])
            last_us = times[i];
    }
    return run_state_is_final(run->at.state) == (run->finished_us != 0) &&
           last_us <= pass->verify->meta.last_time_us;
}

static const char *run_fault(struct pass *pass, const struct run_row *run)
{
    struct buf *data = &pass->verify->json;
    struct json json;
    bool presumable = run->at.state == run_state_FAILED &&
                      (run->at.code == run_code_EXPIRED || run->at.code == run_code_LOST);

    if (run->at.presumed && !presumable)
        return "it is presumed what can't be presumed";
    if (!times_are_sound(pass, run))
        return "its times are out of order";
    buf_clear(data);
    if (put_run_data(data, run, &pass->verify->packer))
        return "its result can't be unpacked";
    if (data->size && json_check(buf_slice(data), JSON_VALUES_MAX_RESULT, &json, NULL))
        return "its result is no valid JSON";
    return NULL;
}

static bool read_run(struct pass *pass, struct tally *tally)
{
    const struct walk *walk = &pass->runs;
    const char *wrong = "it is none of the job's";
    struct run_row run;
    bool decoded = run_row_decode(walk->value, &run) == 0;

    if (!decoded)
        wrong = "its row can't be decoded";
    else if (walk->run < pass->head.counts.total)
        wrong = run_fault(pass, &run);
    if (wrong)
        verify_say(pass->verify, TABLE_RUNS, pass->seq, "run %u: %s", (unsigned)walk->run, wrong);
    if (decoded && walk->run < pass->head.counts.total)
        tally_add(tally, &run);
    return decoded;
}

static void check_tally(struct pass *pass, const struct tally *tally)
{
    const struct run_counts *said = &pass->head.counts;
    const struct run_counts *is = &tally->counts;

    if (said->active != is->active || said->completed != is->completed ||
        said->failed != is->failed || said->skipped != is->skipped)
        verify_say(pass->verify, TABLE_HEADS, pass->seq,
                   "%u runs active, %u completed, %u failed, %u skipped; by its runs it is %u, %u, "
                   "%u, %u",
                   said->active, said->completed, said->failed, said->skipped, is->active,
                   is->completed, is->failed, is->skipped);
    if (pass->head.codes != tally->codes)
        say(pass, TABLE_HEADS, "its codes are not those of its runs");
    if (((pass->head.flags & HEAD_CHANGED) != 0) != tally->changed)
        say(pass, TABLE_HEADS, "whether it changed a host is not what its runs say");
}

static void check_runs(struct pass *pass, struct tally *tally)
{
    bool complete = true;

    for (bool here = walk_to(&pass->runs, pass->seq); here;
         here = pass->runs.here && pass->runs.number == pass->seq) {
        complete &= read_run(pass, tally);
        walk_next(&pass->runs);
    }
    if (complete && !pass->runs.broken)
        check_tally(pass, tally);
}

/* ---- sealed ---- */

static bool is_final(struct pass *pass, uint32_t run)
{
    struct run_key key = run_key(pass->seq, run);
    struct slice bytes;
    struct run_row row;

    return table_find(&pass->verify->txn, TABLE_RUNS, run_key_slice(&key), &bytes) == 0 &&
           run_row_decode(bytes, &row) == 0 && run_state_is_final(row.at.state);
}

/* How many of the job's runs must have their input still: what was never final has lost nothing. */
static uint32_t n_to_come(const struct pass *pass, const struct tally *tally)
{
    const struct run_counts *counts = &tally->counts;
    uint32_t n_begun = tally->n_started + counts->completed + counts->failed + counts->skipped;

    return pass->head.flags & HEAD_SEALED ? pass->head.counts.total - n_begun : 0;
}

static void check_sealed(struct pass *pass, const struct tally *tally)
{
    struct walk *walk = &pass->sealed;
    uint32_t n = 0;

    for (bool here = walk_to(walk, pass->seq); here;
         here = walk->here && walk->number == pass->seq) {
        if (!(pass->head.flags & HEAD_SEALED) || walk->run >= pass->head.counts.total)
            verify_say(pass->verify, TABLE_SEALED, pass->seq, "run %u: it is none of the job's",
                       (unsigned)walk->run);
        else if (is_final(pass, walk->run))
            verify_say(pass->verify, TABLE_SEALED, pass->seq,
                       "run %u: it is final, and its input is still here", (unsigned)walk->run);
        else
            n++;
        walk_next(walk);
    }
    if (n < n_to_come(pass, tally) && !walk->broken && !pass->runs.broken)
        verify_say(pass->verify, TABLE_SEALED, pass->seq,
                   "%u runs are to come, and %u have an input", (unsigned)n_to_come(pass, tally),
                   (unsigned)n);
}

/* ---- all jobs ---- */

/* What belongs to a head that can't be decoded is not to blame. */
static void skip_rows(struct pass *pass)
{
    struct walk *const walks[] = {&pass->jobs, &pass->hosts, &pass->events, &pass->runs,
                                  &pass->sealed};

    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        while (walk_to(walks[i], pass->seq))
            walk_next(walks[i]);
    }
}

static void check_one(struct pass *pass)
{
    struct verify *verify = pass->verify;
    struct tally tally = {0};

    pass->seq = pass->heads.number;
    verify->report->n_jobs++;
    if (head_decode(pass->heads.value, &pass->head)) {
        say(pass, TABLE_HEADS, "its row can't be decoded");
        verify_index_add(&pass->index, pass->seq, NULL);
        skip_rows(pass);
        return;
    }
    verify->report->n_runs += pass->head.counts.total;
    verify->job = pass->head.id;
    verify->job_seq = pass->seq;
    check_head(pass);
    check_id(pass);
    check_job(pass);
    check_hosts(pass);
    check_events(pass);
    check_runs(pass, &tally);
    check_sealed(pass, &tally);
    skip_rows(pass);
    verify_index_add(&pass->index, pass->seq, &pass->head);
    verify->job_seq = 0;
}

void verify_jobs(struct verify *verify)
{
    struct pass pass = {
        .verify = verify,
        .jobs = walk_begin(verify, TABLE_JOBS),
        .hosts = walk_begin(verify, TABLE_HOSTS),
        .events = walk_begin(verify, TABLE_EVENTS),
        .runs = walk_begin(verify, TABLE_RUNS),
        .sealed = walk_begin(verify, TABLE_SEALED),
        .index = verify_index_begin(verify),
    };

    buf_init(&verify->json, STORED_ROW_MAX);
    for (pass.heads = walk_begin(verify, TABLE_HEADS); pass.heads.here; walk_next(&pass.heads))
        check_one(&pass);
    walk_check_count(&pass.heads);
    verify_index_end(&pass.index, pass.heads.broken);
    if (pass.heads.broken) /* what comes after it may well belong to jobs */
        return;
    walk_end(&pass.jobs);
    walk_end(&pass.hosts);
    walk_end(&pass.events);
    walk_end(&pass.runs);
    walk_end(&pass.sealed);
}
