/* SPDX-License-Identifier: MIT */
/*
 * A page of one job's runs, by run number.
 *
 * Runs and rows of `runs` are in the same order, so a page is one seek and a walk, wherever it
 * begins; a run that has no row waits. Only a filter looks at runs that it does not show.
 */
#include "ledger/item.h"

#include "base/clock.h"
#include "base/json.h"

#include <assert.h>
#include <errno.h>

/* ---- runs in order ---- */

struct run_walk {
    struct ledger_reader *reader;
    uint64_t seq;
    struct head head;
    struct slice hosts; /* of a job with several runs */
    /* The first row that has not been passed. */
    bool has_row;
    uint32_t row_number;
    struct slice row;
};

/* `r` is what a seek or a step came back with. */
static int walk_take(struct run_walk *walk, int r, struct slice key)
{
    walk->has_row = !r && run_key_is_of(key, walk->seq, &walk->row_number);
    if (walk->has_row && walk->row_number >= walk->head.counts.total)
        return FAULT(-EUCLEAN);
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

static int walk_seek(struct run_walk *walk, uint32_t from)
{
    struct run_key first = run_key(walk->seq, from);
    struct slice key;
    int r = table_seek(&walk->reader->txn, TABLE_RUNS, run_key_slice(&first), &key, &walk->row);

    return walk_take(walk, r, key);
}

static int walk_step(struct run_walk *walk)
{
    struct slice key;
    int r = table_next(&walk->reader->txn, TABLE_RUNS, &key, &walk->row);

    return walk_take(walk, r, key);
}

static int walk_begin(struct run_walk *walk, struct ledger_reader *reader, uint64_t seq)
{
    *walk = (struct run_walk){.reader = reader, .seq = seq};
    int r = reader_head(reader, seq, &walk->head);
    if (r || walk->head.counts.total == 1)
        return r;
    r = table_get(&reader->txn, TABLE_HOSTS, u64_slice(&seq), &walk->hosts);
    if (!r)
        r = hosts_row_decode(walk->hosts, walk->head.counts.total);
    return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
}

/* Numbers are asked for in rising order, after a seek to the first. */
static int walk_run(struct run_walk *walk, uint32_t number, struct run *ret)
{
    bool one = walk->head.counts.total == 1;
    struct run run = {.host = one ? walk->head.host : hosts_row_at(walk->hosts, number)};

    if (!roster_has(walk->reader->roster, run.host))
        return FAULT(-EUCLEAN);
    if (walk->has_row && walk->row_number == number) {
        int r = run_row_decode(walk->row, &run.row);
        if (!r)
            r = walk_step(walk);
        if (r)
            return r;
    }
    *ret = run;
    return 0;
}

/* ---- how many ---- */

#define STATES_ALL    ((1u << run_state_COUNT) - 1)
#define STATES_ACTIVE (1u << run_state_ACKNOWLEDGED | 1u << run_state_STARTED)

/* Active runs of the states, one by one: the head counts them together. */
static int count_active(struct run_walk *walk, unsigned states, uint32_t *ret)
{
    struct run run;
    uint32_t n = 0;
    int r = walk->head.counts.active > 0 ? walk_seek(walk, 0) : 0;

    while (!r && walk->has_row) {
        r = walk_run(walk, walk->row_number, &run);
        n += !r && states & 1u << run.row.at.state;
    }
    if (!r)
        *ret = n;
    return r;
}

static int count_matching(struct run_walk *walk, unsigned states, uint32_t *ret)
{
    const struct run_counts *counts = &walk->head.counts;
    uint32_t waiting =
        counts->total - counts->active - counts->completed - counts->failed - counts->skipped;
    uint32_t active = counts->active;
    int r = 0;

    if ((states & STATES_ACTIVE) == 0)
        active = 0;
    else if ((states & STATES_ACTIVE) != STATES_ACTIVE)
        r = count_active(walk, states & STATES_ACTIVE, &active);
    if (r)
        return r;
    *ret = active + (states & 1u << run_state_WAITING ? waiting : 0) +
           (states & 1u << run_state_COMPLETED ? counts->completed : 0) +
           (states & 1u << run_state_FAILED ? counts->failed : 0) +
           (states & 1u << run_state_SKIPPED ? counts->skipped : 0);
    return 0;
}

/* ---- one run ---- */

static void put_word(struct buf *to, const char *key, const char *word)
{
    buf_add_text(to, key);
    buf_add_text(to, word);
    PUT(to, "\"");
}

static void put_time_if_known(struct buf *to, const char *key, int64_t time_us)
{
    if (!time_us)
        return;
    buf_add_text(to, key);
    buf_add_time(to, time_us);
    PUT(to, "\"");
}

static void put_times(struct buf *to, const struct run_row *row)
{
    put_time_if_known(to, ",\"acknowledged\":\"", row->acknowledged_us);
    put_time_if_known(to, ",\"started\":\"", row->started_us);
    if (!run_state_is_final(row->at.state))
        return;
    put_time_if_known(to, ",\"finished\":\"", row->finished_us);
    put_run_duration(to, row);
}

static int put_run(struct buf *to, struct ledger_reader *reader, uint32_t number,
                   const struct run *run)
{
    const struct run_row *row = &run->row;
    int r = 0;

    PUT(to, "{\"run\":");
    buf_add_i64(to, number);
    PUT(to, ",\"hostname\":");
    buf_add_slice(to, roster_quoted(reader->roster, run->host));
    put_word(to, ",\"status\":\"", run_state_words[row->at.state].word);
    if (row->at.state == run_state_FAILED)
        put_word(to, ",\"code\":\"", run_code_words[row->at.code].word);
    put_run_changed(to, row);
    put_run_error(to, row);
    if (row->at.state == run_state_COMPLETED && row->data.size) {
        PUT(to, ",\"data\":");
        r = put_run_data(to, row, &reader->packer);
    }
    put_times(to, row);
    PUT(to, "}");
    return r;
}

/* ---- the page ---- */

/* Where a run went over a limit and is not the first, the page ends before it: it has a next. */
static int page_add(struct ledger_run_page *page, struct ledger_reader *reader, uint32_t number,
                    const struct run *run, size_t page_start, struct buf *items)
{
    size_t item_start = items->size;

    if (page->n_items > 0)
        PUT(items, ",");
    int r = put_run(items, reader, number, run);
    bool over = buf_overflowed(items) || items->size - page_start > LEDGER_PAGE_BYTES;
    if (over && page->n_items > 0) {
        items->size = item_start;
        items->overflowed = false;
        page->has_next = true;
        page->next = number;
    } else {
        page->n_items++;
    }
    return r;
}

static int runs_write(struct run_walk *walk, const struct ledger_run_question *question,
                      struct ledger_run_page *page, struct buf *items)
{
    unsigned states = question->states ? question->states : STATES_ALL;
    uint32_t n = walk->head.counts.total;
    size_t page_start = items->size;
    struct run run;
    int r = question->from < n ? walk_seek(walk, question->from) : 0;

    PUT(items, "[");
    for (uint32_t number = question->from; !r && !page->has_next && number < n; number++) {
        r = walk_run(walk, number, &run);
        if (r || !(states & 1u << run.row.at.state))
            continue;
        if (page->n_items < question->limit) {
            r = page_add(page, walk->reader, number, &run, page_start, items);
        } else {
            page->has_next = true;
            page->next = number;
        }
    }
    PUT(items, "]");
    return r;
}

static int run_page(struct ledger_reader *reader, const struct uuid *id,
                    const struct ledger_run_question *question, struct ledger_run_page *ret,
                    struct buf *items)
{
    struct ledger_run_page page = {.n_items = 0};
    struct run_walk walk;
    uint64_t seq;
    int r = reader_seq(reader, id, &seq);

    if (!r)
        r = walk_begin(&walk, reader, seq);
    if (r)
        return r;
    page.counts = walk.head.counts;
    r = count_matching(&walk, question->states ? question->states : STATES_ALL, &page.total);
    if (!r)
        r = runs_write(&walk, question, &page, items);
    if (!r)
        *ret = page;
    return r;
}

int ledger_run_page(struct ledger_reader *reader, const struct uuid *id,
                    const struct ledger_run_question *question, struct ledger_run_page *ret,
                    struct buf *items)
{
    assert(question->limit <= LEDGER_RUN_PAGE_MAX);
    int r = reader_begin(reader, NULL, NULL);
    if (r)
        return r;
    r = run_page(reader, id, question, ret, items);
    reader_end(reader);
    return r;
}
