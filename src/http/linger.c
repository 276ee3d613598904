/* SPDX-License-Identifier: MIT */
/*
 * Reads and throws away; bounded in sockets, in time, and in bytes a turn.
 */
#include "http/linger.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_A_TURN 4

static void linger_close(struct lingering *linger)
{
    if (linger->fd >= 0)
        close(linger->fd);
    linger->fd = -1;
}

static void close_first(struct linger_list *list)
{
    linger_close(&list->all[list->first]);
    list->first = (list->first + 1) % LINGER_MAX;
    list->n--;
}

void linger_add(struct linger_list *list, int epoll_fd, int fd, int64_t now_boot_us)
{
    if (list->n == LINGER_MAX)
        close_first(list);
    struct lingering *linger = &list->all[(list->first + list->n++) % LINGER_MAX];
    *linger = (struct lingering){
        .watch = {.kind = WATCH_LINGER},
        .fd = fd,
        .until_us = now_boot_us + LINGER_US,
    };
    if (shutdown(fd, SHUT_WR) < 0 || watch_add(epoll_fd, fd, EPOLLIN, &linger->watch))
        linger_close(linger);
}

void linger_read(struct lingering *linger)
{
    char bytes[16384];

    if (linger->fd < 0)
        return;
    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t n = recv(linger->fd, bytes, sizeof(bytes), MSG_TRUNC);
        if (n > 0)
            continue;
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            linger_close(linger);
        return;
    }
}

void linger_expire(struct linger_list *list, int64_t now_boot_us)
{
    while (list->n > 0) {
        const struct lingering *first = &list->all[list->first];
        if (first->fd >= 0 && first->until_us > now_boot_us)
            return;
        close_first(list);
    }
}

int64_t linger_next_us(const struct linger_list *list)
{
    return list->n > 0 ? list->all[list->first].until_us : INT64_MAX;
}
