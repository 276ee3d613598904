/* SPDX-License-Identifier: MIT */
/*
 * The replies that a loop remembers: found by their tags, bounded in number and in bytes, and there
 * for as long as somebody holds them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "controller/shown.h"

#include <stdio.h>

struct fixture {
    struct shown shown;
    char etag[ETAG_SIZE];
};

static int set_up(void **state)
{
    *state = mem_alloc(sizeof(struct fixture));
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    shown_release(&fixture->shown);
    assert_int_equal(fixture->shown.size, 0);
    mem_free(fixture);
    return 0;
}

static const char *tag(struct fixture *fixture, unsigned number)
{
    snprintf(fixture->etag, sizeof(fixture->etag), "\"%022u\"", number);
    return fixture->etag;
}

static struct http_body *body_of(size_t size)
{
    struct buf text;

    buf_init(&text, size);
    memset(buf_reserve(&text, size), 'x', size);
    text.size = size;
    return http_body_new(&text);
}

static void add(struct fixture *fixture, unsigned number, size_t size)
{
    struct http_body *body = body_of(size);

    shown_add(&fixture->shown, tag(fixture, number), body);
    http_body_unref(body);
}

static size_t size_of(struct fixture *fixture, unsigned number)
{
    const struct http_body *body = shown_find(&fixture->shown, tag(fixture, number));

    return body ? http_body_text(body).size : 0;
}

static void a_reply_is_found_by_its_tag_alone(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(size_of(fixture, 1), 0);
    add(fixture, 1, 100);
    add(fixture, 2, 200);
    assert_int_equal(size_of(fixture, 1), 100);
    assert_int_equal(size_of(fixture, 2), 200);
    assert_int_equal(size_of(fixture, 3), 0);
}

static void a_reply_is_wanted_when_it_is_asked_for_again(void **state)
{
    struct fixture *fixture = *state;

    assert_false(shown_wants(&fixture->shown, tag(fixture, 1)));
    assert_true(shown_wants(&fixture->shown, tag(fixture, 1)));
    for (unsigned i = 2; i < 2 + SHOWN_REPLIES; i++)
        assert_false(shown_wants(&fixture->shown, tag(fixture, i)));
    assert_true(shown_wants(&fixture->shown, tag(fixture, 2)));
    assert_false(shown_wants(&fixture->shown, tag(fixture, 1))); /* that is long ago */
}

static void what_was_not_asked_for_longest_makes_room(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < SHOWN_REPLIES; i++)
        add(fixture, i, 10 + i);
    assert_int_equal(size_of(fixture, 0), 10);
    add(fixture, SHOWN_REPLIES, 1);
    assert_int_equal(size_of(fixture, 0), 10);
    assert_int_equal(size_of(fixture, 1), 0);
    assert_int_equal(size_of(fixture, SHOWN_REPLIES), 1);
    for (unsigned i = 2; i < SHOWN_REPLIES; i++)
        assert_int_equal(size_of(fixture, i), 10 + i);
}

static void all_together_take_a_bounded_room(void **state)
{
    enum { SIZE = 150000, N = 12 };
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < N; i++) {
        add(fixture, i, SIZE);
        assert_true(fixture->shown.size <= SHOWN_BYTES_MAX);
    }
    size_t n_kept =
        SHOWN_BYTES_MAX / http_body_room(shown_find(&fixture->shown, tag(fixture, N - 1)));
    assert_in_range(n_kept, 1, N - 1);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(size_of(fixture, i), i < N - n_kept ? 0 : SIZE);
    add(fixture, N, SHOWN_BYTES_MAX / 4 + 1);
    assert_int_equal(size_of(fixture, N), 0);
    assert_int_equal(size_of(fixture, N - 1), SIZE);
}

static void a_reply_on_its_way_outlives_its_place(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 1, 50);
    struct http_body *sent = http_body_ref(shown_find(&fixture->shown, tag(fixture, 1)));
    shown_release(&fixture->shown);
    assert_int_equal(size_of(fixture, 1), 0);
    assert_int_equal(http_body_text(sent).size, 50);
    assert_int_equal(http_body_text(sent).at[49], 'x');
    http_body_unref(sent);
}

int main(void)
{
#define SHOWN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SHOWN(a_reply_is_found_by_its_tag_alone),
        SHOWN(a_reply_is_wanted_when_it_is_asked_for_again),
        SHOWN(what_was_not_asked_for_longest_makes_room),
        SHOWN(all_together_take_a_bounded_room),
        SHOWN(a_reply_on_its_way_outlives_its_place),
    };

    return cmocka_run_group_tests_name("controller/shown", tests, NULL, NULL);
}
