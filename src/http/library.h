/* SPDX-License-Identifier: MIT */
/*
 * The HTTP library behind eight calls. library.c alone includes its header.
 *
 * It parses requests and writes replies on sockets that it is handed; it has no thread, no
 * listening socket and no deadline of its own but the idle time. All calls are made in the loop's
 * thread, but library_open().
 */
#ifndef REEVE_HTTP_LIBRARY_H
#define REEVE_HTTP_LIBRARY_H

#include "http/loop.h"

/* 0 or a fault. Sets loop->library. */
int library_open(struct loop *loop);
/* Closes all connections; none may be parked. */
void library_close(struct loop *loop);
/* Readable when library_run() has something to do. */
int library_fd(const struct loop *loop);
/* Takes the socket, and closes it on failure. 0 or a fault. connection_begin() follows before the
   end of the next library_run(). */
int library_add(struct connection *connection);
/* Milliseconds to library_run() at the latest; -1: any. */
int library_wait_ms(const struct loop *loop);
void library_run(struct loop *loop);
/* The next library_run() goes on with a request that was parked. */
void library_resume(struct exchange *exchange);
/* Queues the reply. False when the connection must be closed instead. */
bool library_reply(struct exchange *exchange, const struct http_reply *reply);

#endif
