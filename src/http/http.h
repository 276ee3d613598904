/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server: loops that read requests, park them, and send replies. Names no type of the HTTP
 * library.
 *
 * One thread a loop, each with a listening socket of its own (SO_REUSEPORT). Everything about one
 * request happens in its loop's thread; the single call from outside is http_wake(). Slow,
 * malformed or oversized requests are dealt with here and never reach the service; each gets an
 * answer where HTTP allows one.
 */
#ifndef REEVE_HTTP_HTTP_H
#define REEVE_HTTP_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/outcome.h"

#include <stdint.h>

/* Memory of a connection: request line, headers with 64 bytes for each, and the reply's header. */
#define HTTP_HEADER_MAX ((size_t)16 << 10)
#define HTTP_BODY_MAX   ((size_t)1 << 20)       /* unless begin() says otherwise */
#define HTTP_REQUEST_US (10 * INT64_C(1000000)) /* from a request's first byte to its last */
#define HTTP_IDLE_S     60                      /* a keep-alive connection without a request */
#define HTTP_LEAVE_US   (200 * INT64_C(1000))   /* a client that sends nothing more, at rest */
/* Bodies of replies that clients have not read yet, of the whole server. Over it, replies larger
   than HTTP_SMALL_REPLY become 503: slow readers cost a bounded amount of memory. */
#define HTTP_UNSENT_MAX      ((size_t)512 << 20)
#define HTTP_SMALL_REPLY     ((size_t)4 << 10)
#define HTTP_REQUEST_ID_SIZE 65

struct http_server;
struct sockaddr;

/* Valid until http_reply(), or the return of gone(). */
struct http_request {
    const char *method; /* HEAD is shown as GET */
    struct slice path;  /* as sent: not decoded */
    struct slice query; /* after '?', not decoded; empty when there is none */
    struct slice body;  /* empty until serve() */
    /* NULL when absent. */
    const char *authorization, *content_type, *if_none_match, *prefer;
    char id[HTTP_REQUEST_ID_SIZE]; /* X-Request-ID of the client if it is [A-Za-z0-9._-]{1,64}, else
                                      one made here */
    struct arena *arena;           /* freed with the request */
    unsigned loop;
    void *loop_owner;            /* from loop_open() */
    void *owner;                 /* the service's, NULL at first */
    const struct sockaddr *peer; /* the client's address */
    const char *allow; /* the service's: sent as Allow by http_refuse() and when begin() refuses */
    int64_t retry_after_s; /* the same, as Retry-After; 0: not sent */
    int64_t received_us;   /* CLOCK_BOOTTIME when the headers were complete */
};

/* A parked request, safe to keep after it is gone: waking it then does nothing. */
struct http_ticket {
    unsigned loop;
    uint64_t number;
};

enum http_wake { HTTP_WOKEN, HTTP_WAITED_OUT };

/* Each of serve() and resumed() ends with http_reply() or http_park(). */
struct http_service {
    /* By http_open() and http_close(), in their caller's thread. loop_open: 0 or a fault, which
     * ends http_open(). */
    int (*loop_open)(void *service, unsigned loop, void **ret_loop_owner);
    void (*loop_close)(void *service, void *loop_owner);
    /* Headers are complete. 0: goes on, *body_max may be changed; > 0: refused with *why, the body
     * is not read. */
    int (*begin)(void *service, struct http_request *request, size_t *body_max,
                 struct refusal *why);
    void (*serve)(void *service, struct http_request *request);
    void (*resumed)(void *service, struct http_request *request, enum http_wake why);
    /* The client of a parked request left (shutting down its sending side counts as leaving), or a
       request that begin() let in ended without a reply of the service's. request->owner is NULL
       from then on. */
    void (*gone)(void *service, struct http_request *request);
    /* After a reply went to the socket layer, also a refusal made here of a request that begin()
       has not seen: one info log line a request is written there. */
    void (*replied)(void *service, const struct http_request *request, int status,
                    size_t body_size);
};

/* PEM files: the certificate with its chain, and its key, readable by this user alone. Both NULL:
   plain HTTP. */
struct http_tls {
    const char *certificate, *key;
};

struct http_options {
    const char *listen; /* IPv4 or IPv6 literal */
    uint16_t port;      /* 0: the kernel chooses, see http_port() */
    unsigned n_loops;   /* 1..64 */
    /* Of the whole server; one more is refused at once with 503. Lowered to what RLIMIT_NOFILE
       allows, which http_open() raises to its hard limit. */
    unsigned connections_max;
    struct http_tls tls;
    const struct http_service *service;
    void *owner;
};

/* Binds and starts the loops. 0; OUTCOME_UNAVAILABLE port taken, no permission, bad address,
 * unusable certificate or key: *why names it. */
int http_open(const struct http_options *options, struct http_server **ret, struct refusal *why);
uint16_t http_port(const struct http_server *server);
/* From one thread: new connections show this certificate, those that are open keep theirs. 0;
   OUTCOME_UNAVAILABLE as in http_open(), or when the server is without TLS: all stays as it was. */
int http_tls_reload(struct http_server *server, const struct http_tls *tls, struct refusal *why);
/* When the certificate ends: seconds since 1970, 0 for plain HTTP. One that has ended is shown all
   the same: clients then say what is wrong. */
int64_t http_tls_expires_s(struct http_server *server);
/* Stops listening, lets requests in flight finish for up to `grace_us`, then cuts the rest. From
   then on http_wake() does nothing. */
void http_stop(struct http_server *server, int64_t grace_us);
/* The same without grace if it was not done, and frees all: nobody calls http_wake() any more. */
void http_close(struct http_server *server);

/* Bytes that several replies of one loop have in common; in its thread alone. */
struct http_body;
struct http_body *http_body_new(struct buf *text); /* taken, empty afterwards; it was not empty */
struct http_body *http_body_ref(struct http_body *body);
struct http_body *http_body_unref(struct http_body *body); /* accepts and returns NULL */
struct slice http_body_text(const struct http_body *body);
size_t http_body_room(const struct http_body *body); /* bytes it takes */

/* A body that is made while the client reads it, in pieces. A client that reads none for
   HTTP_IDLE_S is cut, and so is one that still reads when the server stops. */
#define HTTP_STREAM_PIECE     ((size_t)64 << 10) /* as large as pieces should be */
#define HTTP_STREAM_PIECE_MAX ((size_t)64 << 20)
#define HTTP_STREAM_END       1
struct http_stream {
    /* In the loop's thread; waits for nothing. Appends a piece to *to, which is empty: 0.
       HTTP_STREAM_END: that was all. < 0: the connection is cut, so that nobody takes the body for
       whole. */
    int (*next)(void *owner, struct buf *to);
    void (*free)(void *owner); /* whatever became of it; before the request is freed */
    void *owner;
};

struct http_reply {
    int status;
    const char *content_type;                   /* NULL: application/json */
    const char *allow, *location, *retry_after; /* NULL: not sent */
    const char *job_id; /* NULL, or what a refusal in place of this reply names */
    /* NULL: the reply is not to be kept. Else sent, with Vary: Authorization; whoever keeps the
       reply asks each time whether it is still right. */
    const char *etag;
    /* The body, one of these at most. */
    struct buf *body;                 /* taken, empty afterwards, or refused */
    struct http_body *shared;         /* referenced while it is sent */
    const struct http_stream *stream; /* what makes it */
};
/* Loop thread only. X-Request-ID, Cache-Control, X-Content-Type-Options: nosniff and Date are
   added. `replied` then says how much of a stream was sent. */
void http_reply(struct http_request *request, const struct http_reply *reply);
/* The one error shape: {"error", "code", "reason", "details"?, "field"?, "request_id", "job_id"?}.
   `status` 0: that of why->outcome. job_id may be NULL. */
void http_refuse(struct http_request *request, const struct refusal *why, int status,
                 const char *reason, const char *job_id);

/* Loop thread only: the request waits for http_wake() or until boot_us. */
struct http_ticket http_park(struct http_request *request, int64_t until_boot_us);
/* From any thread: resumed() is called in the loop's thread. Once a park; more are ignored. */
void http_wake(struct http_server *server, struct http_ticket ticket);

#endif
