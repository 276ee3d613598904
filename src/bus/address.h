/* SPDX-License-Identifier: MIT */
/*
 * Where a local bus gets its streams from: the two kinds of address in bus.h.
 *
 * Who is at the other end is checked here, once, before a stream is handed on; nothing above asks
 * again.
 */
#ifndef REEVE_BUS_ADDRESS_H
#define REEVE_BUS_ADDRESS_H

#include "bus/bus.h"

#include <sys/un.h>

struct address_kind;

struct address {
    const struct address_kind *kind;
    int fd; /* poll this for reading, then call address_receive(); negative: it never has anything
             */
    unsigned peer_uid;
    struct sockaddr_un path; /* unix: */
};

/* Outcomes of bus_open(). */
int address_open(struct address *address, const struct bus_options *options, struct refusal *why);
void address_close(struct address *address);
/* A new stream, close-on-exec, from whoever may be there; *ret is -1 when there is none now, or it
   was not from them. 0 or a fault: -EPIPE when the supervisor is gone. */
int address_receive(struct address *address, int *ret);
/* Without a stream, this side has to do something about it (address_seek()) now and then: the first
   time after address_seek_after_us(), then in growing intervals up to address_seek_last_us().
   INT64_MAX: never. */
int64_t address_seek_after_us(const struct address *address);
int64_t address_seek_last_us(const struct address *address);
/* Connects, or asks the supervisor. *ret as above. 0 or a fault. */
int address_seek(struct address *address, int *ret);

#endif
