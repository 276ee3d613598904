/* SPDX-License-Identifier: MIT */
/*
 * Both files are replaced whole or not at all, and only their owner can read them.
 */
#include "controller/credentials.h"

#include "base/file.h"
#include "base/mem.h"
#include "catalog/catalog.h"

#include <errno.h>
#include <unistd.h>

static int write_token(const char *path, const struct token_key *key, int64_t now_us,
                       struct refusal *why)
{
    CLEANUP(buf_release) struct buf text;
    struct token token = {
        .subject = "admin",
        .permissions = role_permissions(ROLE_ADMIN),
        .roles = ROLE_BIT_ADMIN,
        .issued_s = now_us / US_PER_S,
        .expires_s = now_us / US_PER_S + CREDENTIALS_TOKEN_S,
    };

    buf_init(&text, TOKEN_TEXT_MAX);
    token_make(key, &token, &text);
    buf_add_char(&text, '\n');
    int r = file_write(path, buf_slice(&text), 0600);
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s can't be written: %s", path,
                      strerror(-r));
    return 0;
}

/* A token that does not verify any more, for its age or for another key, counts as run out. */
static bool is_good_for_long(struct slice text, const struct token_key *key, int64_t now_us)
{
    struct token token;

    while (text.size && text.at[text.size - 1] == '\n')
        text.size--;
    return token_verify(key, text, now_us, &token, NULL) == 0 &&
           token.expires_s - now_us / US_PER_S >= CREDENTIALS_RENEW_S;
}

static int renew_token(const char *path, const struct token_key *key, int64_t now_us,
                       struct refusal *why)
{
    CLEANUP(arena_release) struct arena arena;
    struct slice text;

    arena_init(&arena);
    int r = file_read(path, TOKEN_TEXT_MAX, &arena, &text);
    if (r == -ENOENT)
        return 0;
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s can't be read: %s", path, strerror(-r));
    return is_good_for_long(text, key, now_us) ? 0 : write_token(path, key, now_us, why);
}

int credentials_open(const struct credentials_paths *paths, int64_t now_us, struct token_key *ret,
                     struct refusal *why)
{
    bool is_new = access(paths->key, F_OK) < 0 && errno == ENOENT;
    struct token_key key;

    int r = is_new ? token_key_make(paths->key) : 0;
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s can't be written: %s", paths->key,
                      strerror(-r));
    r = token_key_load(paths->key, &key, why);
    if (r)
        return r;
    r = is_new ? write_token(paths->token, &key, now_us, why)
               : renew_token(paths->token, &key, now_us, why);
    if (r)
        return r;
    *ret = key;
    return 0;
}
