/* SPDX-License-Identifier: MIT */
/*
 * The key that tokens are signed with, and the admin's token.
 *
 * A controller that runs by itself makes a token only together with the key, so that nobody who
 * lost theirs gets a new one by starting the program; one that is there is renewed before it runs
 * out. "reeve start" keeps the token where only who starts it can read it, and makes a new one each
 * time.
 */
#ifndef REEVE_HTTP_CREDENTIALS_H
#define REEVE_HTTP_CREDENTIALS_H

#include "http/token.h"

#include <stdbool.h>

#define CREDENTIALS_TOKEN_S   ((int64_t)30 * 86400) /* how long the admin's token is good */
#define CREDENTIALS_RENEW_S   ((int64_t)7 * 86400)  /* renewed when it is good for less */
#define CREDENTIALS_TOKEN_MAX (TOKEN_TEXT_MAX + 1)  /* bytes of the token's file */

struct credentials_paths {
    const char *key;   /* made with 0600 when absent */
    const char *token; /* the same, together with the key */
};

/* 0; OUTCOME_UNAVAILABLE with a line for the operator: a file can't be read or written, or holds no
   key. */
int credentials_open(const struct credentials_paths *paths, int64_t now_us, struct token_key *ret,
                     struct refusal *why);

/* The key alone, made when absent. 0; OUTCOME_UNAVAILABLE as above. */
int credentials_key(const char *path, struct token_key *ret, bool *ret_is_new, struct refusal *why);
/* Appends the token's file: a new token of the admin, with all permissions, and a line feed. `to`
   has room for CREDENTIALS_TOKEN_MAX. */
void credentials_admin_token(const struct token_key *key, int64_t now_us, struct buf *to);

#endif
