/* SPDX-License-Identifier: MIT */
/*
 * TLS of connections: which certificate they show, and our own words on them. tls.h and tls.c alone
 * include GnuTLS.
 *
 * The HTTP library makes the sessions, shakes hands and moves the bytes. A connection keeps the
 * certificate it began with until it ends, so that another one can be put in place at any moment.
 */
#ifndef REEVE_HTTP_TLS_H
#define REEVE_HTTP_TLS_H

#include "http/http.h"

#include <gnutls/abstract.h>
#include <pthread.h>

/* 1.2 and 1.3 alone, and the stronger ciphers first, whatever the client puts first. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"
#define TLS_FILE_MAX   ((size_t)64 << 10)
#define TLS_CHAIN_MAX  16

struct connection;
struct tls_identity; /* a certificate chain and its key; immutable, counted across threads */

/* The identity that new connections get. */
struct tls {
    pthread_mutex_t lock;
    struct tls_identity *identity; /* NULL: plain HTTP */
};

/* 0; OUTCOME_UNAVAILABLE with a line for the operator: a file can't be read, is no PEM, the key is
   for others to read or belongs to another certificate. */
int tls_identity_load(const struct http_tls *files, struct tls_identity **ret, struct refusal *why);
struct tls_identity *tls_identity_ref(struct tls_identity *identity);
void tls_identity_unref(struct tls_identity *identity); /* accepts NULL */
/* When the first certificate of the chain ends: seconds since 1970. */
int64_t tls_identity_expires_s(const struct tls_identity *identity);

void tls_init(struct tls *tls);
void tls_release(struct tls *tls);
/* Takes `identity` and drops the one before. */
void tls_put(struct tls *tls, struct tls_identity *identity);
struct tls_identity *tls_get(struct tls *tls); /* a reference, or NULL */

/* Before the handshake: `session` is the library's of this connection. connection_shaken() is
   called when it has come to its end. */
void tls_begin(struct connection *connection, gnutls_session_t session);
/* The library has freed the session. */
void tls_end(struct connection *connection);
/* Does not wait; what the socket's buffer does not take is lost. Nothing before the handshake's
   end. */
void tls_say(struct connection *connection, struct slice text);
void tls_bye(struct connection *connection);

/* The library wants to be told where certificates come from, and is not asked for one: each session
   gets its own by tls_begin(). */
gnutls_certificate_retrieve_function2 tls_no_certificate;

#endif
