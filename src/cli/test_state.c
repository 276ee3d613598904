/* SPDX-License-Identifier: MIT */
/*
 * The state directory of a first and a second start, as the user who runs the test.
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
#include "cli/state.h"
#include "http/token.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct home {
    struct arena arena;
    char path[64]; /* the state directory is below */
    const char *state_path;
    struct identity identity;
    struct state state;
    struct refusal why;
};

static const char *home_file(struct home *home, const char *name)
{
    return arena_printf(&home->arena, "%s/%s", home->state_path, name);
}

static int home_setup(void **state)
{
    struct home *home = mem_alloc(sizeof(*home));

    arena_init(&home->arena);
    snprintf(home->path, sizeof(home->path), "/tmp/reeve-home-XXXXXX");
    if (!mkdtemp(home->path))
        return -1;
    home->state_path = arena_printf(&home->arena, "%s/state", home->path);
    home->identity = (struct identity){.uid = geteuid(), .gid = getegid()};
    home->state = (struct state){.controller_fd = -1, .lock_fd = -1};
    *state = home;
    return 0;
}

static int home_teardown(void **state)
{
    static const char *const files[] = {"controller/key", "token", "url", "lock"};
    static const char *const directories[] = {"controller", "agent"};
    struct home *home = *state;

    state_close(&home->state);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        unlink(home_file(home, files[i]));
    for (size_t i = 0; i < COUNT_OF(directories); i++)
        rmdir(home_file(home, directories[i]));
    rmdir(home->state_path);
    rmdir(home->path);
    arena_release(&home->arena);
    mem_free(home);
    return 0;
}

static int home_open(struct home *home)
{
    return state_open(home->state_path, &home->identity, &home->arena, &home->state, &home->why);
}

static mode_t mode_of(struct home *home, const char *name)
{
    struct stat status;

    assert_int_equal(stat(home_file(home, name), &status), 0);
    return status.st_mode & 07777;
}

static const char *token_text(struct home *home)
{
    struct slice text;

    assert_int_equal(file_read(home_file(home, "token"), TOKEN_TEXT_MAX, &home->arena, &text), 0);
    assert_int_equal(text.at[text.size - 1], '\n');
    return arena_copy(&home->arena, (struct slice){.at = text.at, .size = text.size - 1});
}

static void a_first_start_makes_all_of_it(void **state)
{
    struct home *home = *state;
    struct role_set roles;
    struct token_key key;
    struct token token;

    role_set_init(&roles);
    assert_int_equal(home_open(home), 0);
    assert_int_equal(mode_of(home, "controller"), 0700);
    assert_int_equal(mode_of(home, "agent"), 0700);
    assert_int_equal(mode_of(home, "token"), 0600);
    assert_int_equal(mode_of(home, "controller/key"), 0600);
    assert_int_equal(token_key_load(home_file(home, "controller/key"), &key, &home->why), 0);
    assert_int_equal(
        token_verify(&key, &roles, slice_of(token_text(home)), clock_now_us(), &token, &home->why),
        0);
    assert_true(token.permissions == role_permissions(ROLE_ADMIN));
}

static void a_second_start_keeps_the_key_and_renews_the_token(void **state)
{
    struct home *home = *state;
    struct token_key first, second;

    assert_int_equal(home_open(home), 0);
    const char *token = token_text(home);
    assert_int_equal(token_key_load(home_file(home, "controller/key"), &first, &home->why), 0);
    state_close(&home->state);
    assert_int_equal(home_open(home), 0);
    assert_int_equal(token_key_load(home_file(home, "controller/key"), &second, &home->why), 0);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.bytes, second.bytes, first.size);
    assert_string_not_equal(token, token_text(home));
}

static void only_one_supervisor_has_it(void **state)
{
    struct home *home = *state;
    struct state other;

    assert_int_equal(home_open(home), 0);
    assert_int_equal(
        state_open(home->state_path, &home->identity, &home->arena, &other, &home->why),
        OUTCOME_CONFLICT);
    state_close(&home->state);
    assert_int_equal(home_open(home), 0);
}

static void what_others_can_write_is_refused(void **state)
{
    struct home *home = *state;

    assert_int_equal(home_open(home), 0);
    state_close(&home->state);
    assert_int_equal(chmod(home->state_path, 0777), 0);
    assert_int_equal(home_open(home), OUTCOME_UNAVAILABLE);
    assert_int_equal(chmod(home->state_path, 0755), 0);
    assert_int_equal(chmod(home_file(home, "controller"), 0750), 0);
    assert_int_equal(home_open(home), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(home->why.text, "chmod it to 0700"));
}

static void a_link_in_place_of_a_part_is_refused(void **state)
{
    struct home *home = *state;

    assert_int_equal(mkdir(home->state_path, 0755), 0);
    assert_int_equal(symlink("/", home_file(home, "agent")), 0);
    assert_int_equal(home_open(home), OUTCOME_UNAVAILABLE);
    assert_int_equal(unlink(home_file(home, "agent")), 0);
}

static void the_address_can_be_read_by_all(void **state)
{
    struct home *home = *state;
    struct slice text;

    assert_int_equal(home_open(home), 0);
    assert_int_equal(state_write_url(&home->state, "http://127.0.0.1:1"), 0);
    assert_int_equal(mode_of(home, "url"), 0644);
    assert_int_equal(file_read(home_file(home, "url"), 100, &home->arena, &text), 0);
    assert_string_equal(text.at, "http://127.0.0.1:1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_first_start_makes_all_of_it, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(a_second_start_keeps_the_key_and_renews_the_token,
                                        home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(only_one_supervisor_has_it, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(what_others_can_write_is_refused, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(a_link_in_place_of_a_part_is_refused, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(the_address_can_be_read_by_all, home_setup, home_teardown),
    };

    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
