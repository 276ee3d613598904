/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of a request, looked at before the HTTP library reads them.
 *
 * The library answers what is no HTTP in words of its own or not at all, and lets pass what others
 * refuse: lines that end in LF alone, folded lines, NUL. This gives it an answer in the one shape.
 * It sees the first request of a plain connection whole, of later ones what comes in one piece,
 * and nothing that is encrypted, so that nothing may rely on it: guard.h checks each header that
 * the library has read.
 */
#ifndef REEVE_HTTP_OPENING_H
#define REEVE_HTTP_OPENING_H

#include "http/guard.h"

/* As much as has come of a request, at most HTTP_HEADER_MAX bytes; they are written into. 0 when
   they may begin one, and *ret_is_whole when the header has come to its end; or an outcome. */
int opening_check(char *bytes, size_t size, bool *ret_is_whole, struct guard_refusal *ret);
/* The first byte of a TLS connection: 0, or OUTCOME_INVALID for a client that speaks plain HTTP. */
int opening_check_tls(char first, struct guard_refusal *ret);

#endif
