/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the server share: a server with a service that does what the path says, and a
 * client that reads replies.
 *
 * Where a test must know that the server has done something, it waits for the service's own count
 * of it. Everything here fails the test when it does not come to its end.
 */
#ifndef REEVE_HTTP_FIXTURE_H
#define REEVE_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/fixture_tls.h"
#include "http/loop.h"

#define REPLY_MAX     ((size_t)16 << 20)
#define BIG_SIZE      ((size_t)8 << 20) /* more than the buffers of a socket take */
#define STREAM_PIECES 5
#define JSON          "Content-Type: application/json\r\n"
#define GET(path)     "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/*
 * A server and its service. The paths:
 *
 *     /deny /method /fault   begin() refuses with 401, with 405, fails
 *     /small                 takes a body of 10 bytes
 *     /park /park-again      parked for a minute, once or twice
 *     /wait /slow            parked for 50 ms, 300 ms
 *     /facts…                says what it was asked
 *     /big                   BIG_SIZE times x
 *     /none                  204
 *     /tagged                says what If-None-Match was, with the ETag "t"
 *     /same                  304 with the ETag "t"
 *     /stream                STREAM_PIECES pieces; n_streams are open
 *     /stream?cut            the same, and then a fault
 *     /stream?endless        pieces of HTTP_STREAM_PIECE times x, for ever
 *     all others             their body, back
 */
struct service {
    struct http_server *server; /* NULL: the test has closed it */
    atomic_uint n_begun, n_served, n_resumed, n_parked, n_gone, n_replied, n_loops;
    atomic_uint n_streams;
    atomic_int last_status;
    atomic_size_t last_size;
    _Atomic uint64_t last_ticket;
    atomic_uint last_ticket_loop;
    bool has_tls;
    struct tls_files files;
};

extern const struct http_service fixture_service;

/* *state is a struct service with an open server of one loop. */
int service_setup(void **state);
int service_setup_hasty(void **state);  /* a request has 300 ms, an idle connection 1 s */
int service_setup_wide(void **state);   /* two loops */
int service_setup_narrow(void **state); /* two loops, four connections */
int service_setup_tight(void **state);  /* two loops, two big replies may be unread */
/* With TLS, which the client then speaks too. */
int service_setup_tls(void **state);
int service_setup_hasty_tls(void **state);
int service_setup_wide_tls(void **state);
int service_setup_narrow_tls(void **state);
int service_setup_tight_tls(void **state);
int service_teardown(void **state);

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, service_teardown)
#define TEST_TLS(test, setup)                                                                      \
    {                                                                                              \
        .name = #test "_with_tls", .test_func = (test), .setup_func = (setup),                     \
        .teardown_func = service_teardown                                                          \
    }
/* Plain, and the same with TLS. */
#define TEST_BOTH(name, setup) TEST(name, setup), TEST_TLS(name, setup##_tls)

/* Wait until a count is exactly what it must become. */
void wait_count(const atomic_uint *count, unsigned n);
void wait_connections(const struct service *service, unsigned n);

void service_wake(struct service *service); /* the request that was parked last */
int64_t us_since(int64_t start_boot_us);

struct client {
    int fd;
    struct tls_client *tls; /* NULL: plain */
    struct buf in;          /* read and not yet taken */
};

struct reply {
    int status; /* 0: the connection ended before a reply */
    char header[4096];
    char *body; /* valid until the next reply of any client */
    size_t body_size;
};

struct client client_open(const struct service *service);
struct client
client_open_plain(const struct service *service); /* no handshake, whatever it wants */
void client_close(struct client *client);
/* What the server no longer wants may fail to go out; the test looks at the reply. */
void client_send(const struct client *client, const char *text);
bool client_read(struct client *client); /* false at the end of the connection */
struct reply client_reply(struct client *client);
struct reply client_reply_to_head(struct client *client); /* has no body, whatever its length */
struct reply client_ask(struct client *client, const char *text);
/* On a connection of its own. */
struct reply service_ask(const struct service *service, const char *text);

/* False, and `value` as it was, when the reply has no such header. */
bool reply_header(const struct reply *reply, const char *name, char *value, size_t size);

void assert_ended(struct client *client);
void assert_header(const struct reply *reply, const char *name, const char *value);
/* An error in the one shape, that says `text`. */
void assert_error(const struct reply *reply, int status, const char *reason, const char *text);
/* A request that must end its connection; `reason` NULL: the library's own words are taken too. */
void assert_refused(const struct service *service, const char *request, int status,
                    const char *reason, const char *text);

#endif
