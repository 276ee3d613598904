/* SPDX-License-Identifier: MIT */
/*
 * Tokens verified before, found again by a keyed hash of their text: a hit costs one hash of 300
 * bytes instead of two, the JSON and the base64.
 *
 * Only what token_verify() accepted is in here, and a token that has expired since is verified, and
 * refused, anew.
 */
#include "http/token.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <sodium.h>

#define DIGEST_SIZE                                                                                \
    16           /* 2^64 tries to find a text with a remembered digest, without the hash key */
#define WINDOW 8 /* slots a text may be in, from its own on */

_Static_assert((TOKEN_CACHE_SIZE & (TOKEN_CACHE_SIZE - 1)) == 0, "slots are counted by a mask");

struct slot {
    uint8_t digest[DIGEST_SIZE];
    uint64_t used; /* the cache's count of lookups at the last hit; 0: empty */
    struct token token;
};

struct token_cache {
    const struct token_key *key;
    uint8_t hash_key[crypto_generichash_KEYBYTES]; /* made at start: digests can't be precomputed */
    uint64_t n_lookups;
    unsigned generation; /* of the roles */
    struct role_set roles;
    struct slot slots[TOKEN_CACHE_SIZE];
};

struct token_cache *token_cache_new(const struct token_key *key)
{
    int r = sodium_init();

    assert(r >= 0);
    struct token_cache *cache = mem_alloc(sizeof(*cache));
    cache->key = key;
    randombytes_buf(cache->hash_key, sizeof(cache->hash_key));
    role_set_init(&cache->roles);
    return cache;
}

void token_cache_set_roles(struct token_cache *cache, const struct role_set *roles,
                           unsigned generation)
{
    cache->roles = *roles;
    cache->generation = generation;
    for (size_t i = 0; i < TOKEN_CACHE_SIZE; i++)
        cache->slots[i].used = 0;
}

unsigned token_cache_generation(const struct token_cache *cache)
{
    return cache->generation;
}

void token_cache_free(struct token_cache *cache)
{
    if (cache)
        sodium_memzero(cache, sizeof(*cache));
    mem_free(cache);
}

/* The slot that holds the digest, else the one to use for it: empty, or longest not used. */
static struct slot *slot_find(struct token_cache *cache, const uint8_t digest[DIGEST_SIZE],
                              bool *ret_found)
{
    struct slot *oldest = NULL;
    size_t first;

    memcpy(&first, digest, sizeof(first));
    *ret_found = false;
    for (size_t i = 0; i < WINDOW; i++) {
        struct slot *slot = &cache->slots[(first + i) & (TOKEN_CACHE_SIZE - 1)];
        if (slot->used && memcmp(slot->digest, digest, DIGEST_SIZE) == 0) {
            *ret_found = true;
            return slot;
        }
        if (!oldest || slot->used < oldest->used)
            oldest = slot;
    }
    return oldest;
}

static int verify_and_keep(struct token_cache *cache, struct slot *slot,
                           const uint8_t digest[DIGEST_SIZE], struct slice text, int64_t now_us,
                           struct refusal *why)
{
    struct token token;
    int r;

    r = token_verify(cache->key, &cache->roles, text, now_us, &token, why);
    if (r)
        return r;
    memcpy(slot->digest, digest, DIGEST_SIZE);
    slot->token = token;
    return 0;
}

bool token_of_header(const char *authorization, struct slice *ret)
{
    struct slice rest = slice_of(authorization), scheme;

    if (!slice_cut(&rest, ' ', &scheme) || !slice_is(scheme, "Bearer") || rest.size == 0)
        return false;
    *ret = rest;
    return true;
}

static struct slot *slot_of(struct token_cache *cache, struct slice text,
                            uint8_t digest[DIGEST_SIZE], bool *ret_found)
{
    crypto_generichash(digest, DIGEST_SIZE, (const uint8_t *)text.at, text.size, cache->hash_key,
                       sizeof(cache->hash_key));
    return slot_find(cache, digest, ret_found);
}

static const struct token *slot_use(struct token_cache *cache, struct slot *slot)
{
    slot->used = ++cache->n_lookups;
    return &slot->token;
}

const struct token *token_cache_find(struct token_cache *cache, const char *authorization,
                                     int64_t now_us)
{
    uint8_t digest[DIGEST_SIZE];
    struct slice text;
    bool found;

    if (!token_of_header(authorization, &text) || text.size > TOKEN_TEXT_MAX)
        return NULL;
    struct slot *slot = slot_of(cache, text, digest, &found);
    if (!found || slot->token.expires_s <= now_us / US_PER_S)
        return NULL;
    return slot_use(cache, slot);
}

int token_cache_verify(struct token_cache *cache, const char *authorization, int64_t now_us,
                       const struct token **ret, struct refusal *why)
{
    uint8_t digest[DIGEST_SIZE];
    struct slice text;
    bool found;

    if (!token_of_header(authorization, &text))
        return refuse(why, OUTCOME_UNAUTHORIZED, NULL, "Bearer token required");
    if (text.size > TOKEN_TEXT_MAX)
        return refuse(why, OUTCOME_UNAUTHORIZED, NULL,
                      "Invalid token: token is longer than accepted");
    struct slot *slot = slot_of(cache, text, digest, &found);
    if (!found || slot->token.expires_s <= now_us / US_PER_S) {
        int r = verify_and_keep(cache, slot, digest, text, now_us, why);
        if (r)
            return r;
    }
    *ret = slot_use(cache, slot);
    return 0;
}
