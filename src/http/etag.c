/* SPDX-License-Identifier: MIT */
/*
 * Tags are SipHash of 128 bits: short texts take it a fraction of BLAKE2b's time, and nobody
 * without the key can make up one that will fit.
 */
#include "http/etag.h"

#include "base/mem.h"

#include <assert.h>
#include <sodium.h>

#define BASE64URL sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define HASH_SIZE crypto_shorthash_siphashx24_BYTES

_Static_assert(sodium_base64_ENCODED_LEN(HASH_SIZE, BASE64URL) + 2 == ETAG_SIZE,
               "the header says how long it is");
_Static_assert(sizeof(((struct etag_key *)0)->bytes) == crypto_shorthash_siphashx24_KEYBYTES,
               "the key is a key of the hash");

void etag_key_init(struct etag_key *key)
{
    int r = sodium_init();

    assert(r >= 0);
    randombytes_buf(key->bytes, sizeof(key->bytes));
}

static void hash(const struct etag_key *key, const void *bytes, size_t size, uint8_t ret[HASH_SIZE])
{
    crypto_shorthash_siphashx24(ret, bytes, size, key->bytes);
}

void etag_make(const struct etag_key *key, const struct etag_question *question,
               char ret[ETAG_SIZE])
{
    struct {
        uint64_t position;
        uint8_t path[HASH_SIZE], query[HASH_SIZE];
    } parts = {.position = question->position};
    uint8_t whole[HASH_SIZE];

    hash(key, question->path.at, question->path.size, parts.path);
    hash(key, question->query.at, question->query.size, parts.query);
    hash(key, &parts, sizeof(parts), whole);
    ret[0] = '"';
    sodium_bin2base64(ret + 1, ETAG_SIZE - 2, whole, sizeof(whole), BASE64URL);
    ret[ETAG_SIZE - 2] = '"';
    ret[ETAG_SIZE - 1] = '\0';
}

static const char *skip(const char *at, const char *characters)
{
    return at + strspn(at, characters);
}

/* An opaque tag with its quotes, and what follows it; a tag may hold commas. False: there is none.
 */
static bool next_tag(const char **at, struct slice *ret)
{
    const char *start = skip(*at, " \t,"); /* empty elements are allowed, RFC 9110 §5.6.1.2 */

    if (start[0] == 'W' && start[1] == '/')
        start += 2;
    const char *end = start[0] == '"' ? strchr(start + 1, '"') : NULL;
    if (!end)
        return false;
    *ret = (struct slice){.at = start, .size = (size_t)(end + 1 - start)};
    *at = skip(end + 1, " \t");
    return **at == ',' || **at == '\0';
}

bool etag_list_has(const char *list, const char *etag)
{
    struct slice tag;

    while (next_tag(&list, &tag)) {
        if (slice_is(tag, etag))
            return true;
    }
    return false;
}

bool etag_list_is_any(const char *list)
{
    const char *at = skip(list, " \t");

    return at[0] == '*' && *skip(at + 1, " \t") == '\0';
}
