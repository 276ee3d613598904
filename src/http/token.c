/* SPDX-License-Identifier: MIT */
/*
 * Writing and verifying tokens.
 *
 * The signature is checked before the claims are parsed; of a text that is not ours only the header
 * is looked at. Every decoded part has a fixed buffer, and a text that does not fit was refused by
 * its size before.
 */
#include "http/token.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "catalog/catalog.h"
#include "http/revoked.h"

#include <assert.h>
#include <sodium.h>

#define HEADER_MAX     512                      /* bytes, decoded: a kid is free text */
#define PAYLOAD_MAX    (TOKEN_TEXT_MAX * 3 / 4) /* what TOKEN_TARGETS_SIZE leaves room for */
#define VALUES_MAX     256                      /* JSON values in header or payload */
#define LEEWAY_S       60                       /* clocks of whoever issues tokens may be ahead */
#define SIGNATURE_SIZE crypto_auth_hmacsha256_BYTES
#define BASE64URL      sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define TOKEN_HEADER   "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

_Static_assert(TOKEN_KEY_MIN >= crypto_auth_hmacsha256_KEYBYTES,
               "RFC 7518 §3.2: as long as the hash");

static int refuse_token(struct refusal *why, const char *reason)
{
    return refuse(why, OUTCOME_UNAUTHORIZED, NULL, "Invalid token: %s", reason);
}

static void sign(const struct token_key *key, struct slice text, uint8_t ret[SIGNATURE_SIZE])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key->bytes, key->size);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)text.at, text.size);
    crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof(state));
}

/* Strict: no padding, no other alphabet, no stray bits at the end. False also when it is over
   `room`. libsodium 1.0.18 takes 0xDF for '_' where char is signed, hence the loop: a token has one
   text. */
static bool decode(struct slice text, void *bytes, size_t room, size_t *ret_size)
{
    for (size_t i = 0; i < text.size; i++)
        if ((uint8_t)text.at[i] >= 0x80)
            return false;
    return sodium_base642bin(bytes, room, text.at, text.size, NULL, ret_size, NULL, BASE64URL) == 0;
}

static void encode(struct buf *to, const void *bytes, size_t size)
{
    size_t room = sodium_base64_ENCODED_LEN(size, BASE64URL); /* counts the NUL */
    char *at = buf_reserve(to, room);

    if (!at)
        return;
    sodium_bin2base64(at, room, bytes, size, BASE64URL);
    to->size += room - 1;
}

/*
 * Verifying
 */

struct parts {
    struct slice header, payload, signature;
    struct slice text; /* what the signature covers: header and payload with their dot */
};

static bool split(struct slice text, struct parts *ret)
{
    struct slice rest = text;

    if (!slice_cut(&rest, '.', &ret->header) || !slice_cut(&rest, '.', &ret->payload))
        return false;
    ret->text = (struct slice){.at = text.at, .size = ret->header.size + 1 + ret->payload.size};
    return !slice_cut(&rest, '.', &ret->signature);
}

/* Anything but these members is another kind of token, or an attempt at one ("crit", "jwk", "zip").
 */
static bool header_is_ours(struct slice text)
{
    struct json header;
    bool has_alg = false;

    if (json_check(text, VALUES_MAX, &header, NULL) || header.kind != JSON_OBJECT)
        return false;
    for (struct json_walk w = json_walk(header); json_next(&w);) {
        if (w.value.kind != JSON_STRING)
            return false;
        if (json_string_is(w.key, "alg") && json_string_is(w.value, "HS256"))
            has_alg = true;
        else if (!(json_string_is(w.key, "typ") && json_string_is(w.value, "JWT")) &&
                 !json_string_is(w.key, "kid"))
            return false;
    }
    return has_alg;
}

static bool signature_is_good(const struct token_key *key, const struct parts *parts,
                              uint64_t *ret_number)
{
    uint8_t theirs[SIGNATURE_SIZE], ours[SIGNATURE_SIZE];
    size_t size;

    if (!decode(parts->signature, theirs, sizeof(theirs), &size) || size != sizeof(theirs))
        return false;
    sign(key, parts->text, ours);
    memcpy(ret_number, ours, sizeof(*ret_number));
    return sodium_memcmp(theirs, ours, sizeof(ours)) == 0;
}

bool token_is_signed(const struct token_key *key, struct slice text)
{
    struct parts parts;
    uint64_t number;

    return text.size <= TOKEN_TEXT_MAX && split(text, &parts) &&
           signature_is_good(key, &parts, &number);
}

/* A token's payload, and what is needed to understand it. */
struct claims {
    struct json object;
    const struct role_set *roles;
    struct arena *arena;
};

static int find_permission(const struct role_set *roles, struct slice word)
{
    (void)roles;
    return permission_find(word);
}

/* The words of a list as a bit set; false when one of them is unknown. */
static bool claim_words(struct json list,
                        int (*find)(const struct role_set *roles, struct slice word),
                        const struct claims *claims, uint64_t *ret)
{
    uint64_t bits = 0;

    if (list.kind != JSON_ARRAY)
        return false;
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        const char *word;

        if (w.value.kind != JSON_STRING || json_string(w.value, claims->arena, &word, NULL))
            return false;
        int bit = find(claims->roles, slice_of(word));
        if (bit < 0)
            return false;
        bits |= UINT64_C(1) << bit;
    }
    *ret = bits;
    return true;
}

/* A text of at most room - 1 bytes. */
static bool claim_text(struct json value, struct arena *arena, char *at, size_t room)
{
    const char *text;
    size_t size;

    if (value.kind != JSON_STRING || json_string(value, arena, &text, &size) || size >= room)
        return false;
    memcpy(at, text, size + 1);
    return true;
}

static int read_rights(const struct claims *claims, struct token *token, struct refusal *why)
{
    struct json value;
    bool has_roles = json_member(claims->object, "roles", &value);

    if (has_roles && !claim_words(value, role_set_find, claims, &token->roles))
        return refuse_token(why, "roles is not a list of known roles");
    if (json_member(claims->object, "permissions", &value) &&
        !claim_words(value, find_permission, claims, &token->permissions))
        return refuse_token(why, "permissions is not a list of known permissions");
    if (token->permissions)
        return 0;
    if (!has_roles)
        return refuse_token(why, "roles is missing");
    token->permissions = role_set_permissions(claims->roles, token->roles);
    return 0;
}

static int read_targets(const struct claims *claims, struct token *token, struct refusal *why)
{
    static const char reason[] = "targets is not a list of host names, machine ids or labels, or "
                                 "longer than accepted";
    struct json list;

    if (!json_member(claims->object, "targets", &list))
        return 0;
    if (list.kind != JSON_ARRAY)
        return refuse_token(why, reason);
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        const char *target;
        if (w.value.kind != JSON_STRING || json_string(w.value, claims->arena, &target, NULL) ||
            !token_add_target(token, target))
            return refuse_token(why, reason);
    }
    return token->targets_size ? 0 : refuse_token(why, "targets is empty: it allows nothing");
}

static int read_identity(const struct claims *claims, struct token *token, struct refusal *why)
{
    struct json value;

    if (!json_member(claims->object, "sub", &value) ||
        !claim_text(value, claims->arena, token->subject, sizeof(token->subject)) ||
        !token->subject[0])
        return refuse_token(why, "sub is missing or is not a text of 1 to 255 bytes");
    if (json_member(claims->object, "jti", &value) &&
        !(claim_text(value, claims->arena, token->jti, sizeof(token->jti)) &&
          revoked_jti_is_good(slice_of(token->jti))))
        return refuse_token(why, "jti is not a text of 1 to 64 printable characters");
    return 0;
}

/* Whole seconds since 1970. */
static bool claim_seconds(struct json value, int64_t *ret)
{
    return value.kind == JSON_NUMBER && json_i64(value, ret) && *ret >= 0;
}

static int refuse_expired(int64_t expires_s, int64_t now_us, struct refusal *why)
{
    char past[DURATION_TEXT_SIZE];

    duration_format(now_us - expires_s * US_PER_S, past);
    return refuse(why, OUTCOME_UNAUTHORIZED, NULL, "Invalid token: token is expired by %s", past);
}

static int read_times(struct json claims, int64_t now_us, struct token *token, struct refusal *why)
{
    int64_t now_s = now_us / US_PER_S, not_before_s;
    struct json value;

    if (!json_member(claims, "exp", &value) || !claim_seconds(value, &token->expires_s))
        return refuse_token(why, "exp is missing or is not a whole number of seconds");
    if (token->expires_s <= now_s)
        return refuse_expired(token->expires_s, now_us, why);
    if (json_member(claims, "iat", &value)) {
        if (!claim_seconds(value, &token->issued_s))
            return refuse_token(why, "iat is not a whole number of seconds");
        if (token->issued_s > now_s + LEEWAY_S)
            return refuse_token(why, "token used before issued");
    }
    if (json_member(claims, "nbf", &value)) {
        if (!claim_seconds(value, &not_before_s))
            return refuse_token(why, "nbf is not a whole number of seconds");
        if (not_before_s > now_s + LEEWAY_S)
            return refuse_token(why, "token is not valid yet");
    }
    return 0;
}

static int read_claims(const struct role_set *roles, struct slice text, int64_t now_us,
                       struct token *token, struct refusal *why)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct claims claims = {.roles = roles, .arena = &arena};

    if (json_check(text, VALUES_MAX, &claims.object, NULL) || claims.object.kind != JSON_OBJECT)
        return refuse_token(why, "the claims are not a JSON object");
    int r = read_times(claims.object, now_us, token, why);
    if (!r)
        r = read_identity(&claims, token, why);
    if (!r)
        r = read_rights(&claims, token, why);
    return r ? r : read_targets(&claims, token, why);
}

int token_verify(const struct token_key *key, const struct role_set *roles, struct slice text,
                 int64_t now_us, struct token *ret, struct refusal *why)
{
    char header[HEADER_MAX], payload[PAYLOAD_MAX];
    size_t header_size, payload_size;
    struct token token = {0};
    struct parts parts;

    if (text.size > TOKEN_TEXT_MAX)
        return refuse_token(why, "token is longer than accepted");
    if (!split(text, &parts))
        return refuse_token(why, "token contains an invalid number of segments");
    if (!decode(parts.header, header, sizeof(header), &header_size) ||
        !header_is_ours((struct slice){.at = header, .size = header_size}))
        return refuse_token(why, "unexpected signing method or header");
    if (!signature_is_good(key, &parts, &token.number))
        return refuse_token(why, "signature is invalid");
    if (!decode(parts.payload, payload, sizeof(payload), &payload_size))
        return refuse_token(why, "the claims are not base64url");
    struct slice claims = {.at = payload, .size = payload_size};
    int r = read_claims(roles, claims, now_us, &token, why);
    if (!r)
        *ret = token;
    return r;
}

/*
 * Targets
 */

/* What a host can be named by, one by one: the reserved words mean others at other times. */
static bool is_target(const char *text)
{
    bool ok = false;

    format_check("target", text, &ok);
    return ok && text[0] != '_';
}

bool token_add_target(struct token *token, const char *target)
{
    size_t size = strlen(target) + 1, n = 0;

    for (const char *at = token_next_target(token, NULL); at; at = token_next_target(token, at))
        n++;
    if (n == TOKEN_TARGETS_MAX || size > TOKEN_TARGETS_SIZE - token->targets_size ||
        !is_target(target))
        return false;
    memcpy(token->targets + token->targets_size, target, size);
    token->targets_size += size;
    return true;
}

const char *token_next_target(const struct token *token, const char *target)
{
    const char *next = target ? target + strlen(target) + 1 : token->targets;

    return next < token->targets + token->targets_size ? next : NULL;
}

/*
 * Making
 */

static void write_roles(struct json_writer *w, const struct role_set *roles, uint64_t held)
{
    json_key(w, "roles");
    json_begin_array(w);
    for (unsigned role = 0; role < roles->n; role++)
        if (held >> role & 1)
            json_text(w, roles->v[role].name);
    json_end_array(w);
}

static void write_permissions(struct json_writer *w, const struct role_set *roles,
                              const struct token *token)
{
    if (!token->permissions || token->permissions == role_set_permissions(roles, token->roles))
        return;
    json_key(w, "permissions");
    json_begin_array(w);
    for (int permission = 0; permission < PERMISSION_COUNT; permission++)
        if (token->permissions >> permission & 1)
            json_text(w, permission_word(permission));
    json_end_array(w);
}

static void write_targets(struct json_writer *w, const struct token *token)
{
    const char *target = token_next_target(token, NULL);

    if (!target)
        return;
    json_key(w, "targets");
    json_begin_array(w);
    for (; target; target = token_next_target(token, target))
        json_text(w, target);
    json_end_array(w);
}

static void write_claims(const struct role_set *roles, const struct token *token, struct buf *to)
{
    struct json_writer w = json_writer(to);

    json_begin_object(&w);
    write_roles(&w, roles, token->roles);
    write_permissions(&w, roles, token);
    write_targets(&w, token);
    json_key(&w, "iss");
    json_text(&w, "reeve");
    json_key(&w, "sub");
    json_text(&w, token->subject);
    json_key(&w, "exp");
    json_int(&w, token->expires_s);
    json_key(&w, "iat");
    json_int(&w, token->issued_s);
    if (token->jti[0]) {
        json_key(&w, "jti");
        json_text(&w, token->jti);
    }
    json_end_object(&w);
}

void token_init(struct token *token, const char *subject, int64_t now_us, int64_t valid_us)
{
    struct uuid id = uuid_make(now_us);

    *token = (struct token){
        .issued_s = now_us / US_PER_S,
        .expires_s = (now_us + valid_us) / US_PER_S,
    };
    uuid_format(&id, token->jti);
    snprintf(token->subject, sizeof(token->subject), "%s", subject);
}

void token_make(const struct token_key *key, const struct role_set *roles,
                const struct token *token, struct buf *to)
{
    CLEANUP(buf_release) struct buf claims, text;
    uint8_t made[SIGNATURE_SIZE];

    buf_init(&claims, PAYLOAD_MAX);
    buf_init(&text, TOKEN_TEXT_MAX);
    write_claims(roles, token, &claims);
    encode(&text, TOKEN_HEADER, strlen(TOKEN_HEADER));
    buf_add_char(&text, '.');
    encode(&text, claims.at, claims.size);
    sign(key, buf_slice(&text), made);
    buf_add_char(&text, '.');
    encode(&text, made, sizeof(made));
    assert(!buf_overflowed(&claims) && !buf_overflowed(&text));
    buf_add_slice(to, buf_slice(&text));
}
