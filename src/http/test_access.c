/* SPDX-License-Identifier: MIT */
/*
 * Who is let in: roles that change, revoked tokens, targets, limits of tokens and addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "http/access.h"
#include "http/revoked.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_US  (INT64_C(1800000000) * US_PER_S)
#define BOOT_US (1000 * US_PER_S)

struct fixture {
    char directory[32], revoked[48];
    struct token_key key;
    struct access *access;
    struct token_cache *caches[2]; /* of two loops */
    struct role_set roles;
    struct access_answer answer;
    struct refusal why;
    int64_t boot_us;
    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
};

static int set_up(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof(*fixture));

    snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/reeve-access-XXXXXX");
    if (!mkdtemp(fixture->directory))
        return -1;
    snprintf(fixture->revoked, sizeof(fixture->revoked), "%s/revoked", fixture->directory);
    memset(fixture->key.bytes, 'k', TOKEN_KEY_MIN);
    fixture->key.size = TOKEN_KEY_MIN;
    fixture->access = access_new(&fixture->key, fixture->revoked);
    for (int i = 0; i < 2; i++)
        fixture->caches[i] = token_cache_new(&fixture->key);
    role_set_init(&fixture->roles);
    fixture->boot_us = BOOT_US;
    fixture->peer.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x7F000001)}};
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char lock[64];

    for (int i = 0; i < 2; i++)
        token_cache_free(fixture->caches[i]);
    access_free(fixture->access);
    snprintf(lock, sizeof(lock), "%s.lock", fixture->revoked);
    unlink(lock);
    unlink(fixture->revoked);
    rmdir(fixture->directory);
    mem_free(fixture);
    return 0;
}

/* A token's header; `edit` may be NULL. */
static const char *make(struct fixture *fixture, struct arena *arena,
                        void (*edit)(struct fixture *fixture, struct token *token))
{
    CLEANUP(buf_release) struct buf text;
    struct token token;

    buf_init(&text, TOKEN_TEXT_MAX * 2);
    token_init(&token, "ann", NOW_US, 3600 * US_PER_S);
    token.roles = ROLE_BIT_READ;
    if (edit)
        edit(fixture, &token);
    token.permissions = role_set_permissions(&fixture->roles, token.roles);
    buf_add_text(&text, "Bearer ");
    token_make(&fixture->key, &fixture->roles, &token, &text);
    return arena_copy(arena, buf_slice(&text));
}

static int ask(struct fixture *fixture, const char *header, int loop)
{
    struct access_question question = {
        .authorization = header,
        .peer = (const struct sockaddr *)&fixture->peer,
        .now_us = NOW_US,
        .boot_us = fixture->boot_us,
    };

    return access_check(fixture->access, fixture->caches[loop], &question, &fixture->answer,
                        &fixture->why);
}

/* The jti of a header. */
static const char *jti_of(struct fixture *fixture, const char *header, struct arena *arena)
{
    struct token token;
    struct slice text;

    assert_true(token_of_header(header, &text));
    assert_int_equal(token_verify(&fixture->key, &fixture->roles, text, NOW_US, &token, NULL), 0);
    return arena_strdup(arena, token.jti);
}

static void revoke_token(struct fixture *fixture, const char *jti)
{
    bool was;

    assert_int_equal(
        revoked_add(fixture->revoked, jti, NOW_US / US_PER_S + 3600, NOW_US, &was, &fixture->why),
        0);
    assert_false(was);
}

/* ---- revoked ---- */

static void a_revoked_token_is_refused_by_every_loop_also_when_it_was_used(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};
    const char *header = make(fixture, &arena, NULL), *other = make(fixture, &arena, NULL);

    assert_int_equal(ask(fixture, header, 0), 0);
    revoke_token(fixture, jti_of(fixture, header, &arena));
    fixture->boot_us += REVOKED_LOOK_US;
    for (int loop = 0; loop < 2; loop++) {
        assert_int_equal(ask(fixture, header, loop), OUTCOME_UNAUTHORIZED);
        assert_string_equal(fixture->why.text, "Invalid token: token is revoked");
        assert_int_equal(ask(fixture, other, loop), 0);
    }
}

static void a_list_that_cannot_be_understood_lets_nobody_in(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};
    const char *header = make(fixture, &arena, NULL);
    static const char *const wrong[] = {"one\n", "one 5", "a b c\n", "one -5\n", " 5\n", "\n"};

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(file_write(fixture->revoked, slice_of(wrong[i]), 0600), 0);
        fixture->boot_us += REVOKED_LOOK_US;
        assert_int_equal(ask(fixture, header, 0), OUTCOME_UNAVAILABLE);
        assert_non_null(strstr(fixture->why.text, "line 1 is not a token id"));
    }
    assert_int_equal(file_write(fixture->revoked, SLICE("one 5\n"), 0600), 0);
    fixture->boot_us += REVOKED_LOOK_US;
    assert_int_equal(ask(fixture, header, 0), 0);
    /* A directory in its place can't be read either. */
    assert_int_equal(unlink(fixture->revoked), 0);
    assert_int_equal(mkdir(fixture->revoked, 0700), 0);
    fixture->boot_us += REVOKED_LOOK_US;
    assert_int_equal(ask(fixture, header, 0), OUTCOME_UNAVAILABLE);
    assert_int_equal(rmdir(fixture->revoked), 0);
    fixture->boot_us += REVOKED_LOOK_US;
    assert_int_equal(ask(fixture, header, 0), 0);
}

static void revoking_twice_says_so_and_drops_what_has_expired(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};
    struct slice text;
    bool was;

    assert_int_equal(file_write(fixture->revoked, SLICE("old 5\nnew 9999999999\n"), 0600), 0);
    revoke_token(fixture, "mine");
    assert_int_equal(revoked_add(fixture->revoked, "mine", 1, NOW_US, &was, &fixture->why), 0);
    assert_true(was);
    assert_int_equal(file_read(fixture->revoked, 1000, &arena, &text), 0);
    assert_string_equal(text.at, "new 9999999999\nmine 1800003600\n");
    assert_int_equal(file_write(fixture->revoked, SLICE("torn"), 0600), 0);
    assert_int_equal(revoked_add(fixture->revoked, "x", 1, NOW_US, &was, &fixture->why),
                     OUTCOME_UNAVAILABLE);
}

static void lines_that_have_expired_leave_room_for_others(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};
    CLEANUP(buf_release) struct buf text;
    struct slice left;

    buf_init(&text, (size_t)REVOKED_MAX * 16);
    for (int i = 0; i < REVOKED_MAX; i++)
        buf_printf(&text, "id%d 5\n", i);
    assert_int_equal(file_write(fixture->revoked, buf_slice(&text), 0600), 0);
    revoke_token(fixture, "mine");
    assert_int_equal(file_read(fixture->revoked, 1000, &arena, &left), 0);
    assert_string_equal(left.at, "mine 1800003600\n");
}

/* ---- roles ---- */

static void add_role(struct fixture *fixture, const char *name, const char *permission)
{
    const char *words[] = {permission};
    struct config_role_entry entry = {
        .key = name,
        .val = {.permissions = {.v = words, .n = 1}, .has_permissions = true},
    };
    struct config_role_map roles = {.v = &entry, .n = 1};

    assert_int_equal(role_set_add(&fixture->roles, &roles, &fixture->why), 0);
}

static void hold_ops(struct fixture *fixture, struct token *token)
{
    token->roles = UINT64_C(1) << role_set_find(&fixture->roles, SLICE("ops"));
}

static void a_role_of_the_configuration_grants_what_it_says_and_follows_a_change(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};

    add_role(fixture, "ops", "job:read");
    const char *header = make(fixture, &arena, hold_ops);
    assert_int_equal(ask(fixture, header, 0), OUTCOME_UNAUTHORIZED); /* not known yet */
    access_set_roles(fixture->access, &fixture->roles);
    assert_int_equal(ask(fixture, header, 0), 0);
    assert_true(fixture->answer.token->permissions == UINT64_C(1) << PERMISSION_JOB_READ);
    add_role(fixture, "ops", "node:read");
    access_set_roles(fixture->access, &fixture->roles);
    for (int loop = 0; loop < 2; loop++) {
        assert_int_equal(ask(fixture, header, loop), 0);
        assert_true(fixture->answer.token->permissions == UINT64_C(1) << PERMISSION_NODE_READ);
    }
}

static void roles_that_are_wrong_are_named(void **state)
{
    struct fixture *fixture = *state;
    const char *words[] = {"job:raed"};
    struct config_role_entry entry = {
        .key = "ops",
        .val = {.permissions = {.v = words, .n = 1}, .has_permissions = true},
    };
    struct config_role_map roles = {.v = &entry, .n = 1};

    assert_int_equal(role_set_add(&fixture->roles, &roles, &fixture->why), OUTCOME_USAGE);
    assert_non_null(strstr(fixture->why.text, "roles.ops.permissions: there is no permission "
                                              "'job:raed'"));
    words[0] = "job:read";
    entry.key = "a b";
    assert_int_equal(role_set_add(&fixture->roles, &roles, &fixture->why), OUTCOME_USAGE);
    assert_non_null(strstr(fixture->why.text, "'a b' is no name of a role"));
    entry.key = "admin"; /* a built-in one can be narrowed */
    assert_int_equal(role_set_add(&fixture->roles, &roles, &fixture->why), 0);
    assert_int_equal(fixture->roles.n, ROLE_COUNT);
    assert_true(role_set_permissions(&fixture->roles, ROLE_BIT_ADMIN) ==
                UINT64_C(1) << PERMISSION_JOB_READ);
}

/* ---- targets ---- */

static void hold_targets(struct fixture *fixture, struct token *token)
{
    (void)fixture;
    assert_true(token_add_target(token, "web-01"));
    assert_true(token_add_target(token, "group:web.dev"));
    assert_false(token_add_target(token, "_all"));
    assert_false(token_add_target(token, "not a host"));
    assert_false(token_add_target(token, ""));
}

static void targets_travel_in_the_token(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};

    assert_int_equal(ask(fixture, make(fixture, &arena, hold_targets), 0), 0);
    const char *target = token_next_target(fixture->answer.token, NULL);
    assert_string_equal(target, "web-01");
    target = token_next_target(fixture->answer.token, target);
    assert_string_equal(target, "group:web.dev");
    assert_null(token_next_target(fixture->answer.token, target));
}

static void more_targets_than_the_cap_find_no_room(void **state)
{
    struct fixture *fixture = *state;
    struct token token = {0};
    char name[64];
    int n = 0;

    (void)fixture;
    while (n < 1000) {
        snprintf(name, sizeof(name), "h%d", n);
        if (!token_add_target(&token, name))
            break;
        n++;
    }
    assert_int_equal(n, TOKEN_TARGETS_MAX);
}

/* ---- limits ---- */

static void the_rate_of_a_token_is_one_for_all_loops(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};
    const char *header = make(fixture, &arena, NULL);
    struct config_limits limits = {.requests_per_second = 1, .burst = 4};

    access_set_limits(fixture->access, &limits);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(fixture, header, i % 2), 0);
    assert_int_equal(ask(fixture, header, 0), OUTCOME_BUSY);
    assert_int_equal(fixture->answer.retry_after_s, 1);
    assert_int_equal(ask(fixture, make(fixture, &arena, NULL), 0), 0);
    fixture->boot_us += US_PER_S;
    assert_int_equal(ask(fixture, header, 1), 0);
}

static void bad_tokens_lock_their_address_out_but_not_tokens_known_there(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};
    const char *known = make(fixture, &arena, NULL), *fresh = make(fixture, &arena, NULL);
    struct config_limits limits = {.burst = 1, .bad_tokens = 3, .lockout = 60 * US_PER_S};

    access_set_limits(fixture->access, &limits);
    assert_int_equal(ask(fixture, known, 0), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(fixture, "Bearer a.b.c", i % 2), OUTCOME_UNAUTHORIZED);
        assert_int_equal(fixture->answer.locks_out, i == 2);
    }
    assert_int_equal(ask(fixture, "Bearer a.b.c", 0), OUTCOME_BUSY);
    assert_int_equal(fixture->answer.retry_after_s, 60);
    assert_int_equal(ask(fixture, fresh, 0), OUTCOME_BUSY);
    for (int loop = 0; loop < 2; loop++)
        assert_int_equal(ask(fixture, known, loop), 0);            /* whichever loop has seen it */
    assert_int_equal(ask(fixture, NULL, 0), OUTCOME_UNAUTHORIZED); /* no attempt at all */
    fixture->peer.v4.sin_addr.s_addr = htonl(0x7F000002);
    assert_int_equal(ask(fixture, fresh, 0), 0);
    fixture->peer.v4.sin_addr.s_addr = htonl(0x7F000001);
    fixture->boot_us += 60 * US_PER_S;
    assert_int_equal(ask(fixture, make(fixture, &arena, NULL), 1), 0);
}

/* 2001:db8::/64 begins with the bytes of 32.1.13.184. */
static void a_network_does_not_lock_out_the_address_whose_bytes_it_begins_with(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};
    struct config_limits limits = {.burst = 1, .bad_tokens = 1, .lockout = 60 * US_PER_S};
    const struct in6_addr network = {{{0x20, 0x01, 0x0D, 0xB8, [15] = 1}}};
    const struct in6_addr mapped = {{{[10] = 0xFF, 0xFF, 0x20, 0x01, 0x0D, 0xB8}}};

    access_set_limits(fixture->access, &limits);
    fixture->peer.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = network};
    assert_int_equal(ask(fixture, "Bearer a.b.c", 0), OUTCOME_UNAUTHORIZED);
    assert_int_equal(ask(fixture, "Bearer a.b.c", 0), OUTCOME_BUSY);
    fixture->peer.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x20010DB8)}};
    assert_int_equal(ask(fixture, "Bearer a.b.c", 0), OUTCOME_UNAUTHORIZED);
    /* One client, whichever socket it came by. */
    fixture->peer.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = mapped};
    assert_int_equal(ask(fixture, make(fixture, &arena, NULL), 0), OUTCOME_BUSY);
}

static void expire(struct fixture *fixture, struct token *token)
{
    (void)fixture;
    token->issued_s -= 7200;
    token->expires_s -= 7200;
}

static void a_token_that_was_ours_and_one_that_is_missing_are_no_attempts(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(arena_release) struct arena arena = {0};
    const char *expired = make(fixture, &arena, expire);
    struct config_limits limits = {.burst = 1, .bad_tokens = 1, .lockout = 60 * US_PER_S};

    access_set_limits(fixture->access, &limits);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(fixture, expired, 0), OUTCOME_UNAUTHORIZED);
        assert_int_equal(ask(fixture, NULL, 0), OUTCOME_UNAUTHORIZED);
    }
    assert_int_equal(ask(fixture, make(fixture, &arena, NULL), 0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_revoked_token_is_refused_by_every_loop_also_when_it_was_used),
        TEST(a_list_that_cannot_be_understood_lets_nobody_in),
        TEST(revoking_twice_says_so_and_drops_what_has_expired),
        TEST(lines_that_have_expired_leave_room_for_others),
        TEST(a_role_of_the_configuration_grants_what_it_says_and_follows_a_change),
        TEST(roles_that_are_wrong_are_named),
        TEST(targets_travel_in_the_token),
        TEST(more_targets_than_the_cap_find_no_room),
        TEST(the_rate_of_a_token_is_one_for_all_loops),
        TEST(bad_tokens_lock_their_address_out_but_not_tokens_known_there),
        TEST(a_network_does_not_lock_out_the_address_whose_bytes_it_begins_with),
        TEST(a_token_that_was_ours_and_one_that_is_missing_are_no_attempts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
