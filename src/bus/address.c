/* SPDX-License-Identifier: MIT */
/*
 * Streams from a supervisor, from a listening socket, or by connecting.
 *
 * A socket file is trusted for its directory: only the agent's user may be able to put something
 * there.
 */
#include "bus/address.h"
#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY_UID     65534u
#define LISTEN_BACKLOG 8

struct address_kind {
    const char *prefix;
    unsigned roles; /* bit set of 1 << enum bus_role */
    int (*open)(struct address *address, const char *rest, struct refusal *why);
    int (*receive)(struct address *address, int *ret); /* NULL: there is no descriptor */
    int (*seek)(struct address *address, int *ret);    /* NULL: the other side does that */
    int64_t seek_after_us, seek_last_us;
};

static int unusable(struct refusal *why, const char *what, const char *reason)
{
    return refuse(why, OUTCOME_UNAVAILABLE, "bus", "%s: %s", what, reason);
}

/* ---- fd:N ---- */

static bool socket_is(int fd, int type)
{
    int domain, found;
    socklen_t size = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_UNIX)
        return false;
    size = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &found, &size) == 0 && found == type;
}

static int supervised_open(struct address *address, const char *rest, struct refusal *why)
{
    char *end;
    errno = 0;
    long fd = strtol(rest, &end, 10);

    if (end == rest || *end || errno || fd < 0 || fd > INT_MAX)
        return refuse(why, OUTCOME_USAGE, "bus", "fd:%s: a descriptor number is expected", rest);
    if (!socket_is((int)fd, SOCK_SEQPACKET))
        return unusable(why, "fd", "the descriptor is no socket of a supervisor");
    if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return FAULT(-errno);
    address->fd = (int)fd;
    return 0;
}

static int passed_fd(struct msghdr *message)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    int fd;

    if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(&fd, CMSG_DATA(control), sizeof(fd));
    return fd;
}

union fd_control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static int supervised_receive(struct address *address, int *ret)
{
    char byte;
    union fd_control control;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    ssize_t size = FAULT_POINT("stream.take")
                       ? -1
                       : recvmsg(address->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    *ret = -1;
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (size < 0 && errno != ECONNRESET)
        return FAULT(-errno);
    if (size <= 0)
        return FAULT(-EPIPE);

    CLEANUP(fd_closep) int fd = passed_fd(&message);
    if (fd < 0 || !socket_is(fd, SOCK_STREAM))
        return FAULT(-EPROTO);
    *ret = fd;
    fd = -1;
    return 0;
}

/* A request for a new stream, one byte. Whether it can't be sent because too many wait or because
   the supervisor is gone, address_receive() is the one to tell. */
static int supervised_seek(struct address *address, int *ret)
{
    char byte = 0;

    *ret = -1;
    (void)!send(address->fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return 0;
}

int bus_wants_stream(int fd, bool *ret)
{
    char byte;
    bool asked = false;
    ssize_t size;

    while ((size = recv(fd, &byte, 1, MSG_DONTWAIT)) > 0)
        asked = true;
    if (size == 0)
        return FAULT(-EPIPE);
    if (errno != EAGAIN && errno != EINTR)
        return FAULT(errno == ECONNRESET ? -EPIPE : -errno);
    *ret = asked;
    return 0;
}

static int hand_over(int to, int stream)
{
    char byte = 0; /* rights travel with data only */
    union fd_control control = {.bytes = {0}};
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

    *rights = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)),
        .cmsg_level = SOL_SOCKET,
        .cmsg_type = SCM_RIGHTS,
    };
    memcpy(CMSG_DATA(rights), &stream, sizeof(int));
    if (FAULT_POINT("stream.give") || sendmsg(to, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return FAULT(-errno);
    return 0;
}

int bus_introduce(int controller_fd, int agent_fd)
{
    int ends[2];

    if (FAULT_POINT("stream.make") || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return FAULT(-errno);
    int r = hand_over(controller_fd, ends[0]);
    if (!r)
        r = hand_over(agent_fd, ends[1]);
    close(ends[0]);
    close(ends[1]);
    return r;
}

/* ---- unix:PATH ---- */

static bool peer_is(int stream, unsigned uid)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(stream, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == uid;
}

static int path_set(struct address *address, const char *path, struct refusal *why)
{
    if (path[0] != '/' || strlen(path) >= sizeof(address->path.sun_path))
        return refuse(why, OUTCOME_USAGE, "bus",
                      "unix:%s: an absolute path of at most %zu bytes is expected", path,
                      sizeof(address->path.sun_path) - 1);
    address->path.sun_family = AF_UNIX;
    memcpy(address->path.sun_path, path, strlen(path) + 1);
    return 0;
}

static int directory_owner(const struct address *address, unsigned *ret, const char **ret_fault)
{
    char path[sizeof(address->path.sun_path)];
    struct stat st;

    memcpy(path, address->path.sun_path, sizeof(path));
    if (stat(dirname(path), &st) < 0) {
        *ret_fault = strerrordesc_np(errno);
        return OUTCOME_UNAVAILABLE;
    }
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        *ret_fault = "its directory can be written by others than its owner";
        return OUTCOME_UNAVAILABLE;
    }
    *ret = st.st_uid;
    return 0;
}

static int stream_socket(int *ret)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return FAULT(-errno);
    *ret = fd;
    return 0;
}

static bool somebody_listens(const struct address *address)
{
    CLEANUP(fd_closep) int fd = -1;

    if (stream_socket(&fd))
        return true;
    return connect(fd, (const struct sockaddr *)&address->path, sizeof(address->path)) == 0 ||
           errno == EAGAIN;
}

/* The file belongs to the controller's user and nobody else can open it; the directory is ours, so
   nobody can have exchanged it in between. */
static int bind_and_listen(int fd, const struct address *address)
{
    const char *path = address->path.sun_path;

    if (unlink(path) < 0 && errno != ENOENT)
        return -1;
    if (FAULT_POINT("unix.bind") ||
        bind(fd, (const struct sockaddr *)&address->path, sizeof(address->path)) < 0)
        return -1;
    if (chmod(path, 0600) < 0 || lchown(path, address->peer_uid, (gid_t)-1) < 0)
        return -1;
    return listen(fd, LISTEN_BACKLOG);
}

static int listening_open(struct address *address, const char *rest, struct refusal *why)
{
    unsigned owner;
    const char *fault;
    int r = path_set(address, rest, why);

    if (r)
        return r;
    if (address->peer_uid == NOBODY_UID || address->peer_uid == (unsigned)-1)
        return refuse(why, OUTCOME_USAGE, "bus",
                      "the controller's user must be one of its own, not nobody");
    if (directory_owner(address, &owner, &fault))
        return unusable(why, rest, fault);
    if (owner != 0 && owner != geteuid())
        return unusable(why, rest, "its directory belongs neither to root nor to this user");
    if (somebody_listens(address))
        return unusable(why, rest, "another agent listens there");

    CLEANUP(fd_closep) int fd = -1;
    r = stream_socket(&fd);
    if (r)
        return r;
    if (bind_and_listen(fd, address) < 0)
        return unusable(why, rest, strerrordesc_np(errno));
    address->fd = fd;
    fd = -1;
    return 0;
}

static int listening_receive(struct address *address, int *ret)
{
    CLEANUP(fd_closep)
    int fd = FAULT_POINT("unix.accept") ? -1 : accept4(address->fd, NULL, NULL, SOCK_CLOEXEC);

    *ret = -1;
    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        return FAULT(-errno);
    if (fd < 0 || !peer_is(fd, address->peer_uid))
        return 0;
    *ret = fd;
    fd = -1;
    return 0;
}

static int connecting_open(struct address *address, const char *rest, struct refusal *why)
{
    return path_set(address, rest, why);
}

static int connecting_seek(struct address *address, int *ret)
{
    unsigned owner;
    const char *fault;
    CLEANUP(fd_closep) int fd = -1;

    *ret = -1;
    if (directory_owner(address, &owner, &fault))
        return 0;
    int r = stream_socket(&fd);
    if (r)
        return r;
    if (FAULT_POINT("unix.connect") ||
        connect(fd, (const struct sockaddr *)&address->path, sizeof(address->path)) < 0 ||
        !peer_is(fd, owner))
        return 0;
    *ret = fd;
    fd = -1;
    return 0;
}

/* ---- both ---- */

/* The supervisor brings the two together by itself whenever it starts one of them: a request comes
   later than that, and only where both are alive. */
#define ASK_AFTER_US     (500 * US_PER_MS)
#define ASK_LAST_US      (8 * US_PER_S)
#define CONNECT_AFTER_US (20 * US_PER_MS)
#define CONNECT_LAST_US  (2 * US_PER_S)

static const struct address_kind kinds[] = {
    {
        .prefix = "fd:",
        .roles = 1u << BUS_AGENT | 1u << BUS_CONTROLLER,
        .open = supervised_open,
        .receive = supervised_receive,
        .seek = supervised_seek,
        .seek_after_us = ASK_AFTER_US,
        .seek_last_us = ASK_LAST_US,
    },
    {
        .prefix = "unix:",
        .roles = 1u << BUS_AGENT,
        .open = listening_open,
        .receive = listening_receive,
        .seek_after_us = INT64_MAX,
        .seek_last_us = INT64_MAX,
    },
    {
        .prefix = "unix:",
        .roles = 1u << BUS_CONTROLLER,
        .open = connecting_open,
        .seek = connecting_seek,
        .seek_after_us = CONNECT_AFTER_US,
        .seek_last_us = CONNECT_LAST_US,
    },
};

int address_open(struct address *address, const struct bus_options *options, struct refusal *why)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct address_kind *kind = &kinds[i];
        size_t size = strlen(kind->prefix);

        if (!(kind->roles >> options->role & 1) ||
            strncmp(options->address, kind->prefix, size) != 0)
            continue;
        *address = (struct address){.kind = kind, .fd = -1, .peer_uid = options->peer_uid};
        return kind->open(address, options->address + size, why);
    }
    return refuse(why, OUTCOME_USAGE, "bus", "%s: fd:N or unix:PATH is expected", options->address);
}

void address_close(struct address *address)
{
    fd_closep(&address->fd);
    address->fd = -1;
}

int address_receive(struct address *address, int *ret)
{
    return address->kind->receive(address, ret);
}

int64_t address_seek_after_us(const struct address *address)
{
    return address->kind->seek_after_us;
}

int64_t address_seek_last_us(const struct address *address)
{
    return address->kind->seek_last_us;
}

int address_seek(struct address *address, int *ret)
{
    return address->kind->seek(address, ret);
}
