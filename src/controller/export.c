/* SPDX-License-Identifier: MIT */
/*
 * All matching jobs as lines, newest first: each piece is a page of its own, from a snapshot of its
 * own, that begins behind the last job of the one before. So nothing is kept open between pieces,
 * and each line's cursor says how to go on behind it.
 */
#include "base/mem.h"
#include "controller/filter.h"
#include "controller/op.h"
#include "http/http.h"

/* In the request's arena. */
struct export
{
    const struct op_ctx *ctx;
    struct ledger_question question; /* what the next piece is asked for by */
    struct ledger_lines lines;
    uint64_t asked; /* filter_question() */
};

static void begin_line(void *owner, uint64_t seq, struct buf *to)
{
    const struct export *export = owner;
    struct cursor cursor = {.direction = CURSOR_ON, .seq = seq, .question = export->asked};
    char text[CURSOR_TEXT_SIZE];

    cursor_write(export->ctx->cursor_key, &cursor, text);
    buf_add_text(to, "{\"cursor\":\"");
    buf_add_text(to, text);
    buf_add_char(to, '"');
}

static int next_lines(void *owner, struct buf *to)
{
    struct export *export = owner;
    struct ledger_page page;

    int r = ledger_list(export->ctx->reader, &export->question, &page, to);
    if (r)
        return r;
    if (page.n_items == 0)
        return LINES_END;
    export->question.from = LEDGER_FROM_OLDER;
    export->question.at = page.oldest_seq;
    return 0;
}

/* All of it is the arena's. */
static void free_lines(void *owner)
{
    (void)owner;
}

int op_job_export(struct op_ctx *ctx, const struct job_export_in *in, struct job_export_out *out)
{
    struct export *export = arena_alloc(ctx->arena, sizeof(*export));
    struct job_filter filter = FILTER_OF(in);
    struct cursor cursor;

    export->ctx = ctx;
    export->asked = filter_question(&filter);
    export->lines = (struct ledger_lines){.begin = begin_line, .owner = export};
    export->question = (struct ledger_question){
        .from = LEDGER_FROM_OFFSET,
        .limit = LEDGER_PAGE_MAX,
        .bytes_max = HTTP_STREAM_PIECE,
        .lines = &export->lines,
    };
    int r = filter_resolve(&filter, ctx->now_us, ctx->arena, &export->question.filter, &ctx->why);
    if (!r && in->has_cursor)
        r = cursor_read(ctx->cursor_key, in->cursor, export->asked, &cursor, &ctx->why);
    if (r)
        return r;
    if (in->has_cursor) {
        export->question.from = LEDGER_FROM_OLDER;
        export->question.at = cursor.seq;
    }
    struct lines lines = {.next = next_lines, .free = free_lines, .owner = export};
    SET(out, lines, lines);
    return 0;
}
