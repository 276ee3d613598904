/* SPDX-License-Identifier: MIT */
/*
 * The routes of bulk actions, and the thread that takes one after the other.
 *
 * This thread reads the ledger; records are the core's (bulk_apply.c).
 */
#include "controller/bulk.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "controller/bulk_plan.h"
#include "controller/filter.h"
#include "controller/submission.h"

#include <assert.h>

struct bulk {
    struct core *core;
    struct ledger_reader *reader;
    pthread_t thread;
    bool is_running; /* the main thread's */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool is_stopping;
    struct call *queue[BULK_QUEUE_MAX]; /* a ring */
    unsigned first, n;
};

/* ---- one action ---- */

static const char *const action_words[BULK_ACTION_COUNT] = {
    [BULK_RETRY] = "retry", [BULK_CANCEL] = "cancel", [BULK_DELETE] = "delete"};

static void log_done(const struct call *call, int64_t core_us)
{
    const struct call_bulk *bulk = &call->bulk;
    char id[UUID_TEXT_SIZE];

    uuid_format(&call->id, id);
    log_event(LOG_NOTICE, bulk->dry_run ? "bulk.counted" : "bulk.done",
              LOG_TEXT("action", action_words[bulk->action]), LOG_NUMBER("matched", bulk->matched),
              LOG_NUMBER("taken", bulk->taken), LOG_TEXT("user", bulk->token->subject),
              LOG_TEXT("bulk", id), LOG_NUMBER("core_us", core_us));
}

static int act(struct bulk *bulk, struct bulk_plan *plan)
{
    struct call *call = plan->call;

    int r = bulk_plan_make(plan, bulk->reader);
    int64_t begun_us = clock_boot_us();
    if (!r && plan->n > 0)
        r = core_do(bulk->core, &plan->errand);
    if (r)
        return r;
    call->bulk.taken = plan->n_taken;
    log_done(call, clock_boot_us() - begun_us);
    return 0;
}

/* What can't be read is said to the client, as by the loops. */
static void take(struct bulk *bulk, struct call *call)
{
    struct bulk_plan plan;

    bulk_plan_init(&plan, call, core_figures(bulk->core).agents);
    int r = act(bulk, &plan);
    if (r < 0) {
        log_event(LOG_ERROR, "bulk.fault", LOG_TEXT("fault", fault_text()));
        r = refuse(&plan.errand.why, OUTCOME_FAULT, NULL, "%s", outcome_sentence(OUTCOME_FAULT));
    }
    if (r && plan.errand.why.text[0])
        *call_why(call) = plan.errand.why;
    bulk_plan_release(&plan);
    call_answer(call, bulk->core->server, r);
}

/* ---- the thread ---- */

static void turn_away(struct bulk *bulk, struct call *call, int outcome, const char *why)
{
    refuse(call_why(call), outcome, NULL, "%s", why);
    call_answer(call, bulk->core->server, outcome);
}

/* NULL: it is to stop. */
static struct call *next(struct bulk *bulk)
{
    struct call *call = NULL;

    pthread_mutex_lock(&bulk->lock);
    while (!bulk->is_stopping && bulk->n == 0)
        pthread_cond_wait(&bulk->wake, &bulk->lock);
    if (!bulk->is_stopping) {
        call = bulk->queue[bulk->first];
        bulk->first = (bulk->first + 1) % BULK_QUEUE_MAX;
        bulk->n--;
    }
    pthread_mutex_unlock(&bulk->lock);
    return call;
}

static void *bulk_thread(void *argument)
{
    struct bulk *bulk = argument;
    struct call *call;

    pthread_setname_np(pthread_self(), "bulk");
    while ((call = next(bulk)))
        take(bulk, call);
    return NULL;
}

/* ---- any thread ---- */

static const char is_ending[] = "the controller is being stopped";

void bulk_send(struct bulk *bulk, struct call *call)
{
    pthread_mutex_lock(&bulk->lock);
    bool stops = bulk->is_stopping;
    bool takes = !stops && bulk->n < BULK_QUEUE_MAX;
    if (takes) {
        bulk->queue[(bulk->first + bulk->n++) % BULK_QUEUE_MAX] = call;
        pthread_cond_signal(&bulk->wake);
    }
    pthread_mutex_unlock(&bulk->lock);
    if (stops)
        turn_away(bulk, call, OUTCOME_UNAVAILABLE, is_ending);
    else if (!takes)
        turn_away(bulk, call, OUTCOME_BUSY, "too many bulk actions wait for their turn");
}

struct bulk *bulk_new(struct core *core)
{
    struct bulk *bulk = mem_alloc(sizeof(*bulk));

    bulk->core = core;
    pthread_mutex_init(&bulk->lock, NULL);
    pthread_cond_init(&bulk->wake, NULL);
    return bulk;
}

int bulk_start(struct bulk *bulk)
{
    int r = ledger_reader_open(bulk->core->ledger, &bulk->reader);

    if (r)
        return r;
    int error =
        FAULT_POINT("bulk.thread") ? errno : pthread_create(&bulk->thread, NULL, bulk_thread, bulk);
    if (error)
        return FAULT(-error);
    bulk->is_running = true;
    return 0;
}

void bulk_stop(struct bulk *bulk)
{
    if (!bulk)
        return;
    pthread_mutex_lock(&bulk->lock);
    bulk->is_stopping = true;
    pthread_cond_signal(&bulk->wake);
    pthread_mutex_unlock(&bulk->lock);
    if (bulk->is_running)
        pthread_join(bulk->thread, NULL);
    bulk->is_running = false;
    for (; bulk->n > 0; bulk->n--) { /* nobody adds to them any more */
        turn_away(bulk, bulk->queue[bulk->first], OUTCOME_UNAVAILABLE, is_ending);
        bulk->first = (bulk->first + 1) % BULK_QUEUE_MAX;
    }
}

void bulk_free(struct bulk *bulk)
{
    if (!bulk)
        return;
    assert(!bulk->is_running && bulk->n == 0);
    if (bulk->reader)
        ledger_reader_close(bulk->reader);
    pthread_cond_destroy(&bulk->wake);
    pthread_mutex_destroy(&bulk->lock);
    mem_free(bulk);
}

/* ---- routes ---- */

struct question {
    enum bulk_action action;
    const struct job_filter *filter;
    const char *cursor; /* NULL: from the newest on */
    int64_t limit, expires_us;
    bool dry_run;
};

static void send(struct op_ctx *ctx, struct call *call)
{
    bulk_send(ctx->bulk, call);
}

static int finish(struct op_ctx *ctx, void *ret_out)
{
    const struct call *call = ctx->call;
    const struct call_bulk *bulk = &call->bulk;
    struct job_bulk_out *out = ret_out;

    SET(out, matched, (int64_t)bulk->matched);
    SET(out, taken, bulk->taken);
    if (bulk->taken > 0 && !bulk->dry_run && bulk->action != BULK_DELETE) {
        char *id = arena_alloc(ctx->arena, UUID_TEXT_SIZE);
        uuid_format(&call->id, id);
        SET(out, bulk_id, id);
        SET(out, watch, arena_printf(ctx->arena, "/job?bulk=%s", id));
    }
    if (bulk->next) {
        struct cursor cursor = {
            .direction = CURSOR_ON,
            .seq = bulk->next,
            .question = filter_question(bulk->asked->object),
        };
        char *text = arena_alloc(ctx->arena, CURSOR_TEXT_SIZE);
        cursor_write(ctx->cursor_key, &cursor, text);
        SET(out, next, text);
    }
    return 0;
}

/* A member of the filter is named with the filter. */
static int refuse_within(struct op_ctx *ctx, int r)
{
    struct refusal inner = ctx->why;

    return refuse(&ctx->why, r, arena_printf(ctx->arena, "filter.%s", inner.field), "filter.%s",
                  inner.text);
}

static int fill_call(struct op_ctx *ctx, const struct question *question, struct call *call)
{
    struct call_bulk *bulk = &call->bulk;
    struct cursor cursor = {.seq = UINT64_MAX};

    bulk->asked = kept_copy(&job_filter_schema, question->filter);
    int r =
        filter_resolve(bulk->asked->object, ctx->now_us, &call->arena, &bulk->filter, &ctx->why);
    if (r)
        return refuse_within(ctx, r);
    if (question->cursor)
        r = cursor_read(ctx->cursor_key, question->cursor, filter_question(question->filter),
                        &cursor, &ctx->why);
    if (r)
        return r;
    if (cursor.direction != CURSOR_ON)
        return refuse(&ctx->why, OUTCOME_INVALID, "cursor",
                      "cursor: it leads to newer jobs; next of a reply leads to older ones");
    call->id = uuid_make(ctx->now_us);
    bulk->action = question->action;
    bulk->older_than = cursor.seq;
    bulk->limit = (unsigned)question->limit;
    bulk->dry_run = question->dry_run;
    bulk->expires_us = question->expires_us;
    bulk->token = arena_alloc(&call->arena, sizeof(*bulk->token));
    *bulk->token = *ctx->token;
    bulk->allowed = token_targets(ctx->token, &call->arena);
    return 0;
}

static int ask(struct op_ctx *ctx, const struct question *question)
{
    if (filter_is_empty(question->filter))
        return refuse(&ctx->why, OUTCOME_INVALID, "filter",
                      "filter: expected at least one condition, such as status or user");
    struct call *call = call_new(CALL_BULK);
    int r = fill_call(ctx, question, call);
    if (r) {
        call_unref(call);
        return r;
    }
    ctx->call = call;
    ctx->finish = finish;
    ctx->send = send;
    ctx->wait_us = BULK_ANSWER_US;
    return OP_PARKED;
}

/* Of any struct with the rows of JOB_BULK. */
#define QUESTION_OF(action_, in)                                                                   \
    {                                                                                              \
        .action = (action_), .filter = &(in)->filter, .limit = (in)->limit,                        \
        .dry_run = (in)->dry_run, .cursor = (in)->has_cursor ? (in)->cursor : NULL,                \
    }

int op_job_bulk_retry(struct op_ctx *ctx, const struct job_bulk_retry_in *in,
                      struct job_bulk_out *out)
{
    struct question question = QUESTION_OF(BULK_RETRY, in);

    (void)out;
    question.expires_us = in->has_expires ? in->expires : 0;
    return ask(ctx, &question);
}

int op_job_bulk_cancel(struct op_ctx *ctx, const struct job_bulk_in *in, struct job_bulk_out *out)
{
    struct question question = QUESTION_OF(BULK_CANCEL, in);

    (void)out;
    return ask(ctx, &question);
}

int op_job_bulk_delete(struct op_ctx *ctx, const struct job_bulk_in *in, struct job_bulk_out *out)
{
    struct question question = QUESTION_OF(BULK_DELETE, in);

    (void)out;
    return ask(ctx, &question);
}
