/* SPDX-License-Identifier: MIT */
/*
 * Both files are replaced whole or not at all, and only their owner can read them.
 */
#include "http/credentials.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "catalog/catalog.h"

#include <errno.h>
#include <unistd.h>

void credentials_admin_token(const struct token_key *key, int64_t now_us, struct buf *to)
{
    struct role_set roles;
    struct token token;

    role_set_init(&roles);
    token_init(&token, role_word(ROLE_ADMIN), now_us, CREDENTIALS_TOKEN_S * US_PER_S);
    token.roles = ROLE_BIT_ADMIN;
    token.permissions = role_permissions(ROLE_ADMIN);
    token_make(key, &roles, &token, to);
    buf_add_char(to, '\n');
}

static int write_token(const char *path, const struct token_key *key, int64_t now_us,
                       struct refusal *why)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, CREDENTIALS_TOKEN_MAX);
    credentials_admin_token(key, now_us, &text);
    int r = file_write(path, buf_slice(&text), 0600);
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s can't be written: %s", path,
                      strerror(-r));
    return 0;
}

/* A token that does not verify any more, for its age or for another key, counts as run out. */
static bool is_good_for_long(struct slice text, const struct token_key *key, int64_t now_us)
{
    struct role_set roles;
    struct token token;

    role_set_init(&roles);
    while (text.size && text.at[text.size - 1] == '\n')
        text.size--;
    return token_verify(key, &roles, text, now_us, &token, NULL) == 0 &&
           token.expires_s - now_us / US_PER_S >= CREDENTIALS_RENEW_S;
}

static int renew_token(const char *path, const struct token_key *key, int64_t now_us,
                       struct refusal *why)
{
    CLEANUP(arena_release) struct arena arena;
    struct slice text;

    arena_init(&arena);
    int r = file_read(path, CREDENTIALS_TOKEN_MAX, &arena, &text);
    if (r == -ENOENT)
        return 0;
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s can't be read: %s", path, strerror(-r));
    return is_good_for_long(text, key, now_us) ? 0 : write_token(path, key, now_us, why);
}

int credentials_key(const char *path, struct token_key *ret, bool *ret_is_new, struct refusal *why)
{
    bool is_new = access(path, F_OK) < 0 && errno == ENOENT;

    int r = is_new ? token_key_make(path) : 0;
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s can't be written: %s", path,
                      strerror(-r));
    r = token_key_load(path, ret, why);
    if (r)
        return r;
    *ret_is_new = is_new;
    return 0;
}

int credentials_open(const struct credentials_paths *paths, int64_t now_us, struct token_key *ret,
                     struct refusal *why)
{
    struct token_key key;
    bool is_new;

    int r = credentials_key(paths->key, &key, &is_new, why);
    if (r)
        return r;
    r = is_new ? write_token(paths->token, &key, now_us, why)
               : renew_token(paths->token, &key, now_us, why);
    if (r)
        return r;
    *ret = key;
    return 0;
}
