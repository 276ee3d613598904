/* SPDX-License-Identifier: MIT */
/*
 * The agent's side of the conversation of bus.h: hello, beats, the clock, tasks in, reports out.
 *
 * Reports leave in the order of their numbers, from the runlog, as far ahead of their confirmation
 * as SESSION_WINDOW allows.
 */
#ifndef REEVE_AGENT_SESSION_H
#define REEVE_AGENT_SESSION_H

#include "agent/clock_offset.h"
#include "agent/options.h"
#include "agent/runlog.h"
#include "agent/runs.h"

/* Bytes of reports on their way; one larger report goes alone. */
#define SESSION_WINDOW ((size_t)16 << 20)
#define FACTS_EVERY_US (60 * US_PER_S)

struct session;

struct session_options {
    const struct agent_options *agent;
    const char *machine_id;
    struct runlog *log;
    struct runs *runs;
    struct clock_offset *clock;
    int64_t started_us; /* own clock: when the agent started */
};

/* What `options` points to must outlive it. Outcomes of bus_open(). */
int session_open(const struct session_options *options, struct session **ret, struct refusal *why);
void session_close(struct session *session);

int session_fd(const struct session *session);
int64_t session_deadline_us(const struct session *session);
/* Takes what came in. 0 or a fault; -EPIPE: the supervisor is gone. */
int session_dispatch(struct session *session, int64_t boot_us);
/* Sends reports and, when it is time, a beat. After runlog_sync(). 0 or a fault. */
int session_send(struct session *session, int64_t boot_us);
/* Cuts the controller off and says nothing until session_speak(), which begins with a hello: runs
   it does not name are then given again. */
void session_hush(struct session *session);
void session_speak(struct session *session);
/* From now on tasks are left with the controller. */
void session_stop_tasks(struct session *session);

#endif
