/* SPDX-License-Identifier: MIT */
/*
 * What an event of the loop's epoll is about: the event's pointer leads to one of these, inside of
 * the thing.
 */
#ifndef REEVE_HTTP_WATCH_H
#define REEVE_HTTP_WATCH_H

#include <stdint.h>

enum watch_kind { WATCH_LISTEN, WATCH_WAKE, WATCH_LIBRARY, WATCH_CONNECTION, WATCH_LINGER };

struct watch {
    enum watch_kind kind;
};

/* 0 or a fault; `events` as in epoll_ctl(2). */
int watch_add(int epoll_fd, int fd, uint32_t events, struct watch *watch);

#endif
