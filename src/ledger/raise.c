/* SPDX-License-Identifier: MIT */
/*
 * A ledger of an older format becomes one of today's, at its first opening: no head of the old
 * format is left.
 *
 * In batches, each a commit, so that a large ledger needs no large transaction. A kill in between
 * leaves heads of both formats, and the next opening goes on: a head says by its size which one it
 * has. The ledger's format is raised with the last batch.
 */
#include "ledger/inside.h"
#include "ledger/names.h"

#include <errno.h>

#define RAISE_JOBS 20000u /* a batch */

/* Format 2 to 3: label targets have numbers. */
static int head_raise(struct ledger *ledger, uint64_t seq, struct slice bytes)
{
    struct slice key = u64_slice(&seq);
    struct job_row job;
    struct head head;
    int r = head_decode(bytes, &head);

    if (!r && head.target_kind == TARGET_LABEL) {
        r = table_get(&ledger->txn, TABLE_JOBS, key, &bytes);
        if (!r)
            r = job_row_decode(bytes, &job);
        if (!r)
            r = names_number(ledger, NAME_TARGET, job.target, &head.target);
    }
    if (r)
        return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
    bytes = (struct slice){.at = (const char *)&head, .size = sizeof(head)};
    return table_put(&ledger->txn, TABLE_HEADS, key, bytes);
}

/* From *seq on, which moves behind the last. OUTCOME_NOT_FOUND: there are no more. */
static int heads_raise(struct ledger *ledger, uint64_t *seq)
{
    struct slice key, bytes;
    int r = 0;

    for (unsigned n = 0; !r && n < RAISE_JOBS; n++) {
        r = table_seek(&ledger->txn, TABLE_HEADS, u64_slice(seq), &key, &bytes);
        if (!r)
            r = u64_decode(key, seq);
        if (!r && *seq >= ledger->meta.next_seq)
            r = FAULT(-EUCLEAN);
        if (!r && head_is_old(bytes))
            r = head_raise(ledger, *seq, bytes);
        ++*seq;
    }
    return r;
}

static int batch_raise(struct ledger *ledger, uint64_t *seq)
{
    int r = ledger_begin(ledger);

    if (r)
        return r;
    r = ledger_read_meta(ledger);
    if (!r && ledger->meta.format < LEDGER_FORMAT)
        r = heads_raise(ledger, seq);
    if (r && r != OUTCOME_NOT_FOUND) {
        ledger_abort(ledger);
        return r;
    }
    if (r == OUTCOME_NOT_FOUND)
        ledger->meta.format = LEDGER_FORMAT;
    return ledger_commit(ledger);
}

int ledger_raise(struct ledger *ledger)
{
    uint64_t seq = 0;
    int r;

    do {
        r = batch_raise(ledger, &seq);
    } while (!r && ledger->meta.format < LEDGER_FORMAT);
    return r;
}
