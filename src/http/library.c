/* SPDX-License-Identifier: MIT */
/*
 * libmicrohttpd, driven from outside (docs/decisions/http-library.md). The only file that includes
 * its header.
 *
 * It is built for 0.9.75 and 1.0.1. A callback looks up our object, calls exchange.c or loop.c, and
 * returns; what the library must do next is read off the exchange's state.
 */
#include "http/library.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>

#define FLAGS_BOTH                                                                                 \
    (MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |         \
     MHD_USE_SUPPRESS_DATE_NO_CLOCK)
#if MHD_VERSION >= 0x01000000
#define FLAGS  (FLAGS_BOTH | MHD_USE_NO_THREAD_SAFETY) /* one thread a daemon: no locks, no pipe */
#define STRICT MHD_OPTION_CLIENT_DISCIPLINE_LVL
#else
#define FLAGS  FLAGS_BOTH
#define STRICT MHD_OPTION_STRICT_FOR_CLIENT
#endif

#define STREAM_BLOCK ((size_t)16 << 10) /* what it asks a stream for at once, at most */

/*
 * Callbacks
 */

static struct connection *connection_of(struct MHD_Connection *library)
{
    return MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_connection(void *loop, struct MHD_Connection *library, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct connection *connection = *socket_context;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        connection->tls = NULL; /* freed already */
        connection_close(connection);
        return;
    }
    int fd = MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const union MHD_ConnectionInfo *tls =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    *socket_context = connection_begin(loop, fd, tls ? tls->tls_session : NULL);
}

/* The request line is read; what is returned comes back as *context. A request line without a
 * target has none. */
static void *on_request_line(void *loop, const char *target, struct MHD_Connection *library)
{
    (void)loop;
    return exchange_begin(connection_of(library), target ? target : "");
}

/* The service decodes. */
static size_t on_unescape(void *loop, struct MHD_Connection *library, char *text)
{
    (void)loop;
    (void)library;
    return strlen(text);
}

static enum MHD_Result on_header(void *headers, enum MHD_ValueKind kind, const char *name,
                                 size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    (void)value_size; /* values end with a NUL */
    headers_add(headers, (struct slice){.at = name, .size = name_size}, value ? value : "");
    return MHD_YES;
}

static void take_headers(struct exchange *exchange, struct MHD_Connection *library,
                         const char *method, const char *version)
{
    struct headers headers = {.size = 0};

    exchange->library = library;
    MHD_get_connection_values_n(library, MHD_HEADER_KIND, on_header, &headers);
    exchange_headers(exchange, &headers, method, version);
}

/* The library has headers, a piece of the body, or the end of the request; or it comes back after a
 * park. */
static void take_part(struct exchange *exchange, const char *bytes, size_t *size)
{
    if (exchange->state == EXCHANGE_RESUMED) {
        exchange_resume(exchange);
    } else if (exchange->state == EXCHANGE_BODY && *size > 0) {
        exchange_body(exchange, bytes, *size);
        *size = 0;
    } else if (exchange->state == EXCHANGE_BODY) {
        exchange_serve(exchange);
    }
}

/* Its parameters are the library's. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *loop, struct MHD_Connection *library, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **context)
{
    struct exchange *exchange = *context;

    (void)loop;
    (void)url;
    if (exchange->state == EXCHANGE_HEADERS)
        take_headers(exchange, library, method, version);
    else
        take_part(exchange, bytes, size);
    if (exchange->state == EXCHANGE_PARKED)
        MHD_suspend_connection(library);
    return exchange->state == EXCHANGE_CUT ? MHD_NO : MHD_YES;
}

static void on_end(void *loop, struct MHD_Connection *library, void **context,
                   enum MHD_RequestTerminationCode why)
{
    (void)loop;
    (void)library;
    (void)why;
    if (*context)
        exchange_end(*context);
    *context = NULL;
}

/*
 * The daemon
 */

int library_open(struct loop *loop)
{
    /* Turbo closes sockets without the word by which TLS tells an end from a cut. */
    unsigned flags =
        loop->server->has_tls ? (FLAGS & ~(unsigned)MHD_USE_TURBO) | MHD_USE_TLS : FLAGS;

    /* clang-format off */
    loop->library = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, loop,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEADER_MAX,
        MHD_OPTION_CONNECTION_LIMIT, loop->server->connections_max + 1, /* ours is checked before */
        MHD_OPTION_CONNECTION_TIMEOUT, loop->server->limits.idle_s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, loop,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, loop,
        MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, loop,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, loop,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        STRICT, 1,
        MHD_OPTION_HTTPS_CERT_CALLBACK, tls_no_certificate, /* ignored without TLS */
        MHD_OPTION_END);
    /* clang-format on */
    return loop->library ? 0 : FAULT(errno ? -errno : -ENOMEM);
}

void library_close(struct loop *loop)
{
    if (loop->library)
        MHD_stop_daemon(loop->library);
    loop->library = NULL;
}

int library_fd(const struct loop *loop)
{
    return MHD_get_daemon_info(loop->library, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int library_add(struct connection *connection)
{
    enum MHD_Result added =
        MHD_add_connection(connection->loop->library, connection->fd,
                           (const struct sockaddr *)&connection->peer, connection->peer_size);

    return added == MHD_YES ? 0 : FAULT(-errno);
}

int library_wait_ms(const struct loop *loop)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;

    if (MHD_get_timeout(loop->library, &wait_ms) != MHD_YES)
        return -1;
    return wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
}

void library_run(struct loop *loop)
{
    MHD_run(loop->library);
}

void library_resume(struct exchange *exchange)
{
    MHD_resume_connection(exchange->library);
}

/*
 * Replies
 */

static void free_body(void *bytes)
{
    mem_free(bytes);
}

/* The body's memory goes to the library, which sends from it and frees it. */
static struct MHD_Response *take_body(struct buf *body)
{
    static char nothing[1];

    if (!body || body->size == 0)
        return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(body->size, body->at, free_body);
    if (response)
        buf_init(body, body->cap);
    return response;
}

static void unref_body(void *body)
{
    http_body_unref(body);
}

static struct MHD_Response *share_body(struct http_body *body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        body->text.size, body->text.at, unref_body, body);

    if (response)
        http_body_ref(body);
    return response;
}

/* Its parameters are the library's. */
static ssize_t on_stream(void *exchange, uint64_t position, char *to, size_t room)
{
    size_t size;

    (void)position;
    int r = stream_read(exchange, to, room, &size);
    if (r < 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return r == HTTP_STREAM_END ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)size;
}

static struct MHD_Response *make_response(struct exchange *exchange, const struct http_reply *reply)
{
    if (reply->shared)
        return share_body(reply->shared);
    if (!reply->stream)
        return take_body(reply->body);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_stream, exchange,
                                             NULL);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value)
        MHD_add_response_header(response, name, value);
}

static void add_headers(struct MHD_Response *response, struct exchange *exchange,
                        const struct http_reply *reply)
{
    const char *type = reply->content_type ? reply->content_type : "application/json";

    bool has_body = exchange->reply_size > 0 || reply->stream;

    add_header(response, "Content-Type", has_body ? type : NULL);
    add_header(response, "Cache-Control", reply->etag ? "private, no-cache" : "no-store");
    add_header(response, "ETag", reply->etag);
    add_header(response, "Vary", reply->etag ? "Authorization" : NULL);
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "X-Request-ID", exchange->request.id);
    add_header(response, "Date", loop_date(exchange->connection->loop));
    add_header(response, "Allow", reply->allow);
    add_header(response, "Location", reply->location);
    add_header(response, "Retry-After", reply->retry_after);
    add_header(response, "WWW-Authenticate", reply->status == 401 ? "Bearer" : NULL);
    add_header(response, "Connection", exchange->closes ? "close" : NULL);
}

/* 0.9.75 ends even the absent body of a HEAD with the last chunk, which the client takes for its
   next reply: so no chunks there, and the connection closes. To say nothing of the length of what a
   304 stands for (RFC 9110 §15.4.5) is a later library's option; 0.9.75 says 0. */
static void set_options(struct MHD_Response *response, const struct exchange *exchange,
                        const struct http_reply *reply)
{
    if (reply->stream && exchange->is_head)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
#if MHD_VERSION >= 0x00097502
    if (reply->status == 304)
        MHD_set_response_options(response, MHD_RF_HEAD_ONLY_RESPONSE, MHD_RO_END);
#endif
}

bool library_reply(struct exchange *exchange, const struct http_reply *reply)
{
    struct MHD_Response *response = make_response(exchange, reply);

    if (!response)
        return false;
    add_headers(response, exchange, reply);
    set_options(response, exchange, reply);
    enum MHD_Result queued =
        MHD_queue_response(exchange->library, (unsigned)reply->status, response);
    MHD_destroy_response(response); /* drops our reference */
    return queued == MHD_YES;
}
