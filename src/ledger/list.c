/* SPDX-License-Identifier: MIT */
/*
 * Pages, counts, and the jobs, runs and agents that the controller works with.
 *
 * Under the lock only counts and seqs are copied; rows are read after it, from the same snapshot.
 */
#include "ledger/item.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>

/* ---- pages ---- */

_Static_assert(LEDGER_PAGE_MAX <= BLOCKS_PAGE_MAX, "a page is one answer of the index");

struct page_copy {
    const struct ledger_question *question;
    struct ledger_page page;
    uint64_t seqs[LEDGER_PAGE_MAX]; /* newest first */
    unsigned n;
};

static void copy_newer(const struct filter_view *view, struct page_copy *copy)
{
    uint64_t upwards[LEDGER_PAGE_MAX];

    copy->n = filter_up(view, copy->question->at + 1, copy->question->limit, upwards);
    for (unsigned i = 0; i < copy->n; i++)
        copy->seqs[i] = upwards[copy->n - 1 - i];
}

static void copy_seqs(const struct filter_view *view, struct page_copy *copy)
{
    const struct ledger_question *question = copy->question;

    switch (question->from) {
    case LEDGER_FROM_OFFSET:
        if (question->at < copy->page.total)
            copy->n = filter_down(view, view->end, question->at, question->limit, copy->seqs);
        break;
    case LEDGER_FROM_OLDER:
        copy->n = filter_down(view, question->at, 0, question->limit, copy->seqs);
        break;
    case LEDGER_FROM_NEWER:
        copy_newer(view, copy);
        break;
    }
}

static void copy_neighbours(const struct filter_view *view, struct page_copy *copy)
{
    const struct ledger_question *question = copy->question;
    struct ledger_page *page = &copy->page;
    uint64_t other;

    if (question->from == LEDGER_FROM_OFFSET) {
        page->has_newer = question->at > 0;
        page->has_older = question->at + copy->n < page->total;
        return;
    }
    page->has_newer = filter_up(view, copy->seqs[0] + 1, 1, &other) > 0;
    page->has_older = filter_down(view, copy->seqs[copy->n - 1], 0, 1, &other) > 0;
}

static bool copy_page(const struct filter_view *view, bool must_end, void *owner)
{
    struct page_copy *copy = owner;
    unsigned statuses = copy->question->filter.statuses;

    (void)must_end;
    memcpy(copy->page.counts, view->blocks->totals, sizeof(copy->page.counts));
    filter_counts(view, copy->page.matching);
    for (unsigned status = 0; status < job_status_COUNT; status++)
        copy->page.total += !statuses || statuses & 1u << status ? copy->page.matching[status] : 0;
    copy_seqs(view, copy);
    if (copy->n > 0)
        copy_neighbours(view, copy);
    return true;
}

static int page_begin(struct ledger_reader *reader, struct page_copy *copy)
{
    assert(copy->question->limit <= LEDGER_PAGE_MAX);
    int r = filter_begin(reader, &copy->question->filter, copy_page, copy);
    if (r)
        return r;
    copy->page.position = snapshot_id(&reader->txn);
    return 0;
}

int ledger_list(struct ledger_reader *reader, const struct ledger_question *question,
                struct ledger_page *ret_page, struct buf *items)
{
    struct page_copy copy = {.question = question};
    int r = page_begin(reader, &copy);

    if (r)
        return r;
    r = page_write(reader, question, copy.seqs, copy.n, &copy.page, items);
    reader_end(reader);
    if (r)
        return r;
    *ret_page = copy.page;
    return 0;
}

int ledger_find(struct ledger_reader *reader, const struct ledger_question *question,
                struct ledger_page *ret_page, struct ledger_found found[LEDGER_PAGE_MAX])
{
    struct page_copy copy = {.question = question};
    int r = page_begin(reader, &copy);

    if (r)
        return r;
    for (unsigned i = 0; !r && i < copy.n; i++) {
        struct head head;
        r = reader_head(reader, copy.seqs[i], &head);
        if (r)
            break;
        found[i] =
            (struct ledger_found){.seq = copy.seqs[i], .id = head.id, .version = head.updated_us};
    }
    reader_end(reader);
    if (r)
        return r;
    copy.page.n_items = copy.n;
    if (copy.n > 0) {
        copy.page.newest_seq = copy.seqs[0];
        copy.page.oldest_seq = copy.seqs[copy.n - 1];
    }
    *ret_page = copy.page;
    return 0;
}

int ledger_counts(struct ledger_reader *reader, struct ledger_page *ret)
{
    static const struct ledger_question all = {.limit = 0};
    struct page_copy copy = {.question = &all};
    int r = page_begin(reader, &copy);

    if (r)
        return r;
    reader_end(reader);
    *ret = copy.page;
    return 0;
}

uint64_t ledger_position(const struct ledger *ledger)
{
    return ledger->published;
}

/* ---- a job and its runs ---- */

static int job_read(struct ledger_reader *reader, uint64_t seq, struct arena *arena,
                    struct ledger_job *ret)
{
    struct head head;
    struct job_row row;
    int r = reader_head(reader, seq, &head);

    if (!r)
        r = reader_job(reader, seq, &row);
    if (r)
        return r;
    struct ledger_job job = {
        .seq = seq,
        .id = head.id,
        .operation = arena_copy(arena, row.type),
        .data = {.at = arena_copy(arena, row.data), .size = row.data.size},
        .target = arena_copy(arena, row.target),
        .target_kind = head.target_kind,
        .user = arena_copy(arena, row.user),
        .status = head_status(&head),
        .cancelled = head.flags & HEAD_CANCELLED,
        .sensitive = head.flags & HEAD_SENSITIVE,
        .sealed = head.flags & HEAD_SEALED,
        .created_us = head.created_us,
        .limit_us = row.limit_us,
        .start_by_us = row.start_by_us,
        .counts = head.counts,
    };
    job.op = op_by_type(job.operation);
    *ret = job;
    return 0;
}

int ledger_job(struct ledger_reader *reader, const struct uuid *id, struct arena *arena,
               struct ledger_job *ret)
{
    uint64_t seq;
    int r = reader_begin(reader, NULL, NULL);

    if (r)
        return r;
    r = reader_seq(reader, id, &seq);
    if (!r)
        r = job_read(reader, seq, arena, ret);
    reader_end(reader);
    return r;
}

int ledger_sealed(struct ledger_reader *reader, const struct uuid *id, uint32_t run,
                  struct arena *arena, struct slice *ret)
{
    struct slice bytes;
    uint64_t seq;
    int r = reader_begin(reader, NULL, NULL);

    if (r)
        return r;
    r = reader_seq(reader, id, &seq);
    if (!r) {
        struct run_key key = run_key(seq, run);
        r = table_get(&reader->txn, TABLE_SEALED, run_key_slice(&key), &bytes);
    }
    if (!r)
        *ret = (struct slice){.at = arena_copy(arena, bytes), .size = bytes.size};
    reader_end(reader);
    return r;
}

static int data_copy(struct ledger_reader *reader, const struct run_row *row, struct arena *arena,
                     struct slice *ret)
{
    char *at = row->data_size ? arena_alloc(arena, row->data_size + 1) : NULL;

    *ret = (struct slice){.at = at, .size = row->data_size};
    if (row->is_packed)
        return packer_unpack(&reader->packer, row->data, at);
    if (at)
        memcpy(at, row->data.at, row->data_size);
    return 0;
}

static int run_copy(struct ledger_reader *reader, const struct run *run, struct arena *arena,
                    struct ledger_run *ret)
{
    const struct run_row *row = &run->row;

    *ret = (struct ledger_run){
        .run = (uint32_t)(run - reader->runs.v),
        .host = run->host,
        .hostname = arena_copy(arena, roster_name(reader->roster, run->host)),
        .at = row->at,
        .has_changed = row->has_changed,
        .changed = row->changed,
        .error = row->error.size ? arena_copy(arena, row->error) : NULL,
        .acknowledged_us = row->acknowledged_us,
        .started_us = row->started_us,
        .finished_us = row->finished_us,
    };
    return data_copy(reader, row, arena, &ret->data);
}

static int runs_of(struct ledger_reader *reader, uint64_t seq)
{
    struct head head;
    int r = reader_head(reader, seq, &head);

    return r ? r : runs_read(&reader->runs, &reader->txn, reader->roster, seq, &head);
}

static bool runs_are_too_large(const struct runs *runs)
{
    size_t size = 0;

    for (uint32_t i = 0; i < runs->n && size <= LEDGER_RUNS_BYTES; i++)
        size += runs->v[i].row.data_size + runs->v[i].row.error.size;
    return size > LEDGER_RUNS_BYTES;
}

static int runs_copy(struct ledger_reader *reader, const struct uuid *id, struct arena *arena,
                     struct ledger_run **ret, uint32_t *ret_n)
{
    uint64_t seq;
    int r = reader_seq(reader, id, &seq);

    if (!r)
        r = runs_of(reader, seq);
    if (r)
        return r;
    if (runs_are_too_large(&reader->runs))
        return OUTCOME_TOO_LARGE;
    uint32_t n = reader->runs.n;
    *ret = arena_alloc(arena, n * sizeof(**ret));
    for (uint32_t i = 0; !r && i < n; i++)
        r = run_copy(reader, runs_at(&reader->runs, i), arena, &(*ret)[i]);
    *ret_n = n;
    return r;
}

int ledger_runs(struct ledger_reader *reader, const struct uuid *id, struct arena *arena,
                struct ledger_run **ret, uint32_t *ret_n)
{
    int r = reader_begin(reader, NULL, NULL);

    if (r)
        return r;
    r = runs_copy(reader, id, arena, ret, ret_n);
    reader_end(reader);
    return r;
}

static int run_point_of(struct ledger_reader *reader, const struct uuid *id, uint32_t number,
                        struct run *ret)
{
    struct head head;
    uint64_t seq;
    int r = reader_seq(reader, id, &seq);

    if (!r)
        r = reader_head(reader, seq, &head);
    return r ? r : runs_read_one(&reader->txn, seq, &head, number, ret);
}

int ledger_run_point(struct ledger_reader *reader, const struct uuid *id, uint32_t number,
                     host_number *ret_host, struct run_point *ret)
{
    struct run run;
    int r = reader_begin(reader, NULL, NULL);

    if (r)
        return r;
    r = run_point_of(reader, id, number, &run);
    if (!r) {
        *ret_host = run.host;
        *ret = run.row.at;
    }
    reader_end(reader);
    return r;
}

/* ---- open runs ---- */

struct open_copy {
    uint64_t from; /* wanted: seqs from here on */
    uint64_t seqs[BLOCKS_PAGE_MAX];
    unsigned n;
};

static void copy_open(const struct ledger *ledger, void *ret)
{
    struct open_copy *copy = ret;

    copy->n = blocks_from(&ledger->blocks, STATUSES_OPEN, copy->from, BLOCKS_PAGE_MAX, copy->seqs);
}

typedef int each_run(void *owner, const struct ledger_job *job, const struct ledger_run *run);

static int open_runs_of(struct ledger_reader *reader, uint64_t seq, struct arena *arena,
                        each_run *each, void *owner)
{
    struct ledger_job job;
    int r = job_read(reader, seq, arena, &job);

    if (!r)
        r = runs_of(reader, seq);
    for (uint32_t i = 0; !r && i < reader->runs.n; i++) {
        const struct run *run = &reader->runs.v[i];
        if (run_state_is_final(run->row.at.state))
            continue;
        struct ledger_run copy;
        r = run_copy(reader, run, arena, &copy);
        if (!r)
            r = each(owner, &job, &copy);
    }
    return r;
}

/* One snapshot for each hundred jobs: a walk over all of them would keep old pages alive. */
int ledger_each_open_run(struct ledger_reader *reader, each_run *each, void *owner)
{
    struct open_copy copy = {.from = 0};
    struct arena arena CLEANUP(arena_release) = {0};
    int r;

    do {
        r = reader_begin(reader, copy_open, &copy);
        if (r)
            return r;
        for (unsigned i = 0; !r && i < copy.n; i++) {
            r = open_runs_of(reader, copy.seqs[i], &arena, each, owner);
            copy.from = copy.seqs[i] + 1;
            arena_reset(&arena);
        }
        reader_end(reader);
    } while (!r && copy.n > 0);
    return r;
}

/* ---- agents ---- */

static int agent_read(struct ledger_reader *reader, host_number host, struct arena *arena,
                      struct ledger_agent *ret)
{
    uint64_t key = host;
    struct agent_row row;
    struct slice bytes;
    int r = table_get(&reader->txn, TABLE_AGENTS, u64_slice(&key), &bytes);

    if (r)
        return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
    r = agent_row_decode(bytes, &row);
    if (r)
        return r;
    *ret = (struct ledger_agent){
        .host = host,
        .machine_id = arena_copy(arena, row.machine_id),
        .hostname = arena_copy(arena, row.hostname),
        .labels = {.at = arena_copy(arena, row.labels), .size = row.labels.size},
        .epoch = row.epoch,
        .reported = row.reported,
        .first_seen_us = row.first_seen_us,
        .changed_us = row.changed_us,
    };
    return 0;
}

int ledger_agents(struct ledger_reader *reader, struct arena *arena, struct ledger_agent **ret,
                  uint32_t *ret_n)
{
    int r = reader_begin(reader, NULL, NULL);

    if (r)
        return r;
    uint32_t n = reader->roster->n;
    struct ledger_agent *agents = arena_alloc(arena, n * sizeof(*agents));
    for (uint32_t i = 0; !r && i < n; i++)
        r = agent_read(reader, i + 1, arena, &agents[i]);
    reader_end(reader);
    if (r)
        return r;
    *ret = agents;
    *ret_n = n;
    return 0;
}
