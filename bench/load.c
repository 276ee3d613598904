/* SPDX-License-Identifier: MIT */
/*
 * Bodies are counted and dropped; only the head of a reply is looked at.
 */
#include "load.h"

#include "base/clock.h"
#include "base/mem.h"
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_CAP  ((size_t)16 << 10)
#define HEAD_CAP     ((size_t)8 << 10)
#define READ_SIZE    ((size_t)256 << 10)
#define NS_PER_US    1000
#define NS_PER_S     INT64_C(1000000000)
#define BEHIND_NS    (50 * INT64_C(1000000)) /* more is not made up for */
#define HEAD_END     "\r\n\r\n"
#define HEAD_LENGTH  "\r\ncontent-length:"
#define STATUS_LINE  "HTTP/1.1 "
#define NOT_MODIFIED 304

struct connection {
    int fd;
    bool busy;
    int64_t began_ns;
    size_t head_size; /* bytes of the head that are here, while it is not whole */
    uint64_t body_left;
    bool in_body;
    char head[HEAD_CAP];
};

struct run {
    const struct load *is;
    struct load_result *result;
    struct connection *connections;
    int epoll_fd;
    int64_t until_ns, due_ns; /* due: the next request, where a rate is asked for */
    uint64_t n_sent;
    struct buf request;
    char *bytes; /* READ_SIZE */
};

/* ---- connections ---- */

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
        give_up("connect", strerror(errno));
    return fd;
}

static void open_connections(struct run *run)
{
    for (unsigned i = 0; i < run->is->n_connections; i++) {
        struct connection *connection = &run->connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

        connection->fd = connect_to(run->is->port);
        if (epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0)
            give_up("epoll", strerror(errno));
    }
}

/* ---- requests ---- */

static bool is_over(const struct run *run, int64_t now_ns)
{
    return now_ns >= run->until_ns || (run->is->n_max && run->n_sent >= run->is->n_max);
}

/* Whether it is time for the next; takes its turn then. */
static bool take_turn(struct run *run, int64_t now_ns)
{
    if (is_over(run, now_ns))
        return false;
    if (!run->is->per_second)
        return true;
    if (now_ns < run->due_ns)
        return false;
    if (run->due_ns < now_ns - BEHIND_NS)
        run->due_ns = now_ns - BEHIND_NS;
    run->due_ns += NS_PER_S / (int64_t)run->is->per_second;
    return true;
}

static void send_request(struct run *run, struct connection *connection, int64_t now_ns)
{
    struct buf *request = &run->request;

    buf_clear(request);
    run->is->request(run->is->owner, run->n_sent++, request);
    connection->busy = true;
    connection->began_ns = now_ns;
    ssize_t n = send(connection->fd, request->at, request->size, MSG_NOSIGNAL);
    if (buf_overflowed(request) || n != (ssize_t)request->size)
        give_up("a request", n < 0 ? strerror(errno) : "was not sent as a whole");
}

static void send_due(struct run *run)
{
    for (unsigned i = 0; i < run->is->n_connections; i++) {
        struct connection *connection = &run->connections[i];
        int64_t now_ns = latency_now_ns();
        if (!connection->busy && take_turn(run, now_ns))
            send_request(run, connection, now_ns);
    }
}

/* ---- replies ---- */

/* The body's length, of a head that is whole and NUL-terminated. */
static uint64_t read_head(const char *head)
{
    long status = strtol(head + strlen(STATUS_LINE), NULL, 10);

    if (status / 100 != 2 && status != NOT_MODIFIED)
        give_up("reply", head);
    if (status == NOT_MODIFIED)
        return 0;
    const char *length = strcasestr(head, HEAD_LENGTH);
    if (!length)
        give_up("reply", "without Content-Length");
    return strtoull(length + strlen(HEAD_LENGTH), NULL, 10);
}

/* Takes the head off *bytes; false when more of it is to come. */
static bool take_head(struct connection *connection, struct slice *bytes)
{
    size_t before = connection->head_size, room = HEAD_CAP - 1 - before;
    size_t n = bytes->size < room ? bytes->size : room;

    memcpy(connection->head + before, bytes->at, n);
    connection->head[before + n] = '\0';
    const char *end = strstr(connection->head, HEAD_END);
    if (!end) {
        if (n == room)
            give_up("reply", "its head is too large");
        connection->head_size += n;
        return false;
    }
    size_t taken = (size_t)(end - connection->head) + strlen(HEAD_END) - before;
    connection->head[before + taken] = '\0';
    bytes->at += taken;
    bytes->size -= taken;
    connection->body_left = read_head(connection->head);
    connection->in_body = true;
    connection->head_size = 0;
    return true;
}

static void take_reply(struct run *run, struct connection *connection, struct slice bytes)
{
    if (!connection->busy)
        give_up("reply", "nobody asked for it");
    run->result->bytes += bytes.size;
    if (!connection->in_body && !take_head(connection, &bytes))
        return;
    if (bytes.size > connection->body_left)
        give_up("reply", "is longer than it states");
    connection->body_left -= bytes.size;
    if (connection->body_left)
        return;
    int64_t now_ns = latency_now_ns();
    latency_add(&run->result->latency, now_ns - connection->began_ns);
    run->result->n++;
    connection->in_body = connection->busy = false;
    if (take_turn(run, now_ns))
        send_request(run, connection, now_ns);
}

static void receive(struct run *run, struct connection *connection)
{
    ssize_t n = recv(connection->fd, run->bytes, READ_SIZE, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        give_up("reply", n < 0 ? strerror(errno) : "the connection was closed");
    take_reply(run, connection, (struct slice){.at = run->bytes, .size = (size_t)n});
}

/* ---- the load ---- */

static unsigned n_busy(const struct run *run)
{
    unsigned n = 0;

    for (unsigned i = 0; i < run->is->n_connections; i++)
        n += run->connections[i].busy;
    return n;
}

static void turn(struct run *run)
{
    struct epoll_event events[LOAD_CONNECTIONS_MAX];
    int n = epoll_wait(run->epoll_fd, events, LOAD_CONNECTIONS_MAX, run->is->per_second ? 1 : 1000);

    if (n < 0 && errno != EINTR)
        give_up("epoll", strerror(errno));
    for (int i = 0; i < n; i++)
        receive(run, events[i].data.ptr);
    if (run->is->per_second)
        send_due(run);
}

void load_run(const struct load *load, struct load_result *ret)
{
    struct run run = {.is = load, .result = ret, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};

    *ret = (struct load_result){.n = 0};
    run.connections = mem_alloc(load->n_connections * sizeof(*run.connections));
    run.bytes = mem_alloc(READ_SIZE);
    buf_init(&run.request, REQUEST_CAP);
    open_connections(&run);
    int64_t began_ns = latency_now_ns();
    run.due_ns = began_ns;
    run.until_ns = began_ns + load->for_us * NS_PER_US;
    send_due(&run);
    while (!is_over(&run, latency_now_ns()) || n_busy(&run))
        turn(&run);
    ret->seconds = (double)(latency_now_ns() - began_ns) / (double)NS_PER_S;
    for (unsigned i = 0; i < load->n_connections; i++)
        close(run.connections[i].fd);
    close(run.epoll_fd);
    buf_release(&run.request);
    mem_free(run.bytes);
    mem_free(run.connections);
}

double load_per_second(const struct load_result *result)
{
    return (double)result->n / result->seconds;
}
