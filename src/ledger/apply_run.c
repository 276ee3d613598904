/* SPDX-License-Identifier: MIT */
/*
 * Records that concern one run of a job.
 *
 * run_move() alone decides; here is what a move does to the run's row, the job's counters and its
 * history.
 */
#include "ledger/apply.h"

#include "ledger/hostruns.h"

#include <errno.h>

/* ---- a run's row ---- */

/* A run of which nothing is known has no row. OUTCOME_NOT_FOUND when the job has no such run. */
static int run_read(struct change *change, uint32_t run, struct run_row *ret)
{
    struct run_key key = run_key(change->seq, run);
    struct slice bytes;

    if (run >= change->head.counts.total)
        return OUTCOME_NOT_FOUND;
    int r = table_get(&change->ledger->txn, TABLE_RUNS, run_key_slice(&key), &bytes);
    if (r == OUTCOME_NOT_FOUND) {
        *ret = (struct run_row){.at = {.state = run_state_WAITING}};
        return 0;
    }
    return r ? r : run_row_decode(bytes, ret);
}

/* `row` has its result as it came. */
static int run_write(struct change *change, uint32_t run, const struct run_row *row)
{
    struct run_key key = run_key(change->seq, run);
    struct buf *bytes = &change->ledger->row;
    struct run_row packed = *row;

    packed.is_packed = packer_pack(&change->ledger->packer, row->data, &packed.data);
    buf_clear(bytes);
    run_row_encode(&packed, bytes);
    if (buf_overflowed(bytes))
        return FAULT(-EFBIG);
    return table_append(&change->ledger->txn, TABLE_RUNS, run_key_slice(&key), buf_slice(bytes));
}

static int run_host(struct change *change, uint32_t run, host_number *ret)
{
    struct slice hosts;

    *ret = change->head.host;
    if (change->head.counts.total == 1)
        return 0;
    int r = table_get(&change->ledger->txn, TABLE_HOSTS, u64_slice(&change->seq), &hosts);
    if (r)
        return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
    r = hosts_row_decode(hosts, change->head.counts.total);
    if (r)
        return r;
    *ret = hosts_row_at(hosts, run);
    return 0;
}

/* ---- times ---- */

/* What is known already stays; what the agent said is brought between the bounds (its clock has an
   error); what just happened and has no time happened now. */
static int64_t time_settle(int64_t known_us, int64_t said_us, bool happened, int64_t first_us,
                           int64_t last_us)
{
    if (known_us)
        return known_us;
    if (!said_us)
        return happened ? last_us : 0;
    if (said_us > last_us)
        said_us = last_us;
    return said_us < first_us ? first_us : said_us;
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* created <= acknowledged <= started <= finished <= now, as far as they are known. */
static void run_settle_times(struct run_row *run, const struct record_run *said,
                             const struct change *change)
{
    enum run_state state = run->at.state;
    int64_t now_us = change->now_us;
    int64_t first_us = change->head.created_us;

    run->acknowledged_us =
        time_settle(run->acknowledged_us, said->acknowledged_us, state == run_state_ACKNOWLEDGED,
                    first_us, run->started_us ? run->started_us : now_us);
    first_us = later_of(first_us, run->acknowledged_us);
    run->started_us = time_settle(run->started_us, said->started_us, state == run_state_STARTED,
                                  first_us, now_us);
    first_us = later_of(first_us, run->started_us);
    run->finished_us = time_settle(run->finished_us, said->finished_us, run_state_is_final(state),
                                   first_us, now_us);
}

/* ---- the job's counters ---- */

/* NULL for waiting, which is what is left of the total. */
static uint32_t *counter_of(struct run_counts *counts, enum run_state state)
{
    switch (state) {
    case run_state_WAITING:
    case run_state_COUNT:
        break;
    case run_state_ACKNOWLEDGED:
    case run_state_STARTED:
        return &counts->active;
    case run_state_COMPLETED:
        return &counts->completed;
    case run_state_FAILED:
        return &counts->failed;
    case run_state_SKIPPED:
        return &counts->skipped;
    }
    return NULL;
}

static void counts_move(struct run_counts *counts, enum run_state from, enum run_state to)
{
    uint32_t *less = counter_of(counts, from);
    uint32_t *more = counter_of(counts, to);

    if (less)
        --*less;
    if (more)
        ++*more;
}

/* ---- a presumption is overruled ---- */

/* Looks for `code` in the rows from run `begin` to before run `end`. */
static int code_find(struct change *change, enum run_code code, uint32_t begin, uint32_t end,
                     bool *ret)
{
    struct run_key first = run_key(change->seq, begin);
    struct slice key, bytes;
    struct run_row row;
    uint32_t run;
    int r = table_seek(&change->ledger->txn, TABLE_RUNS, run_key_slice(&first), &key, &bytes);

    *ret = false;
    while (!r && run_key_is_of(key, change->seq, &run) && run < end) {
        r = run_row_decode(bytes, &row);
        if (r)
            return r;
        if (row.at.state == run_state_FAILED && row.at.code == code) {
            *ret = true;
            return 0;
        }
        r = table_next(&change->ledger->txn, TABLE_RUNS, &key, &bytes);
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

/* The job keeps the code as long as another run has it. The search begins behind this run: when a
   whole fleet comes back, host after host, it ends after a step or two. */
static int code_leave(struct change *change, uint32_t run, enum run_code code)
{
    bool found = false;
    int r = 0;

    if (change->head.counts.failed > 0)
        r = code_find(change, code, run + 1, change->head.counts.total, &found);
    if (!r && !found && change->head.counts.failed > 0)
        r = code_find(change, code, 0, run, &found);
    if (!r && !found)
        change->head.codes &= (uint8_t) ~(1u << code);
    return r;
}

/* What users have been told stays in the history, and the run begins anew. */
static int run_overrule(struct change *change, uint32_t run, struct run_row *row)
{
    struct job_event_row event = {
        .kind = JOB_EVENT_OVERRULED,
        .time_us = row->finished_us,
        .code = row->at.code,
        .text = row->error,
    };
    struct job_events events;
    int r = run_host(change, run, &event.host);

    if (!r)
        r = code_leave(change, run, row->at.code);
    if (!r)
        r = change_read_events(change, &events);
    if (!r)
        r = change_add_event(change, &events, &event);
    row->finished_us = 0;
    return r;
}

/* ---- acknowledged, started, finished ---- */

static struct run_point point_wanted(const struct record *record)
{
    if (record->kind == RECORD_ACKNOWLEDGED)
        return (struct run_point){.state = run_state_ACKNOWLEDGED};
    if (record->kind == RECORD_STARTED)
        return (struct run_point){.state = run_state_STARTED};
    return record->run.to;
}

/* Nobody is given it any more. */
static int sealed_drop(struct change *change, uint32_t run)
{
    struct run_key key = run_key(change->seq, run);

    if (!(change->head.flags & HEAD_SEALED))
        return 0;
    return delete_if_there(&change->ledger->txn, TABLE_SEALED, run_key_slice(&key));
}

static int run_change(struct change *change, const struct record_run *said,
                      const struct run_point *to, struct run_row *run)
{
    struct run_point from = run->at;
    int r = 0;

    counts_move(&change->head.counts, from.state, to->state);
    if (from.presumed)
        r = run_overrule(change, said->run, run);
    if (r)
        return r;
    run->at = *to;
    run->has_changed = said->has_changed;
    run->changed = said->changed;
    run->error = said->error;
    run->data = said->data;
    run_settle_times(run, said, change);
    if (to->state == run_state_FAILED)
        change->head.codes |= (uint8_t)(1u << to->code);
    if (to->state == run_state_COMPLETED && said->has_changed && said->changed)
        change->head.flags |= HEAD_CHANGED;
    r = run_write(change, said->run, run);
    if (!r && run_state_is_final(to->state))
        r = sealed_drop(change, said->run);
    return r;
}

static int move_refused(struct ledger *ledger)
{
    ledger->refused++;
    return OUTCOME_CONFLICT;
}

int apply_run_state(struct ledger *ledger, const struct record *record, int64_t now_us,
                    struct ledger_effect *ret)
{
    const struct record_run *said = &record->run;
    struct run_point to = point_wanted(record);
    struct change change;
    struct run_row run;
    int r = change_open(ledger, said->seq, now_us, &change);

    if (!r)
        r = run_read(&change, said->run, &run);
    if (r)
        return r;
    if (record->kind == RECORD_FINISHED && !run_state_is_final(to.state))
        return move_refused(ledger);
    switch (run_move(&run.at, &to, said->by_agent)) {
    case RUN_MOVE_REFUSE:
        return move_refused(ledger);
    case RUN_MOVE_REPEAT:
        change_repeat(&change, ret);
        return 0;
    case RUN_MOVE_APPLY:
        break;
    }
    r = run_change(&change, said, &to, &run);
    return r ? r : change_save(&change, ret);
}

/* ---- released, moved ---- */

static int run_add_event(struct change *change, enum job_event_kind kind, host_number host)
{
    struct job_event_row event = {.kind = kind, .time_us = change->now_us, .host = host};
    struct job_events events;
    int r = change_read_events(change, &events);

    return r ? r : change_add_event(change, &events, &event);
}

/* Only what has not started can be given back; then nobody has it. */
int apply_released(struct ledger *ledger, const struct record *record, int64_t now_us,
                   struct ledger_effect *ret)
{
    const struct record_run *said = &record->run;
    struct change change;
    struct run_row run;
    host_number host;
    int r = change_open(ledger, said->seq, now_us, &change);

    if (!r)
        r = run_read(&change, said->run, &run);
    if (!r)
        r = run_host(&change, said->run, &host);
    if (r)
        return r;
    if (run.at.state != run_state_WAITING && run.at.state != run_state_ACKNOWLEDGED)
        return move_refused(ledger);
    counts_move(&change.head.counts, run.at.state, run_state_WAITING);
    run = (struct run_row){.at = {.state = run_state_WAITING}};
    r = run_write(&change, said->run, &run);
    if (!r)
        r = run_add_event(&change, JOB_EVENT_RELEASED, host);
    return r ? r : change_save(&change, ret);
}

/* Jobs with one run only: the runs of others are numbered by host. */
int apply_moved(struct ledger *ledger, const struct record *record, int64_t now_us,
                struct ledger_effect *ret)
{
    const struct record_run *said = &record->run;
    struct change change;
    struct run_row run;
    int r = change_open(ledger, said->seq, now_us, &change);

    if (!r)
        r = run_read(&change, said->run, &run);
    if (r)
        return r;
    if (said->host == 0 || said->host > ledger->meta.n_hosts)
        return OUTCOME_NOT_FOUND;
    if (run.at.state != run_state_WAITING || change.head.counts.total != 1)
        return move_refused(ledger);
    if (change.head.host == said->host) {
        change_repeat(&change, ret);
        return 0;
    }
    change.head.host = said->host;
    ledger->runs_moved = true;
    r = hostruns_move(ledger, said->seq, change.before.host, said->host);
    if (!r)
        r = run_add_event(&change, JOB_EVENT_MOVED, said->host);
    return r ? r : change_save(&change, ret);
}
