/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the verification of tokens, as a text from outside and as claims that are rightly signed.
 *
 * The first byte chooses: 0, the rest is the text of a token; else it is a header and, after a line
 * feed, claims, which are signed here. What the cache says must be what token_verify() says.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "http/token.h"

#include <sodium.h>

#define NOW_US (INT64_C(1800000000) * US_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct token_key fuzz_key = {
    .bytes = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .size = 64,
};

static void add_part(struct buf *to, const void *bytes, size_t size)
{
    size_t room = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

    sodium_bin2base64(buf_reserve(to, room), room, bytes, size,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    to->size += room - 1;
}

static void make_signed(struct buf *to, struct slice header, struct slice claims)
{
    crypto_auth_hmacsha256_state state;
    uint8_t signature[crypto_auth_hmacsha256_BYTES];

    add_part(to, header.at, header.size);
    buf_add_char(to, '.');
    add_part(to, claims.at, claims.size);
    crypto_auth_hmacsha256_init(&state, fuzz_key.bytes, fuzz_key.size);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)to->at, to->size);
    crypto_auth_hmacsha256_final(&state, signature);
    buf_add_char(to, '.');
    add_part(to, signature, sizeof(signature));
}

static void check_token(const struct token *token)
{
    uint64_t known = (UINT64_C(1) << PERMISSION_COUNT) - 1;

    if (!token->subject[0] || token->expires_s <= NOW_US / US_PER_S ||
        token->permissions & ~known || token->roles >> ROLE_COUNT)
        abort();
}

static void check_cache(struct slice text, int expected)
{
    static struct token_cache *cache;
    CLEANUP(buf_release) struct buf header;
    const struct token *token;

    if (!cache)
        cache = token_cache_new(&fuzz_key);
    buf_init(&header, 2 * TOKEN_TEXT_MAX);
    buf_add_text(&header, "Bearer ");
    buf_add_slice(&header, text);
    for (int i = 0; i < 2; i++)
        if (token_cache_verify(cache, buf_text(&header), NOW_US, &token, NULL) != expected)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(buf_release) struct buf text = {.cap = 0};
    struct token token;

    if (size == 0 || size > TOKEN_TEXT_MAX)
        return 0;
    struct slice rest = {.at = (const char *)bytes + 1, .size = size - 1}, header;
    buf_init(&text, 2 * TOKEN_TEXT_MAX);
    if (bytes[0] == 0 || !slice_cut(&rest, '\n', &header))
        buf_add(&text, bytes + 1, size - 1);
    else
        make_signed(&text, header, rest);
    struct role_set roles;

    role_set_init(&roles);
    int r = token_verify(&fuzz_key, &roles, buf_slice(&text), NOW_US, &token, NULL);
    if (r == 0)
        check_token(&token);
    if (strlen(buf_text(&text)) == text.size) /* a header's value ends with its first NUL */
        check_cache(buf_slice(&text), r);
    return 0;
}
