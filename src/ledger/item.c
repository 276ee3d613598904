/* SPDX-License-Identifier: MIT */
/*
 * Items: fragments that were encoded when they were stored, joined by memcpy.
 *
 * This is the hot path of every page: no printf, no allocation but what the reader and the buf
 * keep.
 */
#include "ledger/item.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>

/* ---- small values ---- */

static void put_time(struct buf *to, int64_t time_us)
{
    PUT(to, "\"");
    buf_add_time(to, time_us);
    PUT(to, "\"");
}

static void put_changed(struct buf *to, enum job_changed changed)
{
    static const char *const words[] = {
        [JOB_CHANGED_NULL] = "null", [JOB_CHANGED_FALSE] = "false", [JOB_CHANGED_TRUE] = "true"};

    PUT(to, ",\"changed\":");
    buf_add_text(to, words[changed]);
}

void put_escaped(struct buf *to, struct slice text)
{
    size_t start = to->size;

    json_quote(to, text);
    if (buf_overflowed(to))
        return;
    to->size -= 2;
    memmove(to->at + start, to->at + start + 1, to->size - start);
}

/* ---- one run ---- */

static bool run_has_error(const struct run_row *run)
{
    return run->at.state == run_state_FAILED || run->at.state == run_state_SKIPPED;
}

void put_run_error(struct buf *to, const struct run_row *run)
{
    struct slice error = run_has_error(run) ? run_error(run) : (struct slice){0};

    if (error.size == 0)
        return;
    PUT(to, ",\"error\":");
    json_quote(to, error);
}

static enum job_changed run_changed(const struct run_row *run)
{
    if (run->at.state != run_state_COMPLETED)
        return JOB_CHANGED_NULL;
    return run->has_changed && run->changed ? JOB_CHANGED_TRUE : JOB_CHANGED_FALSE;
}

void put_run_changed(struct buf *to, const struct run_row *run)
{
    put_changed(to, run_changed(run));
}

void put_run_duration(struct buf *to, const struct run_row *run)
{
    char duration[DURATION_TEXT_SIZE];

    if (!run->started_us)
        return;
    duration_format(run->finished_us - run->started_us, duration);
    PUT(to, ",\"duration\":\"");
    buf_add_text(to, duration);
    PUT(to, "\"");
}

int put_run_data(struct buf *to, const struct run_row *run, struct packer *packer)
{
    if (!run->is_packed) {
        buf_add_slice(to, run->data);
        return 0;
    }
    char *at = buf_reserve(to, run->data_size);
    if (!at)
        return 0;
    int r = packer_unpack(packer, run->data, at);
    to->size += r ? 0 : run->data_size;
    return r;
}

static int put_response(struct buf *to, struct ledger_reader *reader, const struct run_row *run,
                        struct slice quoted_name)
{
    int r = 0;

    PUT(to, "{\"status\":\"");
    buf_add_text(to, run_state_words[run->at.state].word);
    PUT(to, "\"");
    if (run->at.state == run_state_COMPLETED && run->data.size) {
        PUT(to, ",\"data\":");
        r = put_run_data(to, run, &reader->packer);
    }
    put_run_changed(to, run);
    put_run_error(to, run);
    PUT(to, ",\"hostname\":");
    buf_add_slice(to, quoted_name);
    PUT(to, "}");
    return r;
}

static void put_agent_state(struct buf *to, const struct run_row *run)
{
    PUT(to, "{\"status\":\"");
    buf_add_text(to, run_state_words[run->at.state].word);
    PUT(to, "\"");
    put_run_error(to, run);
    if (run->at.state == run_state_FAILED) {
        PUT(to, ",\"code\":\"");
        buf_add_text(to, run_code_words[run->at.code].word);
        PUT(to, "\"");
    }
    if (run_state_is_final(run->at.state))
        put_run_duration(to, run);
    PUT(to, "}");
}

/* ---- several runs ---- */

/* How many runs an item shows: up to a number of them and of bytes. */
static uint32_t runs_shown(const struct runs *runs)
{
    size_t size = 0;
    uint32_t n = 0;

    while (n < runs->n && n < LEDGER_RUNS_SHOWN) {
        const struct run_row *row = &runs_at(runs, n)->row;
        size += row->data_size + 3 * row->error.size; /* response, agent state, timeline */
        if (n > 0 && size > ITEM_RUNS_BYTES)
            break;
        n++;
    }
    return n;
}

static int put_responses(struct buf *to, struct ledger_reader *reader, uint32_t n_shown,
                         const struct ledger_sink *sink)
{
    bool comma = false;
    int r = 0;

    PUT(to, ",\"responses\":{");
    for (uint32_t i = 0; !r && i < n_shown; i++) {
        const struct run *run = runs_at(&reader->runs, i);
        struct slice quoted = roster_quoted(reader->roster, run->host);
        if (!run_state_is_final(run->row.at.state))
            continue;
        if (comma)
            PUT(to, ",");
        comma = true;
        buf_add_slice(to, quoted);
        PUT(to, ":");
        r = put_response(to, reader, &run->row, quoted);
        if (!r)
            r = item_piece(sink, to);
    }
    PUT(to, "}");
    return r;
}

static int put_agent_states(struct buf *to, const struct ledger_reader *reader, uint32_t n_shown,
                            const struct ledger_sink *sink)
{
    bool comma = false;
    int r = 0;

    PUT(to, ",\"agent_states\":{");
    for (uint32_t i = 0; !r && i < n_shown; i++) {
        const struct run *run = runs_at(&reader->runs, i);
        if (run->row.at.state == run_state_WAITING)
            continue;
        if (comma)
            PUT(to, ",");
        comma = true;
        buf_add_slice(to, roster_quoted(reader->roster, run->host));
        PUT(to, ":");
        put_agent_state(to, &run->row);
        r = item_piece(sink, to);
    }
    PUT(to, "}");
    return r;
}

static int put_broadcast(struct buf *to, struct ledger_reader *reader, uint32_t n_shown,
                         const struct ledger_sink *sink)
{
    int r = put_responses(to, reader, n_shown, sink);

    if (!r)
        r = put_agent_states(to, reader, n_shown, sink);
    if (r || n_shown == reader->runs.n)
        return r;
    PUT(to, ",\"runs_shown\":");
    buf_add_i64(to, n_shown);
    PUT(to, ",\"runs_total\":");
    buf_add_i64(to, reader->runs.n);
    return 0;
}

/* ---- the job ---- */

/* The first by host name that failed, else the first that was skipped; NULL: none. */
static const struct run *run_to_blame(const struct runs *runs)
{
    const struct run *skipped = NULL;

    for (uint32_t i = 0; i < runs->n; i++) {
        const struct run *run = runs_at(runs, i);
        if (run->row.at.state == run_state_FAILED)
            return run;
        if (run->row.at.state == run_state_SKIPPED && !skipped)
            skipped = run;
    }
    return skipped;
}

static bool status_has_error(enum job_status status)
{
    return status == job_status_FAILED || status == job_status_SKIPPED ||
           status == job_status_PARTIAL_FAILURE;
}

static void put_job_error(struct buf *to, const struct ledger_reader *reader)
{
    const struct run *run = run_to_blame(&reader->runs);
    struct slice error = run ? run_error(&run->row) : (struct slice){0};

    if (error.size == 0)
        return;
    PUT(to, ",\"error\":\"");
    if (reader->runs.n > 1) {
        put_escaped(to, roster_name(reader->roster, run->host));
        PUT(to, ": ");
    }
    put_escaped(to, error);
    PUT(to, "\"");
}

static int put_one_run_result(struct buf *to, struct ledger_reader *reader, const struct run *run)
{
    if (run->row.at.state != run_state_COMPLETED || run->row.data.size == 0)
        return 0;
    PUT(to, ",\"result\":");
    return put_run_data(to, &run->row, &reader->packer);
}

static void put_begin(struct buf *to, const struct head *head, struct slice fragment)
{
    char id[UUID_TEXT_SIZE];

    uuid_format(&head->id, id);
    PUT(to, "{\"id\":\"");
    buf_add(to, id, UUID_TEXT_SIZE - 1);
    PUT(to, "\",\"status\":\"");
    buf_add_text(to, job_status_words[head_status(head)].word);
    PUT(to, "\",\"created\":");
    put_time(to, head->created_us);
    PUT(to, ",");
    buf_add_slice(to, fragment);
    if (head->flags & HEAD_SENSITIVE)
        PUT(to, ",\"sensitive\":true");
}

static int give(const struct ledger_sink *sink, struct buf *to)
{
    if (buf_overflowed(to))
        return FAULT(-EFBIG);
    int r = sink->take(sink->owner, buf_slice(to));
    buf_clear(to);
    return r;
}

int item_piece(const struct ledger_sink *sink, struct buf *to)
{
    return sink && to->size >= ITEM_PIECE_BYTES ? give(sink, to) : 0;
}

static void put_end(struct buf *to, const struct ledger_reader *reader, const struct head *head)
{
    if (head->counts.total == 1) {
        PUT(to, ",\"hostname\":");
        buf_add_slice(to, roster_quoted(reader->roster, head->host));
    }
    PUT(to, ",\"updated_at\":");
    put_time(to, head->updated_us);
}

static void put_run_summary(struct buf *to, const struct run_counts *counts)
{
    const struct {
        const char *name;
        uint32_t n;
    } members[] = {
        {",\"runs\":{\"total\":", counts->total},
        {",\"completed\":", counts->completed},
        {",\"failed\":", counts->failed},
        {",\"skipped\":", counts->skipped},
        {",\"active\":", counts->total - counts->completed - counts->failed - counts->skipped},
    };

    for (size_t i = 0; i < COUNT_OF(members); i++) {
        buf_add_text(to, members[i].name);
        buf_add_i64(to, members[i].n);
    }
    PUT(to, "}");
}

/* Runs are read only for the error. */
int item_write_summary(struct ledger_reader *reader, uint64_t seq, struct buf *to)
{
    struct head head;
    struct job_row job;
    int r = reader_head(reader, seq, &head);

    if (!r)
        r = reader_job(reader, seq, &job);
    if (!r && status_has_error(head_status(&head)))
        r = runs_read(&reader->runs, &reader->txn, reader->roster, seq, &head);
    if (r)
        return r;
    if (head.counts.total == 1 && !roster_has(reader->roster, head.host))
        return FAULT(-EUCLEAN);
    put_begin(to, &head, job.fragment);
    put_changed(to, head_changed(&head));
    if (status_has_error(head_status(&head)))
        put_job_error(to, reader);
    put_end(to, reader, &head);
    put_run_summary(to, &head.counts);
    PUT(to, "}");
    return 0;
}

static int item_write_to(struct ledger_reader *reader, uint64_t seq, const struct ledger_sink *sink,
                         struct buf *to)
{
    struct head head;
    struct job_row job;
    int r = reader_head(reader, seq, &head);

    if (!r)
        r = reader_job(reader, seq, &job);
    if (!r)
        r = runs_read(&reader->runs, &reader->txn, reader->roster, seq, &head);
    if (r)
        return r;
    const struct run *first = runs_at(&reader->runs, 0);
    bool one_run = reader->runs.n == 1;
    uint32_t n_shown = sink ? reader->runs.n : runs_shown(&reader->runs);

    put_begin(to, &head, job.fragment);
    if (one_run)
        r = put_one_run_result(to, reader, first);
    if (r)
        return r;
    put_changed(to, head_changed(&head));
    if (status_has_error(head_status(&head)))
        put_job_error(to, reader);
    put_end(to, reader, &head);
    if (target_is_broadcast(head.target_kind))
        r = put_broadcast(to, reader, n_shown, sink);
    if (!r)
        r = timeline_write(reader, seq, &head, n_shown, sink, to);
    PUT(to, "}");
    return r;
}

int item_write(struct ledger_reader *reader, uint64_t seq, struct buf *to)
{
    return item_write_to(reader, seq, NULL, to);
}

int item_write_whole(struct ledger_reader *reader, uint64_t seq, const struct ledger_sink *sink,
                     struct buf *to)
{
    int r = item_write_to(reader, seq, sink, to);

    return r ? r : give(sink, to);
}

int ledger_item(struct ledger_reader *reader, const struct uuid *id, struct buf *item)
{
    uint64_t seq;
    int r = reader_begin(reader, NULL, NULL);

    if (r)
        return r;
    r = reader_seq(reader, id, &seq);
    if (!r)
        r = item_write(reader, seq, item);
    reader_end(reader);
    return r;
}
