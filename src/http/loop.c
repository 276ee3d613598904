/* SPDX-License-Identifier: MIT */
/*
 * One loop: a thread, an epoll, and what is due when.
 *
 * A turn is always: wait; note what the events say; act on wakes and times; accept; let the library
 * run. The library runs last, so that nothing an event points to can be freed before the event was
 * looked at.
 *
 * Each connection's socket is in the loop's epoll too, beside the library's, edge-triggered and
 * never touched again: its events tell a request's first byte, and that the client of a parked
 * request has left, neither of which the library tells.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "http/library.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_A_TURN  128
#define ACCEPTS_A_TURN 64
#define TURN_MAX_MS    1000
#define FAREWELL_TURNS 8 /* runs of the library in which connections that were cut end */

int watch_add(int epoll_fd, int fd, uint32_t events, struct watch *watch)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? FAULT(-errno) : 0;
}

/*
 * Open and free
 */

static int loop_watch(struct loop *loop)
{
    int r;

    loop->listen_watch.kind = WATCH_LISTEN;
    loop->wake_watch.kind = WATCH_WAKE;
    loop->library_watch.kind = WATCH_LIBRARY;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return FAULT(-errno);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return FAULT(-errno);
    r = watch_add(loop->epoll_fd, loop->wake_fd, EPOLLIN, &loop->wake_watch);
    if (r)
        return r;
    r = library_open(loop);
    if (r)
        return r;
    r = watch_add(loop->epoll_fd, library_fd(loop), EPOLLIN, &loop->library_watch);
    if (r)
        return r;
    loop->accepts = true;
    return watch_add(loop->epoll_fd, loop->listen_fd, EPOLLIN, &loop->listen_watch);
}

int loop_open(struct http_server *server, unsigned number, int listen_fd, struct loop **ret)
{
    struct loop *loop = mem_alloc(sizeof(*loop));
    int r;

    loop->server = server;
    loop->number = number;
    loop->listen_fd = listen_fd;
    loop->epoll_fd = -1;
    loop->wake_fd = -1;
    loop->id_prefix = random_u64();
    park_table_init(&loop->parked);
    r = loop_watch(loop);
    if (r == 0)
        *ret = loop;
    else
        loop_free(loop);
    return r;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    library_close(loop);
    linger_expire(&loop->lingering, INT64_MAX);
    exchanges_free(loop);
    park_table_release(&loop->parked);
    fd_closep(&loop->listen_fd);
    fd_closep(&loop->wake_fd);
    fd_closep(&loop->epoll_fd);
    mem_free(loop);
}

/*
 * Small things of a loop
 */

void loop_tell(struct loop *loop)
{
    uint64_t one = 1;

    while (write(loop->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

bool loop_is_stopping(const struct loop *loop)
{
    return atomic_load_explicit(&loop->server->stop_until_us, memory_order_relaxed) != 0;
}

void loop_make_id(struct loop *loop, char ret[HTTP_REQUEST_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t number = ++loop->n_ids;
    char *to = ret;

    for (int shift = 60; shift >= 0; shift -= 4)
        *to++ = digits[loop->id_prefix >> shift & 15];
    *to++ = '-';
    for (int shift = (63 - __builtin_clzll(number)) / 4 * 4; shift >= 0; shift -= 4)
        *to++ = digits[number >> shift & 15];
    *to = '\0';
}

/* RFC 9110 §5.6.7; made once a second. */
const char *loop_date(struct loop *loop)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now_s = time(NULL);
    struct tm tm;

    if (now_s == loop->date_s || !gmtime_r(&now_s, &tm))
        return loop->date;
    loop->date_s = now_s;
    snprintf(loop->date, sizeof(loop->date), "%s, %02u %s %04u %02u:%02u:%02u GMT",
             days[tm.tm_wday], (unsigned)tm.tm_mday % 100, months[tm.tm_mon],
             (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    return loop->date;
}

/*
 * Events
 */

static void on_wake(struct loop *loop)
{
    uint64_t n;

    while (read(loop->wake_fd, &n, sizeof(n)) < 0 && errno == EINTR)
        ;
}

/* True when somebody wants to connect. */
static bool on_event(struct loop *loop, const struct epoll_event *event, int64_t now_us)
{
    struct watch *watch = event->data.ptr;

    switch (watch->kind) {
    case WATCH_LISTEN:
        return true;
    case WATCH_WAKE:
        on_wake(loop);
        break;
    case WATCH_LIBRARY: /* runs in every turn */
        break;
    case WATCH_CONNECTION:
        connection_event((struct connection *)(void *)watch, event->events, now_us);
        break;
    case WATCH_LINGER:
        linger_read((struct lingering *)(void *)watch);
        break;
    }
    return false;
}

/*
 * Accepting
 */

static void listen_for(struct loop *loop, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = &loop->listen_watch};

    epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, loop->listen_fd, &event);
    loop->accepts = events != 0;
}

/* A client that wants to shake hands would not understand an answer. */
static void refuse_connection(struct loop *loop, int fd)
{
    CLEANUP(buf_release) struct buf text = {.cap = 0};
    char id[HTTP_REQUEST_ID_SIZE];
    struct refusal why;

    if (loop->server->has_tls) {
        close(fd);
        return;
    }
    refuse(&why, OUTCOME_UNAVAILABLE, NULL, "all %u connections are in use, try again later",
           loop->server->connections_max);
    loop_make_id(loop, id);
    error_reply(loop, &why, outcome_http(why.outcome), "connections", id, &text);
    socket_say(fd, buf_slice(&text));
    linger_add(&loop->lingering, loop->epoll_fd, fd, clock_boot_us());
}

static void take_connection(struct loop *loop, int fd, const struct sockaddr *peer,
                            socklen_t peer_size)
{
    atomic_uint *n = &loop->server->n_connections;

    if (atomic_fetch_add(n, 1) >= loop->server->connections_max) {
        atomic_fetch_sub(n, 1);
        refuse_connection(loop, fd);
    } else {
        connection_open(loop, fd, peer, peer_size);
    }
}

static void accept_some(struct loop *loop)
{
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage peer;
        socklen_t peer_size = sizeof(peer);
        int fd = FAULT_POINT("http.accept") ? -1
                                            : accept4(loop->listen_fd, (struct sockaddr *)&peer,
                                                      &peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(loop, fd, (struct sockaddr *)&peer, peer_size);
            continue;
        }
        /* Out of descriptors or memory: the socket stays ready, so it is left alone for a turn. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            listen_for(loop, 0);
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

/*
 * What is due
 */

static void resume(struct exchange *exchange, enum http_wake why)
{
    exchange->state = EXCHANGE_RESUMED;
    exchange->why = why;
    library_resume(exchange);
}

static void resume_parked(struct loop *loop, int64_t now_us)
{
    struct exchange *exchange;

    while ((exchange = park_take_woken(&loop->parked)))
        resume(exchange, HTTP_WOKEN);
    while ((exchange = park_take_late(&loop->parked, now_us))) {
        resume(exchange, HTTP_WAITED_OUT);
        if (exchange->connection->peer_left)
            exchange_abandon(exchange);
    }
}

static int64_t request_due_us(const struct loop *loop)
{
    const struct connection *first = loop->connections[CONNECTION_RECEIVING].first;

    return first ? first->first_byte_us + loop->server->limits.request_us : INT64_MAX;
}

/* Without TLS a new connection is an idle one. */
static int64_t new_due_us(const struct loop *loop)
{
    const struct connection *first = loop->connections[CONNECTION_NEW].first;
    const struct http_limits *limits = &loop->server->limits;

    return !first                  ? INT64_MAX
           : loop->server->has_tls ? first->first_byte_us + limits->request_us
                                   : first->first_byte_us + limits->idle_s * US_PER_S;
}

static int64_t leaving_due_us(const struct loop *loop)
{
    const struct connection *first = loop->connections[CONNECTION_LEAVING].first;

    return first ? first->first_byte_us + loop->server->limits.leave_us : INT64_MAX;
}

static void expire_requests(struct loop *loop, int64_t now_us)
{
    while (leaving_due_us(loop) <= now_us)
        connection_time_out(loop->connections[CONNECTION_LEAVING].first);
    while (new_due_us(loop) <= now_us)
        connection_cut(loop->connections[CONNECTION_NEW].first);
    while (request_due_us(loop) <= now_us)
        connection_time_out(loop->connections[CONNECTION_RECEIVING].first);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Until the next thing is due; at most a second, after which a loop that can't accept tries again.
 */
static int loop_wait_ms(struct loop *loop, int64_t now_us)
{
    int library_ms = library_wait_ms(loop);
    int64_t due_us = now_us + TURN_MAX_MS * US_PER_MS;

    if (library_ms >= 0)
        due_us = earlier(due_us, now_us + library_ms * US_PER_MS);
    due_us = earlier(due_us, request_due_us(loop));
    due_us = earlier(due_us, new_due_us(loop));
    due_us = earlier(due_us, leaving_due_us(loop));
    due_us = earlier(due_us, park_next_us(&loop->parked));
    due_us = earlier(due_us, linger_next_us(&loop->lingering));
    if (loop_is_stopping(loop))
        due_us = earlier(due_us, atomic_load(&loop->server->stop_until_us));
    return due_us <= now_us ? 0 : (int)((due_us - now_us + US_PER_MS - 1) / US_PER_MS);
}

/*
 * Turns, and the end
 */

static void loop_turn(struct loop *loop)
{
    struct epoll_event events[EVENTS_A_TURN];
    bool has_visitors = false;

    int n = epoll_wait(loop->epoll_fd, events, EVENTS_A_TURN, loop_wait_ms(loop, clock_boot_us()));
    int64_t now_us = clock_boot_us();
    for (int i = 0; i < n; i++)
        has_visitors |= on_event(loop, &events[i], now_us);
    resume_parked(loop, now_us);
    expire_requests(loop, now_us);
    linger_expire(&loop->lingering, now_us);
    if (!loop->accepts && loop->listen_fd >= 0)
        listen_for(loop, EPOLLIN);
    else if (has_visitors)
        accept_some(loop);
    library_run(loop);
}

static void cut_all(struct connection_list *list)
{
    struct connection *next;

    for (struct connection *connection = list->first; connection; connection = next) {
        struct exchange *exchange = connection->exchange;
        next = connection->next;
        if (exchange && (exchange->state == EXCHANGE_PARKED || exchange->state == EXCHANGE_RESUMED))
            exchange_abandon(exchange);
        connection_cut(connection);
    }
}

static bool has_requests(const struct loop *loop)
{
    return loop->connections[CONNECTION_RECEIVING].first ||
           loop->connections[CONNECTION_LEAVING].first || loop->connections[CONNECTION_BUSY].first;
}

/* New connections are refused by the kernel from now on; requests under way may end until the time
 * that was set. */
static void loop_stop(struct loop *loop)
{
    int64_t until_us = atomic_load(&loop->server->stop_until_us);

    fd_closep(&loop->listen_fd);
    loop->listen_fd = -1;
    while (has_requests(loop) && clock_boot_us() < until_us) {
        cut_all(&loop->connections[CONNECTION_NEW]);
        cut_all(&loop->connections[CONNECTION_IDLE]);
        loop_turn(loop);
    }
    for (int i = 0; i < CONNECTION_STATES; i++)
        cut_all(&loop->connections[i]);
    for (int i = 0; i < FAREWELL_TURNS; i++)
        library_run(loop);
    library_close(loop);
}

void *loop_run(void *argument)
{
    struct loop *loop = argument;

    while (!loop_is_stopping(loop))
        loop_turn(loop);
    loop_stop(loop);
    return NULL;
}
