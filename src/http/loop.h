/* SPDX-License-Identifier: MIT */
/*
 * Inside of the HTTP server: what its files share. Only http/ includes it.
 *
 *     server.c      sockets, threads, start and stop
 *     loop.c        one thread: its epoll, accept, what is due, stop
 *     connection.c  one connection: its state, its end
 *     exchange.c    one request from its first header to its last reply byte
 *     body.c        the bytes of a reply that several have in common
 *     stream.c      a reply's body that is made while the client reads it
 *     library.c     the HTTP library, behind library.h
 *     linger.c      sockets that are closed only after the client could read the last reply
 *     tls.c         certificates, and what is said on a TLS session beside the library
 *     park.c opening.c guard.c error.c   tables and texts
 *
 * The life of a connection: new → receiving (from a request's first byte; 10 s) → busy (the
 * service has it) → idle → receiving … The library is given it when the first header has come
 * whole, or the first byte of a TLS handshake, after which it is idle.
 */
#ifndef REEVE_HTTP_LOOP_H
#define REEVE_HTTP_LOOP_H

#include "http/guard.h"
#include "http/http.h"
#include "http/linger.h"
#include "http/park.h"
#include "http/tls.h"
#include "http/watch.h"

#include <stdatomic.h>
#include <sys/socket.h>

struct MHD_Daemon;
struct MHD_Connection;

#define LOOPS_MAX       64
#define SPARE_EXCHANGES 32 /* kept by a loop for the next requests */
#define DATE_SIZE       sizeof("Tue, 24 Nov 2026 06:12:28 GMT")

/* What tests shorten. */
struct http_limits {
    int64_t request_us; /* HTTP_REQUEST_US */
    unsigned idle_s;    /* HTTP_IDLE_S; also how long a reply may make no progress */
    int64_t leave_us;   /* HTTP_LEAVE_US */
    size_t unsent_max;  /* HTTP_UNSENT_MAX */
};

enum connection_state {
    CONNECTION_NEW, /* nothing has come yet */
    CONNECTION_IDLE,
    CONNECTION_RECEIVING,
    CONNECTION_BUSY,
    CONNECTION_LEAVING, /* idle or receiving, and the client sends nothing more */
    CONNECTION_STATES,
};

struct connection {
    struct watch watch; /* its socket in the loop's epoll, for as long as it lives */
    int fd;             /* the library's: it closes it */
    enum connection_state state;
    bool is_admitted; /* the library has it, or is about to */
    struct connection *next_admitted;
    bool is_refused; /* its first bytes were; the library must not serve it */
    bool peer_left;  /* the client sent FIN or RST, or we cut the connection */
    /* Boot time: of the request's first byte; when new, of the start; when leaving, of its news. */
    int64_t first_byte_us;
    struct sockaddr_storage peer;
    socklen_t peer_size;
    struct exchange *exchange;     /* NULL between requests */
    bool is_shaking;               /* TLS: the handshake is not over */
    gnutls_session_t tls;          /* the library's; NULL: plain HTTP, or already freed */
    struct tls_identity *identity; /* NULL: plain HTTP */
    struct loop *loop;
    struct connection *prev, *next; /* in the loop's list of its state, longest in it first */
};

struct connection_list {
    struct connection *first, *last;
};

enum exchange_state {
    EXCHANGE_HEADERS, /* the request line is read */
    EXCHANGE_BODY,    /* the headers are accepted, or refused without a body to be skipped */
    EXCHANGE_SERVING, /* the service has it */
    EXCHANGE_PARKED,
    EXCHANGE_RESUMED, /* woken or late; resumed() is called when the library comes round to it */
    EXCHANGE_REPLIED,
    EXCHANGE_CUT, /* no reply of the library's will come; it closes the connection */
};

struct http_body {
    struct buf text;
    unsigned n_refs;
};

/* Zeroed unless the reply is one. */
struct stream {
    struct http_stream source;
    struct buf piece;
    size_t n_taken; /* of the piece, by the library */
};

/* A request and its reply. */
struct exchange {
    struct http_request request; /* first: http_reply() finds the exchange by it */
    enum exchange_state state;
    struct connection *connection;
    struct MHD_Connection *library; /* NULL until the headers are complete */
    struct arena arena;
    struct buf body;
    struct guard_refusal
        *refused;       /* by begin(), to be said when the library takes a reply without closing */
    bool has_begun;     /* the service knows of it and has not been told the end */
    bool is_head;       /* the client wants no body */
    bool closes;        /* the connection ends with this reply */
    bool is_unread;     /* the client may still be sending the body */
    enum http_wake why; /* EXCHANGE_RESUMED */
    uint64_t park_number; /* EXCHANGE_PARKED */
    int reply_status;     /* EXCHANGE_REPLIED, or EXCHANGE_CUT with an error of ours */
    size_t reply_size;
    size_t n_unsent; /* its part of the server's */
    struct stream stream;
    struct exchange *next_spare;
};

struct http_server {
    const struct http_service *service;
    void *owner;
    struct http_limits limits;
    struct tls tls;
    bool has_tls;
    uint16_t port;
    unsigned connections_max, n_loops;
    atomic_uint n_connections;
    atomic_size_t n_unsent;        /* bytes of reply bodies of requests that have not ended */
    _Atomic int64_t stop_until_us; /* boot time; 0: not asked to stop */
    struct loop *loops[LOOPS_MAX];
};

struct loop {
    struct http_server *server;
    unsigned number;
    void *owner; /* the service's, from loop_open() */
    pthread_t thread;
    bool has_thread, has_owner;
    int epoll_fd, wake_fd;
    int listen_fd; /* -1 once the server stops */
    bool accepts;  /* false while descriptors have run out */
    struct watch listen_watch, wake_watch, library_watch;
    struct MHD_Daemon *library;
    struct connection_list connections[CONNECTION_STATES];
    struct connection *admitted; /* that the library has not begun with */
    struct park_table parked;
    struct linger_list lingering;
    struct exchange *spare;
    unsigned n_spare;
    uint64_t id_prefix, n_ids; /* of X-Request-ID */
    int64_t date_s;            /* second that `date` shows */
    char date[DATE_SIZE];
};

/* server.c: http_open() with other limits. */
int http_open_limited(const struct http_options *options, const struct http_limits *limits,
                      struct http_server **ret, struct refusal *why);

/* loop.c. loop_open() starts no thread; loop_run() is the thread, and ends when the server stops.
 */
int loop_open(struct http_server *server, unsigned number, int listen_fd, struct loop **ret);
void *loop_run(void *loop);
void loop_tell(struct loop *loop); /* from any thread: look at what changed */
void loop_free(struct loop *loop); /* accepts NULL */
bool loop_is_stopping(const struct loop *loop);
const char *loop_date(struct loop *loop);
void loop_make_id(struct loop *loop, char ret[HTTP_REQUEST_ID_SIZE]);

/* connection.c. Takes the socket. */
void connection_open(struct loop *loop, int fd, const struct sockaddr *peer, socklen_t peer_size);
/* library.c calls these two when it takes the socket in and before it closes it; `session` NULL:
   plain HTTP. */
struct connection *connection_begin(struct loop *loop, int fd, gnutls_session_t session);
void connection_close(struct connection *connection);
/* The TLS handshake is over. */
void connection_shaken(struct connection *connection);
/* Past the library, which can't while it reads; the connection must then be ended. */
void connection_say(struct connection *connection, struct slice text);
/* The library can say nothing more on it. */
void connection_shut(struct connection *connection);
void connection_set_state(struct connection *connection, enum connection_state state);
/* No request is under way: idle or, when the client has said that it is done, leaving. */
void connection_rest(struct connection *connection);
/* Of the loop's epoll. */
void connection_event(struct connection *connection, uint32_t events, int64_t now_boot_us);
/* Without a word. Frees it when the library does not have it. */
void connection_cut(struct connection *connection);
/* From the first byte to the last, headers and body: the time is up. 408, and the end; 400 for a
   client that has said that it is done. */
void connection_time_out(struct connection *connection);

/* exchange.c. Every call may end with a reply, a park or EXCHANGE_CUT. */
struct exchange *exchange_begin(struct connection *connection, const char *target);
void exchange_headers(struct exchange *exchange, const struct headers *headers, const char *method,
                      const char *version);
void exchange_body(struct exchange *exchange, const void *bytes, size_t size);
void exchange_serve(struct exchange *exchange);
void exchange_resume(struct exchange *exchange);
/* Answers past the library, which can't while it reads a request, and ends the connection. */
void exchange_fail(struct exchange *exchange, const struct refusal *why, int status,
                   const char *reason);
/* The client of a parked request left, or the server stops. */
void exchange_abandon(struct exchange *exchange);
/* Tells the service, frees. */
void exchange_end(struct exchange *exchange);
void exchanges_free(struct loop *loop); /* the spare ones */
/* So many bytes of its reply are in memory now. False: so much waits for other clients to read it
   that this has no room. */
bool exchange_hold(struct exchange *exchange, size_t size);

/* stream.c. Opened once a reply; whoever opened it closes it, which does nothing without. */
void stream_open(struct exchange *exchange, const struct http_stream *source);
void stream_close(struct exchange *exchange);
/* Up to `room` bytes, at least one. 0; HTTP_STREAM_END; a fault: the connection must be cut. */
int stream_read(struct exchange *exchange, char *to, size_t room, size_t *ret_size);

/* error.c */
void error_body(struct buf *to, const struct refusal *why, int status, const char *reason,
                const char *request_id, const char *job_id);
/* A whole reply, for connections that the library does not or can't answer on. `to` is initialized
   here. */
void error_reply(struct loop *loop, const struct refusal *why, int status, const char *reason,
                 const char *request_id, struct buf *to);
/* On a plain socket. Does not wait; what does not fit its buffer is lost. */
void socket_say(int fd, struct slice text);

#endif
