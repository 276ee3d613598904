/* SPDX-License-Identifier: MIT */
/*
 * The key and the admin's token of a controller that runs by itself, over several starts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "http/credentials.h"

#include <sys/stat.h>
#include <unistd.h>

#define NOW_US (INT64_C(1800000000) * US_PER_S)
#define DAY_US (86400 * US_PER_S)

struct home {
    struct arena arena;
    char path[64];
    struct credentials_paths paths;
    struct token_key key;
    struct refusal why;
};

static int home_setup(void **state)
{
    struct home *home = mem_alloc(sizeof(*home));

    arena_init(&home->arena);
    snprintf(home->path, sizeof(home->path), "/tmp/reeve-credentials-XXXXXX");
    if (!mkdtemp(home->path))
        return -1;
    home->paths = (struct credentials_paths){
        .key = arena_printf(&home->arena, "%s/key", home->path),
        .token = arena_printf(&home->arena, "%s/token", home->path),
    };
    *state = home;
    return 0;
}

static int home_teardown(void **state)
{
    struct home *home = *state;

    unlink(home->paths.key);
    unlink(home->paths.token);
    rmdir(home->path);
    arena_release(&home->arena);
    mem_free(home);
    return 0;
}

static int start(struct home *home, int64_t now_us)
{
    return credentials_open(&home->paths, now_us, &home->key, &home->why);
}

static const char *token_file(struct home *home)
{
    struct slice text;

    assert_int_equal(file_read(home->paths.token, CREDENTIALS_TOKEN_MAX, &home->arena, &text), 0);
    return text.at;
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void the_first_start_makes_a_key_and_a_token_of_the_admin(void **state)
{
    struct home *home = *state;
    struct token token;
    struct slice rest, text;

    assert_int_equal(start(home, NOW_US), 0);
    assert_int_equal(mode_of(home->paths.key), 0600);
    assert_int_equal(mode_of(home->paths.token), 0600);
    rest = slice_of(token_file(home));
    assert_true(slice_cut(&rest, '\n', &text));
    assert_int_equal(rest.size, 0);
    struct role_set roles;

    role_set_init(&roles);
    assert_int_equal(token_verify(&home->key, &roles, text, NOW_US, &token, &home->why), 0);
    assert_string_equal(token.subject, "admin");
    assert_int_equal(token.roles, ROLE_BIT_ADMIN);
    assert_true(token.permissions == role_permissions(ROLE_ADMIN));
    assert_int_equal(token.expires_s - token.issued_s, CREDENTIALS_TOKEN_S);
}

static void a_later_start_leaves_them_as_they_are(void **state)
{
    struct home *home = *state;

    assert_int_equal(start(home, NOW_US), 0);
    struct token_key key = home->key;
    const char *token = token_file(home);
    assert_int_equal(start(home, NOW_US + 23 * DAY_US), 0);
    assert_int_equal(home->key.size, key.size);
    assert_memory_equal(home->key.bytes, key.bytes, key.size);
    assert_string_equal(token_file(home), token);
}

static void a_token_that_runs_out_soon_is_renewed(void **state)
{
    struct home *home = *state;

    assert_int_equal(start(home, NOW_US), 0);
    const char *token = token_file(home);
    assert_int_equal(start(home, NOW_US + 23 * DAY_US + US_PER_S), 0);
    assert_string_not_equal(token_file(home), token);
}

static void a_token_that_was_removed_does_not_come_back(void **state)
{
    struct home *home = *state;

    assert_int_equal(start(home, NOW_US), 0);
    assert_int_equal(unlink(home->paths.token), 0);
    assert_int_equal(start(home, NOW_US), 0);
    assert_int_not_equal(access(home->paths.token, F_OK), 0);
}

static void a_file_that_is_no_key_is_refused(void **state)
{
    struct home *home = *state;

    assert_int_equal(file_write(home->paths.key, SLICE("short\n"), 0600), 0);
    assert_int_equal(start(home, NOW_US), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(home->why.text, "shorter than 32 bytes"));
    assert_int_not_equal(access(home->paths.token, F_OK), 0);
}

static void a_directory_that_is_not_there_is_refused(void **state)
{
    struct home *home = *state;
    const struct credentials_paths nowhere = {
        .key = arena_printf(&home->arena, "%s/none/key", home->path),
        .token = home->paths.token,
    };

    assert_int_equal(credentials_open(&nowhere, NOW_US, &home->key, &home->why),
                     OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(home->why.text, "can't be written"));
}

static void two_tokens_of_one_moment_differ(void **state)
{
    (void)state;
    const struct token_key key = {.bytes = "0123456789abcdef0123456789abcdef", .size = 32};
    CLEANUP(buf_release) struct buf first, second;

    buf_init(&first, CREDENTIALS_TOKEN_MAX);
    buf_init(&second, CREDENTIALS_TOKEN_MAX);
    credentials_admin_token(&key, NOW_US, &first);
    credentials_admin_token(&key, NOW_US, &second);
    assert_string_not_equal(buf_text(&first), buf_text(&second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_start_makes_a_key_and_a_token_of_the_admin,
                                        home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(a_later_start_leaves_them_as_they_are, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(a_token_that_runs_out_soon_is_renewed, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(a_token_that_was_removed_does_not_come_back, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_key_is_refused, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(a_directory_that_is_not_there_is_refused, home_setup,
                                        home_teardown),
        cmocka_unit_test(two_tokens_of_one_moment_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
