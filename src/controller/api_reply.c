/* SPDX-License-Identifier: MIT */
/*
 * Replies: what a handler made, what a job came to, or why not.
 *
 * A reply that depends on the ledger's position and the request alone has a tag, which is known
 * before the reply is: the client that has it already, or the loop, is asked first.
 */
#include "controller/exchange.h"

#include "base/log.h"
#include "base/mem.h"
#include "controller/reply.h"

#define MEMBERS_ROOM ((size_t)1 << 10) /* of counts and cursors, beside the items */

/* What it held is encoded or not wanted. */
static void text_done(struct buf *text)
{
    buf_clear(text);
    if (text->room <= API_TEXT_KEPT)
        return;
    buf_release(text);
    buf_init(text, API_TEXT_MAX);
}

void refuse_with(struct http_request *request, struct exchange *x, int r)
{
    text_done(x->ctx.text);
    if (r < 0) {
        log_event(LOG_ERROR, "http.fault", LOG_TEXT("request", request->id),
                  LOG_TEXT("fault", fault_text()));
        refuse(&x->ctx.why, OUTCOME_FAULT, NULL, "%s", outcome_sentence(OUTCOME_FAULT));
    } else {
        x->ctx.why.outcome = (enum outcome)r;
    }
    http_refuse(request, &x->ctx.why, 0, NULL, x->job_id[0] ? x->job_id : NULL);
}

/* Sanitizer builds look at every reply: it has the form that its row promises, or we stop here. */
static void check_reply(const struct schema *schema, struct slice body)
{
#ifdef REEVE_CHECK_REPLIES
    struct refusal why = {0};
    struct json value;

    int r = schema ? schema_check(schema, body, JSON_VALUES_MAX_RESULT, &why)
                   : json_check(body, JSON_VALUES_MAX_RESULT, &value, &why);
    if (r == 0)
        return;
    log_event(LOG_ERROR, "http.reply_wrong", LOG_TEXT("schema", schema ? schema->name : "results"),
              LOG_TEXT("field", why.field), LOG_TEXT("why", why.text));
    abort();
#else
    (void)schema;
    (void)body;
#endif
}

/* ---- tags ---- */

/* False also when a commit fell into the reading: the reply may be of a later position. */
static bool reply_has_tag(const struct exchange *x)
{
    return x->etag[0] && !x->ctx.status && ledger_position(x->api->ledger) == x->position;
}

static void reply_not_modified(struct http_request *request, const struct exchange *x)
{
    struct http_reply reply = {.status = 304, .etag = x->etag};

    http_reply(request, &reply);
}

static void reply_shown(struct http_request *request, const struct exchange *x,
                        struct http_body *body)
{
    struct http_reply reply = {.status = x->ctx.op->code, .etag = x->etag, .shared = body};

    http_reply(request, &reply);
}

/* What has any reply already: so there must be one. */
static bool wants_nothing(const struct http_request *request)
{
    return request->if_none_match && etag_list_is_any(request->if_none_match);
}

/* Nobody can make up a tag that fits (http/etag.h): the request had a good reply when it was given,
   so that it need not be decoded. */
bool reply_known(struct http_request *request, struct exchange *x)
{
    struct api_loop *own = request->loop_owner;
    struct etag_question question = {.path = request->path, .query = request->query};

    if (!op_is_tagged(x->ctx.op) || request->body.size > 0)
        return false;
    question.position = x->position = ledger_position(x->api->ledger);
    etag_make(&x->api->etag_key, &question, x->etag);
    if (request->if_none_match && etag_list_has(request->if_none_match, x->etag)) {
        reply_not_modified(request, x);
        return true;
    }
    struct http_body *body = shown_find(&own->shown, x->etag);
    if (!body)
        return false;
    if (wants_nothing(request))
        reply_not_modified(request, x);
    else
        reply_shown(request, x, body);
    return true;
}

static void reply_tagged(struct http_request *request, struct exchange *x, struct buf *text)
{
    struct api_loop *own = request->loop_owner;
    struct http_reply reply = {.status = x->ctx.op->code, .etag = x->etag, .body = text};

    if (!shown_wants(&own->shown, x->etag)) {
        http_reply(request, &reply);
        return;
    }
    struct http_body *body = http_body_new(text);
    shown_add(&own->shown, x->etag, body);
    reply_shown(request, x, body);
    http_body_unref(body);
}

/* ---- lines ---- */

static void check_lines(const struct schema *schema, struct slice lines)
{
#ifdef REEVE_CHECK_REPLIES
    struct slice line;

    while (slice_cut(&lines, '\n', &line))
        check_reply(schema, line);
#else
    (void)schema;
    (void)lines;
#endif
}

static int stream_next(void *owner, struct buf *to)
{
    struct exchange *x = owner;

    int r = x->lines.next(x->lines.owner, to);
    if (r == LINES_END)
        return HTTP_STREAM_END;
    if (r)
        log_event(LOG_ERROR, "http.fault", LOG_TEXT("op", x->ctx.op->type),
                  LOG_TEXT("fault", fault_text()));
    else
        check_lines(x->ctx.op->out->fields->type.schema, buf_slice(to));
    return r;
}

static void stream_free(void *owner)
{
    struct exchange *x = owner;

    x->lines.free(x->lines.owner);
}

static bool replies_with_lines(const struct op *op)
{
    return op->out->fields->wire && op->out->fields->type.kind == KIND_LINES;
}

static void reply_lines(struct http_request *request, struct exchange *x)
{
    struct http_stream stream = {.next = stream_next, .free = stream_free, .owner = x};
    struct http_reply reply = {
        .status = x->ctx.op->code,
        .content_type = "application/x-ndjson",
        .stream = &stream,
    };

    x->lines = *(const struct lines *)((const char *)x->out + x->ctx.op->out->fields->offset);
    http_reply(request, &reply);
}

static void reply_encoded(struct http_request *request, struct exchange *x, struct buf *body)
{
    struct http_reply reply = {
        .status = x->ctx.status ? x->ctx.status : x->ctx.op->code,
        .body = body,
    };

    if (buf_overflowed(body))
        refuse_with(
            request, x,
            refuse(&x->ctx.why, OUTCOME_FAULT, NULL, "the reply is over %zu bytes", REPLY_MAX));
    else if (!reply_has_tag(x))
        http_reply(request, &reply);
    else if (wants_nothing(request))
        reply_not_modified(request, x);
    else
        reply_tagged(request, x, body);
}

/* At once for all of a large reply, which would be moved each time that it grows. */
static void make_room(struct buf *body, const struct buf *text)
{
    size_t size = text->size + MEMBERS_ROOM;

    if (text->size > 0 && size <= body->cap)
        buf_reserve(body, size);
}

void reply_out(struct http_request *request, struct exchange *x)
{
    const struct op *op = x->ctx.op;
    struct http_reply no_content = {.status = 204};
    struct buf body;

    if (replies_with_lines(op)) {
        reply_lines(request, x);
        return;
    }
    if (op->code == 204) {
        http_reply(request, &no_content);
        return;
    }
    buf_init(&body, REPLY_MAX);
    make_room(&body, x->ctx.text);
    schema_encode(op->out, x->out, &body);
    check_reply(op->out, buf_slice(&body));
    text_done(x->ctx.text);
    reply_encoded(request, x, &body);
    buf_release(&body);
}

void reply_recorded(struct http_request *request, struct exchange *x)
{
    struct buf body;
    struct http_reply reply = {
        .status = 202,
        .location = arena_printf(request->arena, "/job/%s", x->job_id),
        .body = &body,
    };

    buf_init(&body, REPLY_MAX);
    reply_accepted(&x->ctx.call->id, &body);
    http_reply(request, &reply);
    buf_release(&body);
}

void reply_job(struct http_request *request, struct exchange *x, bool is_answered)
{
    struct buf body;
    struct http_reply reply = {.job_id = x->job_id, .body = &body};
    struct job_question question = {
        .id = x->ctx.call->id,
        .op = x->ctx.call->submit.op,
        .is_answered = is_answered,
        .request_id = request->id,
        .call = x->ctx.call,
    };

    buf_init(&body, REPLY_MAX);
    int r = reply_results(&x->ctx, &question, &body, &reply.status);
    if (r) {
        refuse_with(request, x, r);
    } else {
        check_reply(NULL, buf_slice(&body));
        http_reply(request, &reply);
    }
    buf_release(&body);
}
