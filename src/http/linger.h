/* SPDX-License-Identifier: MIT */
/*
 * Sockets on which the last reply is sent and the client may still be sending: closing at once
 * would answer its bytes with a reset, which takes the unread reply away from it (RFC 9112 §9.6).
 * They are read from and thrown away until the client is done, for two seconds at most.
 *
 * At most LINGER_MAX of a loop wait; when one more comes the oldest is closed.
 */
#ifndef REEVE_HTTP_LINGER_H
#define REEVE_HTTP_LINGER_H

#include "http/watch.h"

#define LINGER_MAX 64
#define LINGER_US  (2 * INT64_C(1000000))

struct lingering {
    struct watch watch;
    int fd; /* -1: closed already */
    int64_t until_us;
};

struct linger_list {
    struct lingering all[LINGER_MAX]; /* a ring: all have the same time, so the oldest ends first */
    unsigned first, n;
};

/* Takes the socket, which is not blocking and in no epoll. */
void linger_add(struct linger_list *list, int epoll_fd, int fd, int64_t now_boot_us);
void linger_read(struct lingering *linger);
void linger_expire(struct linger_list *list, int64_t now_boot_us);
int64_t linger_next_us(const struct linger_list *list); /* INT64_MAX: none waits */

#endif
