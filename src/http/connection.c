/* SPDX-License-Identifier: MIT */
/*
 * Connections: which state each is in, and how it ends.
 *
 * The library is given a socket when its first header has come whole (TLS: its first byte), and
 * owns it from then on; what is known here comes from its callbacks and from the events of our own
 * epoll. Such a connection is ended by shutting its socket down: the library then finds it closed,
 * and says so.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "http/library.h"
#include "http/opening.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void say_refusal(struct connection *connection, const struct guard_refusal *refused)
{
    CLEANUP(buf_release) struct buf text = {.cap = 0};
    int status = refused->status ? refused->status : outcome_http(refused->why.outcome);
    char id[HTTP_REQUEST_ID_SIZE];

    loop_make_id(connection->loop, id);
    error_reply(connection->loop, &refused->why, status, refused->reason, id, &text);
    connection_say(connection, buf_slice(&text));
}

/*
 * Before the library has it
 */

/* The socket is somebody else's now, or closed. */
static void connection_forget(struct connection *connection)
{
    struct loop *loop = connection->loop;

    list_remove(&loop->connections[connection->state], connection);
    atomic_fetch_sub(&loop->server->n_connections, 1);
    mem_free(connection);
}

static void connection_drop(struct connection *connection)
{
    close(connection->fd);
    connection_forget(connection);
}

/* The client may still be sending. */
static void refuse_new(struct connection *connection, const struct guard_refusal *refused)
{
    struct loop *loop = connection->loop;
    int fd = connection->fd;

    say_refusal(connection, refused);
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    connection_forget(connection);
    linger_add(&loop->lingering, loop->epoll_fd, fd, clock_boot_us());
}

static void begin_receiving(struct connection *connection, int64_t now_us)
{
    connection->first_byte_us = now_us;
    connection_set_state(connection, CONNECTION_RECEIVING);
}

static struct connection *take_admitted(struct loop *loop, int fd)
{
    struct connection **link = &loop->admitted;

    while (*link && (*link)->fd != fd)
        link = &(*link)->next_admitted;
    struct connection *connection = *link;
    if (connection)
        *link = connection->next_admitted;
    return connection;
}

/* The library begins at once or when it runs next. */
static void admit(struct connection *connection)
{
    struct loop *loop = connection->loop;
    int fd = connection->fd;

    connection->is_admitted = true;
    connection->is_shaking = loop->server->has_tls;
    connection->next_admitted = loop->admitted;
    loop->admitted = connection;
    if (library_add(connection) && take_admitted(loop, fd))
        connection_forget(connection);
}

struct connection *connection_begin(struct loop *loop, int fd, gnutls_session_t session)
{
    struct connection *connection = take_admitted(loop, fd);

    assert(connection);
    if (session)
        tls_begin(connection, session);
    return connection;
}

/* Only the first byte of a TLS connection tells anything; of others the whole header is waited for.
 */
static int check_new(const struct connection *connection, char *bytes, size_t size,
                     bool *ret_is_whole, struct guard_refusal *ret)
{
    int r;

    *ret_is_whole = true;
    if (connection->loop->server->has_tls)
        return opening_check_tls(bytes[0], ret);
    r = opening_check(bytes, size, ret_is_whole, ret);
    if (!r && !*ret_is_whole && connection->peer_left)
        return refuse(&ret->why, OUTCOME_INVALID, NULL, "the request ends within its header");
    return r;
}

static void look_at_new(struct connection *connection, int64_t now_us)
{
    char bytes[HTTP_HEADER_MAX];
    struct guard_refusal refused;
    bool is_whole;

    ssize_t n = recv(connection->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection_drop(connection);
        return;
    }
    if (check_new(connection, bytes, (size_t)n, &is_whole, &refused)) {
        refuse_new(connection, &refused);
        return;
    }
    if (connection->state == CONNECTION_NEW)
        begin_receiving(connection, now_us);
    if (is_whole)
        admit(connection);
}

void connection_open(struct loop *loop, int fd, const struct sockaddr *peer, socklen_t peer_size)
{
    struct connection *connection = mem_alloc(sizeof(*connection));

    *connection = (struct connection){
        .watch = {.kind = WATCH_CONNECTION},
        .fd = fd,
        .state = CONNECTION_NEW,
        .first_byte_us = clock_boot_us(),
        .loop = loop,
        .peer_size = peer_size,
    };
    assert(peer_size <= sizeof(connection->peer));
    memcpy(&connection->peer, peer, peer_size);
    list_add(&loop->connections[CONNECTION_NEW], connection);
    if (watch_add(loop->epoll_fd, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, &connection->watch))
        connection_drop(connection);
    else
        look_at_new(connection, connection->first_byte_us);
}

/*
 * With the library
 */

static void begin_leaving(struct connection *connection)
{
    connection->first_byte_us = clock_boot_us();
    connection_set_state(connection, CONNECTION_LEAVING);
}

void connection_rest(struct connection *connection)
{
    if (connection->peer_left)
        begin_leaving(connection);
    else
        connection_set_state(connection, CONNECTION_IDLE);
}

static bool has_unread(const struct connection *connection)
{
    int n = 0;

    return ioctl(connection->fd, FIONREAD, &n) == 0 && n > 0;
}

/* What came together with the handshake's end is a request's beginning, of which there will be no
   event. */
void connection_shaken(struct connection *connection)
{
    connection->is_shaking = false;
    if (has_unread(connection))
        begin_receiving(connection, clock_boot_us());
    else
        connection_rest(connection);
}

void connection_say(struct connection *connection, struct slice text)
{
    if (connection->identity)
        tls_say(connection, text);
    else
        socket_say(connection->fd, text);
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

void connection_shut(struct connection *connection)
{
    tls_bye(connection);
    shutdown(connection->fd, SHUT_WR);
}

/* Past the library, which still reads what we refuse and finds the connection shut for its own
   answer. */
static void refuse_opening(struct connection *connection, const struct guard_refusal *refused)
{
    say_refusal(connection, refused);
    connection_shut(connection);
    connection->is_refused = true;
}

void connection_close(struct connection *connection)
{
    struct loop *loop = connection->loop;

    if (connection->exchange) /* the library has refused its header */
        exchange_end(connection->exchange);
    if (connection->state == CONNECTION_RECEIVING && !connection->peer_left)
        connection_linger(connection);
    tls_end(connection);
    list_remove(&loop->connections[connection->state], connection);
    atomic_fetch_sub(&loop->server->n_connections, 1);
    mem_free(connection);
}

/* The library sees it closed by the client. */
void connection_cut(struct connection *connection)
{
    if (!connection->is_admitted) {
        connection_drop(connection);
        return;
    }
    tls_bye(connection);
    shutdown(connection->fd, SHUT_RDWR);
    connection->peer_left = true;
}

static void refuse_late(const struct connection *connection, struct guard_refusal *ret)
{
    *ret = (struct guard_refusal){.status = 400};
    if (connection->peer_left) {
        refuse(&ret->why, OUTCOME_INVALID, NULL, "the request ends before it is whole");
        return;
    }
    ret->status = 408;
    ret->reason = "slow";
    refuse(&ret->why, OUTCOME_INVALID, NULL,
           "the request did not arrive whole within %" PRId64 " seconds",
           connection->loop->server->limits.request_us / US_PER_S);
}

void connection_time_out(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct guard_refusal late;

    if (connection->state == CONNECTION_LEAVING && has_unread(connection)) {
        begin_leaving(connection);
        return;
    }
    refuse_late(connection, &late);
    if (!connection->is_admitted) {
        refuse_new(connection, &late);
        return;
    }
    if (!exchange && !connection->peer_left)
        say_refusal(connection, &late);
    else if (exchange && !exchange->reply_status) /* else it was refused and does not read it */
        exchange_fail(exchange, &late.why, late.status, late.reason);
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
static void look_at_opening(struct connection *connection, int64_t now_us)
{
    char bytes[HTTP_HEADER_MAX];
    struct guard_refusal refused;
    bool is_whole;

    ssize_t n = recv(connection->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0)
        return;
    begin_receiving(connection, now_us);
    if (!connection->identity && opening_check(bytes, (size_t)n, &is_whole, &refused))
        refuse_opening(connection, &refused);
}

/* The library may never be told: where the client's end came together with its bytes, there is no
   event of its own for it. */
static void peer_leaves(struct connection *connection)
{
    if (connection->exchange && connection->exchange->state == EXCHANGE_PARKED)
        exchange_abandon(connection->exchange);
    else if (connection->state != CONNECTION_BUSY && !connection->is_shaking)
        begin_leaving(connection);
}

void connection_event(struct connection *connection, uint32_t events, int64_t now_us)
{
    bool peer_left = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);

    connection->peer_left |= peer_left;
    if (!connection->is_admitted) {
        look_at_new(connection, now_us);
    } else if (peer_left) {
        peer_leaves(connection);
    } else if (connection->state == CONNECTION_IDLE) {
        look_at_opening(connection, now_us);
    }
}
