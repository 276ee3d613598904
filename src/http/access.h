/* SPDX-License-Identifier: MIT */
/*
 * Who is let in: everything that decides over a request's token, shared by all loops.
 *
 * Roles and limits may change at any time; what a loop remembers of tokens follows at their next
 * use. An address that keeps sending tokens which were never ours is answered "busy" for a while;
 * a token that was verified before is let in from there all the same, so that nobody locks out his
 * neighbours. Expired and revoked tokens were ours once, and a missing one is no attempt: these are
 * not counted.
 */
#ifndef REEVE_HTTP_ACCESS_H
#define REEVE_HTTP_ACCESS_H

#include "http/roles.h"
#include "http/token.h"

#include <sys/socket.h>

struct access;

/* The path is that of the file of revoked tokens. */
struct access *access_new(const struct token_key *key, const char *revoked_path);
void access_free(struct access *access); /* accepts NULL */

const struct token_key *access_key(const struct access *access);
/* From any thread. */
void access_set_roles(struct access *access, const struct role_set *roles);
void access_set_limits(struct access *access, const struct config_limits *limits);

struct access_question {
    const char *authorization; /* the header's value; NULL: there is none */
    const struct sockaddr *peer;
    int64_t now_us, boot_us;
};
struct access_answer {
    const struct token *token; /* in the cache, valid until its next use */
    int64_t retry_after_s;     /* with OUTCOME_BUSY */
    bool locks_out;            /* this attempt has locked its address out */
};
/* One cache a loop. 0; OUTCOME_UNAUTHORIZED; OUTCOME_BUSY too many requests or bad tokens;
   OUTCOME_UNAVAILABLE the file of revoked tokens can't be used. */
int access_check(struct access *access, struct token_cache *cache,
                 const struct access_question *question, struct access_answer *ret,
                 struct refusal *why);

#endif
