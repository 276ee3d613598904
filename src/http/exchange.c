/* SPDX-License-Identifier: MIT */
/*
 * One request: header checked, body gathered, service called, reply or park.
 *
 * Everything here is called from the library's callbacks or from the loop between two runs of the
 * library, in the loop's thread. A request that was refused while its body is still to come ends
 * its connection: what follows on it can't be told from a request.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "http/library.h"

#include <assert.h>

#define SPARE_BODY_MAX ((size_t)64 << 10) /* larger buffers are freed with the request */

static const struct http_service *service_of(const struct exchange *exchange)
{
    return exchange->connection->loop->server->service;
}

static void *owner_of(const struct exchange *exchange)
{
    return exchange->connection->loop->server->owner;
}

/*
 * Begin and end
 */

static struct exchange *exchange_take(struct loop *loop)
{
    struct exchange *exchange = loop->spare;

    if (!exchange) {
        exchange = mem_alloc(sizeof(*exchange));
        arena_init_secret(&exchange->arena); /* what clients send may be secret */
        buf_init_secret(&exchange->body, 0);
        return exchange;
    }
    loop->spare = exchange->next_spare;
    loop->n_spare--;
    *exchange = (struct exchange){.arena = exchange->arena, .body = exchange->body};
    return exchange;
}

static void refuse_target(struct exchange *exchange)
{
    struct refusal why;

    refuse(&why, OUTCOME_URI_TOO_LONG, NULL,
           "the path is longer or the query has more parameters than accepted");
    exchange_fail(exchange, &why, outcome_http(OUTCOME_URI_TOO_LONG), NULL);
    connection_shut(exchange->connection);
}

struct exchange *exchange_begin(struct connection *connection, const char *target)
{
    struct loop *loop = connection->loop;
    struct exchange *exchange = exchange_take(loop);

    exchange->connection = connection;
    exchange->state = connection->is_refused ? EXCHANGE_CUT : EXCHANGE_HEADERS;
    exchange->is_unread = true;
    exchange->request.loop = loop->number;
    exchange->request.peer = (const struct sockaddr *)&connection->peer;
    exchange->request.loop_owner = loop->owner;
    exchange->request.arena = &exchange->arena;
    /* The library overwrites its copy when it splits the target. */
    target_split(arena_strdup(&exchange->arena, target), &exchange->request.path,
                 &exchange->request.query);
    connection->exchange = exchange;
    if (connection->state == CONNECTION_IDLE) { /* came together with the request before it */
        connection->first_byte_us = clock_boot_us();
        connection_set_state(connection, CONNECTION_RECEIVING);
    }
    if (!target_fits(target_size(exchange->request.path, exchange->request.query)))
        refuse_target(exchange);
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    arena_release(&exchange->arena);
    buf_release(&exchange->body);
    mem_free(exchange);
}

static void exchange_put(struct loop *loop, struct exchange *exchange)
{
    if (loop->n_spare == SPARE_EXCHANGES) {
        exchange_free(exchange);
        return;
    }
    arena_reset(&exchange->arena);
    buf_clear(&exchange->body);
    if (exchange->body.room > SPARE_BODY_MAX)
        buf_release(&exchange->body);
    exchange->next_spare = loop->spare;
    loop->spare = exchange;
    loop->n_spare++;
}

void exchanges_free(struct loop *loop)
{
    while (loop->spare) {
        struct exchange *exchange = loop->spare;
        loop->spare = exchange->next_spare;
        exchange_free(exchange);
    }
}

/* Tells the service that its part ended without a reply of its own. */
static void exchange_gone(struct exchange *exchange)
{
    if (!exchange->has_begun)
        return;
    exchange->has_begun = false;
    service_of(exchange)->gone(owner_of(exchange), &exchange->request);
    exchange->request.owner = NULL;
}

void exchange_end(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;

    if (exchange->state == EXCHANGE_PARKED)
        park_remove(&connection->loop->parked, exchange->park_number);
    atomic_fetch_sub(&connection->loop->server->n_unsent, exchange->n_unsent);
    stream_close(exchange);
    if (!exchange->reply_status)
        exchange_gone(exchange);
    else if (exchange->request.method)
        service_of(exchange)->replied(owner_of(exchange), &exchange->request,
                                      exchange->reply_status, exchange->reply_size);
    connection->exchange = NULL;
    /* A connection that is closed while it receives lingers. */
    if (exchange->is_unread)
        connection_set_state(connection, CONNECTION_RECEIVING);
    else
        connection_rest(connection);
    exchange_put(connection->loop, exchange);
}

void exchange_fail(struct exchange *exchange, const struct refusal *why, int status,
                   const char *reason)
{
    struct connection *connection = exchange->connection;
    CLEANUP(buf_release) struct buf text;

    if (!exchange->request.id[0])
        loop_make_id(connection->loop, exchange->request.id);
    exchange_gone(exchange);
    exchange->reply_status = status;
    exchange->state = EXCHANGE_CUT;
    error_reply(connection->loop, why, status, reason, exchange->request.id, &text);
    connection_say(connection, buf_slice(&text));
}

/*
 * Headers
 */

static void fill_request(struct exchange *exchange, const struct headers *headers,
                         const char *method)
{
    struct http_request *request = &exchange->request;
    const char *id = headers->known[HEADER_X_REQUEST_ID].value;

    exchange->is_head = strcmp(method, "HEAD") == 0;
    request->method = exchange->is_head ? "GET" : method;
    request->authorization = headers->known[HEADER_AUTHORIZATION].value;
    request->content_type = headers->known[HEADER_CONTENT_TYPE].value;
    request->if_none_match = headers->known[HEADER_IF_NONE_MATCH].value;
    request->prefer = headers->known[HEADER_PREFER].value;
    request->received_us = clock_boot_us();
    if (request_id_is_good(id))
        snprintf(request->id, sizeof(request->id), "%s", id);
    else
        loop_make_id(exchange->connection->loop, request->id);
}

/* The service's part is over, the answer is ours. */
static void refuse_request(struct exchange *exchange, const struct guard_refusal *refused)
{
    exchange_gone(exchange);
    http_refuse(&exchange->request, &refused->why, refused->status, refused->reason, NULL);
}

static int refuse_size(size_t body_max, struct guard_refusal *ret)
{
    return refuse(&ret->why, OUTCOME_TOO_LARGE, NULL,
                  "the body is larger than the %zu bytes accepted here", body_max);
}

static int begin_service(struct exchange *exchange, size_t *body_max, struct guard_refusal *ret)
{
    int r;

    r = service_of(exchange)->begin(owner_of(exchange), &exchange->request, body_max, &ret->why);
    if (r < 0)
        return refuse(&ret->why, OUTCOME_FAULT, NULL, "%s", outcome_sentence(OUTCOME_FAULT));
    exchange->has_begun = r == 0;
    return r;
}

/* Token and permission come before anything about the body, as begin() checks them. */
static int check_request(struct exchange *exchange, const struct headers *headers,
                         struct guard_refusal *ret)
{
    size_t body_max = HTTP_BODY_MAX;
    uint64_t size;
    int r;

    r = begin_service(exchange, &body_max, ret);
    if (r)
        return r;
    buf_clear(&exchange->body);
    exchange->body.cap = body_max;
    if (!headers_have_body(headers, &size))
        return 0;
    r = encoding_check(headers->known[HEADER_CONTENT_ENCODING].value, &ret->why);
    if (r)
        return r;
    if (size == UINT64_MAX && !exchange->request.content_type)
        return 0; /* chunks: maybe none, and then it needs no type */
    if (size != UINT64_MAX && size > body_max)
        return refuse_size(body_max, ret);
    return type_check(exchange->request.content_type, &ret->why);
}

/* With the body still to come: the connection ends with the refusal. */
static void refuse_at_once(struct exchange *exchange, const struct guard_refusal *refused)
{
    exchange->closes = true;
    if (refused->why.outcome == OUTCOME_HEADERS) /* the library has no memory left for its reply */
        exchange_fail(exchange, &refused->why, outcome_http(OUTCOME_HEADERS), NULL);
    else
        refuse_request(exchange, refused);
}

void exchange_headers(struct exchange *exchange, const struct headers *headers, const char *method,
                      const char *version)
{
    size_t size_of_target = target_size(exchange->request.path, exchange->request.query);
    struct guard_refusal refused = {.status = 0};
    uint64_t size;
    int r;

    fill_request(exchange, headers, method);
    r = headers_check(headers, method, size_of_target, version, &refused);
    if (r) {
        refuse_at_once(exchange, &refused);
        return;
    }
    r = check_request(exchange, headers, &refused);
    if (r && headers_have_body(headers, &size)) {
        refuse_at_once(exchange, &refused);
        return;
    }
    exchange->state = EXCHANGE_BODY;
    if (!r)
        return;
    /* A reply now would make the library close the connection; after the (empty) body it does not.
     */
    exchange->refused = arena_alloc(&exchange->arena, sizeof(refused));
    *exchange->refused = refused;
}

/*
 * Body
 */

/* Chunks over the limit. The library takes no reply while a body comes in, and reading on would be
 * for nothing. */
static void fail_too_large(struct exchange *exchange)
{
    struct guard_refusal refused = {.status = 0};

    refuse_size(exchange->body.cap, &refused);
    exchange_fail(exchange, &refused.why, outcome_http(OUTCOME_TOO_LARGE), NULL);
}

void exchange_body(struct exchange *exchange, const void *bytes, size_t size)
{
    buf_add(&exchange->body, bytes, size);
    if (buf_overflowed(&exchange->body))
        fail_too_large(exchange);
}

/*
 * Service
 */

static void assert_answered(const struct exchange *exchange)
{
    assert(exchange->state == EXCHANGE_REPLIED || exchange->state == EXCHANGE_PARKED ||
           exchange->state == EXCHANGE_CUT);
}

void exchange_serve(struct exchange *exchange)
{
    struct guard_refusal refused = {.status = 0};

    exchange->is_unread = false;
    exchange->state = EXCHANGE_SERVING;
    connection_set_state(exchange->connection, CONNECTION_BUSY);
    exchange->request.body = buf_slice(&exchange->body);
    if (exchange->refused)
        refuse_request(exchange, exchange->refused);
    else if (exchange->body.size > 0 && type_check(exchange->request.content_type, &refused.why))
        refuse_request(exchange, &refused);
    else
        service_of(exchange)->serve(owner_of(exchange), &exchange->request);
    assert_answered(exchange);
}

void exchange_resume(struct exchange *exchange)
{
    exchange->state = EXCHANGE_SERVING;
    service_of(exchange)->resumed(owner_of(exchange), &exchange->request, exchange->why);
    assert_answered(exchange);
}

void exchange_abandon(struct exchange *exchange)
{
    assert(exchange->state == EXCHANGE_PARKED || exchange->state == EXCHANGE_RESUMED);
    if (exchange->state == EXCHANGE_PARKED) {
        park_remove(&exchange->connection->loop->parked, exchange->park_number);
        library_resume(exchange);
    }
    exchange->state = EXCHANGE_CUT;
    exchange_gone(exchange);
}

/*
 * What the service calls
 */

static struct exchange *exchange_of(struct http_request *request)
{
    return (struct exchange *)(void *)request;
}

bool exchange_hold(struct exchange *exchange, size_t size)
{
    struct http_server *server = exchange->connection->loop->server;
    size_t others = atomic_fetch_add(&server->n_unsent, size) - exchange->n_unsent;

    if (size > HTTP_SMALL_REPLY && others + size > server->limits.unsent_max) {
        atomic_fetch_sub(&server->n_unsent, size);
        return false;
    }
    atomic_fetch_sub(&server->n_unsent, exchange->n_unsent);
    exchange->n_unsent = size;
    return true;
}

static void refuse_unsent(struct http_request *request, const char *job_id)
{
    struct refusal why;

    refuse(&why, OUTCOME_UNAVAILABLE, NULL,
           "clients have too many replies to read, try again later");
    http_refuse(request, &why, 0, "unread", job_id);
}

static size_t body_size(const struct http_reply *reply)
{
    if (reply->shared)
        return http_body_text(reply->shared).size;
    return reply->body ? reply->body->size : 0;
}

void http_reply(struct http_request *request, const struct http_reply *reply)
{
    struct exchange *exchange = exchange_of(request);
    size_t size = body_size(reply);

    assert(exchange->state == EXCHANGE_SERVING || exchange->state == EXCHANGE_HEADERS);
    if (!exchange_hold(exchange, reply->stream ? HTTP_STREAM_PIECE : size)) {
        if (reply->stream)
            reply->stream->free(reply->stream->owner);
        refuse_unsent(request, reply->job_id);
        return;
    }
    if (loop_is_stopping(exchange->connection->loop))
        exchange->closes = true;
    exchange->reply_size = size;
    if (reply->stream)
        stream_open(exchange, reply->stream);
    if (!library_reply(exchange, reply)) {
        exchange->state = EXCHANGE_CUT;
        return;
    }
    exchange->reply_status = reply->status;
    exchange->state = EXCHANGE_REPLIED;
}

struct http_ticket http_park(struct http_request *request, int64_t until_boot_us)
{
    struct exchange *exchange = exchange_of(request);
    struct loop *loop = exchange->connection->loop;

    assert(exchange->state == EXCHANGE_SERVING);
    /* A client that has left already has had its event: the loop comes round to it at once. */
    exchange->park_number =
        park_add(&loop->parked, exchange, exchange->connection->peer_left ? 0 : until_boot_us);
    exchange->state = EXCHANGE_PARKED;
    return (struct http_ticket){.loop = loop->number, .number = exchange->park_number};
}
