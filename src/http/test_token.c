/* SPDX-License-Identifier: MIT */
/*
 * Tokens: the RFC's own example, every way in which a token may be wrong, and the cache.
 *
 * Wrong tokens are built by hand and signed rightly, so that each is refused for the one fault it
 * has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "http/token.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_S  INT64_C(1800000000)
#define NOW_US (NOW_S * US_PER_S)
#define HS256  "{\"alg\":\"HS256\"}"
#define CLAIMS "{\"roles\":[\"read\"],\"sub\":\"anna\",\"exp\":1800000060}"

static const struct role_set *builtin_roles(void)
{
    static struct role_set roles;

    role_set_init(&roles);
    return &roles;
}

static const struct token_key test_key = {
    .bytes = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .size = 64,
};

static void add_part(struct buf *to, const void *bytes, size_t size)
{
    char text[2 * TOKEN_TEXT_MAX];

    sodium_bin2base64(text, sizeof(text), bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_add_text(to, text);
}

/* A token with any header and any claims and a right signature. */
static void make_signed(struct buf *to, const char *header, struct slice claims)
{
    crypto_auth_hmacsha256_state state;
    uint8_t signature[crypto_auth_hmacsha256_BYTES];

    buf_clear(to);
    add_part(to, header, strlen(header));
    buf_add_char(to, '.');
    add_part(to, claims.at, claims.size);
    crypto_auth_hmacsha256_init(&state, test_key.bytes, test_key.size);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)to->at, to->size);
    crypto_auth_hmacsha256_final(&state, signature);
    buf_add_char(to, '.');
    add_part(to, signature, sizeof(signature));
}

static int verify(struct slice text, struct token *ret, struct refusal *why)
{
    return token_verify(&test_key, builtin_roles(), text, NOW_US, ret, why);
}

static void assert_refused(struct slice text, const char *reason)
{
    struct refusal why;
    struct token token;

    assert_int_equal(verify(text, &token, &why), OUTCOME_UNAUTHORIZED);
    if (!strstr(why.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", why.text, reason);
}

static void assert_claims_refused(const char *claims, const char *reason)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, 4 * TOKEN_TEXT_MAX);
    make_signed(&text, HS256, slice_of(claims));
    assert_refused(buf_slice(&text), reason);
}

static void assert_claims_accepted(const char *claims, struct token *ret)
{
    CLEANUP(buf_release) struct buf text;
    struct refusal why = {.text = ""};

    buf_init(&text, 4 * TOKEN_TEXT_MAX);
    make_signed(&text, HS256, slice_of(claims));
    if (verify(buf_slice(&text), ret, &why))
        fail_msg("%s: %s", claims, why.text);
}

/* RFC 7515 A.1 signs with a key of 64 bytes and a header with CR and LF in it; its claims are no
 * token of ours. */
static void the_signature_of_rfc_7515_is_right(void **state)
{
    (void)state;
    static const char jwk[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
                              "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    static const char text[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    struct token_key key;
    struct refusal why;
    struct token token;

    assert_int_equal(sodium_base642bin(key.bytes, sizeof(key.bytes), jwk, strlen(jwk), NULL,
                                       &key.size, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    assert_int_equal(
        token_verify(&key, builtin_roles(), slice_of(text), 1300819370 * US_PER_S, &token, &why),
        OUTCOME_UNAUTHORIZED);
    assert_non_null(strstr(why.text, "sub is missing"));
    assert_int_equal(
        token_verify(&key, builtin_roles(), slice_of(text), 1300819383 * US_PER_S, &token, &why),
        OUTCOME_UNAUTHORIZED);
    assert_non_null(strstr(why.text, "token is expired by 3s"));
    key.bytes[0] ^= 1;
    assert_int_equal(token_verify(&key, builtin_roles(), slice_of(text), 0, &token, &why),
                     OUTCOME_UNAUTHORIZED);
    assert_non_null(strstr(why.text, "signature is invalid"));
}

static void what_was_made_is_verified(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf text;
    struct refusal why;
    struct token read;
    const struct token made = {
        .subject = "anna \"ä\"",
        .jti = "7",
        .roles = ROLE_BIT_READ | ROLE_BIT_WRITE,
        .permissions = role_permissions(ROLE_WRITE),
        .issued_s = NOW_S,
        .expires_s = NOW_S + 1,
    };

    buf_init(&text, TOKEN_TEXT_MAX);
    token_make(&test_key, builtin_roles(), &made, &text);
    assert_int_equal(verify(buf_slice(&text), &read, &why), 0);
    assert_string_equal(read.subject, made.subject);
    assert_string_equal(read.jti, made.jti);
    assert_int_equal(read.roles, made.roles);
    assert_true(read.permissions == made.permissions);
    assert_int_equal(read.issued_s, made.issued_s);
    assert_int_equal(read.expires_s, made.expires_s);
}

static void permissions_of_its_own_are_exactly_the_set(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf text;
    struct refusal why;
    struct token read;
    const struct token made = {
        .subject = "ci",
        .roles = ROLE_BIT_ADMIN,
        .permissions = UINT64_C(1) << PERMISSION_JOB_READ | UINT64_C(1) << PERMISSION_NODE_WRITE,
        .expires_s = NOW_S + 1,
    };

    buf_init(&text, TOKEN_TEXT_MAX);
    token_make(&test_key, builtin_roles(), &made, &text);
    assert_int_equal(verify(buf_slice(&text), &read, &why), 0);
    assert_true(read.permissions == made.permissions);
    assert_int_equal(read.roles, ROLE_BIT_ADMIN);
}

static void every_claim_is_looked_at(void **state)
{
    (void)state;
    static const struct {
        const char *claims, *reason;
    } wrong[] = {
        {"{\"sub\":\"a\",\"exp\":1800000060}", "roles is missing"},
        {"{\"permissions\":[],\"sub\":\"a\",\"exp\":1800000060}", "roles is missing"},
        {"{\"roles\":null,\"sub\":\"a\",\"exp\":1800000060}", "known roles"},
        {"{\"roles\":[\"root\"],\"sub\":\"a\",\"exp\":1800000060}", "known roles"},
        {"{\"roles\":[\"read\",7],\"sub\":\"a\",\"exp\":1800000060}", "known roles"},
        {"{\"roles\":[\"read\\u0000\"],\"sub\":\"a\",\"exp\":1800000060}", "known roles"},
        {"{\"roles\":[],\"permissions\":[\"job:fly\"],\"sub\":\"a\",\"exp\":1800000060}",
         "known permissions"},
        {"{\"roles\":[\"read\"],\"exp\":1800000060}", "sub"},
        {"{\"roles\":[\"read\"],\"sub\":\"\",\"exp\":1800000060}", "sub"},
        {"{\"roles\":[\"read\"],\"sub\":7,\"exp\":1800000060}", "sub"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\\u0000b\",\"exp\":1800000060}", "sub"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":1800000060,\"jti\":7}", "jti"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\"}", "exp"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":\"1800000060\"}", "exp"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":1800000060.5}", "exp"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":99999999999999999999}", "exp"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":-9223372036854775808}", "exp"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":1800000000}", "expired by 0s"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":0}", "expired by 500000h0m0s"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":1800000060,\"iat\":1800000061}",
         "before issued"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":1800000060,\"nbf\":1800000061}",
         "not valid yet"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":1800000060,\"exp\":1800000060}",
         "JSON object"},
        {"[]", "JSON object"},
        {"{\"roles\":[\"read\"],\"sub\":\"a\",\"exp\":1800000060}x", "JSON object"},
        {"", "JSON object"},
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_claims_refused(wrong[i].claims, wrong[i].reason);
}

static void what_is_optional_may_be_there(void **state)
{
    (void)state;
    struct token token;

    assert_claims_accepted(CLAIMS, &token);
    assert_true(token.permissions == role_permissions(ROLE_READ));
    assert_string_equal(token.jti, "");
    assert_claims_accepted("{\"roles\":[],\"sub\":\"a\",\"exp\":1800000001}", &token);
    assert_true(token.permissions == 0);
    assert_claims_accepted("{\"permissions\":[\"job:read\"],\"sub\":\"a\",\"exp\":1800000001}",
                           &token);
    assert_true(token.permissions == UINT64_C(1) << PERMISSION_JOB_READ);
    assert_claims_accepted(
        "{\"iss\":\"elsewhere\",\"aud\":[\"https://localhost\"],\"roles\":[\"admin\"],"
        "\"sub\":\"a\",\"exp\":1800000001,\"iat\":1800000060,\"nbf\":1800000060}",
        &token);
    assert_true(token.permissions == role_permissions(ROLE_ADMIN));
}

static void a_subject_has_at_most_255_bytes(void **state)
{
    (void)state;
    char subject[TOKEN_SUBJECT_MAX + 2], claims[TOKEN_SUBJECT_MAX + 100];
    struct token token;

    memset(subject, 'x', sizeof(subject));
    subject[TOKEN_SUBJECT_MAX + 1] = '\0';
    snprintf(claims, sizeof(claims), "{\"roles\":[],\"sub\":\"%s\",\"exp\":1800000060}", subject);
    assert_claims_refused(claims, "sub");
    subject[TOKEN_SUBJECT_MAX] = '\0';
    snprintf(claims, sizeof(claims), "{\"roles\":[],\"sub\":\"%s\",\"exp\":1800000060}", subject);
    assert_claims_accepted(claims, &token);
    assert_string_equal(token.subject, subject);
}

static void no_other_header_is_looked_at(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS384\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"hs256\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":[\"HS256\"]}",
        "{\"ALG\":\"HS256\"}",
        "{}",
        "{\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"typ\":\"JWE\"}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"HS256\",\"jku\":\"https://example.com\"}",
        "{\"alg\":\"HS256\",\"kid\":7}",
        "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
        "[\"HS256\"]",
        "",
    };
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, TOKEN_TEXT_MAX);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        make_signed(&text, wrong[i], SLICE(CLAIMS));
        assert_refused(buf_slice(&text), "unexpected signing method or header");
    }
}

static void typ_and_kid_may_stand_in_the_header(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf text;
    struct refusal why;
    struct token token;

    buf_init(&text, TOKEN_TEXT_MAX);
    make_signed(&text, "{\"kid\":\"../../etc/passwd\",\"typ\":\"JWT\",\"alg\":\"HS256\"}",
                SLICE(CLAIMS));
    assert_int_equal(verify(buf_slice(&text), &token, &why), 0);
}

static void a_signature_of_hs512_with_the_same_key_is_refused(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf text;
    crypto_auth_hmacsha512_state hash;
    uint8_t signature[crypto_auth_hmacsha512_BYTES];

    buf_init(&text, TOKEN_TEXT_MAX);
    add_part(&text, "{\"alg\":\"HS512\"}", strlen("{\"alg\":\"HS512\"}"));
    buf_add_char(&text, '.');
    add_part(&text, CLAIMS, strlen(CLAIMS));
    crypto_auth_hmacsha512_init(&hash, test_key.bytes, test_key.size);
    crypto_auth_hmacsha512_update(&hash, (const uint8_t *)text.at, text.size);
    crypto_auth_hmacsha512_final(&hash, signature);
    buf_add_char(&text, '.');
    add_part(&text, signature, sizeof(signature));
    assert_refused(buf_slice(&text), "unexpected signing method");
}

/* Of every byte of a token one bit is changed: no other text is the same token, also not by unused
 * bits of base64. */
static void no_bit_of_a_token_can_change(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf text;
    struct refusal why;
    struct token token;

    buf_init(&text, TOKEN_TEXT_MAX);
    make_signed(&text, HS256, SLICE(CLAIMS));
    assert_int_equal(verify(buf_slice(&text), &token, &why), 0);
    for (size_t i = 0; i < 8 * text.size; i++) {
        text.at[i / 8] = (char)(text.at[i / 8] ^ 1 << i % 8);
        assert_refused(buf_slice(&text), "");
        text.at[i / 8] = (char)(text.at[i / 8] ^ 1 << i % 8);
    }
}

static void no_part_of_a_token_is_a_token(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, TOKEN_TEXT_MAX);
    make_signed(&text, HS256, SLICE(CLAIMS));
    for (size_t size = 0; size < text.size; size++)
        assert_refused((struct slice){.at = text.at, .size = size}, "");
    buf_add_char(&text, '=');
    assert_refused(buf_slice(&text), "signature is invalid");
    text.at[text.size - 1] = '.';
    assert_refused(buf_slice(&text), "number of segments");
}

static void a_huge_token_is_refused_by_its_size(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf claims, text;

    buf_init(&claims, 2 * TOKEN_TEXT_MAX);
    buf_init(&text, 4 * TOKEN_TEXT_MAX);
    buf_add_text(&claims, "{\"roles\":[],\"sub\":\"a\",\"exp\":1800000060,\"x\":\"");
    while (claims.size < TOKEN_TEXT_MAX)
        buf_add_char(&claims, 'x');
    buf_add_text(&claims, "\"}");
    make_signed(&text, HS256, buf_slice(&claims));
    assert_refused(buf_slice(&text), "longer than accepted");
}

/*
 * The cache
 */

struct cached {
    struct token_cache *cache;
    struct buf header;
};

static int cache_setup(void **state)
{
    struct cached *cached = mem_alloc(sizeof(*cached));
    struct buf text = {.cap = TOKEN_TEXT_MAX};

    cached->cache = token_cache_new(&test_key);
    buf_init(&cached->header, 2 * TOKEN_TEXT_MAX);
    make_signed(&text, HS256, SLICE(CLAIMS));
    buf_add_text(&cached->header, "Bearer ");
    buf_add_slice(&cached->header, buf_slice(&text));
    buf_release(&text);
    *state = cached;
    return 0;
}

static int cache_teardown(void **state)
{
    struct cached *cached = *state;

    token_cache_free(cached->cache);
    buf_release(&cached->header);
    mem_free(cached);
    return 0;
}

static void a_verified_token_is_remembered_until_it_expires(void **state)
{
    struct cached *cached = *state;
    const char *header = buf_text(&cached->header);
    const struct token *first, *again;
    struct refusal why;

    assert_int_equal(token_cache_verify(cached->cache, header, NOW_US, &first, &why), 0);
    assert_int_equal(
        token_cache_verify(cached->cache, header, NOW_US + 59 * US_PER_S, &again, &why), 0);
    assert_ptr_equal(first, again);
    assert_string_equal(again->subject, "anna");
    assert_int_equal(
        token_cache_verify(cached->cache, header, NOW_US + 60 * US_PER_S, &again, &why),
        OUTCOME_UNAUTHORIZED);
    assert_non_null(strstr(why.text, "expired by 0s"));
}

static void the_header_is_bearer_and_one_token_exactly(void **state)
{
    struct cached *cached = *state;
    const char *token_text = buf_text(&cached->header) + strlen("Bearer ");
    static const char *const formats[] = {
        "bearer %s",  "Bearer  %s", "Bearer %s ", " Bearer %s",
        "Bearer\t%s", "Basic %s",   "%s",         "Bearer %s,",
    };
    CLEANUP(buf_release) struct buf header;
    const struct token *token;
    struct refusal why;

    buf_init(&header, TOKEN_TEXT_MAX);
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct slice before = slice_of(formats[i]), after;
        buf_clear(&header);
        slice_cut(&before, '%', &after);
        buf_add_slice(&header, after);
        buf_add_text(&header, token_text);
        buf_add_text(&header, before.at + 1);
        assert_int_equal(token_cache_verify(cached->cache, buf_text(&header), NOW_US, &token, &why),
                         OUTCOME_UNAUTHORIZED);
    }
    assert_int_equal(token_cache_verify(cached->cache, NULL, NOW_US, &token, &why),
                     OUTCOME_UNAUTHORIZED);
    assert_string_equal(why.text, "Bearer token required");
    assert_int_equal(token_cache_verify(cached->cache, "Bearer ", NOW_US, &token, &why),
                     OUTCOME_UNAUTHORIZED);
    assert_int_equal(token_cache_verify(cached->cache, "", NOW_US, &token, &why),
                     OUTCOME_UNAUTHORIZED);
}

/* Four times as many tokens as there are slots: each is found right, whether it is still in there
 * or not. */
static void more_tokens_than_slots_are_never_mixed_up(void **state)
{
    struct cached *cached = *state;
    CLEANUP(buf_release) struct buf text, header;
    const struct token *found;
    struct refusal why;
    char claims[128], subject[16];

    buf_init(&text, TOKEN_TEXT_MAX);
    buf_init(&header, TOKEN_TEXT_MAX);
    for (int i = 0; i < 8 * TOKEN_CACHE_SIZE; i++) {
        snprintf(subject, sizeof(subject), "user-%d", i % (4 * TOKEN_CACHE_SIZE));
        snprintf(claims, sizeof(claims), "{\"roles\":[],\"sub\":\"%s\",\"exp\":1800000060}",
                 subject);
        make_signed(&text, HS256, slice_of(claims));
        buf_clear(&header);
        buf_printf(&header, "Bearer %s", buf_text(&text));
        assert_int_equal(token_cache_verify(cached->cache, buf_text(&header), NOW_US, &found, &why),
                         0);
        assert_string_equal(found->subject, subject);
    }
}

static void a_refused_token_is_not_remembered(void **state)
{
    struct cached *cached = *state;
    const struct token *token;
    struct refusal why;

    cached->header.at[cached->header.size - 2] ^= 1;
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            token_cache_verify(cached->cache, buf_text(&cached->header), NOW_US, &token, &why),
            OUTCOME_UNAUTHORIZED);
}

/*
 * The key's file
 */

struct key_file {
    char directory[32];
    char path[64];
};

static int key_setup(void **state)
{
    struct key_file *file = mem_alloc(sizeof(*file));

    snprintf(file->directory, sizeof(file->directory), "/tmp/reeve-token-XXXXXX");
    assert_non_null(mkdtemp(file->directory));
    snprintf(file->path, sizeof(file->path), "%s/key", file->directory);
    *state = file;
    return 0;
}

static int key_teardown(void **state)
{
    struct key_file *file = *state;

    unlink(file->path);
    rmdir(file->directory);
    mem_free(file);
    return 0;
}

static void put_key(const struct key_file *file, const char *text, mode_t mode)
{
    unlink(file->path);
    int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_made_key_is_private_and_loads_without_its_newline(void **state)
{
    const struct key_file *file = *state;
    struct token_key key, other;
    struct refusal why;
    struct stat status;

    assert_int_equal(token_key_make(file->path), 0);
    assert_int_equal(stat(file->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_size, 65);
    assert_int_equal(token_key_load(file->path, &key, &why), 0);
    assert_int_equal(key.size, 64);
    assert_true(token_key_make(file->path) < 0); /* never over one that stands */
    assert_int_equal(token_key_load(file->path, &other, &why), 0);
    assert_memory_equal(key.bytes, other.bytes, key.size);
}

static void a_key_that_is_no_secret_is_refused(void **state)
{
    const struct key_file *file = *state;
    struct token_key key;
    struct refusal why;
    char long_key[TOKEN_KEY_MAX + 2];

    assert_int_equal(token_key_load(file->path, &key, &why), OUTCOME_UNAVAILABLE);
    put_key(file, "", 0600);
    assert_int_equal(token_key_load(file->path, &key, &why), OUTCOME_UNAVAILABLE);
    put_key(file, "0123456789abcdef0123456789abcde\n", 0600);
    assert_int_equal(token_key_load(file->path, &key, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "shorter than 32 bytes"));
    put_key(file, "0123456789abcdef0123456789abcdef\n", 0604);
    assert_int_equal(token_key_load(file->path, &key, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "open to other users"));
    put_key(file, "0123456789abcdef0123456789abcdef\n", 0640);
    assert_int_equal(token_key_load(file->path, &key, &why), 0);
    memset(long_key, 'k', sizeof(long_key));
    long_key[TOKEN_KEY_MAX + 1] = '\0';
    put_key(file, long_key, 0600);
    assert_int_equal(token_key_load(file->path, &key, &why), OUTCOME_UNAVAILABLE);
    assert_int_equal(token_key_load(file->directory, &key, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "regular file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_of_rfc_7515_is_right),
        cmocka_unit_test(what_was_made_is_verified),
        cmocka_unit_test(permissions_of_its_own_are_exactly_the_set),
        cmocka_unit_test(every_claim_is_looked_at),
        cmocka_unit_test(what_is_optional_may_be_there),
        cmocka_unit_test(a_subject_has_at_most_255_bytes),
        cmocka_unit_test(no_other_header_is_looked_at),
        cmocka_unit_test(typ_and_kid_may_stand_in_the_header),
        cmocka_unit_test(a_signature_of_hs512_with_the_same_key_is_refused),
        cmocka_unit_test(no_bit_of_a_token_can_change),
        cmocka_unit_test(no_part_of_a_token_is_a_token),
        cmocka_unit_test(a_huge_token_is_refused_by_its_size),
        cmocka_unit_test_setup_teardown(a_verified_token_is_remembered_until_it_expires,
                                        cache_setup, cache_teardown),
        cmocka_unit_test_setup_teardown(the_header_is_bearer_and_one_token_exactly, cache_setup,
                                        cache_teardown),
        cmocka_unit_test_setup_teardown(more_tokens_than_slots_are_never_mixed_up, cache_setup,
                                        cache_teardown),
        cmocka_unit_test_setup_teardown(a_refused_token_is_not_remembered, cache_setup,
                                        cache_teardown),
        cmocka_unit_test_setup_teardown(a_made_key_is_private_and_loads_without_its_newline,
                                        key_setup, key_teardown),
        cmocka_unit_test_setup_teardown(a_key_that_is_no_secret_is_refused, key_setup,
                                        key_teardown),
    };

    return cmocka_run_group_tests_name("http/token", tests, NULL, NULL);
}
