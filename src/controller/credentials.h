/* SPDX-License-Identifier: MIT */
/*
 * The key that tokens are signed with, and the admin token of the first start.
 *
 * A token is made only together with the key, so that nobody who lost theirs gets a new one by
 * starting the program; one that is there is renewed before it runs out.
 */
#ifndef REEVE_CONTROLLER_CREDENTIALS_H
#define REEVE_CONTROLLER_CREDENTIALS_H

#include "http/token.h"

#define CREDENTIALS_TOKEN_S ((int64_t)30 * 86400) /* how long the admin token is good */
#define CREDENTIALS_RENEW_S ((int64_t)7 * 86400)  /* renewed when it is good for less */

struct credentials_paths {
    const char *key;   /* made with 0600 when absent */
    const char *token; /* the same, together with the key */
};

/* 0; OUTCOME_UNAVAILABLE with a line for the operator: a file can't be read or written, or holds no
   key. */
int credentials_open(const struct credentials_paths *paths, int64_t now_us, struct token_key *ret,
                     struct refusal *why);

#endif
