/* SPDX-License-Identifier: MIT */
/*
 * One request: route → token → permission → body → decode → handler, or a job → reply.
 *
 * Nothing here asks which operation it has; the row says it. Each way through ends in exactly one
 * reply.
 */
#include "controller/exchange.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "controller/metrics.h"
#include "controller/reply.h"
#include "controller/submission.h"

#include <netdb.h>
#include <netinet/in.h>
#include <strings.h>

#define OPENAPI_MAX ((size_t)16 << 20)

/* ---- handlers of class LOCAL ---- */

#define THUNK_LOCAL(id, in, out)                                                                   \
    static int local_##id(struct op_ctx *ctx, const void *input, void *ret_out)                    \
    {                                                                                              \
        return op_##id(ctx, input, ret_out);                                                       \
    }
#define THUNK_QUERY(id, in, out)
#define THUNK_MODIFY(id, in, out)
#define THUNK_ENDS_AGENT(id, in, out)
#define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc)             \
    THUNK_##class(id, in, out)
#include "catalog/rows.h"

#define ENTRY_LOCAL(id) [OP_##id] = local_##id,
#define ENTRY_QUERY(id)
#define ENTRY_MODIFY(id)
#define ENTRY_ENDS_AGENT(id)
#define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc)             \
    ENTRY_##class(id)

/* NULL for operations on hosts. */
static int (*const local_ops[OP_COUNT])(struct op_ctx *ctx, const void *input, void *ret_out) = {
#include "catalog/rows.h"
};

/* ---- loops ---- */

static int loop_open(void *service, unsigned loop, void **ret_loop_owner)
{
    struct api *api = service;
    struct ledger_reader *reader;

    (void)loop;
    int r = ledger_reader_open(api->ledger, &reader);
    if (r)
        return r;
    struct api_loop *own = mem_alloc(sizeof(*own));
    own->reader = reader;
    buf_init(&own->text, API_TEXT_MAX);
    own->tokens = token_cache_new(access_key(api->access));
    *ret_loop_owner = own;
    return 0;
}

static void loop_close(void *service, void *loop_owner)
{
    struct api_loop *own = loop_owner;

    (void)service;
    ledger_reader_close(own->reader);
    token_cache_free(own->tokens);
    shown_release(&own->shown);
    buf_release(&own->text);
    mem_free(own);
}

/* ---- begin: before the body ---- */

static bool takes_body(const struct op *op)
{
    for (const struct field *field = op->in->fields; field->wire; field++) {
        if (field->place == PLACE_BODY || field->place == PLACE_WHOLE)
            return true;
    }
    return false;
}

static void log_lockout(const struct http_request *request)
{
    char address[INET6_ADDRSTRLEN] = "";

    socklen_t size = request->peer->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                         : sizeof(struct sockaddr_in6);
    getnameinfo(request->peer, size, address, sizeof(address), NULL, 0, NI_NUMERICHOST);
    log_event(LOG_WARNING, "auth.locked_out", LOG_TEXT("address", address),
              LOG_TEXT("why", "too many bad tokens"), LOG_TEXT("request", request->id));
}

static int authorise(struct api *api, struct exchange *x, struct http_request *request,
                     struct refusal *why)
{
    struct api_loop *own = request->loop_owner;
    const struct op *op = x->match.op;
    struct access_answer answer;
    struct access_question question = {
        .authorization = request->authorization,
        .peer = request->peer,
        .now_us = clock_now_us(),
        .boot_us = request->received_us,
    };

    if (op->permission == PERMISSION_PUBLIC)
        return 0;
    int r = access_check(api->access, own->tokens, &question, &answer, why);
    request->retry_after_s = answer.retry_after_s;
    if (answer.locks_out)
        log_lockout(request);
    if (r)
        return r;
    x->token = *answer.token; /* the cache may drop it before the body is there */
    x->ctx.token = &x->token;
    return token_allows(&x->token, op->permission, why);
}

static int begin(void *service, struct http_request *request, size_t *body_max, struct refusal *why)
{
    struct api *api = service;
    struct api_loop *own = request->loop_owner;
    struct exchange *x = arena_alloc(request->arena, sizeof(*x));

    request->owner = x;
    int r = route_find(request->method, request->path, &x->match);
    if (r == OUTCOME_METHOD) {
        request->allow = x->match.allow;
        return refuse(why, r, NULL, "this path takes %s", x->match.allow);
    }
    if (r)
        return refuse(why, r, NULL, "there is no such path");
    r = authorise(api, x, request, why);
    if (r)
        return r;
    x->api = api;
    x->ctx.op = x->match.op;
    x->ctx.arena = request->arena;
    x->ctx.reader = own->reader;
    x->ctx.text = &own->text;
    x->ctx.core = api->core;
    x->ctx.bulk = api->bulk;
    x->ctx.openapi = buf_slice(&api->openapi);
    x->ctx.cursor_key = &api->cursor_key;
    if (!takes_body(x->match.op))
        *body_max = API_NO_BODY_MAX;
    return 0;
}

/* ---- serve ---- */

/* RFC 7240: a list of preferences, of which this is the one we know. */
static bool prefers_async(const char *prefer)
{
    struct slice rest = slice_of(prefer), item;
    bool more = rest.size > 0;

    while (more) {
        more = slice_cut(&rest, ',', &item);
        while (item.size && item.at[0] == ' ') {
            item.at++;
            item.size--;
        }
        while (item.size && item.at[item.size - 1] == ' ')
            item.size--;
        if (item.size == 13 && strncasecmp(item.at, "respond-async", 13) == 0)
            return true;
    }
    return false;
}

static int submit_route(struct exchange *x, const void *input, const struct node_target *shared)
{
    struct submission submission = {
        .op = x->ctx.op,
        .input = input,
        .target = shared->hostname,
        .target_field = "hostname",
        .wait_us = x->ctx.prefers_async ? 0 : shared->wait,
        .expires_us = shared->has_expires ? shared->expires : shared->wait,
        .sensitive = shared->sensitive,
    };

    return submission_make(&x->ctx, &submission);
}

static int decode_and_run(struct http_request *request, struct exchange *x)
{
    const struct op *op = x->ctx.op;
    struct op_request given = {.query = request->query, .body = request->body};
    void *input = arena_alloc(request->arena, op->in->size);
    void *shared = arena_alloc(request->arena, op_shared_in(op)->size);

    memcpy(given.path, x->match.path, sizeof(given.path));
    int r = op_decode(op, &given, request->arena, input, shared, &x->ctx.why);
    if (r)
        return r;
    x->ctx.prefers_async = prefers_async(request->prefer);
    x->ctx.now_us = clock_now_us();
    if (op_makes_run(op))
        return submit_route(x, input, shared);
    if (op_input_is_relative(op, input))
        x->etag[0] = '\0';
    x->out = arena_alloc(request->arena, op->out->size);
    return local_ops[op->id](&x->ctx, input, x->out);
}

/* The call is another thread's from here on. */
static void park(struct http_request *request, struct exchange *x)
{
    struct call *call = x->ctx.call;
    int64_t wait_us = CORE_ANSWER_US;

    if (call->kind == CALL_SUBMIT)
        uuid_format(&call->id, x->job_id);
    if (x->ctx.finish && x->ctx.wait_us)
        wait_us = x->ctx.wait_us;
    if (call->kind == CALL_SUBMIT && call->submit.until == CALL_UNTIL_FINAL)
        wait_us = x->ctx.wait_us > SUBMISSION_WAIT_MIN_US ? x->ctx.wait_us : SUBMISSION_WAIT_MIN_US;
    call->ticket = http_park(request, clock_boot_us() + wait_us);
    if (x->ctx.send)
        x->ctx.send(&x->ctx, call_ref(call));
    else
        core_send(x->ctx.core, call_ref(call));
}

static void serve(void *service, struct http_request *request)
{
    struct exchange *x = request->owner;

    (void)service;
    if (reply_known(request, x))
        return;
    int r = decode_and_run(request, x);
    if (r == OP_PARKED)
        park(request, x);
    else if (r)
        refuse_with(request, x, r);
    else
        reply_out(request, x);
}

/* ---- resumed ---- */

static void reply_answer(struct http_request *request, struct exchange *x)
{
    struct call *call = x->ctx.call;

    if (call->outcome) {
        if (call->why)
            x->ctx.why = *call->why;
        x->job_id[0] = '\0'; /* no job was made */
        refuse_with(request, x, call->outcome);
        return;
    }
    if (!x->ctx.finish && call->submit.until == CALL_UNTIL_RECORDED) {
        reply_recorded(request, x);
        return;
    }
    if (!x->ctx.finish) {
        reply_job(request, x, true);
        return;
    }
    int r = x->ctx.finish(&x->ctx, x->out);
    if (r)
        refuse_with(request, x, r);
    else
        reply_out(request, x);
}

static void resumed(void *service, struct http_request *request, enum http_wake why)
{
    struct exchange *x = request->owner;
    struct call *call = x->ctx.call;

    (void)service;
    (void)why; /* an answer that comes while the wait ends counts */
    if (call_is_answered(call))
        reply_answer(request, x);
    else if (!x->ctx.finish && x->ctx.wait_us)
        reply_job(request, x, false);
    else
        refuse_with(request, x,
                    refuse(&x->ctx.why, OUTCOME_UNAVAILABLE, NULL,
                           "the core does not answer; what was asked for may still be done"));
    call_drop_results(call);
    call_unref(call);
}

static void gone(void *service, struct http_request *request)
{
    struct exchange *x = request->owner;

    (void)service;
    if (!x || !x->ctx.call)
        return;
    call_drop_results(x->ctx.call);
    x->ctx.call = call_unref(x->ctx.call);
}

/* What stands in a path may be input: then the row's own path is logged. */
static struct slice logged_path(const struct http_request *request, const struct exchange *x)
{
    struct slice query = request->query;
    bool may_be_sensitive = query.at && memmem(query.at, query.size, "sensitive", 9);

    if (x && x->match.op && op_makes_run(x->match.op) && may_be_sensitive)
        return slice_of(x->match.op->path);
    return request->path;
}

static void replied(void *service, const struct http_request *request, int status, size_t body_size)
{
    const struct api *api = service;
    const struct exchange *x = request->owner;
    char path[256];

    int64_t duration_us = clock_boot_us() - request->received_us;
    metrics_replied(core_metrics(api->core), x ? x->match.op : NULL, status, duration_us);
    if (!log_shows(LOG_INFO))
        return;
    struct slice shown = logged_path(request, x);
    snprintf(path, sizeof(path), "%.*s", (int)shown.size, shown.at);
    log_event(LOG_INFO, "http.request", LOG_TEXT("method", request->method), LOG_TEXT("path", path),
              LOG_TEXT("op", x && x->match.op ? x->match.op->type : ""),
              LOG_NUMBER("status", status), LOG_NUMBER("bytes", body_size),
              LOG_NUMBER("us", duration_us), LOG_TEXT("request", request->id),
              LOG_TEXT("user", x && x->ctx.token ? x->token.subject : ""),
              LOG_TEXT("job", x ? x->job_id : ""));
}

const struct http_service api_service = {
    .loop_open = loop_open,
    .loop_close = loop_close,
    .begin = begin,
    .serve = serve,
    .resumed = resumed,
    .gone = gone,
    .replied = replied,
};

/* ---- the whole ---- */

struct api *api_new(struct ledger *ledger, struct core *core, struct bulk *bulk,
                    struct access *access)
{
    struct api *api = mem_alloc(sizeof(*api));

    api->ledger = ledger;
    api->core = core;
    api->bulk = bulk;
    api->access = access;
    etag_key_init(&api->etag_key);
    cursor_key_init(&api->cursor_key, access_key(access));
    buf_init(&api->openapi, OPENAPI_MAX);
    openapi_write(&api->openapi, version_text());
    return api;
}

void api_free(struct api *api)
{
    if (!api)
        return;
    buf_release(&api->openapi);
    mem_free(api);
}
