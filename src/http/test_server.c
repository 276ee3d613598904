/* SPDX-License-Identifier: MIT */
/*
 * The server over real sockets, with a service that does what the path says.
 *
 * Deadlines are shortened, not faked. Where a test must know that the server has done something, it
 * waits for the service's own count of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "http/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS                                                                                \
    10000 /* nothing here takes so long, also not under a sanitizer on a busy machine */
#define REPLY_MAX ((size_t)4 << 20)
#define BIG_SIZE  ((size_t)2 << 20)
#define JSON      "Content-Type: application/json\r\n"

/*
 * The service
 */

struct service {
    struct http_server *server;
    atomic_uint n_begun, n_served, n_resumed, n_parked, n_gone, n_replied, n_loops;
    atomic_int last_status;
    atomic_size_t last_size;
    _Atomic uint64_t last_ticket;
    atomic_uint last_ticket_loop;
};

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
    buf_printf(&text, "%s %.*s %.*s auth=%s prefer=%s tag=%s", request->method,
               (int)request->path.size, request->path.at, (int)request->query.size,
               request->query.at, request->authorization ? request->authorization : "-",
               request->prefer ? request->prefer : "-",
               request->if_none_match ? request->if_none_match : "-");
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

static const struct http_service test_service = {
    .loop_open = service_loop_open,
    .loop_close = service_loop_close,
    .begin = service_begin,
    .serve = service_serve,
    .resumed = service_resumed,
    .gone = service_gone,
    .replied = service_replied,
};

static void open_server(struct service *service, unsigned n_loops, unsigned connections_max,
                        struct http_limits limits)
{
    struct refusal why;
    const struct http_options options = {
        .listen = "127.0.0.1",
        .n_loops = n_loops,
        .connections_max = connections_max,
        .service = &test_service,
        .owner = service,
    };

    if (http_open_limited(&options, &limits, &service->server, &why))
        fail_msg("%s", why.text);
}

static const struct http_limits usual = {.request_us = HTTP_REQUEST_US, .idle_s = HTTP_IDLE_S};
static const struct http_limits hasty = {.request_us = 300 * US_PER_MS, .idle_s = 1};

static int setup_with(void **state, unsigned n_loops, unsigned connections_max,
                      struct http_limits limits)
{
    struct service *service = mem_alloc(sizeof(*service));

    open_server(service, n_loops, connections_max, limits);
    *state = service;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, 1, 1000, usual);
}

static int setup_hasty(void **state)
{
    return setup_with(state, 1, 1000, hasty);
}

static int setup_wide(void **state)
{
    return setup_with(state, 2, 1000, usual);
}

static int setup_narrow(void **state)
{
    return setup_with(state, 2, 4, usual);
}

static int teardown(void **state)
{
    struct service *service = *state;

    if (service->server)
        http_close(service->server, 0);
    assert_int_equal(atomic_load(&service->n_loops), 0);
    mem_free(service);
    return 0;
}

/* Waits until a count of the service's is what it must become. */
static void wait_count(const atomic_uint *count, unsigned n)
{
    for (int i = 0; i < PATIENCE_MS && atomic_load(count) < n; i++)
        usleep(1000);
    assert_int_equal(atomic_load(count), n);
}

static void wait_connections(const struct service *service, unsigned n)
{
    for (int i = 0; i < PATIENCE_MS && http_connections(service->server) != n; i++)
        usleep(1000);
    assert_int_equal(http_connections(service->server), n);
}

static void wake(struct service *service)
{
    http_wake(service->server, (struct http_ticket){
                                   .loop = atomic_load(&service->last_ticket_loop),
                                   .number = atomic_load(&service->last_ticket),
                               });
}

/*
 * The client
 */

struct client {
    int fd;
    struct buf in; /* read and not yet taken */
};

struct reply {
    int status; /* 0: the connection ended before a reply */
    char header[4096];
    char *body; /* of the client's; valid until its next reply */
    size_t body_size;
};

static struct client client_open(const struct service *service)
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

static void client_close(struct client *client)
{
    close(client->fd);
    buf_release(&client->in);
}

/* What the server no longer wants may fail to go out; the test looks at the reply. */
static void client_send(const struct client *client, const char *text)
{
    send(client->fd, text, strlen(text), MSG_NOSIGNAL);
}

/* False at the end of the connection. */
static bool client_read(struct client *client)
{
    struct pollfd ready = {.fd = client->fd, .events = POLLIN};
    char bytes[65536];

    if (poll(&ready, 1, PATIENCE_MS) != 1)
        fail_msg("the server says nothing");
    ssize_t n = recv(client->fd, bytes, sizeof(bytes), 0);
    if (n > 0)
        buf_add(&client->in, bytes, (size_t)n);
    return n > 0;
}

static void drop_taken(struct client *client, size_t size)
{
    memmove(client->in.at, client->in.at + size, client->in.size - size);
    client->in.size -= size;
}

static bool header_value(const char *header, const char *name, char *value, size_t size)
{
    char line[64];

    snprintf(line, sizeof(line), "\r\n%s: ", name);
    const char *at = strcasestr(header, line);
    if (!at)
        return false;
    at += strlen(line);
    snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at);
    return true;
}

static struct reply client_reply_to(struct client *client, bool is_head)
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
    if (!is_head && header_value(reply.header, "Content-Length", length, sizeof(length)))
        reply.body_size = strtoul(length, NULL, 10);
    while (client->in.size < reply.body_size)
        assert_true(client_read(client));
    if (reply.body_size > 0)
        memcpy(body, client->in.at, reply.body_size);
    body[reply.body_size] = '\0';
    drop_taken(client, reply.body_size);
    return reply;
}

static struct reply client_reply(struct client *client)
{
    return client_reply_to(client, false);
}

static void assert_ended(struct client *client)
{
    while (client_read(client))
        ;
}

static struct reply ask(const struct service *service, const char *text)
{
    struct client client = client_open(service);

    client_send(&client, text);
    struct reply reply = client_reply(&client);
    client_close(&client);
    return reply;
}

static void assert_header(const struct reply *reply, const char *name, const char *value)
{
    char found[256] = "";

    header_value(reply->header, name, found, sizeof(found));
    assert_string_equal(found, value);
}

/* An error in the one shape, that says `text`. */
static void assert_error(const struct reply *reply, int status, const char *reason,
                         const char *text)
{
    struct slice body = {.at = reply->body, .size = reply->body_size};
    struct json error, member;
    struct refusal why;
    int64_t code;

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

/* A request that must end its connection; `reason` NULL: the library's own words are taken too. */
static void assert_refused(const struct service *service, const char *request, int status,
                           const char *reason, const char *text)
{
    struct client client = client_open(service);

    client_send(&client, request);
    struct reply reply = client_reply(&client);
    if (reason)
        assert_error(&reply, status, reason, text);
    else if (reply.status != status)
        fail_msg("%d instead of %d for %s", reply.status, status, request);
    assert_header(&reply, "Connection", "close");
    assert_ended(&client);
    client_close(&client);
}

/*
 * Requests and replies
 */

static void a_request_is_answered_with_the_headers_of_every_reply(void **state)
{
    struct service *service = *state;
    struct reply reply =
        ask(service, "GET /facts/a%2Fb?x=%20&y HTTP/1.1\r\nHost: h\r\nX-Request-ID: my.id-1\r\n"
                     "Authorization: Bearer t\r\nPrefer: p\r\nIf-None-Match: \"e\"\r\n\r\n");
    char date[64];

    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "GET /facts/a%2Fb x=%20&y auth=Bearer t prefer=p tag=\"e\"");
    assert_header(&reply, "Content-Type", "application/json");
    assert_header(&reply, "Cache-Control", "no-store");
    assert_header(&reply, "X-Request-ID", "my.id-1");
    assert_true(header_value(reply.header, "Date", date, sizeof(date)));
    assert_int_equal(strlen(date), strlen("Tue, 24 Nov 2026 06:12:28 GMT"));
    wait_count(&service->n_replied, 1);
    assert_int_equal(atomic_load(&service->last_status), 200);
    assert_int_equal(atomic_load(&service->last_size), reply.body_size);
}

static void a_request_id_that_is_not_plain_is_replaced(void **state)
{
    static const char *const ids[] = {
        "a b", "", "\"x\"", "a/b",
        "x2345678901234567890123456789012345678901234567890123456789012345"};
    char request[256], made[128], before[128] = "";

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: %s\r\n\r\n",
                 ids[i]);
        struct reply reply = ask(*state, request);
        assert_true(header_value(reply.header, "X-Request-ID", made, sizeof(made)));
        assert_true(strlen(made) > 16);
        assert_string_not_equal(made, ids[i]);
        assert_string_not_equal(made, before);
        memcpy(before, made, sizeof(made));
    }
}

static void a_connection_is_used_again(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);
    char request[256];

    for (int i = 0; i < 100; i++) {
        int size = snprintf(NULL, 0, "{\"i\":%d}", i);
        snprintf(request, sizeof(request),
                 "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: %d\r\n\r\n{\"i\":%d}",
                 size, i);
        client_send(&client, request);
        struct reply reply = client_reply(&client);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body, strstr(request, "{"));
    }
    assert_int_equal(http_connections(service->server), 1);
    client_close(&client);
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_gone), 0);
}

static void a_refusal_without_a_body_keeps_the_connection(void **state)
{
    struct client client = client_open(*state);

    client_send(&client, "GET /deny HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_error(&reply, 401, "unauthorized", "Bearer token required");
    assert_header(&reply, "WWW-Authenticate", "Bearer");
    client_send(&client, "GET /method HTTP/1.1\r\nHost: h\r\n\r\n");
    reply = client_reply(&client);
    assert_error(&reply, 405, "method", "the path takes POST");
    assert_header(&reply, "Allow", "POST");
    client_send(&client, "GET /fault HTTP/1.1\r\nHost: h\r\n\r\n");
    reply = client_reply(&client);
    assert_error(&reply, 500, "fault", "internal fault");
    client_send(&client, "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    client_close(&client);
}

static void head_is_get_without_the_body(void **state)
{
    struct client client = client_open(*state);

    client_send(&client, "HEAD /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply head = client_reply_to(&client, true);
    assert_int_equal(head.status, 200);
    client_send(&client, "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply get = client_reply(&client);
    char length[32];
    assert_true(header_value(head.header, "Content-Length", length, sizeof(length)));
    assert_header(&get, "Content-Length", length);
    assert_int_equal(strncmp(get.body, "GET /facts", 10), 0);
    client_close(&client);
}

static void a_reply_without_a_body_has_none(void **state)
{
    struct client client = client_open(*state);

    client_send(&client,
                "DELETE /none HTTP/1.1\r\nHost: h\r\n\r\nGET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_int_equal(reply.status, 204);
    assert_header(&reply, "Content-Type", "");
    reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    client_close(&client);
}

static void a_reply_larger_than_any_buffer_arrives_whole(void **state)
{
    struct reply reply = ask(*state, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");

    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Content-Type", "text/plain");
    assert_int_equal(reply.body_size, BIG_SIZE);
    assert_int_equal(strspn(reply.body, "x"), BIG_SIZE);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    struct client client = client_open(*state);

    client_send(&client, "GET /facts?1 HTTP/1.1\r\nHost: h\r\n\r\n"
                         "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 1\r\n\r\n2"
                         "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET /facts?4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_non_null(strstr(reply.body, " 1 "));
    reply = client_reply(&client);
    assert_string_equal(reply.body, "2");
    reply = client_reply(&client);
    assert_string_equal(reply.body, "waited out");
    reply = client_reply(&client);
    assert_non_null(strstr(reply.body, " 4 "));
    assert_ended(&client);
    client_close(&client);
}

static void http_1_0_is_spoken(void **state)
{
    struct client client = client_open(*state);

    client_send(&client, "GET /facts HTTP/1.0\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    assert_ended(&client);
    client_close(&client);
    client = client_open(*state);
    client_send(&client, "GET /facts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client_reply(&client);
    client_send(&client, "GET /facts HTTP/1.0\r\n\r\n");
    reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    client_close(&client);
}

static void the_absolute_form_of_a_target_is_accepted(void **state)
{
    struct reply reply = ask(*state, "GET http://h:1/facts?q HTTP/1.1\r\nHost: h:1\r\n\r\n");

    assert_int_equal(reply.status, 200);
    assert_int_equal(strncmp(reply.body, "GET /facts q ", 13), 0);
}

static void chunks_are_put_together(void **state)
{
    struct client client = client_open(*state);

    client_send(&client,
                "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n"
                "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n"
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{\"a\":1}");
    reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_size, 0);
    client_close(&client);
}

static void the_body_is_asked_for_with_100_continue(void **state)
{
    struct client client = client_open(*state);

    client_send(&client, "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Expect: 100-Continue\r\n"
                         "Content-Length: 2\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_int_equal(reply.status, 100);
    client_send(&client, "{}");
    reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{}");
    client_close(&client);
}

static void a_body_that_is_refused_is_not_asked_for(void **state)
{
    assert_refused(*state,
                   "POST /deny HTTP/1.1\r\nHost: h\r\n" JSON "Expect: 100-continue\r\n"
                   "Content-Length: 2\r\n\r\n",
                   401, "unauthorized", "");
    assert_refused(*state,
                   "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Expect: 100-continue\r\n"
                   "Content-Length: 99999999\r\n\r\n",
                   413, "too_large", "");
}

/*
 * Guards
 */

static void requests_that_could_be_read_in_two_ways_are_refused(void **state)
{
    static const struct {
        const char *headers;
        int status;
        const char *reason,
            *text; /* of ours; the library refuses some itself, in one version or both */
    } wrong[] = {
        {"Host: h\r\n" JSON "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, NULL,
         "Content-Length"},
        {"Host: h\r\n" JSON "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, NULL,
         "Content-Length"},
        {"Host: h\r\n" JSON "Content-Length: 2, 2\r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length: +2\r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length: -2\r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length: 0x2\r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length: \r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length : 2\r\n\r\n{}", 400, NULL, "no token"},
        {"Host: h\r\n" JSON "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         NULL, ""},
        {"Host: h\r\n" JSON "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, NULL, ""},
        {"Host: h\r\n" JSON "Transfer-Encoding: identity\r\n\r\n", 400, NULL, ""},
        {"Host: h\r\n" JSON "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, NULL, ""},
        {"Host: h\r\n" JSON "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
         400, NULL, ""},
        {"\r\n", 400, NULL, ""},
        {"Host: h\r\nHost: h\r\n\r\n", 400, NULL, ""},
        {"Host: h\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400, "invalid",
         "Authorization"},
        {"Host: h\r\n" JSON JSON "Content-Length: 2\r\n\r\n{}", 400, "invalid", "Content-Type"},
        {"Host: h\r\nExpect: 200-ok\r\n\r\n", 417, "expectation", "100-continue"},
        {"Host: h\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 400, "invalid",
         "Expect"},
        {"Host: h\r\nX: a\001b\r\n\r\n", 400, NULL, "control character"},
    };
    struct service *service = *state;
    char request[512];

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\n%s", wrong[i].headers);
        assert_refused(service, request, wrong[i].status, wrong[i].reason, wrong[i].text);
    }
    assert_int_equal(atomic_load(&service->n_begun), 0);
    assert_refused(service, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                   NULL, "");
}

static void methods_that_nobody_has_are_not_implemented(void **state)
{
    assert_refused(*state, "BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "method_unknown",
                   "none of GET");
    assert_refused(*state, "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "method_unknown",
                   "none of GET");
}

static void a_body_must_be_json(void **state)
{
    static const char *const types[] = {
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/jsonp\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: \r\n",
    };
    struct service *service = *state;
    char request[512];

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        snprintf(request, sizeof(request),
                 "POST /echo HTTP/1.1\r\nHost: h\r\n%sContent-Length: 2\r\n\r\n{}", types[i]);
        assert_refused(service, request, 415, "media_type", "application/json");
    }
    assert_refused(service,
                   "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                   415, "media_type", "text/plain");
    struct reply reply = ask(service, "POST /echo HTTP/1.1\r\nHost: h\r\n"
                                      "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    assert_error(&reply, 415, "media_type", "application/json");
    reply =
        ask(service,
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: Application/JSON ; charset=utf-8\r\n"
            "Content-Length: 2\r\n\r\n{}");
    assert_int_equal(reply.status, 200);
    wait_count(&service->n_gone, 7);
    assert_int_equal(atomic_load(&service->n_served), 1);
}

/* The token's refusal comes first: nobody without one learns what a body may be. */
static void the_service_refuses_before_the_body_is_looked_at(void **state)
{
    assert_refused(*state,
                   "POST /deny HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: "
                   "999999999\r\n\r\n",
                   401, "unauthorized", "Bearer");
}

static void a_body_over_its_cap_is_refused_unread(void **state)
{
    struct service *service = *state;
    CLEANUP(buf_release) struct buf request;

    assert_refused(service, "POST /small HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 11\r\n\r\n",
                   413, "too_large", "10 bytes");
    assert_refused(service,
                   "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 1048577\r\n\r\n", 413,
                   "too_large", "1048576 bytes");
    assert_refused(service,
                   "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON
                   "Content-Length: 99999999999999999999999\r\n\r\n",
                   413, NULL, "");
    struct reply reply = ask(service, "POST /small HTTP/1.1\r\nHost: h\r\n" JSON
                                      "Content-Length: 10\r\n\r\n1234567890");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "1234567890");
    buf_init(&request, REPLY_MAX); /* all sent at once: the reply is there all the same */
    buf_add_text(&request,
                 "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 2000000\r\n\r\n");
    while (request.size < 2000000)
        buf_add_text(&request, "0123456789");
    assert_refused(service, buf_text(&request), 413, "too_large", "1048576 bytes");
}

static void chunks_over_the_cap_are_refused_when_they_pass_it(void **state)
{
    struct service *service = *state;

    assert_refused(service,
                   "POST /small HTTP/1.1\r\nHost: h\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n"
                   "6\r\n123456\r\n5\r\n78901\r\n",
                   413, "too_large", "10 bytes");
    wait_count(&service->n_gone, 1);
    wait_count(&service->n_replied, 1);
    assert_int_equal(atomic_load(&service->last_status), 413);
    assert_int_equal(atomic_load(&service->n_served), 0);
}

static void a_header_over_its_cap_is_refused(void **state)
{
    CLEANUP(buf_release) struct buf request;

    buf_init(&request, REPLY_MAX);
    buf_add_text(&request, "GET /facts HTTP/1.1\r\nHost: h\r\nX: ");
    for (int i = 0; i < 14300; i++)
        buf_add_char(&request, 'x');
    buf_add_text(&request, "\r\n\r\n");
    assert_refused(*state, buf_text(&request), 431, "headers", "14 KiB");
    buf_clear(&request);
    buf_add_text(&request, "GET /facts HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 230; i++)
        buf_add_text(&request, "a: b\r\n");
    buf_add_text(&request, "\r\n");
    assert_refused(*state, buf_text(&request), 431, NULL, "");
    buf_clear(&request);
    buf_add_text(&request, "GET /facts HTTP/1.1\r\nHost: h\r\nX: ");
    for (int i = 0; i < 40000; i++)
        buf_add_char(&request, 'x');
    assert_refused(*state, buf_text(&request), 431, NULL, "");
    buf_clear(&request);
    buf_add_text(&request, "GET /");
    for (int i = 0; i < 40000; i++)
        buf_add_char(&request, 'x');
    assert_refused(*state, buf_text(&request), 414, NULL, "");
}

/* Every size of header up to the cap is answered well: the reply's header finds room, and a body is
 * still read. */
static void headers_of_every_size_get_an_answer(void **state)
{
    CLEANUP(buf_release) struct buf request;

    buf_init(&request, REPLY_MAX);
    for (size_t size = 8000; size < 17000; size += 97) {
        buf_clear(&request);
        buf_add_text(&request,
                     "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 3000\r\nX: ");
        for (size_t i = 0; i < size; i++)
            buf_add_char(&request, 'x');
        buf_add_text(&request, "\r\n\r\n");
        for (size_t i = 0; i < 3000; i++)
            buf_add_char(&request, '1');
        struct reply reply = ask(*state, buf_text(&request));
        if (reply.status != (size < 14000 ? 200 : 431) && reply.status != 431)
            fail_msg("%d for a header of %zu bytes", reply.status, size);
    }
}

static void what_is_no_http_gets_400_or_the_end(void **state)
{
    static const char *const requests[] = {
        "\x16\x03\x01\x02 hello tls\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\n" JSON "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\n" JSON
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    };
    struct service *service = *state;

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct reply reply = ask(service, requests[i]);
        if (reply.status != 0 && (reply.status < 400 || reply.status > 505))
            fail_msg("%d for %s", reply.status, requests[i]);
    }
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_served), 0);
    assert_int_equal(atomic_load(&service->n_begun), atomic_load(&service->n_gone));
}

/*
 * Deadlines
 */

static int64_t us_since(int64_t start_us)
{
    return clock_boot_us() - start_us;
}

/* One byte every 50 ms, on a connection that has served before and on a new one; for ever, if it
 * was let. */
static void drip(const struct service *service, struct client *client, const char *text)
{
    int64_t start_us = clock_boot_us();
    struct pollfd ready = {.fd = client->fd, .events = POLLIN};

    while (poll(&ready, 1, 50) == 0 && us_since(start_us) < 5 * US_PER_S) {
        if (*text)
            send(client->fd, text++, 1, MSG_NOSIGNAL);
    }
    assert_in_range(us_since(start_us), 290 * US_PER_MS, 2 * US_PER_S);
    struct reply reply = client_reply(client);
    assert_error(&reply, 408, "slow", "did not arrive");
    assert_header(&reply, "Connection", "close");
    assert_ended(client);
    client_close(client);
    wait_connections(service, 0);
}

static void a_slow_header_is_cut(void **state)
{
    struct client client = client_open(*state);

    drip(*state, &client, "GET / HTTP/1.1\r\nHost: h\r\nX: abcdefghijklmnopqrstuvwxyz\r\n\r\n");
    client = client_open(*state);
    client_send(&client, "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    client_reply(&client);
    drip(*state, &client, "GET / HTTP/1.1\r\nHost: h\r\nX: abcdefghijklmnopqrstuvwxyz\r\n\r\n");
    client = client_open(*state);
    drip(*state, &client, "G");
}

static void a_slow_body_is_cut(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 100\r\n\r\n");
    drip(service, &client, "11111111111111111111111111111111111111111111111111");
    wait_count(&service->n_gone, 1);
    assert_int_equal(atomic_load(&service->n_served), 0);
    assert_int_equal(atomic_load(&service->last_status), 408);
}

static void an_idle_connection_is_closed_after_its_time_and_not_before(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service), silent = client_open(service);
    int64_t start_us = clock_boot_us();

    client_send(&client, "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    client_reply(&client);
    assert_false(client_read(&client));
    assert_true(us_since(start_us) > 900 * US_PER_MS);
    assert_false(client_read(&silent));
    assert_true(us_since(start_us) > 900 * US_PER_MS);
    client_close(&client);
    client_close(&silent);
}

/* Header and body in two pieces make an event after the request is over; it must not start a
 * deadline. */
static void an_idle_connection_is_not_taken_for_a_slow_request(void **state)
{
    struct client client = client_open(*state);

    for (int i = 0; i < 3; i++) {
        client_send(&client, "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 2\r\n\r\n");
        usleep(i * 1000);
        client_send(&client, "{}");
        struct reply reply = client_reply(&client);
        assert_int_equal(reply.status, 200);
        usleep(500 * 1000);
    }
    client_close(&client);
}

/*
 * Parked requests
 */

static void a_parked_request_is_woken_from_another_thread(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    for (unsigned i = 1; i <= 50; i++) {
        client_send(&client, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
        wait_count(&service->n_parked, i);
        wake(service);
        wake(service);
        struct reply reply = client_reply(&client);
        assert_string_equal(reply.body, "woken");
        wake(service);
    }
    assert_int_equal(atomic_load(&service->n_resumed), 50);
    client_close(&client);
    assert_int_equal(atomic_load(&service->n_gone), 0);
}

static void a_request_may_be_parked_again(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, "GET /park-again HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_count(&service->n_parked, 1);
    wake(service);
    wait_count(&service->n_parked, 2);
    wake(service);
    struct reply reply = client_reply(&client);
    assert_string_equal(reply.body, "woken");
    client_close(&client);
}

static void a_parked_request_waits_no_longer_than_it_was_told(void **state)
{
    struct service *service = *state;
    int64_t start_us = clock_boot_us();
    struct reply reply = ask(service, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");

    assert_string_equal(reply.body, "waited out");
    assert_in_range(us_since(start_us), 50 * US_PER_MS, 2 * US_PER_S);
    wake(service);
    assert_int_equal(atomic_load(&service->n_resumed), 1);
}

static void a_parked_client_that_leaves_is_noticed(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_count(&service->n_parked, 1);
    client_close(&client);
    wait_count(&service->n_gone, 1);
    wait_connections(service, 0);
    wake(service);
    struct reply reply = ask(service, "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(reply.status, 200);
    assert_int_equal(atomic_load(&service->n_resumed), 0);
}

/* The client is gone before its request is parked: there will be no event any more. */
static void a_client_that_left_before_it_is_parked_is_noticed(void **state)
{
    struct service *service = *state;

    for (unsigned i = 1; i <= 20; i++) {
        struct client client = client_open(service);
        client_send(&client, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
        client_close(&client);
    }
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_served), atomic_load(&service->n_gone));
}

/* Woken, late, gone and stopped in any order, from several threads at once. */
static void *wake_often(void *argument)
{
    struct service *service = argument;

    for (int i = 0; i < 20000; i++)
        wake(service);
    return NULL;
}

static void wakes_and_leaving_clients_do_not_mix(void **state)
{
    struct service *service = *state;
    pthread_t threads[2];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wake_often, service), 0);
    for (int i = 0; i < 300; i++) {
        struct client client = client_open(service);
        client_send(&client, i % 3 ? "GET /park HTTP/1.1\r\nHost: h\r\n\r\n"
                                   : "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
        if (i % 4 == 0)
            usleep(500);
        client_close(&client);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_served),
                     atomic_load(&service->n_gone) + atomic_load(&service->n_replied));
}

/*
 * Many
 */

/* libmicrohttpd's own loop serves none of exactly 128 requests that are ready at once. */
static void clients_that_send_at_the_same_instant_are_all_served(void **state)
{
    struct service *service = *state;
    struct client clients[256];

    for (size_t n = 127; n <= 256; n += n < 129 ? 1 : 127) {
        for (size_t i = 0; i < n; i++)
            clients[i] = client_open(service);
        for (int round = 0; round < 5; round++) {
            for (size_t i = 0; i < n; i++)
                client_send(&clients[i], "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
            for (size_t i = 0; i < n; i++) {
                struct reply reply = client_reply(&clients[i]);
                assert_int_equal(reply.status, 200);
            }
        }
        for (size_t i = 0; i < n; i++)
            client_close(&clients[i]);
        wait_connections(service, 0);
    }
}

static void one_connection_more_than_allowed_is_refused_at_once(void **state)
{
    struct service *service = *state;
    struct client clients[4];

    for (size_t i = 0; i < COUNT_OF(clients); i++)
        clients[i] = client_open(service);
    wait_connections(service, COUNT_OF(clients));
    for (int i = 0; i < 100; i++) {
        struct client more = client_open(service);
        if (i % 2)
            client_send(&more, "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
        struct reply reply = client_reply(&more);
        assert_error(&reply, 503, "connections", "all 4 connections");
        assert_header(&reply, "Retry-After", "1");
        assert_ended(&more);
        client_close(&more);
    }
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        client_send(&clients[i], "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
        struct reply reply = client_reply(&clients[i]);
        assert_int_equal(reply.status, 200);
        client_close(&clients[i]);
    }
    wait_connections(service, 0);
    struct reply reply = ask(service, "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(reply.status, 200);
}

/*
 * Start and stop
 */

static void a_port_that_is_taken_is_refused(void **state)
{
    struct service *service = *state;
    struct http_server *second = NULL;
    struct refusal why;
    char text[64];
    struct http_options options = {
        .listen = "127.0.0.1",
        .port = http_port(service->server),
        .n_loops = 2,
        .connections_max = 10,
        .service = &test_service,
        .owner = service,
    };

    assert_int_equal(http_open(&options, &second, &why), OUTCOME_UNAVAILABLE);
    snprintf(text, sizeof(text), "port %u on 127.0.0.1 is taken", options.port);
    assert_string_equal(why.text, text);
    options.listen = "localhost";
    assert_int_equal(http_open(&options, &second, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "not an IPv4 or IPv6 address"));
    options.listen = "192.0.2.1"; /* RFC 5737: nobody's */
    assert_int_equal(http_open(&options, &second, &why), OUTCOME_UNAVAILABLE);
    assert_null(second);
    http_close(service->server, 0); /* and is free again at once, whatever its connections do */
    options.listen = "127.0.0.1";
    assert_int_equal(http_open(&options, &service->server, &why), 0);
    assert_int_equal(http_port(service->server), options.port);
}

static void both_loops_are_used(void **state)
{
    struct service *service = *state;
    struct client clients[64];
    unsigned n_of_loop[2] = {0};

    for (unsigned i = 0; i < COUNT_OF(clients); i++) {
        clients[i] = client_open(service);
        client_send(&clients[i], "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
        wait_count(&service->n_parked, i + 1);
        n_of_loop[atomic_load(&service->last_ticket_loop)]++;
        wake(service);
    }
    assert_true(n_of_loop[0] > 0 && n_of_loop[1] > 0);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct reply reply = client_reply(&clients[i]);
        assert_int_equal(reply.status, 200);
        client_close(&clients[i]);
    }
}

static void stopping_closes_what_is_idle_and_lets_the_rest_finish(void **state)
{
    struct service *service = *state;
    struct client idle = client_open(service), busy = client_open(service);
    int64_t start_us = clock_boot_us();

    client_send(&idle, "GET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    client_reply(&idle);
    client_send(&busy, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_count(&service->n_parked, 1);
    http_close(service->server, 5 * US_PER_S);
    service->server = NULL;
    assert_in_range(us_since(start_us), 290 * US_PER_MS, 4 * US_PER_S);
    assert_ended(&idle);
    struct reply reply = client_reply(&busy);
    assert_string_equal(reply.body, "waited out");
    assert_header(&reply, "Connection", "close");
    assert_ended(&busy);
    client_close(&idle);
    client_close(&busy);
}

static void stopping_cuts_what_takes_longer_than_the_grace(void **state)
{
    struct service *service = *state;
    struct client parked = client_open(service), half = client_open(service),
                  reading = client_open(service);
    int64_t start_us = clock_boot_us();

    client_send(&parked, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
    client_send(&half, "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 100\r\n\r\n");
    client_send(&reading, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n"); /* and does not read */
    wait_count(&service->n_parked, 1);
    wait_count(&service->n_begun, 3);
    http_close(service->server, 100 * US_PER_MS);
    service->server = NULL;
    assert_in_range(us_since(start_us), 100 * US_PER_MS, 3 * US_PER_S);
    assert_int_equal(atomic_load(&service->n_gone), 2);
    assert_int_equal(atomic_load(&service->n_replied), 1);
    assert_ended(&parked);
    assert_ended(&half);
    client_close(&parked);
    client_close(&half);
    client_close(&reading);
}

#define TEST(name, setup_) cmocka_unit_test_setup_teardown(name, setup_, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_with_the_headers_of_every_reply, setup),
        TEST(a_request_id_that_is_not_plain_is_replaced, setup),
        TEST(a_connection_is_used_again, setup),
        TEST(a_refusal_without_a_body_keeps_the_connection, setup),
        TEST(head_is_get_without_the_body, setup),
        TEST(a_reply_without_a_body_has_none, setup),
        TEST(a_reply_larger_than_any_buffer_arrives_whole, setup),
        TEST(pipelined_requests_are_answered_in_their_order, setup),
        TEST(http_1_0_is_spoken, setup),
        TEST(the_absolute_form_of_a_target_is_accepted, setup),
        TEST(chunks_are_put_together, setup),
        TEST(the_body_is_asked_for_with_100_continue, setup),
        TEST(a_body_that_is_refused_is_not_asked_for, setup),
        TEST(requests_that_could_be_read_in_two_ways_are_refused, setup),
        TEST(methods_that_nobody_has_are_not_implemented, setup),
        TEST(a_body_must_be_json, setup),
        TEST(the_service_refuses_before_the_body_is_looked_at, setup),
        TEST(a_body_over_its_cap_is_refused_unread, setup),
        TEST(chunks_over_the_cap_are_refused_when_they_pass_it, setup),
        TEST(a_header_over_its_cap_is_refused, setup),
        TEST(headers_of_every_size_get_an_answer, setup),
        TEST(what_is_no_http_gets_400_or_the_end, setup),
        TEST(a_slow_header_is_cut, setup_hasty),
        TEST(a_slow_body_is_cut, setup_hasty),
        TEST(an_idle_connection_is_closed_after_its_time_and_not_before, setup_hasty),
        TEST(an_idle_connection_is_not_taken_for_a_slow_request, setup_hasty),
        TEST(a_parked_request_is_woken_from_another_thread, setup),
        TEST(a_request_may_be_parked_again, setup),
        TEST(a_parked_request_waits_no_longer_than_it_was_told, setup),
        TEST(a_parked_client_that_leaves_is_noticed, setup),
        TEST(a_client_that_left_before_it_is_parked_is_noticed, setup),
        TEST(wakes_and_leaving_clients_do_not_mix, setup_wide),
        TEST(clients_that_send_at_the_same_instant_are_all_served, setup),
        TEST(one_connection_more_than_allowed_is_refused_at_once, setup_narrow),
        TEST(a_port_that_is_taken_is_refused, setup_wide),
        TEST(both_loops_are_used, setup_wide),
        TEST(stopping_closes_what_is_idle_and_lets_the_rest_finish, setup),
        TEST(stopping_cuts_what_takes_longer_than_the_grace, setup_wide),
    };

    return cmocka_run_group_tests_name("http/server", tests, NULL, NULL);
}
