/* SPDX-License-Identifier: MIT */
/*
 * The bus on one machine: one stream socket to the one other side.
 *
 * There is at most one peer; a new stream ends the old one first. A peer that ended stays in memory
 * until the running dispatch is over, so that no loop above it holds a dangling pointer. Tasks
 * carry secrets: what held a message is wiped.
 */
#include "base/fault.h"
#include "base/mem.h"
#include "bus/address.h"
#include "bus/frame.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE ((size_t)32 << 10)
#define READS_MAX 16 /* of READ_SIZE, in one dispatch */
#define SENDS_MAX 16 /* in one dispatch, each of all that waits */
#define OUT_KEPT  ((size_t)64 << 10)

struct bus_peer {
    int fd;
    void *owners;
    const char *broken; /* why it is gone at the next dispatch, or NULL */
    struct frame_reader reader;
    struct buf out;
    size_t sent; /* bytes at the front of `out` that are sent */
    bool waits;  /* for EPOLLOUT */
    struct bus_peer *next_ended;
};

struct bus {
    const struct bus_callbacks *callbacks;
    void *owner;
    enum bus_role role;
    struct address address;
    int epoll_fd;
    struct bus_peer *peer; /* NULL: none */
    struct bus_peer *ended;
    bool dispatching;
    bool seeking;                     /* there is no peer, and the two below are set */
    int64_t seek_at_us, seek_wait_us; /* when and how long after the last time */
    struct arena arena;               /* of the message being handled */
};

static int watch(struct bus *bus, int operation, int fd, uint32_t events, void *who)
{
    struct epoll_event event = {.events = events, .data.ptr = who};

    if (FAULT_POINT("bus.watch") || epoll_ctl(bus->epoll_fd, operation, fd, &event) < 0)
        return FAULT(-errno);
    return 0;
}

int bus_open(const struct bus_options *options, struct bus **ret, struct refusal *why)
{
    struct address address;
    int r = address_open(&address, options, why);
    if (r)
        return r;

    struct bus *bus = mem_alloc(sizeof(*bus));
    *bus = (struct bus){
        .callbacks = options->callbacks,
        .owner = options->owner,
        .role = options->role,
        .address = address,
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
    };
    arena_init_secret(&bus->arena);
    r = bus->epoll_fd < 0 ? FAULT(-errno) : 0;
    if (!r && address.fd >= 0)
        r = watch(bus, EPOLL_CTL_ADD, address.fd, EPOLLIN, bus);
    if (r) {
        bus_close(bus);
        return r;
    }
    *ret = bus;
    return 0;
}

static void peer_free(struct bus_peer *peer)
{
    if (!peer)
        return;
    fd_closep(&peer->fd);
    frame_reader_release(&peer->reader);
    buf_release(&peer->out);
    mem_free(peer);
}

static void free_ended(struct bus *bus)
{
    while (bus->ended) {
        struct bus_peer *peer = bus->ended;

        bus->ended = peer->next_ended;
        peer_free(peer);
    }
}

void bus_close(struct bus *bus)
{
    if (!bus)
        return;
    assert(!bus->dispatching);
    peer_free(bus->peer);
    free_ended(bus);
    address_close(&bus->address);
    fd_closep(&bus->epoll_fd);
    arena_release(&bus->arena);
    mem_free(bus);
}

int bus_fd(const struct bus *bus)
{
    return bus->epoll_fd;
}

int64_t bus_deadline_us(const struct bus *bus)
{
    if (bus->peer)
        return bus->peer->broken ? 0 : INT64_MAX;
    return bus->seeking ? bus->seek_at_us : 0;
}

void bus_peer_set(struct bus_peer *peer, void *owners)
{
    peer->owners = owners;
}

void *bus_peer_get(const struct bus_peer *peer)
{
    return peer->owners;
}

/* ---- peers come and go ---- */

void bus_drop(struct bus *bus, struct bus_peer *peer, const char *why)
{
    if (bus->peer != peer)
        return;
    bus->peer = NULL;
    bus->seeking = false;
    close(peer->fd); /* which ends its watch too */
    peer->fd = -1;
    bus->callbacks->gone(bus->owner, peer, why);
    peer->next_ended = bus->ended;
    bus->ended = peer;
    if (!bus->dispatching)
        free_ended(bus);
}

void bus_drop_all(struct bus *bus, const char *why)
{
    if (bus->peer)
        bus_drop(bus, bus->peer, why);
}

static int peer_arrives(struct bus *bus, int fd)
{
    if (bus->peer)
        bus_drop(bus, bus->peer, "the other side was started anew");

    struct bus_peer *peer = mem_alloc(sizeof(*peer));
    peer->fd = fd;
    frame_reader_init(&peer->reader, bus->role == BUS_AGENT ? BUS_CONTROLLER : BUS_AGENT);
    buf_init_secret(&peer->out, BUS_BACKLOG_MAX);
    int r = watch(bus, EPOLL_CTL_ADD, fd, EPOLLIN, peer);
    if (r) {
        peer_free(peer);
        return r;
    }
    bus->peer = peer;
    bus->callbacks->connected(bus->owner, peer);
    return 0;
}

static int receive_stream(struct bus *bus)
{
    int fd;
    int r = address_receive(&bus->address, &fd);

    if (r || fd < 0)
        return r;
    return peer_arrives(bus, fd);
}

static void seek_again_after(struct bus *bus, int64_t boot_us, int64_t wait_us)
{
    bus->seeking = true;
    bus->seek_wait_us = wait_us;
    bus->seek_at_us = wait_us == INT64_MAX ? INT64_MAX : boot_us + wait_us;
}

static int seek_peer(struct bus *bus, int64_t boot_us)
{
    int fd;

    if (bus->peer)
        return 0;
    if (!bus->seeking)
        seek_again_after(bus, boot_us, address_seek_after_us(&bus->address));
    if (boot_us < bus->seek_at_us)
        return 0;
    int r = address_seek(&bus->address, &fd);
    if (r)
        return r;
    if (fd >= 0)
        return peer_arrives(bus, fd);
    int64_t last_us = address_seek_last_us(&bus->address);
    seek_again_after(bus, boot_us,
                     bus->seek_wait_us < last_us / 2 ? 2 * bus->seek_wait_us : last_us);
    return 0;
}

/* ---- sending ---- */

static void out_sent(struct bus_peer *peer, size_t size)
{
    struct buf *out = &peer->out;

    peer->sent += size;
    if (peer->sent < out->size / 2)
        return;
    out->size -= peer->sent;
    memmove(out->at, out->at + peer->sent, out->size);
    explicit_bzero(out->at + out->size, peer->sent);
    peer->sent = 0;
    if (out->size == 0 && out->room > OUT_KEPT)
        buf_release(out);
}

static void send_waiting(struct bus *bus, struct bus_peer *peer)
{
    for (int i = 0; i < SENDS_MAX && peer->out.size > peer->sent; i++) {
        ssize_t size = FAULT_POINT("bus.send")
                           ? -1
                           : send(peer->fd, peer->out.at + peer->sent, peer->out.size - peer->sent,
                                  MSG_DONTWAIT | MSG_NOSIGNAL);

        if (size < 0 && errno == EAGAIN)
            break;
        if (size < 0 && errno != EINTR) {
            peer->broken = "the other side closed the connection";
            return;
        }
        if (size > 0)
            out_sent(peer, (size_t)size);
    }

    bool waits = peer->out.size > peer->sent;
    if (waits == peer->waits)
        return;
    peer->waits = waits;
    if (watch(bus, EPOLL_CTL_MOD, peer->fd, waits ? EPOLLIN | EPOLLOUT : EPOLLIN, peer))
        peer->broken = "the connection can't be watched";
}

void bus_send(struct bus *bus, struct bus_peer *peer, enum bus_message message, const void *body)
{
    assert(frame_rows[message].sender == bus->role);
    if (bus->peer != peer || peer->broken)
        return;
    frame_write(&peer->out, message, body);
    if (buf_overflowed(&peer->out))
        peer->broken = "the other side does not read";
    else if (!peer->waits)
        send_waiting(bus, peer);
}

/* ---- receiving ---- */

static void take_messages(struct bus *bus, struct bus_peer *peer, struct slice input)
{
    while (input.size && bus->peer == peer) {
        struct frame frame;
        struct refusal why;
        int r = frame_read(&peer->reader, &input, &bus->arena, &frame, &why);

        if (r) {
            bus_drop(
                bus, peer,
                arena_printf(&bus->arena, "%s%s%s", why.field, why.field[0] ? ": " : "", why.text));
        } else if (frame.body) {
            bus->callbacks->message(bus->owner, peer, frame.message, frame.body);
            frame_reader_done(&peer->reader);
        }
        arena_reset(&bus->arena);
    }
}

static void receive_messages(struct bus *bus, struct bus_peer *peer)
{
    char bytes[READ_SIZE];

    for (int i = 0; i < READS_MAX && bus->peer == peer; i++) {
        ssize_t size =
            FAULT_POINT("bus.receive") ? -1 : recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size < 0)
            bus_drop(bus, peer, strerrordesc_np(errno));
        else if (size == 0)
            bus_drop(bus, peer, "the other side closed the connection");
        else
            take_messages(bus, peer, (struct slice){.at = bytes, .size = (size_t)size});
        if (size > 0)
            explicit_bzero(bytes, (size_t)size);
    }
}

/* A peer that was replaced by an earlier event of the same batch is still in memory: its pointer is
   no other's. */
static int take_event(struct bus *bus, const struct epoll_event *event)
{
    if (event->data.ptr == bus)
        return receive_stream(bus);
    struct bus_peer *peer = event->data.ptr;
    assert(peer);
    if (peer == bus->peer && event->events & EPOLLOUT)
        send_waiting(bus, peer);
    if (peer == bus->peer && event->events & ~(uint32_t)EPOLLOUT)
        receive_messages(bus, peer);
    return 0;
}

static int dispatch(struct bus *bus, int64_t boot_us)
{
    if (bus->peer && bus->peer->broken)
        bus_drop(bus, bus->peer, bus->peer->broken);
    int r = seek_peer(bus, boot_us);
    if (r)
        return r;

    struct epoll_event events[2]; /* the address and the peer */
    int n = epoll_wait(bus->epoll_fd, events, COUNT_OF(events), 0);
    if (n < 0 && errno != EINTR)
        return FAULT(-errno);
    for (int i = 0; i < n; i++) {
        r = take_event(bus, &events[i]);
        if (r)
            return r;
    }
    return 0;
}

int bus_dispatch(struct bus *bus, int64_t boot_us)
{
    assert(!bus->dispatching);
    bus->dispatching = true;
    int r = dispatch(bus, boot_us);
    bus->dispatching = false;
    free_ended(bus);
    return r;
}
