/* SPDX-License-Identifier: MIT */
/*
 * A page of one job's runs.
 */
#include "base/mem.h"
#include "controller/op.h"

/* What a cursor is good for: runs of this job in these states. */
static uint64_t question_of(const struct op_ctx *ctx, const char *id, unsigned states)
{
    return cursor_question(ctx->op->type, slice_of(arena_printf(ctx->arena, "%s %u", id, states)));
}

static struct state_counts state_counts_of(const struct run_counts *counts)
{
    struct state_counts all = {0};
    uint32_t final = counts->completed + counts->failed + counts->skipped;

    SET(&all, waiting, counts->total - counts->active - final);
    SET(&all, active, counts->active);
    SET(&all, completed, counts->completed);
    SET(&all, failed, counts->failed);
    SET(&all, skipped, counts->skipped);
    return all;
}

static const char *next_of(struct op_ctx *ctx, uint32_t number, uint64_t asked)
{
    struct cursor cursor = {.direction = CURSOR_ON, .seq = number, .question = asked};
    char *text = arena_alloc(ctx->arena, CURSOR_TEXT_SIZE);

    cursor_write(ctx->cursor_key, &cursor, text);
    return text;
}

int op_job_run_list(struct op_ctx *ctx, const struct job_run_list_in *in,
                    struct job_run_list_out *out)
{
    struct ledger_run_question question = {.limit = (unsigned)in->limit};
    struct ledger_run_page page;
    struct cursor cursor;
    struct uuid id;
    char id_text[UUID_TEXT_SIZE];

    for (size_t i = 0; i < in->status.n; i++)
        question.states |= 1u << in->status.v[i];
    uuid_parse(slice_of(in->id), &id); /* FORMAT(uuid) */
    uuid_format(&id, id_text);
    uint64_t asked = question_of(ctx, id_text, question.states);
    if (in->has_cursor) {
        int r = cursor_read(ctx->cursor_key, in->cursor, asked, &cursor, &ctx->why);
        if (r)
            return r;
        question.from = (uint32_t)cursor.seq;
    }
    int r = ledger_run_page(ctx->reader, &id, &question, &page, ctx->text);
    if (r == OUTCOME_NOT_FOUND)
        return refuse(&ctx->why, r, "id", "there is no job %s", in->id);
    if (r)
        return r;
    SET(out, total_items, page.total);
    SET(out, state_counts, state_counts_of(&page.counts));
    if (page.has_next)
        SET(out, next, next_of(ctx, page.next, asked));
    SET(out, items, buf_slice(ctx->text));
    return 0;
}
