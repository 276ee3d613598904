/* SPDX-License-Identifier: MIT */
/*
 * The tests' service and their client.
 */
#include "http/fixture.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Nothing takes so long, also not under a sanitizer on a busy machine. */
#define PATIENCE_MS 10000

/*
 * The service
 */

static int service_loop_open(void *owner, unsigned loop, void **ret)
{
    struct service *service = owner;

    (void)loop;
    atomic_fetch_add(&service->n_loops, 1);
    *ret = service;
    return 0;
}

static void service_loop_close(void *owner, void *loop_owner)
{
    struct service *service = owner;

    assert_ptr_equal(owner, loop_owner);
    atomic_fetch_sub(&service->n_loops, 1);
}

static int service_begin(void *owner, struct http_request *request, size_t *body_max,
                         struct refusal *why)
{
    struct service *service = owner;

    if (slice_is(request->path, "/deny"))
        return refuse(why, OUTCOME_UNAUTHORIZED, NULL, "Bearer token required");
    if (slice_is(request->path, "/method")) {
        request->allow = "POST";
        return refuse(why, OUTCOME_METHOD, NULL, "the path takes POST");
    }
    if (slice_is(request->path, "/fault"))
        return FAULT(-EIO);
    if (slice_is(request->path, "/small"))
        *body_max = 10;
    atomic_fetch_add(&service->n_begun, 1);
    request->owner = service;
    return 0;
}

static void reply_text(struct http_request *request, int status, struct slice text)
{
    struct buf body;
    struct http_reply reply = {.status = status, .body = &body};

    buf_init(&body, REPLY_MAX);
    buf_add_slice(&body, text);
    http_reply(request, &reply);
    assert_true(body.size == 0);
    buf_release(&body);
}

static void reply_facts(struct http_request *request)
{
    struct buf text;

    buf_init(&text, 4096);
    buf_printf(&text, "%s %.*s %.*s auth=%s prefer=%s", request->method, (int)request->path.size,
               request->path.at, (int)request->query.size, request->query.at,
               request->authorization ? request->authorization : "-",
               request->prefer ? request->prefer : "-");
    reply_text(request, 200, buf_slice(&text));
    buf_release(&text);
}

static void reply_big(struct http_request *request)
{
    struct buf body;

    buf_init(&body, BIG_SIZE);
    memset(buf_reserve(&body, BIG_SIZE), 'x', BIG_SIZE);
    body.size = BIG_SIZE;
    http_reply(request,
               &(struct http_reply){.status = 200, .content_type = "text/plain", .body = &body});
    buf_release(&body); /* was refused */
}

static void reply_tagged(struct http_request *request)
{
    struct buf body;
    struct http_reply reply = {.status = 200, .etag = "\"t\"", .body = &body};

    buf_init(&body, REPLY_MAX);
    buf_add_text(&body, request->if_none_match ? request->if_none_match : "-");
    http_reply(request, &reply);
    buf_release(&body);
}

/* Of a reply, in its request's arena. */
struct source {
    struct service *service;
    bool is_cut, is_endless;
    int n_pieces;
};

static int source_next(void *owner, struct buf *to)
{
    struct source *source = owner;

    if (source->is_endless) {
        memset(buf_reserve(to, HTTP_STREAM_PIECE), 'x', HTTP_STREAM_PIECE);
        to->size += HTTP_STREAM_PIECE;
        return 0;
    }
    if (source->n_pieces == STREAM_PIECES)
        return source->is_cut ? FAULT(-EIO) : HTTP_STREAM_END;
    for (int i = 0; i < 10000 * source->n_pieces + 1; i++) /* smaller and larger than any buffer */
        buf_add_char(to, (char)('a' + source->n_pieces));
    source->n_pieces++;
    return 0;
}

static void source_free(void *owner)
{
    struct source *source = owner;

    atomic_fetch_sub(&source->service->n_streams, 1);
}

static void reply_stream(struct service *service, struct http_request *request)
{
    struct source *source = arena_alloc(request->arena, sizeof(*source));
    struct http_stream stream = {.next = source_next, .free = source_free, .owner = source};

    source->service = service;
    source->is_cut = slice_is(request->query, "cut");
    source->is_endless = slice_is(request->query, "endless");
    atomic_fetch_add(&service->n_streams, 1);
    http_reply(request,
               &(struct http_reply){.status = 200, .content_type = "text/x", .stream = &stream});
}

static void park(struct service *service, struct http_request *request, int64_t wait_us)
{
    struct http_ticket ticket = http_park(request, clock_boot_us() + wait_us);

    atomic_store(&service->last_ticket, ticket.number);
    atomic_store(&service->last_ticket_loop, ticket.loop);
    atomic_fetch_add(&service->n_parked, 1);
}

static void service_serve(void *owner, struct http_request *request)
{
    struct service *service = owner;

    assert_ptr_equal(request->owner, service);
    assert_ptr_equal(request->loop_owner, service);
    atomic_fetch_add(&service->n_served, 1);
    if (slice_is(request->path, "/park") || slice_is(request->path, "/park-again"))
        park(service, request, 60 * US_PER_S);
    else if (slice_is(request->path, "/wait"))
        park(service, request, 50 * US_PER_MS);
    else if (slice_is(request->path, "/slow"))
        park(service, request, 300 * US_PER_MS);
    else if (slice_is(request->path, "/big"))
        reply_big(request);
    else if (slice_is(request->path, "/none"))
        http_reply(request, &(struct http_reply){.status = 204});
    else if (slice_is(request->path, "/tagged"))
        reply_tagged(request);
    else if (slice_is(request->path, "/same"))
        http_reply(request, &(struct http_reply){.status = 304, .etag = "\"t\""});
    else if (slice_is(request->path, "/stream"))
        reply_stream(service, request);
    else if (slice_starts(request->path, "/facts"))
        reply_facts(request);
    else
        reply_text(request, 200, request->body);
}

static void service_resumed(void *owner, struct http_request *request, enum http_wake why)
{
    struct service *service = owner;

    if (atomic_fetch_add(&service->n_resumed, 1) == 0 && slice_is(request->path, "/park-again"))
        park(service, request, 60 * US_PER_S);
    else
        reply_text(request, 200, why == HTTP_WOKEN ? SLICE("woken") : SLICE("waited out"));
}

static void service_gone(void *owner, struct http_request *request)
{
    struct service *service = owner;

    assert_ptr_equal(request->owner, service);
    atomic_fetch_add(&service->n_gone, 1);
}

static void service_replied(void *owner, const struct http_request *request, int status,
                            size_t size)
{
    struct service *service = owner;

    assert_non_null(request->method);
    atomic_store(&service->last_status, status);
    atomic_store(&service->last_size, size);
    atomic_fetch_add(&service->n_replied, 1);
}

const struct http_service fixture_service = {
    .loop_open = service_loop_open,
    .loop_close = service_loop_close,
    .begin = service_begin,
    .serve = service_serve,
    .resumed = service_resumed,
    .gone = service_gone,
    .replied = service_replied,
};

static const struct http_limits usual = {
    .request_us = HTTP_REQUEST_US,
    .idle_s = HTTP_IDLE_S,
    .leave_us = HTTP_LEAVE_US,
    .unsent_max = HTTP_UNSENT_MAX,
};
static const struct http_limits hasty = {
    .request_us = 300 * US_PER_MS,
    .idle_s = 1,
    .leave_us = HTTP_LEAVE_US,
    .unsent_max = HTTP_UNSENT_MAX,
};
static const struct http_limits tight = {
    .request_us = HTTP_REQUEST_US,
    .idle_s = HTTP_IDLE_S,
    .leave_us = HTTP_LEAVE_US,
    .unsent_max = BIG_SIZE * 2,
};

static int open_service(struct service *service, unsigned n_loops, unsigned connections_max,
                        const struct http_limits *limits)
{
    struct refusal why;
    struct http_options options = {
        .listen = "127.0.0.1",
        .n_loops = n_loops,
        .connections_max = connections_max,
        .service = &fixture_service,
        .owner = service,
    };

    if (service->has_tls)
        options.tls = tls_files_http(&service->files);
    if (http_open_limited(&options, limits, &service->server, &why))
        fail_msg("%s", why.text);
    return 0;
}

static int setup_with(void **state, unsigned n_loops, unsigned connections_max,
                      const struct http_limits *limits)
{
    struct service *service = mem_alloc(sizeof(*service));

    *state = service;
    return open_service(service, n_loops, connections_max, limits);
}

static int setup_tls_with(void **state, unsigned n_loops, unsigned connections_max,
                          const struct http_limits *limits)
{
    struct service *service = mem_alloc(sizeof(*service));

    *state = service;
    service->has_tls = true;
    tls_files_make(&service->files, "first", clock_now_us() / US_PER_S + 86400);
    return open_service(service, n_loops, connections_max, limits);
}

int service_setup(void **state)
{
    return setup_with(state, 1, 1000, &usual);
}

int service_setup_hasty(void **state)
{
    return setup_with(state, 1, 1000, &hasty);
}

int service_setup_wide(void **state)
{
    return setup_with(state, 2, 1000, &usual);
}

int service_setup_narrow(void **state)
{
    return setup_with(state, 2, 4, &usual);
}

int service_setup_tight(void **state)
{
    return setup_with(state, 2, 1000, &tight);
}

int service_setup_tls(void **state)
{
    return setup_tls_with(state, 1, 1000, &usual);
}

int service_setup_hasty_tls(void **state)
{
    return setup_tls_with(state, 1, 1000, &hasty);
}

int service_setup_wide_tls(void **state)
{
    return setup_tls_with(state, 2, 1000, &usual);
}

int service_setup_narrow_tls(void **state)
{
    return setup_tls_with(state, 2, 4, &usual);
}

int service_setup_tight_tls(void **state)
{
    return setup_tls_with(state, 2, 1000, &tight);
}

int service_teardown(void **state)
{
    struct service *service = *state;

    if (service->server)
        http_close(service->server);
    assert_int_equal(atomic_load(&service->n_loops), 0);
    if (service->has_tls)
        tls_files_remove(&service->files);
    mem_free(service);
    return 0;
}

void wait_count(const atomic_uint *count, unsigned n)
{
    for (int i = 0; i < PATIENCE_MS && atomic_load(count) < n; i++)
        usleep(1000);
    assert_int_equal(atomic_load(count), n);
}

void wait_connections(const struct service *service, unsigned n)
{
    const atomic_uint *now = &service->server->n_connections;

    for (int i = 0; i < PATIENCE_MS && atomic_load(now) != n; i++)
        usleep(1000);
    assert_int_equal(atomic_load(now), n);
}

void service_wake(struct service *service)
{
    http_wake(service->server, (struct http_ticket){
                                   .loop = atomic_load(&service->last_ticket_loop),
                                   .number = atomic_load(&service->last_ticket),
                               });
}

int64_t us_since(int64_t start_boot_us)
{
    return clock_boot_us() - start_boot_us;
}

/*
 * The client
 */

struct client client_open_plain(const struct service *service)
{
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(http_port(service->server)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    assert_true(client.fd >= 0);
    assert_int_equal(connect(client.fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    buf_init(&client.in, REPLY_MAX);
    return client;
}

struct client client_open(const struct service *service)
{
    struct client client = client_open_plain(service);

    if (service->has_tls)
        client.tls = tls_client_open(client.fd, "NORMAL");
    assert_int_equal(client.tls != NULL, service->has_tls);
    return client;
}

void client_close(struct client *client)
{
    tls_client_close(client->tls);
    close(client->fd);
    buf_release(&client->in);
}

void client_send(const struct client *client, const char *text)
{
    if (client->tls)
        tls_client_send(client->tls, text, strlen(text));
    else
        send(client->fd, text, strlen(text), MSG_NOSIGNAL);
}

bool client_read(struct client *client)
{
    struct pollfd ready = {.fd = client->fd, .events = POLLIN};
    char bytes[65536];

    if (!(client->tls && tls_client_has_read_ahead(client->tls)) &&
        poll(&ready, 1, PATIENCE_MS) != 1)
        fail_msg("the server says nothing");
    ssize_t n = client->tls ? tls_client_read(client->tls, bytes, sizeof(bytes))
                            : recv(client->fd, bytes, sizeof(bytes), 0);
    if (n > 0)
        buf_add(&client->in, bytes, (size_t)n);
    return n > 0;
}

static void drop_taken(struct client *client, size_t size)
{
    memmove(client->in.at, client->in.at + size, client->in.size - size);
    client->in.size -= size;
}

bool reply_header(const struct reply *reply, const char *name, char *value, size_t size)
{
    char line[64];

    snprintf(line, sizeof(line), "\r\n%s: ", name);
    const char *at = strcasestr(reply->header, line);
    if (!at)
        return false;
    at += strlen(line);
    snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at);
    return true;
}

static struct reply read_reply(struct client *client, bool is_head)
{
    static char body[REPLY_MAX + 1];
    struct reply reply = {.body = body};
    char length[32];
    char *end;

    while (!(end = strstr(buf_text(&client->in), "\r\n\r\n")))
        if (!client_read(client))
            return reply;
    size_t header_size = (size_t)(end - client->in.at) + 4;
    assert_true(header_size < sizeof(reply.header));
    memcpy(reply.header, client->in.at, header_size);
    drop_taken(client, header_size);
    reply.status = (int)strtol(reply.header + strlen("HTTP/1.1 "), NULL, 10);
    if (!is_head && reply_header(&reply, "Content-Length", length, sizeof(length)))
        reply.body_size = strtoul(length, NULL, 10);
    while (client->in.size < reply.body_size)
        assert_true(client_read(client));
    if (reply.body_size > 0)
        memcpy(body, client->in.at, reply.body_size);
    body[reply.body_size] = '\0';
    drop_taken(client, reply.body_size);
    return reply;
}

struct reply client_reply(struct client *client)
{
    return read_reply(client, false);
}

struct reply client_reply_to_head(struct client *client)
{
    return read_reply(client, true);
}

struct reply client_ask(struct client *client, const char *text)
{
    client_send(client, text);
    return client_reply(client);
}

struct reply service_ask(const struct service *service, const char *text)
{
    struct client client = client_open(service);
    struct reply reply = client_ask(&client, text);

    client_close(&client);
    return reply;
}

void assert_ended(struct client *client)
{
    while (client_read(client))
        ;
}

void assert_header(const struct reply *reply, const char *name, const char *value)
{
    char found[256] = "";

    reply_header(reply, name, found, sizeof(found));
    assert_string_equal(found, value);
}

void assert_error(const struct reply *reply, int status, const char *reason, const char *text)
{
    struct slice body = {.at = reply->body, .size = reply->body_size};
    struct json error, member;
    struct refusal why;
    int64_t code = 0;

    assert_int_equal(reply->status, status);
    assert_header(reply, "Content-Type", "application/json");
    assert_int_equal(json_check(body, 20, &error, &why), 0);
    assert_true(json_member(error, "code", &member) && json_i64(member, &code));
    assert_int_equal(code, status);
    assert_true(json_member(error, "reason", &member) && json_string_is(member, reason));
    assert_true(json_member(error, "request_id", &member) && member.kind == JSON_STRING);
    if (!strstr(reply->body, text))
        fail_msg("%s does not say \"%s\"", reply->body, text);
}

void assert_refused(const struct service *service, const char *request, int status,
                    const char *reason, const char *text)
{
    struct client client = client_open(service);
    struct reply reply = client_ask(&client, request);

    if (reason)
        assert_error(&reply, status, reason, text);
    else if (reply.status != status)
        fail_msg("%d instead of %d for %s", reply.status, status, request);
    assert_header(&reply, "Connection", "close");
    assert_ended(&client);
    client_close(&client);
}
