/* SPDX-License-Identifier: MIT */
/*
 * Connections: which state each is in, and how it ends.
 *
 * The library owns the socket; what is known here comes from its callbacks and from the events of
 * our own epoll. A connection is ended by shutting its socket down: the library then finds it
 * closed, and says so.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "http/library.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

static void list_add(struct connection_list *list, struct connection *connection)
{
    connection->prev = list->last;
    connection->next = NULL;
    if (list->last)
        list->last->next = connection;
    else
        list->first = connection;
    list->last = connection;
}

static void list_remove(struct connection_list *list, struct connection *connection)
{
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        list->first = connection->next;
    if (connection->next)
        connection->next->prev = connection->prev;
    else
        list->last = connection->prev;
}

void connection_set_state(struct connection *connection, enum connection_state state)
{
    struct connection_list *lists = connection->loop->connections;

    list_remove(&lists[connection->state], connection);
    connection->state = state;
    list_add(&lists[state], connection);
}

struct connection *connection_open(struct loop *loop, int fd)
{
    struct connection *connection = mem_alloc(sizeof(*connection));

    *connection = (struct connection){
        .watch = {.kind = WATCH_CONNECTION},
        .fd = fd,
        .state = CONNECTION_IDLE,
        .loop = loop,
    };
    list_add(&loop->connections[CONNECTION_IDLE], connection);
    /* Failing, it has no deadline but the library's idle time: shut down, the library ends it in
     * this turn. */
    if (watch_add(loop->epoll_fd, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, &connection->watch))
        shutdown(fd, SHUT_RDWR);
    return connection;
}

/* The client may still be sending, and has not read our last word: the socket lives on a little. */
static void connection_linger(struct connection *connection)
{
    struct loop *loop = connection->loop;

    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL); /* the copy would keep it in */
    int fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        linger_add(&loop->lingering, loop->epoll_fd, fd, clock_boot_us());
}

/* A target of so many parameters that they do not fit the library's memory: it drops the request
   without a word to us or to the client. */
static void give_up(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct refusal why;

    refuse(&why, OUTCOME_HEADERS, NULL, "the query has more parameters than are accepted");
    loop_make_id(connection->loop, exchange->request.id);
    if (!exchange->reply_status)
        exchange_fail(exchange, &why, outcome_http(OUTCOME_HEADERS), NULL);
    exchange_end(exchange);
}

void connection_close(struct connection *connection)
{
    struct loop *loop = connection->loop;

    if (connection->exchange)
        give_up(connection);
    if (connection->state == CONNECTION_RECEIVING && !connection->peer_left)
        connection_linger(connection);
    list_remove(&loop->connections[connection->state], connection);
    atomic_fetch_sub(&loop->server->n_connections, 1);
    mem_free(connection);
}

/* The library sees it closed by the client. */
void connection_cut(struct connection *connection)
{
    shutdown(connection->fd, SHUT_RDWR);
    connection->peer_left = true;
}

static void send_timeout(struct connection *connection)
{
    struct loop *loop = connection->loop;
    struct exchange *exchange = connection->exchange;
    char id[HTTP_REQUEST_ID_SIZE];
    struct refusal why;

    refuse(&why, OUTCOME_INVALID, NULL,
           "the request did not arrive whole within %" PRId64 " seconds",
           loop->server->limits.request_us / US_PER_S);
    if (exchange && exchange->request.method) {
        exchange_fail(exchange, &why, 408, "slow");
        return;
    }
    loop_make_id(loop, id);
    error_send(loop, connection->fd, &why, 408, "slow", id);
}

void connection_time_out(struct connection *connection)
{
    const struct exchange *exchange = connection->exchange;

    if (!exchange || !exchange->reply_status) /* else it was refused and does not read the reply */
        send_timeout(connection);
    connection_cut(connection);
    connection_set_state(connection, CONNECTION_BUSY); /* until the library closes it */
}

/*
 * Events
 */

/*
 * Bytes on an idle connection begin a request, unless the library has read them already: then the
 * event is an old one, of the request that just ended.
 */
static bool is_first_byte(const struct connection *connection)
{
    int n = 0;

    return connection->state == CONNECTION_IDLE && ioctl(connection->fd, FIONREAD, &n) == 0 &&
           n > 0;
}

void connection_event(struct connection *connection, uint32_t events, int64_t now_us)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        connection->peer_left = true;
        if (connection->exchange && connection->exchange->state == EXCHANGE_PARKED)
            exchange_abandon(connection->exchange);
    } else if (is_first_byte(connection)) {
        connection->first_byte_us = now_us;
        connection_set_state(connection, CONNECTION_RECEIVING);
    }
}
