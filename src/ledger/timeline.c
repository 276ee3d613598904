/* SPDX-License-Identifier: MIT */
/*
 * The history of a job: lines made from the times of its runs and from its events, in order of
 * time.
 *
 * Wording is a table; lines of one moment keep the order in which they were made.
 */
#include "ledger/item.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>

/* A sentence: before, the subject (host, user or new id), after. */
struct wording {
    const char *event, *before, *after;
};

static const struct wording submitted = {.event = "submitted", .before = "Job submitted to queue"};
static const struct wording acknowledged = {.event = "acknowledged",
                                            .before = "Job acknowledged by agent "};
static const struct wording started = {.event = "started", .before = "Job processing started on "};
static const struct wording completed = {.event = "completed",
                                         .before = "Job completed successfully on "};
static const struct wording skipped = {
    .event = "skipped", .before = "Job skipped on ", .after = " (unsupported OS family)"};

/* `reason` is the error of a run whose agent gave none. */
static const struct failure {
    struct wording wording;
    const char *reason;
} failures[run_code_COUNT] = {
    [run_code_ERROR] = {.wording = {.event = "failed", .before = "Job failed on "},
                        .reason = "the operation failed"},
    [run_code_TIMEOUT] = {.wording = {.event = "failed", .before = "Job timed out on "},
                          .reason = "its time was up"},
    [run_code_EXPIRED] = {.wording = {.event = "failed",
                                      .before = "Job expired on ",
                                      .after = " before it started"},
                          .reason = "it had not started before its deadline"},
    [run_code_CANCELLED] = {.wording = {.event = "failed", .before = "Job cancelled on "},
                            .reason = "it was cancelled"},
    [run_code_INTERRUPTED] = {.wording = {.event = "failed",
                                          .before = "Job interrupted on ",
                                          .after = ": its agent stopped while running it"},
                              .reason = "the agent stopped while running it, its outcome is "
                                        "unknown"},
    [run_code_LOST] = {.wording = {.event = "failed",
                                   .before = "Job lost on ",
                                   .after = ": the host went silent while running it"},
                       .reason = "the host went silent while running it"},
    [run_code_REFUSED] = {.wording = {.event = "failed", .before = "Job refused by "},
                          .reason = "the host's own policy forbids it"},
};

static const struct wording events[] = {
    [JOB_EVENT_RETRIED] = {.event = "retried", .before = "Job retried as "},
    [JOB_EVENT_CANCELLED] = {.event = "cancelled", .before = "Job cancelled by "},
    [JOB_EVENT_RELEASED] = {.event = "released", .before = "Job given back by "},
    [JOB_EVENT_MOVED] = {.event = "moved", .before = "Job moved to "},
};

struct slice run_error(const struct run_row *run)
{
    if (run->error.size || run->at.state != run_state_FAILED)
        return run->error;
    return slice_of(failures[run->at.code].reason);
}

/* ---- lines ---- */

struct line {
    int64_t time_us;
    uint32_t order;       /* lines of one time stay in the order they were made */
    host_number host;     /* the subject, and a member of its own; 0: none */
    struct slice subject; /* when it is no host */
    struct slice error;
    const struct wording *wording;
};

static void line_add(struct buf *lines, struct line line)
{
    line.order = (uint32_t)(lines->size / sizeof(line));
    buf_add(lines, &line, sizeof(line));
}

static void lines_add_run(struct buf *lines, const struct run *run)
{
    const struct run_row *row = &run->row;
    struct line line = {.host = run->host};

    if (row->acknowledged_us) {
        line.time_us = row->acknowledged_us;
        line.wording = &acknowledged;
        line_add(lines, line);
    }
    if (row->started_us) {
        line.time_us = row->started_us;
        line.wording = &started;
        line_add(lines, line);
    }
    if (!run_state_is_final(row->at.state))
        return;
    line.time_us = row->finished_us;
    line.wording = row->at.state == run_state_COMPLETED ? &completed : &skipped;
    if (row->at.state == run_state_FAILED)
        line.wording = &failures[row->at.code].wording;
    if (row->at.state != run_state_COMPLETED)
        line.error = run_error(row);
    line_add(lines, line);
}

static void lines_add_event(struct buf *lines, const struct job_event_row *event, char *id_text)
{
    struct line line = {
        .time_us = event->time_us, .host = event->host, .wording = &events[event->kind]};

    switch (event->kind) {
    case JOB_EVENT_RETRIED:
        uuid_format(&event->id, id_text);
        line.subject = slice_of(id_text);
        break;
    case JOB_EVENT_CANCELLED:
        line.subject = event->text;
        break;
    case JOB_EVENT_OVERRULED:
        line.wording = &failures[event->code].wording;
        line.error = event->text.size ? event->text : slice_of(failures[event->code].reason);
        break;
    case JOB_EVENT_RELEASED:
    case JOB_EVENT_MOVED:
        break;
    }
    line_add(lines, line);
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;

    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool lines_are_sorted(const struct line *lines, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (lines[i].time_us < lines[i - 1].time_us)
            return false;
    }
    return true;
}

/* ---- writing ---- */

/* The name as it stands inside a JSON string. */
static struct slice host_escaped(const struct ledger_reader *reader, host_number host)
{
    struct slice quoted = roster_quoted(reader->roster, host);

    return (struct slice){.at = quoted.at + 1, .size = quoted.size - 2};
}

static void line_write(const struct ledger_reader *reader, const struct line *line, struct buf *to)
{
    const struct wording *wording = line->wording;

    PUT(to, "{\"timestamp\":\"");
    buf_add_time(to, line->time_us);
    PUT(to, "\",\"event\":\"");
    buf_add_text(to, wording->event);
    if (line->host) {
        PUT(to, "\",\"hostname\":\"");
        buf_add_slice(to, host_escaped(reader, line->host));
    }
    PUT(to, "\",\"message\":\"");
    buf_add_text(to, wording->before);
    if (line->host)
        buf_add_slice(to, host_escaped(reader, line->host));
    else if (line->subject.size)
        put_escaped(to, line->subject);
    if (wording->after)
        buf_add_text(to, wording->after);
    PUT(to, "\"");
    if (line->error.size) {
        PUT(to, ",\"error\":");
        json_quote(to, line->error);
    }
    PUT(to, "}");
}

static int lines_write(const struct ledger_reader *reader, struct line *lines, size_t n,
                       const struct ledger_sink *sink, struct buf *to)
{
    int r = 0;

    if (!lines_are_sorted(lines, n))
        qsort(lines, n, sizeof(*lines), compare_lines);
    PUT(to, ",\"timeline\":[");
    for (size_t i = 0; !r && i < n; i++) {
        if (i > 0)
            PUT(to, ",");
        line_write(reader, &lines[i], to);
        r = item_piece(sink, to);
    }
    PUT(to, "]");
    return r;
}

static int events_read(struct ledger_reader *reader, uint64_t seq, struct job_events *ret)
{
    struct slice bytes;
    int r = table_get(&reader->txn, TABLE_EVENTS, u64_slice(&seq), &bytes);

    if (r)
        return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
    r = job_events_decode(bytes, ret);
    for (unsigned i = 0; !r && i < ret->n; i++) {
        if (ret->v[i].host && !roster_has(reader->roster, ret->v[i].host))
            r = FAULT(-EUCLEAN);
    }
    return r;
}

int timeline_write(struct ledger_reader *reader, uint64_t seq, const struct head *head,
                   uint32_t n_shown, const struct ledger_sink *sink, struct buf *to)
{
    char ids[JOB_EVENTS_MAX][UUID_TEXT_SIZE];
    struct job_events job_events;
    struct buf *lines = &reader->lines;

    buf_clear(lines);
    line_add(lines, (struct line){.time_us = head->created_us, .wording = &submitted});
    for (uint32_t i = 0; i < n_shown; i++)
        lines_add_run(lines, runs_at(&reader->runs, i));
    if (head->flags & HEAD_EVENTS) {
        int r = events_read(reader, seq, &job_events);
        if (r)
            return r;
        for (unsigned i = 0; i < job_events.n; i++)
            lines_add_event(lines, &job_events.v[i], ids[i]);
    }
    /* The buf's memory is malloc'ed, hence aligned for lines. */
    return lines_write(reader, (struct line *)(void *)lines->at, lines->size / sizeof(struct line),
                       sink, to);
}
