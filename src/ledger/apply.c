/* SPDX-License-Identifier: MIT */
/*
 * The one place where the ledger changes: records by kind, and those that concern a whole job.
 */
#include "ledger/apply.h"

#include "base/mem.h"
#include "ledger/names.h"

#include <assert.h>
#include <errno.h>

static apply_record *const applies[RECORD_KIND_COUNT] = {
    [RECORD_SUBMITTED] = apply_submitted, [RECORD_ACKNOWLEDGED] = apply_run_state,
    [RECORD_STARTED] = apply_run_state,   [RECORD_FINISHED] = apply_run_state,
    [RECORD_RELEASED] = apply_released,   [RECORD_MOVED] = apply_moved,
    [RECORD_CANCELLED] = apply_cancelled, [RECORD_RETRIED] = apply_retried,
    [RECORD_DELETED] = apply_deleted,     [RECORD_DROPPED] = apply_dropped,
    [RECORD_AGENT] = apply_agent,         [RECORD_REPORTED] = apply_reported,
};

int ledger_apply(struct ledger *ledger, const struct record *record, struct ledger_effect *ret)
{
    struct ledger_effect effect = {0};
    int64_t now_us = record->time_us;

    assert(ledger->in_batch && (unsigned)record->kind < RECORD_KIND_COUNT);
    if (now_us < ledger->meta.last_time_us)
        now_us = ledger->meta.last_time_us;
    int r = applies[record->kind](ledger, record, now_us, &effect);
    if (r)
        return r;
    *ret = effect;
    return 0;
}

void ledger_record_applied(struct ledger *ledger, int64_t now_us)
{
    ledger->meta.last_time_us = now_us;
    ledger->meta.n_records++;
}

/* ---- a job that changes ---- */

/* The last few moves are searched: a query is submitted and finished in one batch, and is moved
   once. */
#define MOVES_MERGED 8

static struct move *move_of(struct ledger *ledger, uint64_t seq)
{
    for (size_t i = ledger->n_moves; i > 0 && i + MOVES_MERGED > ledger->n_moves; i--) {
        if (ledger->moves[i - 1].seq == seq)
            return &ledger->moves[i - 1];
    }
    return NULL;
}

static void move_note(struct ledger *ledger, uint64_t seq, const struct head *before,
                      const struct head *after)
{
    struct move *move = move_of(ledger, seq);

    if (!move) {
        if (ledger->n_moves == ledger->room_moves) {
            ledger->room_moves = ledger->room_moves ? 2 * ledger->room_moves : 64;
            ledger->moves = mem_realloc(ledger->moves, ledger->room_moves * sizeof(*ledger->moves));
        }
        move = &ledger->moves[ledger->n_moves++];
        *move = (struct move){.seq = seq, .has_before = before != NULL};
        if (before)
            move->before = *before;
    }
    move->has_after = after != NULL;
    if (after)
        move->after = *after;
}

/* In the same transaction as the change: whoever starts after a crash rebuilds this block from its
   heads. */
static int dirty_mark(struct ledger *ledger, uint64_t seq)
{
    uint64_t number = seq / BLOCK_JOBS;

    if (blocks_is_dirty(&ledger->blocks, number))
        return 0;
    return table_put(&ledger->txn, TABLE_DIRTY, u64_slice(&number), (struct slice){.at = ""});
}

static struct slice head_slice(const struct head *head)
{
    return (struct slice){.at = (const char *)head, .size = sizeof(*head)};
}

int change_open(struct ledger *ledger, uint64_t seq, int64_t now_us, struct change *ret)
{
    struct change change = {.ledger = ledger, .now_us = now_us, .seq = seq};
    int r = head_get(&ledger->txn, seq, &change.before);

    if (r)
        return r;
    change.head = change.before;
    *ret = change;
    return 0;
}

int change_save(struct change *change, struct ledger_effect *ret)
{
    struct ledger *ledger = change->ledger;
    enum job_status before = head_status(&change->before);
    enum job_status after = head_status(&change->head);

    change->head.updated_us =
        change->now_us > change->before.updated_us ? change->now_us : change->before.updated_us + 1;
    int r =
        table_put(&ledger->txn, TABLE_HEADS, u64_slice(&change->seq), head_slice(&change->head));
    if (!r)
        r = dirty_mark(ledger, change->seq);
    if (r)
        return r;
    move_note(ledger, change->seq, &change->before, &change->head);
    ledger_record_applied(ledger, change->now_us);
    *ret = (struct ledger_effect){
        .seq = change->seq,
        .status = after,
        .became_final = !job_status_is_final(before) && job_status_is_final(after),
    };
    return 0;
}

void change_repeat(const struct change *change, struct ledger_effect *ret)
{
    *ret = (struct ledger_effect){.seq = change->seq, .status = head_status(&change->before)};
}

int change_read_events(struct change *change, struct job_events *ret)
{
    struct slice bytes;

    ret->n = 0;
    if (!(change->head.flags & HEAD_EVENTS))
        return 0;
    int r = table_get(&change->ledger->txn, TABLE_EVENTS, u64_slice(&change->seq), &bytes);
    if (r)
        return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
    return job_events_decode(bytes, ret);
}

int change_add_event(struct change *change, struct job_events *events,
                     const struct job_event_row *event)
{
    struct buf *row = &change->ledger->row;

    if (events->n == JOB_EVENTS_MAX)
        memmove(events->v, events->v + 1, --events->n * sizeof(events->v[0]));
    events->v[events->n++] = *event;
    change->head.flags |= HEAD_EVENTS;
    buf_clear(row);
    job_events_encode(events, row);
    return table_put(&change->ledger->txn, TABLE_EVENTS, u64_slice(&change->seq), buf_slice(row));
}

/* ---- submitted ---- */

static struct slice id_slice(const struct uuid *id)
{
    return (struct slice){.at = (const char *)id->bytes, .size = sizeof(id->bytes)};
}

static int submitted_check(struct ledger *ledger, const struct record_submitted *submitted)
{
    struct slice value;

    if (submitted->n_hosts == 0 || submitted->target.text.size > TARGET_TEXT_MAX)
        return OUTCOME_CONFLICT;
    for (uint32_t i = 0; i < submitted->n_hosts; i++) {
        host_number host = submitted->hosts[i];
        if (host == 0 || host > ledger->meta.n_hosts)
            return OUTCOME_NOT_FOUND;
        if (i > 0 && host <= submitted->hosts[i - 1])
            return OUTCOME_CONFLICT;
    }
    int r = table_get(&ledger->txn, TABLE_IDS, id_slice(&submitted->id), &value);
    if (r == OUTCOME_NOT_FOUND)
        return 0;
    return r ? r : OUTCOME_CONFLICT;
}

static int bulk_number(struct ledger *ledger, const struct uuid *bulk, uint32_t *ret)
{
    *ret = 0;
    return bulk ? names_number(ledger, NAME_BULK, name_of_uuid(bulk), ret) : 0;
}

/* What the index finds the job by. */
static int submitted_names(struct ledger *ledger, const struct record_submitted *submitted,
                           struct head *head)
{
    uint32_t operation = 0, user = 0;
    int r = names_number(ledger, NAME_OPERATION, slice_of(submitted->op->type), &operation);

    if (!r)
        r = names_number(ledger, NAME_USER, slice_of(submitted->user), &user);
    if (!r && submitted->target.kind == TARGET_LABEL)
        r = names_number(ledger, NAME_TARGET, submitted->target.text, &head->target);
    if (!r)
        r = bulk_number(ledger, submitted->bulk, &head->bulk);
    head->operation = (uint16_t)operation;
    head->user = (uint16_t)user;
    return r;
}

static int submitted_head(struct ledger *ledger, const struct record_submitted *submitted,
                          int64_t now_us, struct head *ret)
{
    struct head head = {
        .id = submitted->id,
        .created_us = now_us,
        .updated_us = now_us,
        .counts = {.total = submitted->n_hosts},
        .host = submitted->n_hosts == 1 ? submitted->hosts[0] : 0,
        .target_kind = (uint8_t)submitted->target.kind,
        .flags = (uint8_t)((submitted->sealed ? HEAD_SEALED : 0) |
                           (submitted->sensitive ? HEAD_SENSITIVE : 0)),
        .format = HEAD_FORMAT,
    };
    int r = submitted_names(ledger, submitted, &head);

    if (r)
        return r;
    *ret = head;
    return 0;
}

static int sealed_write(struct ledger *ledger, const struct record_submitted *submitted,
                        uint64_t seq)
{
    int r = 0;

    for (uint32_t run = 0; !r && submitted->sealed && run < submitted->n_hosts; run++) {
        struct run_key key = run_key(seq, run);
        r = table_append(&ledger->txn, TABLE_SEALED, run_key_slice(&key), submitted->sealed[run]);
    }
    return r;
}

static int submitted_write(struct ledger *ledger, const struct record_submitted *submitted,
                           uint64_t seq, const struct head *head)
{
    struct txn *txn = &ledger->txn;
    struct slice key = u64_slice(&seq);
    struct slice hosts = {.at = (const char *)submitted->hosts,
                          .size = submitted->n_hosts * sizeof(host_number)};

    buf_clear(&ledger->row);
    job_row_encode(submitted, &ledger->row);
    if (buf_overflowed(&ledger->row))
        return FAULT(-EFBIG);
    int r = table_append(txn, TABLE_JOBS, key, buf_slice(&ledger->row));
    if (!r)
        r = table_append(txn, TABLE_HEADS, key, head_slice(head));
    if (!r)
        r = table_append(txn, TABLE_IDS, id_slice(&head->id), key);
    if (!r && submitted->n_hosts > 1)
        r = table_append(txn, TABLE_HOSTS, key, hosts);
    if (!r)
        r = sealed_write(ledger, submitted, seq);
    return r ? r : dirty_mark(ledger, seq);
}

int apply_submitted(struct ledger *ledger, const struct record *record, int64_t now_us,
                    struct ledger_effect *ret)
{
    const struct record_submitted *submitted = &record->submitted;
    uint64_t seq = ledger->meta.next_seq;
    struct head head;
    int r = submitted_check(ledger, submitted);

    if (r)
        return r;
    r = submitted_head(ledger, submitted, now_us, &head);
    if (!r)
        r = submitted_write(ledger, submitted, seq, &head);
    if (r)
        return r;
    ledger->meta.next_seq++;
    move_note(ledger, seq, NULL, &head);
    ledger_record_applied(ledger, now_us);
    *ret = (struct ledger_effect){.seq = seq, .status = head_status(&head)};
    return 0;
}

/* ---- cancelled, retried ---- */

/* The job that a record means. OUTCOME_CONFLICT: it is another version. */
static int meant_open(struct ledger *ledger, const struct record_job *meant, int64_t now_us,
                      struct change *ret)
{
    int r = change_open(ledger, meant->seq, now_us, ret);

    if (r)
        return r;
    return meant->version && meant->version != ret->before.updated_us ? OUTCOME_CONFLICT : 0;
}

/* The flag and the line of history; the runs end by records of their own. */
int apply_cancelled(struct ledger *ledger, const struct record *record, int64_t now_us,
                    struct ledger_effect *ret)
{
    struct job_event_row event = {
        .kind = JOB_EVENT_CANCELLED, .time_us = now_us, .text = slice_of(record->job.user)};
    struct job_events events;
    struct change change;
    int r = meant_open(ledger, &record->job, now_us, &change);

    if (r)
        return r;
    if (change.head.flags & HEAD_CANCELLED) {
        change_repeat(&change, ret);
        return 0;
    }
    change.head.flags |= HEAD_CANCELLED;
    r = change_read_events(&change, &events);
    if (!r && record->job.bulk)
        r = bulk_number(ledger, record->job.bulk, &change.head.bulk);
    if (!r)
        r = change_add_event(&change, &events, &event);
    return r ? r : change_save(&change, ret);
}

int apply_retried(struct ledger *ledger, const struct record *record, int64_t now_us,
                  struct ledger_effect *ret)
{
    struct job_event_row event = {
        .kind = JOB_EVENT_RETRIED, .time_us = now_us, .id = record->job.new_id};
    struct job_events events;
    struct change change;
    int r = meant_open(ledger, &record->job, now_us, &change);

    if (!r)
        r = change_read_events(&change, &events);
    if (r)
        return r;
    /* The one event that users make at will: it may not push out the others. */
    if (events.n == JOB_EVENTS_MAX)
        return OUTCOME_CONFLICT;
    r = change_add_event(&change, &events, &event);
    return r ? r : change_save(&change, ret);
}

/* ---- deleted, dropped ---- */

int delete_if_there(struct txn *txn, enum table table, struct slice key)
{
    int r = table_delete(txn, table, key);

    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

/* All that belongs to the job: here every table with rows of jobs is named. Those with rows of
   blocks forget it when the block is empty (checkpoint.c). */
static int change_remove(struct change *change)
{
    static const enum table tables[] = {TABLE_HEADS, TABLE_JOBS, TABLE_HOSTS, TABLE_EVENTS};
    struct ledger *ledger = change->ledger;
    int r = table_delete(&ledger->txn, TABLE_IDS, id_slice(&change->before.id));

    for (size_t i = 0; !r && i < COUNT_OF(tables); i++)
        r = delete_if_there(&ledger->txn, tables[i], u64_slice(&change->seq));
    for (uint32_t run = 0; !r && run < change->before.counts.total; run++) {
        struct run_key key = run_key(change->seq, run);
        r = delete_if_there(&ledger->txn, TABLE_RUNS, run_key_slice(&key));
        if (!r && change->before.flags & HEAD_SEALED)
            r = delete_if_there(&ledger->txn, TABLE_SEALED, run_key_slice(&key));
    }
    if (!r)
        r = dirty_mark(ledger, change->seq);
    if (r)
        return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
    move_note(ledger, change->seq, &change->before, NULL);
    return 0;
}

int apply_deleted(struct ledger *ledger, const struct record *record, int64_t now_us,
                  struct ledger_effect *ret)
{
    struct change change;
    int r = meant_open(ledger, &record->job, now_us, &change);

    if (!r)
        r = change_remove(&change);
    if (r)
        return r;
    ledger_record_applied(ledger, now_us);
    change_repeat(&change, ret);
    return 0;
}

static bool is_meant(const struct record_drop *drop, const struct head *head)
{
    return head->updated_us == drop->version && job_status_is_final(head_status(head));
}

int apply_dropped(struct ledger *ledger, const struct record *record, int64_t now_us,
                  struct ledger_effect *ret)
{
    const struct record_dropped *dropped = &record->dropped;
    struct change change;

    assert(dropped->n <= RECORD_DROPPED_MAX);
    for (uint32_t i = 0; i < dropped->n; i++) {
        const struct record_drop *drop = &dropped->jobs[i];
        int r = change_open(ledger, drop->seq, now_us, &change);
        if (!r && is_meant(drop, &change.before)) {
            r = change_remove(&change);
            ret->n_dropped++;
        }
        if (r && r != OUTCOME_NOT_FOUND)
            return r;
    }
    if (ret->n_dropped > 0)
        ledger_record_applied(ledger, now_us);
    return 0;
}
