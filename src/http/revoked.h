/* SPDX-License-Identifier: MIT */
/*
 * The file of revoked tokens: "STATE/revoked", a line for each, `JTI EXPIRES`, the second in
 * seconds since 1970: a line whose token has expired may go.
 *
 * A program that serves looks at the file at most once a second and reads it again when it has
 * changed. One that can't be read or understood is not an empty one: then no token is accepted
 * until it is mended.
 */
#ifndef REEVE_HTTP_REVOKED_H
#define REEVE_HTTP_REVOKED_H

#include "base/outcome.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define REVOKED_FILE    "revoked"
#define REVOKED_MAX     100000 /* lines */
#define REVOKED_JTI_MAX 64     /* bytes: printable, no blanks */
#define REVOKED_LOOK_US INT64_C(1000000)

/* Whether it can stand in the file. */
bool revoked_jti_is_good(struct slice jti);

struct revoked;

/* `path` is copied. The file need not be there. */
struct revoked *revoked_new(const char *path);
void revoked_free(struct revoked *revoked); /* accepts NULL */
/* From any thread. 0: not revoked; OUTCOME_UNAUTHORIZED it is; OUTCOME_UNAVAILABLE the file can't
   be read. A token without jti ("") can't be revoked. */
int revoked_check(struct revoked *revoked, const char *jti, int64_t boot_us, struct refusal *why);

/* Adds a line to the file in the current directory, and drops those that have expired. *ret_was: it
   stood there already. 0; OUTCOME_UNAVAILABLE; one writer at a time. */
int revoked_add(const char *path, const char *jti, int64_t expires_s, int64_t now_us, bool *ret_was,
                struct refusal *why);

#endif
