/* SPDX-License-Identifier: MIT */
/*
 * Retention: its rules in their order, the slice, and what an archive is given of it.
 */
#include "ledger/retain_inside.h"

#include "base/mem.h"

static const char *const words[RETAIN_REASON_COUNT] = {
    [RETAIN_AGE] = "age",
    [RETAIN_JOBS] = "jobs",
    [RETAIN_STATUS_JOBS] = "jobs_of_status",
    [RETAIN_STATUS_BYTES] = "mib_of_status",
    [RETAIN_DISK] = "disk_percent",
};

const char *retain_word(enum retain_reason reason)
{
    return words[reason];
}

int retain_open(struct ledger *ledger, struct retain **ret)
{
    struct retain *retain = mem_alloc(sizeof(*retain));
    int r = ledger_reader_open(ledger, &retain->reader);

    if (r) {
        mem_free(retain);
        return r;
    }
    retain->least_age_us = INT64_MAX;
    buf_init(&retain->piece, ITEM_PIECE_MAX);
    *ret = retain;
    return 0;
}

void retain_close(struct retain *retain)
{
    if (!retain)
        return;
    ledger_reader_close(retain->reader);
    buf_release(&retain->piece);
    mem_free(retain->looks);
    mem_free(retain);
}

/* ---- rules ---- */

const struct config_retention_rule *retain_rule_of(const struct retain *retain,
                                                   enum job_status status)
{
    const struct config_retention *rules = &retain->rules;

    switch (status) {
    case job_status_COMPLETED:
        return rules->has_completed ? &rules->completed : NULL;
    case job_status_FAILED:
        return rules->has_failed ? &rules->failed : NULL;
    case job_status_PARTIAL_FAILURE:
        return rules->has_partial_failure ? &rules->partial_failure : NULL;
    case job_status_SKIPPED:
        return rules->has_skipped ? &rules->skipped : NULL;
    case job_status_SUBMITTED:
    case job_status_PROCESSING:
    case job_status_COUNT:
        break;
    }
    return NULL;
}

void retain_rule(struct retain *retain, const struct config_retention *rules)
{
    retain->rules = *rules;
    retain->counts_bytes = false;
    retain->rule = 0;
    for (enum job_status status = 0; status < job_status_COUNT; status++) {
        const struct config_retention_rule *rule = retain_rule_of(retain, status);
        retain->counts_bytes |= rule && rule->has_mib;
    }
    looks_begin(retain);
}

/* ---- the slice ---- */

bool slice_is_full(const struct retain *retain, const struct retain_slice *slice)
{
    return slice->n == RECORD_DROPPED_MAX || retain->slice_runs >= RETAIN_RUNS_MAX ||
           retain->slice_bytes >= RETAIN_BYTES_MAX;
}

static int row_bytes(struct txn *txn, enum table table, struct slice key, uint64_t *bytes)
{
    struct slice value;
    int r = table_get(txn, table, key, &value);

    if (!r)
        *bytes += value.size;
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

int retain_job_bytes(struct retain *retain, uint64_t seq, const struct head *head, uint64_t *ret)
{
    struct txn *txn = &retain->reader->txn;
    uint64_t bytes = sizeof(*head);
    int r = row_bytes(txn, TABLE_JOBS, u64_slice(&seq), &bytes);

    if (!r && head->counts.total > 1)
        r = row_bytes(txn, TABLE_HOSTS, u64_slice(&seq), &bytes);
    if (!r && (head->flags & HEAD_EVENTS))
        r = row_bytes(txn, TABLE_EVENTS, u64_slice(&seq), &bytes);
    for (uint32_t run = 0; !r && run < head->counts.total; run++) {
        struct run_key key = run_key(seq, run);
        r = row_bytes(txn, TABLE_RUNS, run_key_slice(&key), &bytes);
    }
    if (r)
        return r;
    *ret = bytes;
    return 0;
}

/* Its rows are read for their size: so they are in memory when the writer removes them. */
int slice_take(struct retain *retain, struct retain_slice *slice, uint64_t seq,
               const struct head *head, uint64_t *ret_bytes)
{
    int r = retain_job_bytes(retain, seq, head, ret_bytes);

    if (r)
        return r;
    slice->jobs[slice->n++] = (struct record_drop){.seq = seq, .version = head->updated_us};
    retain->slice_runs += head->counts.total;
    retain->slice_bytes += *ret_bytes;
    return 0;
}

/* ---- next ---- */

int retain_next(struct retain *retain, int64_t now_us, struct retain_slice *ret)
{
    ret->n = 0;
    ret->more = false;
    retain->slice_runs = retain->slice_bytes = 0;
    int r = retain_next_by_age(retain, now_us, ret);
    if (!r && !ret->more)
        r = retain_next_by_number(retain, now_us, ret);
    return r;
}

/* ---- archive ---- */

/* Each in a snapshot of its own: the sink may wait for a disk. */
static int write_job(struct retain *retain, const struct record_drop *job,
                     const struct ledger_sink *sink, bool *ret_same)
{
    struct ledger_reader *reader = retain->reader;
    struct head head;
    int r = reader_begin(reader, NULL, NULL);

    if (r)
        return r;
    r = head_get(&reader->txn, job->seq, &head);
    *ret_same = !r && head.updated_us == job->version;
    if (*ret_same)
        r = item_write_whole(reader, job->seq, sink, &retain->piece);
    reader_end(reader);
    if (r || !*ret_same)
        return r == OUTCOME_NOT_FOUND ? 0 : r;
    return sink->take(sink->owner, SLICE("\n"));
}

int retain_write(struct retain *retain, struct retain_slice *slice, const struct ledger_sink *sink)
{
    uint32_t n = 0;
    bool same;

    for (uint32_t i = 0; i < slice->n; i++) {
        buf_clear(&retain->piece);
        int r = write_job(retain, &slice->jobs[i], sink, &same);
        if (r)
            return r;
        if (same)
            slice->jobs[n++] = slice->jobs[i];
    }
    slice->n = n;
    return 0;
}
