/* SPDX-License-Identifier: MIT */
/*
 * One connection to the controller after another.
 *
 * A connection that just began carries the hello alone until the controller has said what it has
 * (CONFIRM).
 */
#include "agent/session.h"
#include "agent/facts.h"
#include "base/mem.h"
#include "base/version.h"

#define FACTS_TEXT_MAX ((size_t)1 << 20)

struct session {
    struct session_options is;
    struct bus *bus;
    struct bus_peer *peer; /* NULL: not connected */
    bool confirmed;        /* the controller has said what it has */
    bool stopped;          /* takes no tasks */
    bool hushed;
    int fault;         /* made in a callback */
    int64_t sent;      /* number of the last report sent on this connection */
    size_t on_the_way; /* bytes of reports sent and not confirmed */
    int64_t asked_us;  /* when the last hello or beat was sent; 0: answered */
    int64_t beat_at_us, facts_at_us;
    struct buf facts; /* as they were told last */
};

/* ---- what is said ---- */

static struct host host_for_facts(const struct session *session, struct arena *arena)
{
    return (struct host){.arena = arena, .hostname = session->is.agent->hostname, .cancel_fd = -1};
}

/* True when they are not what was told last; remembers them. */
static bool facts_changed(struct session *session, const struct agent_facts *facts)
{
    struct buf text;

    buf_init(&text, FACTS_TEXT_MAX);
    schema_encode(&agent_facts_schema, facts, &text);
    if (slice_equal(buf_slice(&text), buf_slice(&session->facts))) {
        buf_release(&text);
        return false;
    }
    buf_release(&session->facts);
    session->facts = text;
    return true;
}

static void say_hello(struct session *session)
{
    struct arena arena;
    struct bus_hello hello = {.row_ = {0}};

    arena_init(&arena);
    struct host host = host_for_facts(session, &arena);
    SET(&hello, machine_id, session->is.machine_id);
    SET(&hello, hostname, session->is.agent->hostname);
    if (session->is.agent->labels.n)
        SET(&hello, labels, session->is.agent->labels);
    SET(&hello, version, version_text());
    SET(&hello, epoch, runlog_epoch(session->is.log));
    SET(&hello, next, runlog_first_unconfirmed(session->is.log));
    SET(&hello, runs, runlog_unconfirmed(session->is.log, &arena));
    SET(&hello, max_jobs, session->is.agent->max_jobs);
    facts_read(&host, &hello.facts);
    hello.has_facts = true;
    facts_changed(session, &hello.facts);
    vitals_read(&host, &hello.vitals);
    hello.has_vitals = true;

    session->asked_us = clock_boot_us();
    SET(&hello, sent_boot_us, session->asked_us);
    SET(&hello, up_us, session->asked_us - session->is.started_us);
    session->beat_at_us = session->asked_us + BUS_BEAT_US;
    session->facts_at_us = session->asked_us + FACTS_EVERY_US;
    bus_send(session->bus, session->peer, BUS_HELLO, &hello);
    arena_release(&arena);
}

static void say_beat(struct session *session)
{
    struct arena arena;
    struct bus_beat beat = {.row_ = {0}};
    int64_t now_us, boot_us = clock_boot_us();

    arena_init(&arena);
    struct host host = host_for_facts(session, &arena);
    beat.has_clock_error_us =
        clock_offset_now(session->is.clock, boot_us, &now_us, &beat.clock_error_us);
    if (boot_us >= session->facts_at_us) {
        facts_read(&host, &beat.facts);
        beat.has_facts = facts_changed(session, &beat.facts);
        session->facts_at_us = boot_us + FACTS_EVERY_US;
    }
    vitals_read(&host, &beat.vitals);
    beat.has_vitals = true;

    session->asked_us = clock_boot_us();
    SET(&beat, sent_boot_us, session->asked_us);
    session->beat_at_us = session->asked_us + BUS_BEAT_US;
    bus_send(session->bus, session->peer, BUS_BEAT, &beat);
    arena_release(&arena);
}

static int send_report(struct session *session, int64_t number)
{
    struct arena arena;
    struct bus_report report;

    arena_init(&arena);
    int r = runlog_read(session->is.log, number, &arena, &report);
    if (!r) {
        held_reveal(runs_held(session->is.runs), &report);
        bus_send(session->bus, session->peer, BUS_REPORT, &report);
    }
    arena_release(&arena);
    return r;
}

static size_t report_size(const struct session *session, int64_t number)
{
    return runlog_report_size(session->is.log, number) +
           held_size(runs_held(session->is.runs), number);
}

static int send_reports(struct session *session)
{
    while (session->sent < runlog_last(session->is.log)) {
        size_t size = report_size(session, session->sent + 1);

        if (session->on_the_way && session->on_the_way + size > SESSION_WINDOW)
            return 0;
        int r = send_report(session, session->sent + 1);
        if (r)
            return r;
        session->sent++;
        session->on_the_way += size;
    }
    return 0;
}

int session_send(struct session *session, int64_t boot_us)
{
    if (!session->peer || session->hushed)
        return 0;
    if (boot_us >= session->beat_at_us)
        say_beat(session);
    return session->confirmed ? send_reports(session) : 0;
}

/* ---- what is heard ---- */

/* Only the answer to the last question: an older one would say less. */
static void hear_time(struct session *session, const struct bus_time *time)
{
    if (time->sent_boot_us != session->asked_us)
        return;
    clock_offset_add(session->is.clock, session->asked_us, clock_boot_us(), time->now_us);
    session->asked_us = 0;
}

/* A number that was never made: the runlog is older than the ledger (restored, perhaps). In a new
   epoch no report of this agent is taken for an old one; a new hello tells of it. */
static int begin_new_epoch(struct session *session)
{
    int r = runlog_renew(session->is.log);

    if (r)
        return r;
    held_forget(runs_held(session->is.runs), INT64_MAX); /* reports are numbered anew */
    log_event(LOG_WARNING, "runlog.renewed", LOG_NUMBER("epoch", runlog_epoch(session->is.log)));
    bus_drop(session->bus, session->peer, "the controller has reports that this agent never made");
    return 0;
}

static int hear_confirm(struct session *session, const struct bus_confirm *confirm)
{
    struct runlog *log = session->is.log;
    int64_t last = confirm->number < session->sent ? confirm->number : session->sent;

    for (int64_t number = runlog_first_unconfirmed(log); session->confirmed && number <= last;
         number++)
        session->on_the_way -= report_size(session, number);
    int r = runlog_confirm(log, confirm->number);
    if (r == OUTCOME_CONFLICT)
        return begin_new_epoch(session);
    if (r)
        return r;
    held_forget(runs_held(session->is.runs), confirm->number);
    if (!session->confirmed || session->sent < runlog_first_unconfirmed(log) - 1)
        session->sent = runlog_first_unconfirmed(log) - 1;
    session->confirmed = true;
    return 0;
}

static int hear_task(struct session *session, const struct bus_task *task)
{
    if (session->stopped)
        return 0;
    log_event(LOG_DEBUG, "run.task", LOG_TEXT("job", task->run.job),
              LOG_NUMBER("run", task->run.run), LOG_TEXT("operation", task->operation),
              LOG_TEXT("user", task->user));
    return runs_take(session->is.runs, task, clock_boot_us());
}

static int hear_cancel(struct session *session, const struct bus_run_ref *run)
{
    log_event(LOG_DEBUG, "run.cancel", LOG_TEXT("job", run->job), LOG_NUMBER("run", run->run));
    return runs_cancel(session->is.runs, run, clock_boot_us());
}

static int hear(struct session *session, enum bus_message message, const void *body)
{
    switch (message) {
    case BUS_TIME:
        hear_time(session, body);
        return 0;
    case BUS_CONFIRM:
        return hear_confirm(session, body);
    case BUS_TASK:
        return hear_task(session, body);
    case BUS_CANCEL:
        return hear_cancel(session, body);
    case BUS_HELLO:
    case BUS_BEAT:
    case BUS_REPORT:
    case BUS_MESSAGE_COUNT:
        break; /* not from a controller: the bus has seen to that */
    }
    return 0;
}

static void greet(struct session *session)
{
    say_hello(session);
    log_event(LOG_NOTICE, "controller.connected",
              LOG_NUMBER("unconfirmed", runlog_last(session->is.log) + 1 -
                                            runlog_first_unconfirmed(session->is.log)));
}

static void on_connected(void *owner, struct bus_peer *peer)
{
    struct session *session = owner;

    session->peer = peer;
    session->confirmed = false;
    session->on_the_way = 0;
    if (!session->hushed)
        greet(session);
}

static void on_message(void *owner, struct bus_peer *peer, enum bus_message message,
                       const void *body)
{
    struct session *session = owner;

    (void)peer;
    if (!session->fault)
        session->fault = hear(session, message, body);
}

static void on_gone(void *owner, struct bus_peer *peer, const char *why)
{
    struct session *session = owner;

    (void)peer;
    session->peer = NULL;
    log_event(LOG_NOTICE, "controller.gone", LOG_TEXT("why", why));
}

/* ---- the session ---- */

int session_open(const struct session_options *options, struct session **ret, struct refusal *why)
{
    static const struct bus_callbacks callbacks = {
        .connected = on_connected,
        .message = on_message,
        .gone = on_gone,
    };
    struct session *session = mem_alloc(sizeof(*session));

    session->is = *options;
    int r = bus_open(
        &(struct bus_options){
            .role = BUS_AGENT,
            .address = options->agent->bus,
            .peer_uid = (unsigned)options->agent->controller_uid,
            .callbacks = &callbacks,
            .owner = session,
        },
        &session->bus, why);
    if (r) {
        mem_free(session);
        return r;
    }
    *ret = session;
    return 0;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    bus_close(session->bus);
    buf_release(&session->facts);
    mem_free(session);
}

int session_fd(const struct session *session)
{
    return bus_fd(session->bus);
}

int64_t session_deadline_us(const struct session *session)
{
    int64_t deadline_us = bus_deadline_us(session->bus);

    if (session->peer && !session->hushed && session->beat_at_us < deadline_us)
        deadline_us = session->beat_at_us;
    return deadline_us;
}

int session_dispatch(struct session *session, int64_t boot_us)
{
    int r = bus_dispatch(session->bus, boot_us);

    return session->fault ? session->fault : r;
}

void session_hush(struct session *session)
{
    session->hushed = true;
    if (session->peer)
        bus_drop(session->bus, session->peer, "the disk of the runlog takes nothing");
}

void session_speak(struct session *session)
{
    session->hushed = false;
    if (session->peer)
        greet(session);
}

void session_stop_tasks(struct session *session)
{
    session->stopped = true;
}
