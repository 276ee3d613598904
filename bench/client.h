/* SPDX-License-Identifier: MIT */
/*
 * A client that costs next to nothing: one keep-alive connection, one write and, mostly, one read a
 * request. What it can't take ends the program.
 */
#ifndef REEVE_BENCH_CLIENT_H
#define REEVE_BENCH_CLIENT_H

#include "base/buf.h"

struct client {
    int fd;
    const char *token;
    struct buf request;
    char reply[65536];
    struct slice body; /* of the last reply, in it */
};

/* `url` is http://127.0.0.1:PORT. */
void client_open(struct client *client, const char *url, const char *token);
void client_close(struct client *client);
/* The status of the reply. `body`: JSON, or NULL. */
int client_ask(struct client *client, const char *method, const char *path, const char *body);

#endif
