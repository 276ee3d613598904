/* SPDX-License-Identifier: MIT */
/*
 * One HTTP exchange with a controller. Names no type of libcurl; client.c alone includes it.
 *
 * Only http and https (TLS 1.2 and newer, always verified), no redirects and no proxies: a token
 * goes to the address that was named and nowhere else.
 */
#ifndef REEVE_CLI_CLIENT_H
#define REEVE_CLI_CLIENT_H

#include "base/buf.h"
#include "base/outcome.h"

#include <stdint.h>

#define CLIENT_CONNECT_US (5 * INT64_C(1000000))
#define CLIENT_REPLY_MAX  ((size_t)64 << 20)

struct exchange {
    const char *method;
    const char *url;           /* with path and query */
    const char *token;         /* NULL: none is sent */
    const char *ca;            /* file of certificates, PEM; NULL: the system's */
    struct slice body;         /* JSON; empty: none */
    int64_t timeout_us;        /* of the whole exchange; with a sink: without a byte */
    void (*tick)(void *owner); /* several times a second while waiting; NULL: not called */
    void *owner;
    /* Takes the body of a 2xx reply as it comes, of any size; NULL: the reply has it. Anything but
       0 ends the exchange and is what it returns. */
    int (*sink)(void *sink_owner, struct slice bytes);
    void *sink_owner;
};

struct reply {
    int status;
    struct buf body;
};

/* 0 with *ret filled whatever the status, to be released with reply_release(); OUTCOME_UNREACHABLE
   no answer, or one that breaks HTTP or the cap, or is cut. */
int client_exchange(const struct exchange *exchange, struct reply *ret, struct refusal *why);
void reply_release(struct reply *reply); /* also for CLEANUP; accepts a zeroed struct */

#endif
