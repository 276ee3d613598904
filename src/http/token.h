/* SPDX-License-Identifier: MIT */
/*
 * Bearer tokens: JWT with HS256 (RFC 7515, 7519), nothing else.
 *
 * The header must be exactly {"alg":"HS256"}, with optional "typ":"JWT" and "kid": no other
 * algorithm is looked at. A JWT library took 19-31 µs a request and accepted HS512 with the HS256
 * key (docs/decisions/own-tokens.md).
 */
#ifndef REEVE_HTTP_TOKEN_H
#define REEVE_HTTP_TOKEN_H

#include "base/buf.h"
#include "base/outcome.h"
#include "http/roles.h"

#include <stdint.h>

#define TOKEN_KEY_MIN      32 /* bytes */
#define TOKEN_KEY_MAX      1024
#define TOKEN_TEXT_MAX     4096
#define TOKEN_SUBJECT_MAX  255
#define TOKEN_CACHE_SIZE   1024
#define TOKEN_TARGETS_MAX  64   /* of the claim `targets` */
#define TOKEN_TARGETS_SIZE 1024 /* bytes of all of them */

struct token_key {
    uint8_t bytes[TOKEN_KEY_MAX];
    size_t size;
};

struct token {
    char subject[TOKEN_SUBJECT_MAX + 1];
    char jti[65];                /* "" when it has none: it can't be revoked */
    uint64_t permissions;        /* bit set of 1 << enum permission */
    uint64_t roles;              /* bit set of positions in its role_set */
    int64_t issued_s, expires_s; /* seconds since 1970 */
    uint64_t number;             /* of its signature: tells tokens apart */
    /* For which hosts jobs may be made with it: targets, each with its NUL. 0: for all. */
    size_t targets_size;
    char targets[TOKEN_TARGETS_SIZE];
};

/* The key file: its bytes, trailing newline cut. 0; OUTCOME_UNAVAILABLE absent, empty, shorter than
   TOKEN_KEY_MIN, readable by others or a symbolic link: root reads it too, in a directory that is
   the controller's to write. */
int token_key_load(const char *path, struct token_key *ret, struct refusal *why);
/* 64 random hex digits into a new file (0600). 0 or a fault. */
int token_key_make(const char *path);

/* A token with a new jti, good from now on for `valid_us`; what it allows is still to be set. The
   subject has at most TOKEN_SUBJECT_MAX bytes. */
void token_init(struct token *token, const char *subject, int64_t now_us, int64_t valid_us);
/* Appends the token's text. token->permissions is written as a claim only when it is not what the
 * roles give. */
void token_make(const struct token_key *key, const struct role_set *roles,
                const struct token *token, struct buf *to);
/* A host name, machine id or label (as in a target) to which the token is restricted. False: no
   such thing, or no room. */
bool token_add_target(struct token *token, const char *target);
/* The next of its targets after `target`, the first after NULL; NULL after the last. */
const char *token_next_target(const struct token *token, const char *target);

/* 0; OUTCOME_UNAUTHORIZED with the reason. Required: valid signature, exp in the future, sub, and
   roles or permissions, all known words; iat and nbf, when present, not in the future (60 s
   leeway). A non-empty permissions claim is exactly the set, roles are then only names. An empty
   `targets` is refused: it would allow nothing, and look as if it allowed all. */
int token_verify(const struct token_key *key, const struct role_set *roles, struct slice text,
                 int64_t now_us, struct token *ret, struct refusal *why);
/* Whether it was signed with the key, whatever it says. */
bool token_is_signed(const struct token_key *key, struct slice text);

/* Verified tokens remembered by keyed BLAKE2b of their text; expiry is checked on each use. One a
 * loop. */
struct token_cache;
struct token_cache *token_cache_new(const struct token_key *key);
void token_cache_free(struct token_cache *cache);
/* Copies the roles that names stand for from now on, and forgets all tokens. At first it has the
   built-in ones, of generation 0. */
void token_cache_set_roles(struct token_cache *cache, const struct role_set *roles,
                           unsigned generation);
unsigned token_cache_generation(const struct token_cache *cache);
/* The token of an Authorization header. False: there is none. */
bool token_of_header(const char *authorization, struct slice *ret);
/* As token_cache_verify(), but NULL for a token that was not verified before. */
const struct token *token_cache_find(struct token_cache *cache, const char *authorization,
                                     int64_t now_us);
/* As token_verify(), for the value of an Authorization header ("Bearer " and one token, exactly);
   NULL header: OUTCOME_UNAUTHORIZED. *ret points into the cache, valid until the next call. */
int token_cache_verify(struct token_cache *cache, const char *authorization, int64_t now_us,
                       const struct token **ret, struct refusal *why);

#endif
