/* SPDX-License-Identifier: MIT */
/*
 * The order of the questions: is it known → is its address locked out → is it ours → is it revoked
 * → is it too often. Only a token that is not known costs more than a hash.
 */
#include "http/access.h"

#include "base/clock.h"
#include "base/mem.h"
#include "http/limit.h"
#include "http/revoked.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

#define KNOWN_SIZE 4096 /* a token that is pushed out is verified like a new one */

_Static_assert((KNOWN_SIZE & (KNOWN_SIZE - 1)) == 0, "slots are counted by a mask");

struct access {
    struct token_key key;
    /* Keyed hashes of tokens that some loop has verified: each loop remembers its own. */
    uint8_t known_key[crypto_shorthash_KEYBYTES];
    _Atomic uint64_t known[KNOWN_SIZE];
    struct revoked *revoked;
    struct rate_limit *rate;
    struct lockout *lockout;
    atomic_uint generation; /* of the roles */
    pthread_mutex_t lock;   /* of the roles */
    struct role_set roles;
};

struct access *access_new(const struct token_key *key, const char *revoked_path)
{
    struct access *access = mem_alloc(sizeof(*access));

    access->key = *key;
    access->revoked = revoked_new(revoked_path);
    access->rate = rate_limit_new();
    access->lockout = lockout_new();
    randombytes_buf(access->known_key, sizeof(access->known_key));
    pthread_mutex_init(&access->lock, NULL);
    role_set_init(&access->roles);
    return access;
}

void access_free(struct access *access)
{
    if (!access)
        return;
    revoked_free(access->revoked);
    rate_limit_free(access->rate);
    lockout_free(access->lockout);
    pthread_mutex_destroy(&access->lock);
    explicit_bzero(access, sizeof(*access));
    mem_free(access);
}

const struct token_key *access_key(const struct access *access)
{
    return &access->key;
}

void access_set_roles(struct access *access, const struct role_set *roles)
{
    pthread_mutex_lock(&access->lock);
    access->roles = *roles;
    atomic_fetch_add(&access->generation, 1);
    pthread_mutex_unlock(&access->lock);
}

void access_set_limits(struct access *access, const struct config_limits *limits)
{
    rate_limit_set(access->rate, limits->requests_per_second, limits->burst);
    lockout_set(access->lockout, limits->bad_tokens, limits->lockout);
}

static void follow_roles(struct access *access, struct token_cache *cache)
{
    if (token_cache_generation(cache) == atomic_load(&access->generation))
        return;
    pthread_mutex_lock(&access->lock);
    token_cache_set_roles(cache, &access->roles, atomic_load(&access->generation));
    pthread_mutex_unlock(&access->lock);
}

/* IPv4 addresses as networks of ::/32, which no IPv6 client has. */
static uint64_t v4_key(uint32_t address)
{
    uint32_t network[2] = {0, address};
    uint64_t key;

    memcpy(&key, network, sizeof(key));
    return key;
}

/* An IPv4 address, or the network of an IPv6 one: whoever has one address of it has them all. */
static uint64_t address_key(const struct sockaddr *peer)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    struct in6_addr v6;
    uint64_t network;
    uint32_t v4;

    if (peer->sa_family == AF_INET)
        return v4_key(((const struct sockaddr_in *)(const void *)peer)->sin_addr.s_addr);
    v6 = ((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
    if (memcmp(&v6, mapped, sizeof(mapped)) == 0) {
        memcpy(&v4, (const char *)&v6 + sizeof(mapped), sizeof(v4));
        return v4_key(v4);
    }
    memcpy(&network, &v6, sizeof(network));
    return network;
}

static int64_t seconds_up(int64_t duration_us)
{
    return (duration_us + US_PER_S - 1) / US_PER_S;
}

static uint64_t known_hash(const struct access *access, struct slice text)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)text.at, text.size, access->known_key);
    return hash ? hash : 1;
}

static bool is_known(const struct access *access, struct slice text)
{
    uint64_t hash = known_hash(access, text);

    return atomic_load(&access->known[hash & (KNOWN_SIZE - 1)]) == hash;
}

static void make_known(struct access *access, struct slice text)
{
    uint64_t hash = known_hash(access, text);

    atomic_store(&access->known[hash & (KNOWN_SIZE - 1)], hash);
}

/* A token that this loop does not know yet. */
static int verify_anew(struct access *access, struct token_cache *cache,
                       const struct access_question *question, struct access_answer *answer,
                       struct refusal *why)
{
    uint64_t address = address_key(question->peer);
    int64_t left_us = lockout_left(access->lockout, address, question->boot_us);
    struct slice text;
    bool has_token = token_of_header(question->authorization, &text);

    if (left_us && has_token && !is_known(access, text)) {
        answer->retry_after_s = seconds_up(left_us);
        return refuse(why, OUTCOME_BUSY, NULL,
                      "too many bad tokens from this address; a new one is accepted in %lld s",
                      (long long)answer->retry_after_s);
    }
    int r =
        token_cache_verify(cache, question->authorization, question->now_us, &answer->token, why);
    if (!r)
        make_known(access, text);
    else if (has_token && !token_is_signed(&access->key, text))
        answer->locks_out = lockout_count(access->lockout, address, question->boot_us);
    return r;
}

int access_check(struct access *access, struct token_cache *cache,
                 const struct access_question *question, struct access_answer *ret,
                 struct refusal *why)
{
    struct access_answer answer = {0};
    int r = 0;

    follow_roles(access, cache);
    answer.token = token_cache_find(cache, question->authorization, question->now_us);
    if (!answer.token)
        r = verify_anew(access, cache, question, &answer, why);
    if (!r)
        r = revoked_check(access->revoked, answer.token->jti, question->boot_us, why);
    int64_t wait_us =
        r ? 0 : rate_limit_take(access->rate, answer.token->number, question->boot_us);
    if (wait_us) {
        answer.retry_after_s = seconds_up(wait_us);
        r = refuse(why, OUTCOME_BUSY, NULL,
                   "this token makes more requests a second than accepted "
                   "(limits.requests_per_second)");
    }
    *ret = answer;
    return r;
}
