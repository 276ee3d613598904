/* SPDX-License-Identifier: MIT */
/*
 * What a request's header must be before anything else looks at it. No I/O, no state: header in,
 * refusal out.
 *
 * Whatever another HTTP program in front of this one could read differently is refused rather than
 * understood: two answers to "where does this request end" are how requests are smuggled (RFC 9112
 * §11.2).
 */
#ifndef REEVE_HTTP_GUARD_H
#define REEVE_HTTP_GUARD_H

#include "base/outcome.h"
#include "base/slice.h"

#include <stdint.h>

enum header {
    HEADER_AUTHORIZATION,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_LENGTH,
    HEADER_CONTENT_TYPE,
    HEADER_EXPECT,
    HEADER_HOST,
    HEADER_IF_NONE_MATCH,
    HEADER_PREFER,
    HEADER_TRANSFER_ENCODING,
    HEADER_X_REQUEST_ID,
    HEADER_COUNT,
};

/* A refusal whose status is not its outcome's. */
struct guard_refusal {
    struct refusal why;
    int status;         /* 0: the outcome's */
    const char *reason; /* NULL: the outcome's word */
};

/* The header of one request, as far as it matters here. Zeroed at first. */
struct headers {
    struct {
        const char *value; /* of the first one; NULL when absent */
        unsigned n;
    } known[HEADER_COUNT];
    size_t size;         /* bytes the header takes in the connection's memory */
    bool has_bad_header; /* a name that is no token, or a control character in a value */
};

/* RFC 9110 §5.6.2 */
bool is_token(struct slice name);
/* Values stay the caller's. */
void headers_add(struct headers *headers, struct slice name, const char *value);

/* 0 or an outcome. `target_size` as below; `version` "HTTP/1.1" or "HTTP/1.0". */
int headers_check(const struct headers *headers, const char *method, size_t target_size,
                  const char *version, struct guard_refusal *ret);

/* True when a body follows; *ret_size is what Content-Length says, UINT64_MAX when it comes in
   chunks. Only for a header that passed headers_check(). */
bool headers_have_body(const struct headers *headers, uint64_t *ret_size);
/* 0; OUTCOME_MEDIA_TYPE, naming what came: the type is other than application/json, in any case, or
   has a charset other than utf-8; other parameters mean nothing. NULL: no type. */
int type_check(const char *content_type, struct refusal *why);
/* 0; OUTCOME_MEDIA_TYPE: the body is encoded. NULL: it is not. */
int encoding_check(const char *content_encoding, struct refusal *why);
/* [A-Za-z0-9._-]{1,64}. False for NULL. */
bool request_id_is_good(const char *id);

/* Bytes that a target takes in the connection's memory, with what the library keeps of each of its
   parameters. */
size_t target_size(struct slice path, struct slice query);
/* False: the library would end the connection without a word. */
bool target_fits(size_t target_size);
/* Path and query of a request target in origin form, or in the absolute form that RFC 9112 §3.2.2
 * wants accepted. */
void target_split(const char *target, struct slice *ret_path, struct slice *ret_query);

#endif
