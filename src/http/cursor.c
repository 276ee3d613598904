/* SPDX-License-Identifier: MIT */
/*
 * Cursors are authenticated by keyed BLAKE2b, and have one text each: what differs in a bit is
 * refused.
 */
#include "http/cursor.h"

#include "base/mem.h"

#include <assert.h>
#include <endian.h>
#include <sodium.h>

#define VERSION   1
#define MAC_SIZE  16 /* 128 bits: 2^128 tries for one forgery */
#define BASE64URL sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct __attribute__((packed)) layout {
    uint8_t version, direction;
    uint64_t seq, question; /* little-endian */
    uint8_t mac[MAC_SIZE];  /* of all before it */
};

_Static_assert(sodium_base64_ENCODED_LEN(sizeof(struct layout), BASE64URL) == CURSOR_TEXT_SIZE,
               "the header says how long its text is");
_Static_assert(sizeof(((struct cursor_key *)0)->bytes) == crypto_generichash_KEYBYTES,
               "the key is a key of the hash");

void cursor_key_init(struct cursor_key *key, const struct token_key *token_key)
{
    static const uint8_t purpose[crypto_generichash_blake2b_PERSONALBYTES] = "reeve cursors 1";

    int r = sodium_init();
    assert(r >= 0);
    r = crypto_generichash_blake2b_salt_personal(key->bytes, sizeof(key->bytes), token_key->bytes,
                                                 token_key->size, NULL, 0, NULL, purpose);
    assert(r == 0);
}

uint64_t cursor_question(const char *kind, struct slice text)
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    uint64_t question;

    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    crypto_generichash_update(&state, (const uint8_t *)kind, strlen(kind) + 1);
    crypto_generichash_update(&state, (const uint8_t *)text.at, text.size);
    crypto_generichash_final(&state, hash, sizeof(hash));
    memcpy(&question, hash, sizeof(question));
    return le64toh(question);
}

static void mac(const struct cursor_key *key, const struct layout *layout, uint8_t ret[MAC_SIZE])
{
    crypto_generichash(ret, MAC_SIZE, (const uint8_t *)layout, offsetof(struct layout, mac),
                       key->bytes, sizeof(key->bytes));
}

void cursor_write(const struct cursor_key *key, const struct cursor *cursor,
                  char ret[CURSOR_TEXT_SIZE])
{
    struct layout layout = {
        .version = VERSION,
        .direction = (uint8_t)cursor->direction,
        .seq = htole64(cursor->seq),
        .question = htole64(cursor->question),
    };

    mac(key, &layout, layout.mac);
    sodium_bin2base64(ret, CURSOR_TEXT_SIZE, (const uint8_t *)&layout, sizeof(layout), BASE64URL);
}

/* One text each, as tokens have: libsodium 1.0.18 takes 0xDF for '_' where char is signed. */
static bool decode(const char *text, struct layout *ret)
{
    size_t size = strlen(text), n;

    if (size != CURSOR_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)text[i] >= 0x80)
            return false;
    return sodium_base642bin((uint8_t *)ret, sizeof(*ret), text, size, NULL, &n, NULL, BASE64URL) ==
               0 &&
           n == sizeof(*ret);
}

static bool is_ours(const struct cursor_key *key, const struct layout *layout)
{
    uint8_t ours[MAC_SIZE];

    if (layout->version != VERSION || layout->direction > CURSOR_BACK)
        return false;
    mac(key, layout, ours);
    return sodium_memcmp(ours, layout->mac, MAC_SIZE) == 0;
}

int cursor_read(const struct cursor_key *key, const char *text, uint64_t question,
                struct cursor *ret, struct refusal *why)
{
    struct layout layout;

    if (!decode(text, &layout) || !is_ours(key, &layout))
        return refuse(why, OUTCOME_INVALID, "cursor",
                      "cursor: it is none that was given here; take it from a reply, unchanged");
    if (le64toh(layout.question) != question)
        return refuse(why, OUTCOME_INVALID, "cursor",
                      "cursor: it was given for another filter, and is good for that alone");
    *ret = (struct cursor){
        .direction = layout.direction,
        .seq = le64toh(layout.seq),
        .question = question,
    };
    return 0;
}
