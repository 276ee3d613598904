/* SPDX-License-Identifier: MIT */
/*
 * What the tests need of TLS: certificates made on the spot, and the client's side of a connection,
 * which checks nothing.
 */
#ifndef REEVE_HTTP_FIXTURE_TLS_H
#define REEVE_HTTP_FIXTURE_TLS_H

#include "http/http.h"

#include <sys/types.h>

#define TLS_PATH_SIZE 128

/* A certificate and its key in a directory of their own, removed by tls_files_remove(). */
struct tls_files {
    char dir[TLS_PATH_SIZE / 2], certificate[TLS_PATH_SIZE], key[TLS_PATH_SIZE];
};

void tls_files_make(struct tls_files *files, const char *name, int64_t ends_s);
void tls_files_remove(const struct tls_files *files);
struct http_tls tls_files_http(const struct tls_files *files);

struct tls_client; /* on a socket that stays the caller's */

/* NULL: no handshake. `priorities` as GnuTLS writes them. */
struct tls_client *tls_client_open(int fd, const char *priorities);
void tls_client_close(struct tls_client *client); /* accepts NULL */
void tls_client_send(struct tls_client *client, const void *bytes, size_t size);
ssize_t tls_client_read(struct tls_client *client, void *bytes, size_t size);
bool tls_client_has_read_ahead(struct tls_client *client);
/* The name in the certificate that the server showed. */
void tls_client_peer(struct tls_client *client, char *name, size_t size);

#endif
