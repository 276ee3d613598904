/* SPDX-License-Identifier: MIT */
/*
 * A fleet in one process, from a seed: submits, cancellations, deletions, cut connections with all
 * that was on its way, repeated and late reports, restarts of controller and agents, lost runlogs,
 * and time.
 *
 * The promises are checked at every step, the ends when everything has come to rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "controller/dispatch.h"

#define HOSTS      4
#define JOBS_MAX   120
#define ENTRIES    (JOBS_MAX * HOSTS)
#define MAIL_MAX   4096
#define STEPS      600
#define SEEDS      300
#define LIMIT_US   (60 * US_PER_S)
#define EXPIRES_US (20 * US_PER_S)

/* ---- the world ---- */

struct model_run {
    struct run_point at; /* as the ledger has it */
    int64_t started_us;
    host_number host;
    unsigned executed;     /* how often an agent began to do it */
    bool sure_not_started; /* ended by the controller, which said that it knows */
};

struct model_job {
    struct uuid id;
    int64_t start_by_us;
    bool is_recorded, is_gone, is_cancelled;
    uint32_t n_runs;
    struct model_run runs[HOSTS];
};

enum mail_kind { MAIL_TASK, MAIL_CANCEL, MAIL_REPORT, MAIL_CONFIRM };

struct mail {
    enum mail_kind kind;
    unsigned job;
    uint32_t run;
    struct run_point to; /* REPORT */
    int64_t number;      /* REPORT, CONFIRM */
};

struct mailbox {
    struct mail v[MAIL_MAX];
    unsigned first, n;
};

/* What a runlog holds of one run. */
struct entry {
    unsigned job;
    uint32_t run;
    struct run_point at;
    int64_t last_number; /* of its latest report */
    int64_t until_us;    /* STARTED: when it ends by itself */
};

struct host_model {
    bool is_linked;
    int64_t epoch, next_number, confirmed; /* the agent's */
    struct entry log[ENTRIES];
    unsigned n_log;
    struct mail reports[MAIL_MAX]; /* from confirmed + 1 on */
    unsigned n_reports;
    struct mailbox to_agent, to_controller;
    int64_t known_epoch, reported; /* the ledger's */
};

struct world {
    uint64_t random;
    int64_t now_us;
    struct dispatch *dispatch;
    struct decisions decisions;
    struct model_job jobs[JOBS_MAX];
    unsigned n_jobs;
    struct host_model hosts[HOSTS + 1]; /* by number */
};

static uint64_t draw(struct world *w, uint64_t below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (w->random >> 11) % below;
}

static bool chance(struct world *w, unsigned percent)
{
    return draw(w, 100) < percent;
}

static struct uuid id_of(unsigned job)
{
    struct uuid id = {0};

    id.bytes[15] = (uint8_t)(job + 1);
    id.bytes[8] = 0x80;
    return id;
}

static unsigned job_of(const struct uuid *id)
{
    return id->bytes[15] - 1u;
}

static void post(struct mailbox *box, const struct mail *mail)
{
    assert_true(box->n < MAIL_MAX);
    box->v[(box->first + box->n++) % MAIL_MAX] = *mail;
}

static bool take(struct mailbox *box, struct mail *ret)
{
    if (box->n == 0)
        return false;
    *ret = box->v[box->first];
    box->first = (box->first + 1) % MAIL_MAX;
    box->n--;
    return true;
}

/* ---- the ledger: what a record does ---- */

static struct model_run *run_at(struct world *w, unsigned job, uint32_t run)
{
    return &w->jobs[job].runs[run];
}

static void apply_end(struct world *w, const struct decision *decision)
{
    struct open_run *open = dispatch_find(w->dispatch, &decision->job, decision->run);
    struct model_run *run = run_at(w, job_of(&decision->job), decision->run);
    struct run_point to = {run_state_FAILED, decision->code, decision->presumed};

    if (!open)
        return;
    assert_int_equal(run_move(&run->at, &to, false), RUN_MOVE_APPLY);
    run->at = to;
    w->jobs[job_of(&decision->job)].is_recorded = true;
    if (decision->code == run_code_CANCELLED ||
        (decision->code == run_code_EXPIRED && !decision->presumed))
        run->sure_not_started = true;
    dispatch_end(w->dispatch, open, &w->decisions);
}

static void deliver(struct world *w, const struct decision *decision)
{
    struct host_model *host = &w->hosts[decision->host];
    struct mail mail = {.job = job_of(&decision->job), .run = decision->run};
    struct open_run *open = dispatch_find(w->dispatch, &decision->job, decision->run);

    if (!host->is_linked)
        return;
    if (decision->kind == DECISION_CANCEL) {
        mail.kind = MAIL_CANCEL;
        post(&host->to_agent, &mail);
        return;
    }
    if (!open || open->sent != SENT_DECIDED || w->now_us >= open->job->start_by_us)
        return;
    mail.kind = MAIL_TASK;
    post(&host->to_agent, &mail);
    dispatch_sent(w->dispatch, open);
}

/* As the core does: ends first, which may decide more; then what is sent. */
static void settle(struct world *w)
{
    for (size_t i = 0; i < w->decisions.n; i++) {
        struct decision decision = w->decisions.v[i];
        if (decision.kind == DECISION_END)
            apply_end(w, &decision);
    }
    for (size_t i = 0; i < w->decisions.n; i++) {
        if (w->decisions.v[i].kind != DECISION_END)
            deliver(w, &w->decisions.v[i]);
    }
    w->decisions.n = 0;
}

/* ---- the agent ---- */

static struct entry *entry_of(struct host_model *host, unsigned job, uint32_t run)
{
    for (unsigned i = 0; i < host->n_log; i++) {
        if (host->log[i].job == job && host->log[i].run == run)
            return &host->log[i];
    }
    return NULL;
}

static void say(struct host_model *host, struct entry *entry)
{
    struct mail report = {
        .kind = MAIL_REPORT,
        .job = entry->job,
        .run = entry->run,
        .to = entry->at,
        .number = host->next_number++,
    };

    entry->last_number = report.number;
    assert_true(host->n_reports < MAIL_MAX);
    host->reports[host->n_reports++] = report;
    if (host->is_linked)
        post(&host->to_controller, &report);
}

static void finish(struct host_model *host, struct entry *entry, enum run_code code)
{
    entry->at.state = code == run_code_NONE ? run_state_COMPLETED : run_state_FAILED;
    entry->at.code = code;
    say(host, entry);
}

static void agent_task(struct world *w, struct host_model *host, const struct mail *task)
{
    struct entry *entry = entry_of(host, task->job, task->run);

    if (entry)
        return; /* answered from the runlog: its reports are on their way */
    assert_true(host->n_log < ENTRIES);
    entry = &host->log[host->n_log++];
    *entry =
        (struct entry){.job = task->job, .run = task->run, .at = {.state = run_state_ACKNOWLEDGED}};
    if (chance(w, 50))
        say(host, entry);
}

static void agent_begin(struct world *w, struct host_model *host, struct entry *entry)
{
    struct model_run *run = run_at(w, entry->job, entry->run);

    if (w->now_us > w->jobs[entry->job].start_by_us) {
        finish(host, entry, run_code_EXPIRED);
        return;
    }
    run->executed++;
    assert_int_equal(run->executed, 1);
    assert_false(run->sure_not_started);
    entry->at.state = run_state_STARTED;
    entry->until_us = w->now_us + (int64_t)draw(w, LIMIT_US);
    if (chance(w, 50))
        say(host, entry);
}

static void agent_work(struct world *w, struct host_model *host)
{
    struct mail mail;

    for (unsigned i = 0; i < 8 && host->is_linked && take(&host->to_agent, &mail); i++) {
        struct entry *entry = entry_of(host, mail.job, mail.run);
        if (mail.kind == MAIL_TASK)
            agent_task(w, host, &mail);
        else if (mail.kind == MAIL_CANCEL && entry && !run_state_is_final(entry->at.state))
            finish(host, entry, run_code_CANCELLED);
        else if (mail.kind == MAIL_CONFIRM && mail.number > host->confirmed)
            host->confirmed = mail.number;
    }
    for (unsigned i = 0; i < host->n_log; i++) {
        struct entry *entry = &host->log[i];
        if (entry->at.state == run_state_ACKNOWLEDGED && chance(w, 40))
            agent_begin(w, host, entry);
        else if (entry->at.state == run_state_STARTED && w->now_us >= entry->until_us)
            finish(host, entry, chance(w, 80) ? run_code_NONE : run_code_ERROR);
    }
}

/* Killed, and started again with the same runlog. */
static void agent_crash(struct host_model *host)
{
    for (unsigned i = 0; i < host->n_log; i++) {
        if (host->log[i].at.state == run_state_STARTED)
            finish(host, &host->log[i], run_code_INTERRUPTED);
    }
}

static void agent_lose_log(struct host_model *host)
{
    host->epoch++;
    host->next_number = 1;
    host->confirmed = 0;
    host->n_log = host->n_reports = 0;
}

/* ---- the controller's side of a connection ---- */

static void cut(struct world *w, host_number number)
{
    struct host_model *host = &w->hosts[number];

    if (!host->is_linked)
        return;
    host->is_linked = false;
    host->to_agent.n = host->to_controller.n = 0;
    dispatch_gone(w->dispatch, number);
}

static void name_runs(struct world *w, host_number number)
{
    struct host_model *host = &w->hosts[number];

    for (unsigned i = 0; i < host->n_log; i++) {
        const struct entry *entry = &host->log[i];
        struct model_job *job = &w->jobs[entry->job];
        struct decision stop = {DECISION_CANCEL, job->id, entry->run, number, run_code_NONE, false};
        if (run_state_is_final(entry->at.state) && entry->last_number <= host->confirmed)
            continue;
        if (!dispatch_named(w->dispatch, number, &job->id, entry->run, &w->decisions) &&
            (job->is_gone || job->is_cancelled))
            decisions_add(&w->decisions, &stop);
    }
}

static void link_up(struct world *w, host_number number)
{
    struct host_model *host = &w->hosts[number];
    struct greeting greeting = {
        .host = number,
        .new_epoch = host->known_epoch && host->known_epoch != host->epoch,
        .window = 3,
    };

    if (host->is_linked)
        return;
    host->is_linked = true;
    if (host->known_epoch != host->epoch)
        host->reported = 0;
    host->known_epoch = host->epoch;
    post(&host->to_agent, &(struct mail){.kind = MAIL_CONFIRM, .number = host->reported});
    name_runs(w, number);
    dispatch_connected(w->dispatch, &greeting, w->now_us, &w->decisions);
    settle(w);
    /* The agent hears the confirmation and says again what is not covered. */
    for (unsigned i = 0; i < host->n_reports; i++) {
        if (host->reports[i].number > host->reported)
            post(&host->to_controller, &host->reports[i]);
    }
}

static struct job_terms terms_of(const struct model_job *job)
{
    return (struct job_terms){
        .id = job->id,
        .seq = 1,
        .limit_us = LIMIT_US,
        .start_by_us = job->start_by_us,
        .n_runs = job->n_runs,
        .cancelled = job->is_cancelled,
    };
}

static void apply_report(struct world *w, host_number number, const struct mail *report)
{
    struct model_job *job = &w->jobs[report->job];
    struct model_run *run = &job->runs[report->run];
    struct open_run *open = dispatch_find(w->dispatch, &job->id, report->run);

    if (job->is_gone)
        return;
    assert_int_equal(run->host, number);
    enum run_move move = run_move(&run->at, &report->to, true);
    assert_int_not_equal(move, RUN_MOVE_REFUSE); /* nothing was concluded that its host denies */
    if (move != RUN_MOVE_APPLY)
        return;
    job->is_recorded = true;
    run->at = report->to;
    if (run->at.state == run_state_STARTED)
        run->started_us = w->now_us;
    if (!open && !run_state_is_final(run->at.state)) {
        struct job_terms terms = terms_of(job);
        struct run_place place = {
            .number = report->run, .host = number, .state = run_state_WAITING};
        open = &dispatch_restore(w->dispatch, &terms, &place, 0)->runs[report->run];
    }
    if (open && run_state_is_final(run->at.state))
        dispatch_end(w->dispatch, open, &w->decisions);
    else if (open)
        dispatch_moved(w->dispatch, open, run->at.state, run->started_us);
}

static void controller_work(struct world *w, host_number number)
{
    struct host_model *host = &w->hosts[number];
    struct mail mail;

    for (unsigned i = 0; i < 8 && host->is_linked && take(&host->to_controller, &mail); i++) {
        if (mail.number == host->reported + 1) {
            host->reported = mail.number;
            apply_report(w, number, &mail);
        }
        assert_true(mail.number <= host->reported); /* in order, so never a gap */
        post(&host->to_agent, &(struct mail){.kind = MAIL_CONFIRM, .number = host->reported});
    }
    settle(w);
}

/* ---- what people do, and what happens ---- */

static void submit(struct world *w)
{
    host_number hosts[HOSTS];
    uint32_t n = 0;

    if (w->n_jobs == JOBS_MAX)
        return;
    struct model_job *job = &w->jobs[w->n_jobs];
    *job = (struct model_job){
        .id = id_of(w->n_jobs),
        .start_by_us = w->now_us + US_PER_S + (int64_t)draw(w, EXPIRES_US),
        .is_recorded = chance(w, 50),
    };
    w->n_jobs++;
    for (host_number host = 1; host <= HOSTS; host++) {
        if (chance(w, 40) || (host == HOSTS && n == 0)) {
            job->runs[n].host = host;
            hosts[n++] = host;
        }
    }
    job->n_runs = n;
    struct job_terms terms = terms_of(job);
    dispatch_submit(w->dispatch, &terms, hosts, &w->decisions);
    settle(w);
}

static void cancel(struct world *w, bool and_delete)
{
    struct cancel_counts counts;

    if (w->n_jobs == 0)
        return;
    struct model_job *job = &w->jobs[draw(w, w->n_jobs)];
    struct open_job *open = dispatch_find_job(w->dispatch, &job->id);
    if (!open)
        return;
    job->is_recorded = true;
    job->is_cancelled = true;
    dispatch_cancel(w->dispatch, open, &w->decisions, &counts);
    assert_int_equal(counts.never_start + counts.stopping, open->n_open);
    if (and_delete) {
        job->is_gone = true;
        dispatch_forget(w->dispatch, open, &w->decisions);
    }
    settle(w);
}

static void restart_controller(struct world *w)
{
    for (host_number host = 1; host <= HOSTS; host++)
        cut(w, host);
    dispatch_free(w->dispatch);
    w->dispatch = dispatch_new();
    for (unsigned i = 0; i < w->n_jobs; i++) {
        struct model_job *job = &w->jobs[i];
        struct job_terms terms = terms_of(job);
        if (!job->is_recorded)
            job->is_gone = true;
        for (uint32_t run = 0; !job->is_gone && run < job->n_runs; run++) {
            struct run_place place = {run, job->runs[run].host, job->runs[run].at.state,
                                      job->runs[run].started_us};
            if (!run_state_is_final(place.state))
                dispatch_restore(w->dispatch, &terms, &place, w->now_us + 30 * US_PER_S);
        }
    }
}

static void tick(struct world *w, int64_t step_us)
{
    w->now_us += step_us;
    dispatch_tick(w->dispatch, w->now_us, &w->decisions);
    settle(w);
}

static void step(struct world *w)
{
    host_number host = (host_number)(1 + draw(w, HOSTS));

    switch (draw(w, 24)) {
    case 0:
        cut(w, host);
        break;
    case 1:
        cut(w, host);
        agent_crash(&w->hosts[host]);
        break;
    case 2:
        if (chance(w, 20)) {
            cut(w, host);
            agent_lose_log(&w->hosts[host]);
        }
        break;
    case 3:
        if (chance(w, 30))
            restart_controller(w);
        break;
    case 4:
        cancel(w, chance(w, 40));
        break;
    case 5:
    case 6:
    case 7:
        submit(w);
        break;
    case 8:
    case 9:
        link_up(w, host);
        break;
    case 10:
        tick(w, (int64_t)draw(w, chance(w, 5) ? 900 * US_PER_S : 3 * US_PER_S));
        break;
    default:
        tick(w, (int64_t)draw(w, 300 * US_PER_MS));
        agent_work(w, &w->hosts[host]);
        controller_work(w, host);
    }
}

/* Everybody is there and time goes on: everything must end. */
static void come_to_rest(struct world *w)
{
    for (unsigned i = 0; i < 400; i++) {
        for (host_number host = 1; host <= HOSTS; host++) {
            link_up(w, host);
            agent_work(w, &w->hosts[host]);
            controller_work(w, host);
        }
        tick(w, 5 * US_PER_S);
    }
}

static void check_ends(const struct world *w)
{
    assert_int_equal(dispatch_runs(w->dispatch), 0);
    assert_int_equal(dispatch_active(w->dispatch), 0);
    assert_int_equal(dispatch_due_us(w->dispatch), INT64_MAX);
    for (unsigned i = 0; i < w->n_jobs; i++) {
        const struct model_job *job = &w->jobs[i];
        for (uint32_t run = 0; !job->is_gone && run < job->n_runs; run++) {
            const struct model_run *at = &job->runs[run];
            assert_true(run_state_is_final(at->at.state));
            if (at->at.state == run_state_COMPLETED)
                assert_int_equal(at->executed, 1);
        }
    }
}

static struct world *world_new(uint64_t seed)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->random = seed * 0x9e3779b97f4a7c15u + 1;
    w->now_us = 1000 * US_PER_S;
    w->dispatch = dispatch_new();
    for (host_number host = 1; host <= HOSTS; host++) {
        w->hosts[host].epoch = 1;
        w->hosts[host].next_number = 1;
    }
    return w;
}

static void world_free(struct world *w)
{
    dispatch_free(w->dispatch);
    decisions_release(&w->decisions);
    mem_free(w);
}

static void simulate(uint64_t seed)
{
    struct world *w = world_new(seed);

    for (unsigned i = 0; i < STEPS; i++)
        step(w);
    come_to_rest(w);
    check_ends(w);
    world_free(w);
}

static void a_fleet_keeps_its_promises_whatever_happens(void **state)
{
    const char *given = getenv("REEVE_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : random_u64() >> 16;

    (void)state;
    for (uint64_t seed = first; seed < first + (given ? 1 : SEEDS); seed++) {
        print_message("REEVE_SEED=%llu\r", (unsigned long long)seed);
        simulate(seed);
    }
    print_message("\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_keeps_its_promises_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
