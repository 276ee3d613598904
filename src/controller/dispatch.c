/* SPDX-License-Identifier: MIT */
/*
 * The table of open runs: by job, by host, by deadline.
 *
 * Every change of a run goes through run_open(), run_set() and run_close(), which keep the three in
 * step. A host that is connected and has room never has a run that is not given to it.
 */
#include "controller/dispatch.h"

#include "base/mem.h"

#include <assert.h>

#define BUCKETS_FIRST ((size_t)256) /* a power of two, as are all that follow */

struct run_queue {
    struct open_run *first, *last;
    uint32_t n;
};

struct host {
    struct run_queue unsent; /* SENT_NO, oldest first */
    struct run_queue given;  /* the others */
    uint32_t window;
    bool connected;
};

struct dispatch {
    struct open_job **buckets; /* by id */
    size_t n_buckets, n_jobs;
    struct host **hosts; /* by number; NULL: nothing yet */
    size_t n_hosts;
    struct timers timers;
    uint64_t n_runs, n_active;
    int64_t listening_us; /* no presumption before */
};

/* ---- decisions ---- */

void decisions_release(struct decisions *decisions)
{
    mem_free(decisions->v);
    *decisions = (struct decisions){0};
}

void decisions_add(struct decisions *to, const struct decision *decision)
{
    if (to->n == to->room) {
        to->room = to->room ? to->room * 2 : 64;
        to->v = mem_realloc(to->v, to->room * sizeof(*to->v));
    }
    to->v[to->n++] = *decision;
}

static void decide(struct decisions *to, enum decision_kind kind, const struct open_run *run)
{
    decisions_add(to, &(struct decision){
                          .kind = kind,
                          .job = run->job->id,
                          .run = run->number,
                          .host = run->host,
                      });
}

static void decide_end(struct decisions *to, const struct open_run *run, enum run_code code,
                       bool presumed)
{
    decisions_add(to, &(struct decision){
                          .kind = DECISION_END,
                          .job = run->job->id,
                          .run = run->number,
                          .host = run->host,
                          .code = code,
                          .presumed = presumed,
                      });
}

/* ---- jobs by id ---- */

/* The last bytes of a version 7 UUID are random. */
static size_t bucket_of(const struct dispatch *dispatch, const struct uuid *id)
{
    uint64_t bits;

    memcpy(&bits, id->bytes + sizeof(id->bytes) - sizeof(bits), sizeof(bits));
    return (size_t)bits & (dispatch->n_buckets - 1);
}

static void link_job(struct dispatch *dispatch, struct open_job *job)
{
    struct open_job **bucket = &dispatch->buckets[bucket_of(dispatch, &job->id)];

    job->next_in_bucket = *bucket;
    *bucket = job;
}

static void grow_buckets(struct dispatch *dispatch)
{
    struct open_job **old = dispatch->buckets;
    size_t n_old = dispatch->n_buckets;

    dispatch->n_buckets *= 2;
    dispatch->buckets = mem_alloc(dispatch->n_buckets * sizeof(*old));
    for (size_t i = 0; i < n_old; i++) {
        while (old[i]) {
            struct open_job *job = old[i];
            old[i] = job->next_in_bucket;
            link_job(dispatch, job);
        }
    }
    mem_free(old);
}

static struct open_job *job_new(struct dispatch *dispatch, const struct job_terms *terms)
{
    struct open_job *job = mem_alloc(sizeof(*job) + terms->n_runs * sizeof(job->runs[0]));

    job->id = terms->id;
    job->seq = terms->seq;
    job->op = terms->op;
    job->limit_us = terms->limit_us;
    job->start_by_us = job->ledger_start_by_us = terms->start_by_us;
    job->cancelled = terms->cancelled;
    job->sensitive = terms->sensitive;
    job->sealed = terms->sealed;
    job->n_runs = terms->n_runs;
    if (dispatch->n_jobs++ == dispatch->n_buckets)
        grow_buckets(dispatch);
    link_job(dispatch, job);
    return job;
}

static void job_free(struct dispatch *dispatch, struct open_job *job)
{
    struct open_job **at = &dispatch->buckets[bucket_of(dispatch, &job->id)];

    while (*at != job)
        at = &(*at)->next_in_bucket;
    *at = job->next_in_bucket;
    dispatch->n_jobs--;
    mem_free(job);
}

struct open_job *dispatch_find_job(const struct dispatch *dispatch, const struct uuid *id)
{
    struct open_job *job = dispatch->buckets[bucket_of(dispatch, id)];

    while (job && !uuid_equal(&job->id, id))
        job = job->next_in_bucket;
    return job;
}

struct open_run *dispatch_find(const struct dispatch *dispatch, const struct uuid *id, uint32_t run)
{
    struct open_job *job = dispatch_find_job(dispatch, id);

    if (!job || run >= job->n_runs || !job->runs[run].is_open)
        return NULL;
    return &job->runs[run];
}

/* ---- queues ---- */

static void queue_remove(struct open_run *run)
{
    struct run_queue *queue = run->queue;

    *(run->previous ? &run->previous->next : &queue->first) = run->next;
    *(run->next ? &run->next->previous : &queue->last) = run->previous;
    queue->n--;
    run->queue = NULL;
}

/* Before `next`, or last when that is NULL. */
static void queue_insert(struct run_queue *queue, struct open_run *run, struct open_run *next)
{
    run->queue = queue;
    run->next = next;
    run->previous = next ? next->previous : queue->last;
    *(run->previous ? &run->previous->next : &queue->first) = run;
    *(next ? &next->previous : &queue->last) = run;
    queue->n++;
}

/* Host numbers are the fleet's and dense. */
static struct host *host_of(struct dispatch *dispatch, host_number number)
{
    if (number >= dispatch->n_hosts) {
        size_t n = 2 * (size_t)number + 16;
        dispatch->hosts = mem_realloc(dispatch->hosts, n * sizeof(struct host *));
        memset(dispatch->hosts + dispatch->n_hosts, 0,
               (n - dispatch->n_hosts) * sizeof(struct host *));
        dispatch->n_hosts = n;
    }
    if (!dispatch->hosts[number])
        dispatch->hosts[number] = mem_alloc(sizeof(struct host));
    return dispatch->hosts[number];
}

/* ---- runs ---- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Whether it is certain that the host does not have it. */
static bool run_is_here(const struct open_run *run)
{
    return run->sent == SENT_NO || run->sent == SENT_DECIDED;
}

static int64_t run_due_us(const struct dispatch *dispatch, const struct open_run *run)
{
    const struct open_job *job = run->job;

    if (run->state == run_state_STARTED)
        return later(run->started_us + job->limit_us + DISPATCH_LOST_SLACK_US,
                     dispatch->listening_us);
    if (run_is_here(run))
        return job->start_by_us;
    return later(job->start_by_us + DISPATCH_EXPIRE_SLACK_US, dispatch->listening_us);
}

static bool run_is_active(const struct open_run *run)
{
    return run->state != run_state_WAITING;
}

static void run_set(struct dispatch *dispatch, struct open_run *run, enum run_state state,
                    enum sent sent)
{
    struct host *host = host_of(dispatch, run->host);
    struct run_queue *queue = sent == SENT_NO ? &host->unsent : &host->given;

    dispatch->n_active -= run_is_active(run);
    run->state = state;
    run->sent = sent;
    dispatch->n_active += run_is_active(run);
    timers_set(&dispatch->timers, &run->timer, run_due_us(dispatch, run));
    if (run->queue == queue)
        return;
    if (run->queue)
        queue_remove(run);
    /* What comes back was there before all that still waits. */
    queue_insert(queue, run, sent == SENT_NO && run->is_open ? queue->first : NULL);
}

static void run_open(struct dispatch *dispatch, struct open_job *job, const struct run_place *place,
                     enum sent sent)
{
    struct open_run *run = &job->runs[place->number];

    *run = (struct open_run){
        .job = job,
        .number = place->number,
        .host = place->host,
        .started_us = place->started_us,
    };
    run_set(dispatch, run, place->state, sent);
    run->is_open = true;
    job->n_open++;
    dispatch->n_runs++;
}

/* Takes it out of everything but its job. */
static void run_close(struct dispatch *dispatch, struct open_run *run)
{
    queue_remove(run);
    timers_clear(&dispatch->timers, &run->timer);
    dispatch->n_active -= run_is_active(run);
    dispatch->n_runs--;
    run->job->n_open--;
    run->is_open = false;
}

/* Gives the host what it has room for. */
static void feed(struct dispatch *dispatch, struct host *host, struct decisions *to)
{
    while (host->connected && host->unsent.first && host->given.n < host->window) {
        struct open_run *run = host->unsent.first;
        run_set(dispatch, run, run->state, SENT_DECIDED);
        decide(to, DECISION_TASK, run);
    }
}

/* ---- the table ---- */

struct dispatch *dispatch_new(void)
{
    struct dispatch *dispatch = mem_alloc(sizeof(*dispatch));

    dispatch->n_buckets = BUCKETS_FIRST;
    dispatch->buckets = mem_alloc(dispatch->n_buckets * sizeof(struct open_job *));
    return dispatch;
}

void dispatch_free(struct dispatch *dispatch)
{
    if (!dispatch)
        return;
    for (size_t i = 0; i < dispatch->n_buckets; i++) {
        while (dispatch->buckets[i])
            job_free(dispatch, dispatch->buckets[i]);
    }
    for (size_t i = 0; i < dispatch->n_hosts; i++)
        mem_free(dispatch->hosts[i]);
    mem_free(dispatch->buckets);
    mem_free(dispatch->hosts);
    timers_release(&dispatch->timers);
    mem_free(dispatch);
}

struct open_job *dispatch_submit(struct dispatch *dispatch, const struct job_terms *terms,
                                 const host_number *hosts, struct decisions *to)
{
    struct open_job *job = job_new(dispatch, terms);

    for (uint32_t i = 0; i < terms->n_runs; i++) {
        struct run_place place = {.number = i, .host = hosts[i], .state = run_state_WAITING};
        run_open(dispatch, job, &place, SENT_NO);
        feed(dispatch, host_of(dispatch, hosts[i]), to);
    }
    return job;
}

struct open_job *dispatch_restore(struct dispatch *dispatch, const struct job_terms *terms,
                                  const struct run_place *place, int64_t listening_us)
{
    struct open_job *job = dispatch_find_job(dispatch, &terms->id);

    if (!job)
        job = job_new(dispatch, terms);
    assert(place->number < job->n_runs && !job->runs[place->number].is_open);
    dispatch->listening_us = later(dispatch->listening_us, listening_us);
    run_open(dispatch, job, place, SENT_UNKNOWN);
    return job;
}

void dispatch_each_job(struct dispatch *dispatch, void (*each)(void *owner, struct open_job *job),
                       void *owner)
{
    for (size_t i = 0; i < dispatch->n_buckets; i++) {
        for (struct open_job *job = dispatch->buckets[i]; job; job = job->next_in_bucket)
            each(owner, job);
    }
}

void dispatch_sent(struct dispatch *dispatch, struct open_run *run)
{
    run_set(dispatch, run, run->state, SENT_YES);
}

void dispatch_moved(struct dispatch *dispatch, struct open_run *run, enum run_state state,
                    int64_t started_us)
{
    assert(!run_state_is_final(state));
    run->started_us = started_us;
    run_set(dispatch, run, state, SENT_YES);
}

void dispatch_end(struct dispatch *dispatch, struct open_run *run, struct decisions *to)
{
    struct open_job *job = run->job;
    struct host *host = host_of(dispatch, run->host);

    run_close(dispatch, run);
    if (job->n_open == 0)
        job_free(dispatch, job);
    feed(dispatch, host, to);
}

void dispatch_cancel(struct dispatch *dispatch, struct open_job *job, struct decisions *to,
                     struct cancel_counts *ret)
{
    *ret = (struct cancel_counts){0};
    job->cancelled = true;
    for (uint32_t i = 0; i < job->n_runs; i++) {
        struct open_run *run = &job->runs[i];
        if (!run->is_open)
            continue;
        if (run_is_here(run)) {
            decide_end(to, run, run_code_CANCELLED, false);
            ret->never_start++;
            continue;
        }
        ret->stopping++;
        if (host_of(dispatch, run->host)->connected)
            decide(to, DECISION_CANCEL, run);
    }
}

void dispatch_forget(struct dispatch *dispatch, struct open_job *job, struct decisions *to)
{
    for (uint32_t i = 0; i < job->n_runs; i++) {
        struct open_run *run = &job->runs[i];
        if (!run->is_open)
            continue;
        run_close(dispatch, run);
        feed(dispatch, host_of(dispatch, run->host), to);
    }
    job_free(dispatch, job);
}

/* ---- hosts ---- */

bool dispatch_named(struct dispatch *dispatch, host_number host, const struct uuid *id,
                    uint32_t number, struct decisions *to)
{
    struct open_run *run = dispatch_find(dispatch, id, number);

    if (!run || run->host != host)
        return false;
    run->is_named = true;
    run_set(dispatch, run, run->state, SENT_YES);
    if (run->job->cancelled)
        decide(to, DECISION_CANCEL, run);
    return true;
}

/* A run that may have been given, and that the host's hello does not name: the host does not have
   it, or has lost its record of it. */
static void take_back(struct dispatch *dispatch, struct open_run *run, bool new_epoch,
                      struct decisions *to)
{
    bool begun = run->state != run_state_WAITING || (new_epoch && !run_is_here(run));

    if (begun)
        decide_end(to, run, run_code_INTERRUPTED, false);
    else
        run_set(dispatch, run, run_state_WAITING, SENT_NO);
}

void dispatch_connected(struct dispatch *dispatch, const struct greeting *greeting, int64_t now_us,
                        struct decisions *to)
{
    struct host *host = host_of(dispatch, greeting->host);
    struct open_run *previous;

    host->connected = true;
    host->window = greeting->window;
    for (struct open_run *run = host->given.last; run; run = previous) {
        previous = run->previous;
        if (!run->is_named)
            take_back(dispatch, run, greeting->new_epoch, to);
        run->is_named = false;
    }
    for (struct open_run *run = host->unsent.first; run; run = run->next) {
        if (run->job->cancelled)
            decide_end(to, run, run_code_CANCELLED, false);
        else if (now_us >= run->job->start_by_us)
            decide_end(to, run, run_code_EXPIRED, false);
    }
    feed(dispatch, host, to);
}

void dispatch_gone(struct dispatch *dispatch, host_number host)
{
    host_of(dispatch, host)->connected = false;
}

uint32_t dispatch_host_runs(const struct dispatch *dispatch, host_number host)
{
    if (host >= dispatch->n_hosts || !dispatch->hosts[host])
        return 0;
    return dispatch->hosts[host]->unsent.n + dispatch->hosts[host]->given.n;
}

uint64_t dispatch_runs(const struct dispatch *dispatch)
{
    return dispatch->n_runs;
}

uint64_t dispatch_active(const struct dispatch *dispatch)
{
    return dispatch->n_active;
}

/* ---- time ---- */

static struct open_run *run_of_timer(struct timer *timer)
{
    return (struct open_run *)(void *)((char *)timer - offsetof(struct open_run, timer));
}

void dispatch_tick(struct dispatch *dispatch, int64_t now_us, struct decisions *to)
{
    struct timer *timer;

    while ((timer = timers_first(&dispatch->timers)) && timer->due_us <= now_us) {
        struct open_run *run = run_of_timer(timer);
        timers_clear(&dispatch->timers, timer);
        if (run->state == run_state_STARTED)
            decide_end(to, run, run_code_LOST, true);
        else
            decide_end(to, run, run_code_EXPIRED, !run_is_here(run));
    }
}

static void shift_job(struct dispatch *dispatch, struct open_job *job, int64_t by_us)
{
    job->clock_set_by_us += by_us;
    job->start_by_us =
        job->ledger_start_by_us + (job->clock_set_by_us < 0 ? job->clock_set_by_us : 0);
    for (uint32_t i = 0; i < job->n_runs; i++) {
        struct open_run *run = &job->runs[i];
        if (!run->is_open)
            continue;
        if (run->started_us)
            run->started_us += by_us;
        timers_set(&dispatch->timers, &run->timer, run_due_us(dispatch, run));
    }
}

void dispatch_shift(struct dispatch *dispatch, int64_t by_us)
{
    dispatch->listening_us += by_us;
    for (size_t i = 0; i < dispatch->n_buckets; i++) {
        for (struct open_job *job = dispatch->buckets[i]; job; job = job->next_in_bucket)
            shift_job(dispatch, job, by_us);
    }
}

int64_t dispatch_due_us(const struct dispatch *dispatch)
{
    struct timer *first = timers_first(&dispatch->timers);

    return first ? first->due_us : INT64_MAX;
}
