/* SPDX-License-Identifier: MIT */
/*
 * Any bytes are what a client sends, in two pieces, to a whole server in this process.
 *
 * The first byte says where the pieces part. The client says that it is done and reads to the end:
 * what comes must be whole replies with a status that HTTP and the service know, errors of ours in
 * the one shape, and the end must come.
 */
#include "base/json.h"
#include "base/mem.h"
#include "http/loop.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define INPUT_MAX   ((size_t)20 << 10)
#define REPLIES_MAX ((size_t)16 << 20)
#define PATIENCE_MS 20000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/*
 * The service: replies with the body, wakes what it parks after a millisecond
 */

static int begin_loop(void *owner, unsigned loop, void **ret)
{
    (void)loop;
    *ret = owner;
    return 0;
}

static void end_loop(void *owner, void *loop_owner)
{
    (void)owner, (void)loop_owner;
}

static int begin(void *owner, struct http_request *request, size_t *body_max, struct refusal *why)
{
    (void)owner;
    *body_max = 4096;
    assert(!memchr(request->path.at, '?', request->path.size));
    if (slice_is(request->path, "/deny"))
        return refuse(why, OUTCOME_UNAUTHORIZED, NULL, "no");
    return 0;
}

static void reply(struct http_request *request)
{
    CLEANUP(buf_release) struct buf body;

    buf_init(&body, HTTP_BODY_MAX);
    buf_add_slice(&body, request->body);
    http_reply(request, &(struct http_reply){.status = 200, .body = &body});
}

static void serve(void *owner, struct http_request *request)
{
    (void)owner;
    assert(request->body.size <= 4096);
    if (slice_is(request->path, "/park"))
        http_park(request, 0);
    else
        reply(request);
}

static void resumed(void *owner, struct http_request *request, enum http_wake why)
{
    (void)owner, (void)why;
    reply(request);
}

static void gone(void *owner, struct http_request *request)
{
    (void)owner, (void)request;
}

static void replied(void *owner, const struct http_request *request, int status, size_t body_size)
{
    (void)owner, (void)body_size;
    assert(request->method && status >= 200);
}

static const struct http_service service = {
    .loop_open = begin_loop,
    .loop_close = end_loop,
    .begin = begin,
    .serve = serve,
    .resumed = resumed,
    .gone = gone,
    .replied = replied,
};

/*
 * The server, on a socket without a port
 */

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_size = sizeof(sa_family_t); /* the kernel chooses a name */

static void server_start(void)
{
    static struct http_server server = {
        .service = &service,
        .limits = {.request_us = HTTP_REQUEST_US,
                   .idle_s = HTTP_IDLE_S,
                   .leave_us = 3000,
                   .unsent_max = HTTP_UNSENT_MAX},
        .connections_max = 100,
        .n_loops = 1,
    };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    tls_init(&server.tls);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, address_size) < 0 || listen(fd, 16) < 0)
        abort();
    address_size = sizeof(address);
    getsockname(fd, (struct sockaddr *)&address, &address_size);
    if (loop_open(&server, 0, fd, &server.loops[0]) ||
        pthread_create(&server.loops[0]->thread, NULL, loop_run, server.loops[0]))
        abort();
}

/* The fuzzer's clock interrupts. */
static bool wait_for(int fd, short event)
{
    struct pollfd ready = {.fd = fd, .events = event};
    int n;

    do
        n = poll(&ready, 1, PATIENCE_MS);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

static void send_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = wait_for(fd, POLLOUT) ? send(fd, bytes, size, MSG_NOSIGNAL) : -1;
        if (n <= 0)
            return; /* refused, and closed */
        bytes += n;
        size -= (size_t)n;
    }
}

static void read_all(int fd, struct buf *to)
{
    char bytes[65536];
    ssize_t n;

    do {
        if (!wait_for(fd, POLLIN))
            abort(); /* neither an answer nor the end */
        n = recv(fd, bytes, sizeof(bytes), 0);
        if (n > 0)
            buf_add(to, bytes, (size_t)n);
    } while (n > 0);
}

/*
 * Replies
 */

static bool is_json(const char *header)
{
    return strstr(header, "\r\nContent-Type: application/json\r\n");
}

static bool status_is_known(long status)
{
    return status == 100 || (status >= 200 && status < 500) || status == 501 || status == 505;
}

static void assert_one_shape(struct slice body, long status)
{
    struct json error, code;
    int64_t number;

    int r = json_check(body, 16, &error, NULL);
    assert(r == 0 && json_member(error, "code", &code) && json_i64(code, &number));
    assert(number == status);
}

/* Takes the next reply off. */
static void check_reply(struct slice *rest)
{
    CLEANUP(buf_release) struct buf header;
    const char *end = memmem(rest->at, rest->size, "\r\n\r\n", 4);

    assert(end && slice_starts(*rest, "HTTP/1."));
    buf_init(&header, rest->size + 1);
    buf_add(&header, rest->at, (size_t)(end + 2 - rest->at));
    *rest = (struct slice){.at = end + 4, .size = rest->size - (size_t)(end + 4 - rest->at)};
    long status = strtol(buf_text(&header) + strlen("HTTP/1.1 "), NULL, 10);
    if (!status_is_known(status)) {
        fprintf(stderr, "%s", buf_text(&header));
        abort();
    }
    if (status > 100 && !strstr(buf_text(&header), "\r\nX-Request-ID: ")) {
        rest->size = 0; /* the library's own, the last; some have their header twice */
        return;
    }
    const char *length = strcasestr(buf_text(&header), "\r\nContent-Length: ");
    size_t size = length ? strtoul(length + strlen("\r\nContent-Length: "), NULL, 10) : 0;
    assert(size <= rest->size);
    if (status >= 400 && is_json(buf_text(&header)))
        assert_one_shape((struct slice){.at = rest->at, .size = size}, status);
    *rest = (struct slice){.at = rest->at + size, .size = rest->size - size};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(buf_release) struct buf replies = {.cap = REPLIES_MAX};
    static bool is_started;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    if (!is_started)
        server_start();
    is_started = true;
    CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, address_size) < 0)
        abort();
    size_t first = (size - 1) * bytes[0] / UINT8_MAX;
    send_all(fd, bytes + 1, first);
    send_all(fd, bytes + 1 + first, size - 1 - first);
    shutdown(fd, SHUT_WR);
    read_all(fd, &replies);
    struct slice rest = buf_slice(&replies);
    bool may_lack_body = memmem(bytes, size, "HEAD", 4); /* then replies can't be told apart */
    while (rest.size > 0 && !may_lack_body)
        check_reply(&rest);
    return 0;
}
