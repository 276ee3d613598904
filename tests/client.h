/* SPDX-License-Identifier: MIT */
/*
 * A blocking HTTP client for the tests: one connection, kept alive, one call at a time.
 *
 * Nothing is retried: a call that got no whole answer is a call whose fate is unknown, and the test
 * must treat it so.
 */
#ifndef REEVE_TESTS_CLIENT_H
#define REEVE_TESTS_CLIENT_H

#include "base/buf.h"
#include "base/json.h"

#define CLIENT_ANSWER_MAX ((size_t)16 << 20) /* bytes of one reply's body */

struct client;

struct call {
    const char *method, *path; /* path and query, already encoded */
    const char *token;         /* NULL: no Authorization */
    const char *body;          /* NULL: none */
    const char *content_type;  /* NULL: application/json */
    const char *prefer;        /* NULL: none */
};

/* `url` such as http://127.0.0.1:8080 must outlive the client. */
struct client *client_new(const char *url, long timeout_ms);
void client_free(struct client *client);

/* The status, or 0 when no whole answer came. */
int client_call(struct client *client, const struct call *call);
/* Of the last answer, until the next call. */
struct slice client_body(const struct client *client);
/* NULL when the last answer has no such header. */
const char *client_header(struct client *client, const char *name);
/* The last answer's body; false when it is not well-formed JSON. */
bool client_json(const struct client *client, struct json *ret);

#endif
