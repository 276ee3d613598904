/* SPDX-License-Identifier: MIT */
/*
 * Job operations.
 *
 * Reading goes to the ledger; what changes it goes to the core.
 */
#include "base/mem.h"
#include "controller/filter.h"
#include "controller/submission.h"

/* ---- list, get ---- */

static struct status_counts status_counts_of(const uint64_t counts[job_status_COUNT])
{
    struct status_counts all = {0};

    SET(&all, submitted, (int64_t)counts[job_status_SUBMITTED]);
    SET(&all, processing, (int64_t)counts[job_status_PROCESSING]);
    SET(&all, completed, (int64_t)counts[job_status_COMPLETED]);
    SET(&all, failed, (int64_t)counts[job_status_FAILED]);
    SET(&all, partial_failure, (int64_t)counts[job_status_PARTIAL_FAILURE]);
    SET(&all, skipped, (int64_t)counts[job_status_SKIPPED]);
    return all;
}

/* What the page is asked for by: cursor, or offset. */
static int ask(struct op_ctx *ctx, const struct job_list_in *in, const struct job_filter *filter,
               struct ledger_question *ret)
{
    struct cursor cursor;
    int r = filter_resolve(filter, ctx->now_us, ctx->arena, &ret->filter, &ctx->why);

    if (r)
        return r;
    ret->view = in->view == job_view_SUMMARY ? LEDGER_SUMMARY : LEDGER_FULL;
    ret->limit = (unsigned)in->limit;
    ret->at = in->has_offset ? (uint64_t)in->offset : 0;
    if (!in->has_cursor)
        return 0;
    r = cursor_read(ctx->cursor_key, in->cursor, filter_question(filter), &cursor, &ctx->why);
    if (r)
        return r;
    ret->from = cursor.direction == CURSOR_ON ? LEDGER_FROM_OLDER : LEDGER_FROM_NEWER;
    ret->at = cursor.seq;
    return 0;
}

/* The page's own ends; of a page without jobs what lies on either side of the place where it would
   be. */
static void page_ends(const struct ledger_question *question, const struct ledger_page *page,
                      uint64_t *ret_newest, uint64_t *ret_oldest)
{
    bool is_empty = page->n_items == 0;

    *ret_newest = page->newest_seq;
    *ret_oldest = page->oldest_seq;
    if (!is_empty)
        return;
    *ret_newest = question->from == LEDGER_FROM_OLDER && question->at ? question->at - 1 : 0;
    *ret_oldest = question->from == LEDGER_FROM_NEWER ? question->at + 1 : 0;
}

static const char *make_cursor(struct op_ctx *ctx, enum cursor_direction direction, uint64_t seq,
                               uint64_t question)
{
    struct cursor cursor = {.direction = direction, .seq = seq, .question = question};
    char *text = arena_alloc(ctx->arena, CURSOR_TEXT_SIZE);

    cursor_write(ctx->cursor_key, &cursor, text);
    return text;
}

static void put_cursors(struct op_ctx *ctx, const struct job_filter *filter,
                        const struct ledger_question *question, const struct ledger_page *page,
                        struct job_list_out *out)
{
    uint64_t newest, oldest;

    if (!page->has_older && !page->has_newer)
        return;
    uint64_t asked = filter_question(filter);
    page_ends(question, page, &newest, &oldest);
    if (page->has_older)
        SET(out, next, make_cursor(ctx, CURSOR_ON, oldest, asked));
    if (page->has_newer)
        SET(out, prev, make_cursor(ctx, CURSOR_BACK, newest, asked));
}

int op_job_list(struct op_ctx *ctx, const struct job_list_in *in, struct job_list_out *out)
{
    struct job_filter filter = FILTER_OF(in);
    struct ledger_question question = {.from = LEDGER_FROM_OFFSET};
    struct ledger_page page;

    int r = ask(ctx, in, &filter, &question);
    if (r)
        return r;
    r = ledger_list(ctx->reader, &question, &page, ctx->text);
    if (r)
        return r;
    SET(out, total_items, (int64_t)page.total);
    SET(out, status_counts, status_counts_of(page.counts));
    if (filter_has_more_than_status(&filter))
        SET(out, matching_counts, status_counts_of(page.matching));
    put_cursors(ctx, &filter, &question, &page, out);
    SET(out, items, buf_slice(ctx->text));
    return 0;
}

static int refuse_unknown(struct op_ctx *ctx, const char *id)
{
    return refuse(&ctx->why, OUTCOME_NOT_FOUND, "id", "there is no job %s", id);
}

int op_job_get(struct op_ctx *ctx, const struct job_ref *in, struct job_get_out *out)
{
    struct uuid id;

    int r = uuid_parse(slice_of(in->id), &id) ? ledger_item(ctx->reader, &id, ctx->text)
                                              : OUTCOME_NOT_FOUND;
    if (r == OUTCOME_NOT_FOUND)
        return refuse_unknown(ctx, in->id);
    if (r)
        return r;
    SET(out, item, buf_slice(ctx->text));
    return 0;
}

/* 0, or OUTCOME_NOT_FOUND with its text. */
static int find_job(struct op_ctx *ctx, const char *id_text, struct ledger_job *ret)
{
    struct uuid id;

    int r = uuid_parse(slice_of(id_text), &id) ? ledger_job(ctx->reader, &id, ctx->arena, ret)
                                               : OUTCOME_NOT_FOUND;
    return r == OUTCOME_NOT_FOUND ? refuse_unknown(ctx, id_text) : r;
}

/* ---- submit, retry ---- */

int op_job_submit(struct op_ctx *ctx, const struct job_submit_in *in, struct job_submit_out *out)
{
    struct submission submission = {
        .target = in->target_hostname,
        .target_field = "target_hostname",
        .wait_us = ctx->prefers_async ? 0 : in->wait,
        .expires_us = in->has_expires ? in->expires : in->wait,
        .sensitive = in->sensitive,
    };

    (void)out; /* the operation's own reply is made from the results */
    int r = submission_decode(ctx, in->operation.type, in->operation.data, &submission);
    if (r)
        return r;
    return submission_make(ctx, &submission);
}

static int finish_retry(struct op_ctx *ctx, void *ret_out)
{
    struct job_retry_out *out = ret_out;
    struct ledger_job job;
    char id[UUID_TEXT_SIZE];

    uuid_format(&ctx->call->id, id);
    int r = find_job(ctx, id, &job);
    if (r)
        return r;
    SET(out, job_id, arena_strdup(ctx->arena, id));
    SET(out, status, "created");
    SET(out, revision, (int64_t)job.seq);
    SET(out, timestamp, time_text(ctx->arena, job.created_us));
    return 0;
}

int op_job_retry(struct op_ctx *ctx, const struct job_retry_in *in, struct job_retry_out *out)
{
    struct ledger_job job;

    (void)out;
    int r = find_job(ctx, in->id, &job);
    if (r)
        return r;
    struct submission submission = {
        .target = in->has_target_hostname ? in->target_hostname : job.target,
        .target_field = "target_hostname",
        .expires_us = SUBMISSION_WAIT_US,
        .retry_of = job.seq,
    };
    if (job.sensitive)
        return refuse(&ctx->why, OUTCOME_CONFLICT, NULL,
                      "the job is sensitive and its input was not kept; submit it anew");
    r = submission_decode(ctx, job.operation, job.data, &submission);
    if (r) /* secrets are not kept, and what is accepted may have changed: not the request's fault
            */
        return r == OUTCOME_INVALID ? OUTCOME_CONFLICT : r;
    ctx->finish = finish_retry;
    return submission_make(ctx, &submission);
}

/* ---- cancel, delete ---- */

static struct call *call_for(const struct op_ctx *ctx, enum call_kind kind,
                             const struct ledger_job *job)
{
    struct call *call = call_new(kind);

    call->id = job->id;
    call->job.seq = job->seq;
    call->job.user = arena_strdup(&call->arena, ctx->token->subject);
    return call;
}

static int finish_cancel(struct op_ctx *ctx, void *ret_out)
{
    struct job_cancel_out *out = ret_out;
    struct ledger_job job;
    char id[UUID_TEXT_SIZE];

    uuid_format(&ctx->call->id, id);
    int r = find_job(ctx, id, &job);
    if (r)
        return r;
    SET(out, job_id, arena_strdup(ctx->arena, id));
    SET(out, status, job.status);
    SET(out, cancelled, ctx->call->job.counts.never_start);
    SET(out, stopping, ctx->call->job.counts.stopping);
    return 0;
}

int op_job_cancel(struct op_ctx *ctx, const struct job_ref *in, struct job_cancel_out *out)
{
    struct ledger_job job;

    (void)out;
    int r = find_job(ctx, in->id, &job);
    if (r)
        return r;
    if (job_status_is_final(job.status))
        return refuse(&ctx->why, OUTCOME_CONFLICT, NULL, "the job has ended already: %s",
                      job_status_words[job.status].word);
    ctx->call = call_for(ctx, CALL_CANCEL, &job);
    ctx->finish = finish_cancel;
    return OP_PARKED;
}

static int finish_delete(struct op_ctx *ctx, void *ret_out)
{
    (void)ctx;
    (void)ret_out;
    return 0;
}

int op_job_delete(struct op_ctx *ctx, const struct job_ref *in, struct none *out)
{
    struct ledger_job job;

    (void)out;
    int r = find_job(ctx, in->id, &job);
    if (r)
        return r;
    ctx->call = call_for(ctx, CALL_DELETE, &job);
    ctx->finish = finish_delete;
    return OP_PARKED;
}
