/* SPDX-License-Identifier: MIT */
/*
 * Start and stop: listening sockets and threads.
 *
 * The first socket is bound alone and shared only afterwards, so that a second controller on the
 * same port is refused, which SO_REUSEPORT alone would let in beside us.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "http/library.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define BACKLOG           1024
#define DESCRIPTORS_SPARE 256 /* of the process, for all else */
#define LISTEN_FDS        4   /* of a loop: listening socket, two epolls, eventfd */

struct address {
    struct sockaddr_storage storage;
    socklen_t size;
};

static bool address_parse(const char *text, uint16_t port, struct address *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&ret->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret->storage;

    *ret = (struct address){.size = 0};
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        ret->size = sizeof(*v4);
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        ret->size = sizeof(*v6);
    }
    return ret->size > 0;
}

static uint16_t address_port(const struct address *address)
{
    /* Both families have it in the same place. */
    return ntohs(((const struct sockaddr_in *)(const void *)&address->storage)->sin_port);
}

static int refuse_bind(const struct http_options *options, struct refusal *why)
{
    if (errno == EADDRINUSE)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "port %u on %s is taken", options->port,
                      options->listen);
    return refuse(why, OUTCOME_UNAVAILABLE, NULL, "can't listen on port %u of %s: %s",
                  options->port, options->listen, strerrordesc_np(errno));
}

static bool set_option(int fd, int option)
{
    const int one = 1;

    return setsockopt(fd, SOL_SOCKET, option, &one, sizeof(one)) == 0;
}

/* Port 0 in *address is replaced by the one the kernel chose. `is_first`: the port is not ours yet.
 */
static int listen_open(const struct http_options *options, struct address *address, bool is_first,
                       int *ret_fd, struct refusal *why)
{
    struct sockaddr *name = (struct sockaddr *)&address->storage;

    CLEANUP(fd_closep)
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !set_option(fd, SO_REUSEADDR) || (!is_first && !set_option(fd, SO_REUSEPORT)))
        return refuse_bind(options, why);
    if (bind(fd, name, address->size) < 0 || (is_first && !set_option(fd, SO_REUSEPORT)))
        return refuse_bind(options, why);
    if (FAULT_POINT("http.listen") || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, name, &address->size) < 0)
        return refuse_bind(options, why);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* Connections this process has descriptors for, once its limit is as high as it may set it. */
static unsigned connections_possible(unsigned n_loops)
{
    struct rlimit limit;
    rlim_t taken = DESCRIPTORS_SPARE + n_loops * (LISTEN_FDS + LINGER_MAX);

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur <= taken                    ? 1
           : limit.rlim_cur - taken > UINT16_MAX * 16 ? UINT16_MAX * 16
                                                      : (unsigned)(limit.rlim_cur - taken);
}

static int open_loops(struct http_server *server, const struct http_options *options,
                      struct refusal *why)
{
    struct address address;
    int r;

    if (!address_parse(options->listen, options->port, &address))
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "\"%s\" is not an IPv4 or IPv6 address",
                      options->listen);
    for (unsigned i = 0; i < options->n_loops; i++) {
        int fd = -1;
        r = listen_open(options, &address, i == 0, &fd, why);
        if (r)
            return r;
        r = loop_open(server, i, fd, &server->loops[i]);
        if (r)
            return r;
        server->n_loops++;
    }
    server->port = address_port(&address);
    return 0;
}

static int open_owners(struct http_server *server)
{
    int r;

    for (unsigned i = 0; i < server->n_loops; i++) {
        r = server->service->loop_open(server->owner, i, &server->loops[i]->owner);
        if (r)
            return r;
        server->loops[i]->has_owner = true;
    }
    return 0;
}

/* Signals are for the program's main thread. */
static int start_threads(struct http_server *server)
{
    sigset_t all, before;
    int r = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < server->n_loops && r == 0; i++) {
        struct loop *loop = server->loops[i];
        r = FAULT_POINT("http.thread") ? errno
                                       : pthread_create(&loop->thread, NULL, loop_run, loop);
        loop->has_thread = r == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r ? FAULT(-r) : 0;
}

static int open_tls(struct http_server *server, const struct http_tls *files, struct refusal *why)
{
    struct tls_identity *identity;

    tls_init(&server->tls);
    if (!files->certificate && !files->key)
        return 0;
    if (!files->certificate || !files->key)
        return refuse(why, OUTCOME_UNAVAILABLE, "tls",
                      "tls: certificate and key belong together, and one of them is not given");
    int r = tls_identity_load(files, &identity, why);
    if (r)
        return r;
    tls_put(&server->tls, identity);
    server->has_tls = true;
    return 0;
}

int http_tls_reload(struct http_server *server, const struct http_tls *files, struct refusal *why)
{
    struct tls_identity *identity;

    if (!server->has_tls || !files->certificate || !files->key)
        return refuse(why, OUTCOME_UNAVAILABLE, "tls",
                      "tls: is switched on and off with the next start alone");
    int r = tls_identity_load(files, &identity, why);
    if (r)
        return r;
    tls_put(&server->tls, identity);
    return 0;
}

int64_t http_tls_expires_s(struct http_server *server)
{
    struct tls_identity *identity = tls_get(&server->tls);
    int64_t expires_s = identity ? tls_identity_expires_s(identity) : 0;

    tls_identity_unref(identity);
    return expires_s;
}

int http_open_limited(const struct http_options *options, const struct http_limits *limits,
                      struct http_server **ret, struct refusal *why)
{
    int r;

    assert(options->n_loops >= 1 && options->n_loops <= LOOPS_MAX && options->connections_max >= 1);
    struct http_server *server = mem_alloc(sizeof(*server));
    unsigned possible = connections_possible(options->n_loops);
    server->service = options->service;
    server->owner = options->owner;
    server->limits = *limits;
    server->connections_max =
        options->connections_max < possible ? options->connections_max : possible;
    r = open_tls(server, &options->tls, why);
    if (r == 0)
        r = open_loops(server, options, why);
    if (r == 0)
        r = open_owners(server);
    if (r == 0)
        r = start_threads(server);
    if (r == 0)
        *ret = server;
    else
        http_close(server);
    return r;
}

int http_open(const struct http_options *options, struct http_server **ret, struct refusal *why)
{
    const struct http_limits limits = {.request_us = HTTP_REQUEST_US,
                                       .idle_s = HTTP_IDLE_S,
                                       .leave_us = HTTP_LEAVE_US,
                                       .unsent_max = HTTP_UNSENT_MAX};

    return http_open_limited(options, &limits, ret, why);
}

void http_stop(struct http_server *server, int64_t grace_us)
{
    atomic_store(&server->stop_until_us, clock_boot_us() + grace_us);
    for (unsigned i = 0; i < server->n_loops; i++)
        loop_tell(server->loops[i]);
    for (unsigned i = 0; i < server->n_loops; i++) {
        struct loop *loop = server->loops[i];
        if (loop->has_thread)
            pthread_join(loop->thread, NULL);
        if (loop->has_owner)
            server->service->loop_close(server->owner, loop->owner);
        loop->has_thread = loop->has_owner = false;
    }
}

/* Also for a server that did not open whole. */
void http_close(struct http_server *server)
{
    http_stop(server, 0);
    for (unsigned i = 0; i < server->n_loops; i++)
        loop_free(server->loops[i]);
    tls_release(&server->tls);
    mem_free(server);
}

uint16_t http_port(const struct http_server *server)
{
    return server->port;
}

void http_wake(struct http_server *server, struct http_ticket ticket)
{
    if (ticket.loop < server->n_loops &&
        park_wake(&server->loops[ticket.loop]->parked, ticket.number))
        loop_tell(server->loops[ticket.loop]);
}
