/* SPDX-License-Identifier: MIT */
/*
 * What agents say: hello, beat, report; bus.h tells when.
 *
 * An agent's word about its own runs is taken as it is, except that its result must have the form
 * of its operation, that no time lies in the future, and that a run is its own. Whatever else is
 * wrong ends the connection.
 */
#include "base/log.h"
#include "base/mem.h"
#include "controller/inside.h"

#include <assert.h>

/* Runs that wait in the agent beyond those it does at once: enough that it never has to wait for
   the next, few enough that what is never sent can still be taken back. */
#define WINDOW_BEYOND 32

static void drop(struct core *core, struct bus_peer *peer, const char *event, const char *why)
{
    struct agent *agent = bus_peer_get(peer);

    log_event(LOG_WARNING, event, LOG_TEXT("host", agent ? agent_identity(agent)->hostname : "?"),
              LOG_TEXT("why", why));
    bus_drop(core->bus, peer, why);
}

static void send_time(struct core *core, struct bus_peer *peer, int64_t sent_boot_us)
{
    struct bus_time body = {
        .sent_boot_us = sent_boot_us,
        .has_sent_boot_us = true,
        .now_us = clock_now_us(), /* not the turn's: the agent's error bound is the round trip */
        .has_now_us = true,
    };

    bus_send(core->bus, peer, BUS_TIME, &body);
}

/* ---- hello ---- */

static int record_agent(struct core *core, const struct agent *agent)
{
    const struct identity *identity = agent_identity(agent);
    struct ledger_effect effect;
    struct record record = {
        .kind = RECORD_AGENT,
        .agent =
            {
                .host = agent->host,
                .machine_id = identity->machine_id,
                .hostname = identity->hostname,
                .labels = identity->labels_json,
                .epoch = agent->epoch,
            },
    };

    int r = core_apply(core, &record, &effect);
    assert(r <= 0); /* the fleet and the ledger count and name agents alike */
    return r;
}

/* A run that is named and not open needs to be stopped when its job is gone, or was cancelled while
   the run was presumed to have ended. One that ended by its agent's word needs nothing. */
static int stop_closed_run(struct core *core, const struct decision *stop)
{
    struct ledger_job job;

    int r = ledger_job(core->reader, &stop->job, &core->arena, &job);
    if (r < 0)
        return r;
    if (r == OUTCOME_NOT_FOUND || job.cancelled)
        decisions_add(&core->decisions, stop);
    return 0;
}

static int compare_runs(struct core *core, const struct agent *agent, const struct bus_hello *hello,
                        bool new_epoch)
{
    struct greeting greeting = {
        .host = agent->host,
        .new_epoch = new_epoch,
        .window = 2 * (uint32_t)hello->max_jobs + WINDOW_BEYOND,
    };

    for (size_t i = 0; i < hello->runs.n; i++) {
        struct decision stop = {
            .kind = DECISION_CANCEL,
            .run = (uint32_t)hello->runs.v[i].run,
            .host = agent->host,
        };
        if (!uuid_parse(slice_of(hello->runs.v[i].job), &stop.job) ||
            dispatch_named(core->dispatch, agent->host, &stop.job, stop.run, &core->decisions))
            continue;
        int r = stop_closed_run(core, &stop);
        if (r)
            return r;
    }
    dispatch_connected(core->dispatch, &greeting, core->now_us, &core->decisions);
    return 0;
}

/* The agent was told that reports are durable which this ledger does not have: it is older than it
   was, as after a restored backup. Those reports are gone; to ask for them would ask for ever. */
static void skip_lost_reports(struct core *core, struct agent *agent, int64_t next)
{
    if (next <= agent->reported + 1)
        return;
    log_event(LOG_WARNING, "agent.reports_lost", LOG_TEXT("host", agent_identity(agent)->hostname),
              LOG_NUMBER("from", agent->reported + 1), LOG_NUMBER("to", next - 1));
    agent->reported = next - 1;
    core_touch(core, agent);
    agent->has_reported = true;
}

static int on_hello(struct core *core, struct bus_peer *peer, const void *body)
{
    const struct bus_hello *hello = body;
    struct refusal why = {0};
    struct agent *known;
    bool changed;

    int r = bus_peer_get(peer) ? refuse(&why, OUTCOME_INVALID, NULL, "a second hello")
                               : fleet_recognise(&core->fleet, hello, &known, &why);
    if (r) {
        drop(core, peer, "agent.refused", why.text);
        return 0;
    }
    bool new_epoch = known && known->epoch != hello->epoch;
    struct agent *agent = fleet_greet(&core->fleet, known, hello, core->now_us, &changed);
    agent->peer = peer;
    bus_peer_set(peer, agent);
    agent_heard(agent, core->now_us, core->boot_us);
    send_time(core, peer, hello->sent_boot_us);
    r = changed ? record_agent(core, agent) : 0;
    if (r)
        return r;
    skip_lost_reports(core, agent, hello->next);
    core_touch(core, agent);
    agent->is_greeted = true;
    log_event(LOG_NOTICE, "agent.connected", LOG_TEXT("host", hello->hostname),
              LOG_TEXT("machine", hello->machine_id), LOG_TEXT("version", hello->version),
              LOG_NUMBER("runs", hello->runs.n), LOG_NUMBER("new_epoch", new_epoch));
    return compare_runs(core, agent, hello, new_epoch);
}

/* ---- beat ---- */

static int on_beat(struct core *core, struct bus_peer *peer, const void *body)
{
    const struct bus_beat *beat = body;
    struct agent *agent = bus_peer_get(peer);

    agent_beat(agent, beat, core->now_us);
    send_time(core, peer, beat->sent_boot_us);
    return 0;
}

/* ---- report ---- */

static int64_t latest(int64_t a, bool given, int64_t b)
{
    return given && b > a ? b : a;
}

/* The agent's idea of this clock may be a little ahead. What it says is moved back as a whole, so
   that it still tells how long things took; 0: not said. */
static void read_times(struct core *core, const struct bus_report *report, struct record_run *moved)
{
    int64_t last = latest(0, report->has_acknowledged_us, report->acknowledged_us);

    last = latest(last, report->has_started_us, report->started_us);
    last = latest(last, report->has_finished_us, report->finished_us);
    int64_t ahead = last > core->now_us ? last - core->now_us : 0;
    moved->acknowledged_us =
        latest(0, report->has_acknowledged_us, report->acknowledged_us - ahead);
    moved->started_us = latest(0, report->has_started_us, report->started_us - ahead);
    moved->finished_us = latest(0, report->has_finished_us, report->finished_us - ahead);
}

/* A result that is not what the operation says is not stored: readers rely on its form. */
static void check_result(const struct op *op, struct record_run *moved, struct arena *arena)
{
    struct refusal why = {0};
    struct slice data = moved->data.size ? moved->data : SLICE("{}");

    if (!op || schema_check(op->out, data, JSON_VALUES_MAX_RESULT, &why) == 0)
        return;
    moved->data = (struct slice){0};
    if (moved->to.state != run_state_COMPLETED)
        return;
    moved->to = (struct run_point){.state = run_state_FAILED, .code = run_code_ERROR};
    moved->error =
        slice_of(arena_printf(arena, "the host's answer does not have the form of %s: %s%s%s",
                              op->type, why.field, why.field[0] ? ": " : "", why.text));
}

/* Of a job that is sensitive: the agent has it no more. */
static bool is_withheld(const struct record_run *moved, bool sensitive)
{
    return sensitive && slice_equal(moved->data, SENSITIVE_SHOWN);
}

static struct record_run read_report(struct core *core, const struct bus_report *report,
                                     const struct op *op, bool sensitive)
{
    struct record_run moved = {
        .to = {.state = report->state, .code = report->code},
        .by_agent = true,
        .has_changed = report->has_changed,
        .changed = report->changed,
        .error = slice_of(report->has_error ? report->error : NULL),
        .data = report->has_data ? report->data : (struct slice){0},
    };

    read_times(core, report, &moved);
    if (report->state == run_state_STARTED && moved.started_us == 0)
        moved.started_us = core->now_us;
    if (!run_state_is_final(report->state))
        return moved;
    if (moved.finished_us == 0)
        moved.finished_us = core->now_us;
    if (!is_withheld(&moved, sensitive))
        check_result(op, &moved, &core->arena);
    if (op && op->class == CLASS_QUERY) {
        moved.has_changed = moved.to.state == run_state_COMPLETED;
        moved.changed = false;
    }
    return moved;
}

/* What a run of a sensitive job came to is for the request that waits for it (NULL: none does). The
   ledger learns how it ended and no more. */
static void keep_back(struct call *call, uint32_t run, struct record_run *moved)
{
    struct call_result result = {.error = moved->error, .data = moved->data};

    if (!run_state_is_final(moved->to.state) || is_withheld(moved, true))
        return;
    if (call && call->submit.until == CALL_UNTIL_FINAL)
        call_keep_result(call, run, &result);
    moved->error = moved->error.size ? SLICE(SECRET_SHOWN) : (struct slice){0};
    moved->data = moved->data.size ? SENSITIVE_SHOWN : (struct slice){0};
}

/* A run that the table does not have: presumed to have ended, or its job is gone. The agent's word
   overrules the presumption; about what is gone there is nothing to record. */
static int report_closed_run(struct core *core, const struct agent *agent, const struct uuid *id,
                             const struct bus_report *report)
{
    struct run_place place = {.number = (uint32_t)report->run.run, .state = run_state_WAITING};
    struct run_point at;
    struct ledger_job job;
    struct ledger_effect effect;

    int r = ledger_run_point(core->reader, id, place.number, &place.host, &at);
    if (!r)
        r = ledger_job(core->reader, id, &core->arena, &job);
    if (r || place.host != agent->host)
        return r < 0 ? r : 0;
    struct record_run moved = read_report(core, report, job.op, job.sensitive);
    if (job.sensitive)
        keep_back(NULL, place.number, &moved);
    if (run_move(&at, &moved.to, true) != RUN_MOVE_APPLY)
        return 0;
    if (run_state_is_final(moved.to.state)) {
        moved.seq = job.seq;
        moved.run = place.number;
        struct record record = {.kind = RECORD_FINISHED, .run = moved};
        r = core_apply(core, &record, &effect);
        return r < 0 ? r : 0;
    }
    struct job_terms terms = core_terms(&job);
    struct open_job *open = dispatch_restore(core->dispatch, &terms, &place, 0);
    r = core_move(core, &open->runs[place.number], &moved);
    return r < 0 ? r : 0;
}

static int apply_report(struct core *core, const struct agent *agent, const struct uuid *id,
                        const struct bus_report *report)
{
    struct open_run *run = dispatch_find(core->dispatch, id, (uint32_t)report->run.run);

    if (!run)
        return report_closed_run(core, agent, id, report);
    if (run->host != agent->host) {
        log_event(LOG_WARNING, "agent.foreign_run",
                  LOG_TEXT("host", agent_identity(agent)->hostname),
                  LOG_TEXT("job", report->run.job), LOG_NUMBER("run", report->run.run));
        return 0;
    }
    struct record_run moved = read_report(core, report, run->job->op, run->job->sensitive);
    if (run->job->sensitive)
        keep_back(run->job->owner, run->number, &moved);
    int r = core_move(core, run, &moved);
    if (r > 0)
        log_event(LOG_WARNING, "agent.report_refused",
                  LOG_TEXT("host", agent_identity(agent)->hostname),
                  LOG_TEXT("job", report->run.job),
                  LOG_TEXT("state", run_state_words[report->state].word));
    return r < 0 ? r : 0;
}

static int on_report(struct core *core, struct bus_peer *peer, const void *body)
{
    const struct bus_report *report = body;
    struct agent *agent = bus_peer_get(peer);
    struct uuid id;

    if (report->number > agent->reported + 1) {
        drop(core, peer, "agent.report_gap",
             "reports are missing; it sends them again when it connects");
        return 0;
    }
    if (report->state == run_state_WAITING) {
        drop(core, peer, "agent.report_refused", "a report can't say that a run waits");
        return 0;
    }
    core_touch(core, agent);
    agent->has_reported = true; /* also what is known already is confirmed again */
    if (report->number <= agent->reported)
        return 0;
    agent->reported = report->number;
    if (!uuid_parse(slice_of(report->run.job), &id))
        return 0;
    return apply_report(core, agent, &id, report);
}

/* ---- callbacks ---- */

typedef int on_message(struct core *core, struct bus_peer *peer, const void *body);

static on_message *const messages[BUS_MESSAGE_COUNT] = {
    [BUS_HELLO] = on_hello,
    [BUS_BEAT] = on_beat,
    [BUS_REPORT] = on_report,
};

/* While nothing can be written, an agent is not greeted: it says hello again when that is over.
   Until then it knows what time it is. */
static void keep_clock(struct core *core, struct bus_peer *peer, enum bus_message message,
                       const void *body)
{
    if (message == BUS_HELLO)
        send_time(core, peer, ((const struct bus_hello *)body)->sent_boot_us);
    else if (message == BUS_BEAT)
        send_time(core, peer, ((const struct bus_beat *)body)->sent_boot_us);
}

static void session_connected(void *owner, struct bus_peer *peer)
{
    (void)owner;
    (void)peer; /* the agent begins */
}

static void session_message(void *owner, struct bus_peer *peer, enum bus_message message,
                            const void *body)
{
    struct core *core = owner;
    struct agent *agent = bus_peer_get(peer);

    if (core->fault)
        return;
    if (atomic_load(&core->is_refused)) {
        keep_clock(core, peer, message, body);
        return;
    }
    if (!agent && message != BUS_HELLO) {
        drop(core, peer, "agent.refused", "it did not begin with a hello");
        return;
    }
    if (agent)
        agent_heard(agent, core->now_us, core->boot_us);
    core->fault = messages[message](core, peer, body);
}

static void session_gone(void *owner, struct bus_peer *peer, const char *why)
{
    struct core *core = owner;
    struct agent *agent = bus_peer_get(peer);

    if (!agent)
        return;
    log_event(LOG_NOTICE, "agent.gone", LOG_TEXT("host", agent_identity(agent)->hostname),
              LOG_TEXT("why", why));
    agent->peer = NULL;
    dispatch_gone(core->dispatch, agent->host);
}

const struct bus_callbacks session_callbacks = {
    .connected = session_connected,
    .message = session_message,
    .gone = session_gone,
};
