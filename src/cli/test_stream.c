/* SPDX-License-Identifier: MIT */
/*
 * Lines in pieces: what is printed is whole, and the last cursor is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/stream.h"

static const struct schema *line_schema(void)
{
    return op_catalog[OP_job_export].out->fields->type.schema;
}

static struct buf printed;

static int print(struct slice lines)
{
    buf_add_slice(&printed, lines);
    return 0;
}

static int print_fails(struct slice lines)
{
    (void)lines;
    return -ENOSPC;
}

static int take(struct stream *stream, const char *text)
{
    return stream_take(stream, slice_of(text));
}

static int set_up(void **state)
{
    static struct stream stream;

    buf_init(&printed, 1 << 20);
    stream_init(&stream, print);
    *state = &stream;
    return 0;
}

static int tear_down(void **state)
{
    stream_release(*state);
    buf_release(&printed);
    return 0;
}

static void lines_are_printed_when_they_are_whole(void **state)
{
    struct stream *stream = *state;

    assert_false(stream->has_begun);
    assert_int_equal(take(stream, "{\"cur"), 0);
    assert_true(stream->has_begun);
    assert_int_equal(printed.size, 0);
    assert_true(stream_is_cut(stream));
    assert_int_equal(take(stream, "sor\":\"a\"}\n{\"cursor\":\"b\"}\n{"), 0);
    assert_string_equal(buf_text(&printed), "{\"cursor\":\"a\"}\n{\"cursor\":\"b\"}\n");
    assert_true(stream_is_cut(stream));
    assert_int_equal(take(stream, "\"cursor\":\"c\"}\n"), 0);
    assert_string_equal(buf_text(&printed),
                        "{\"cursor\":\"a\"}\n{\"cursor\":\"b\"}\n{\"cursor\":\"c\"}\n");
    assert_false(stream_is_cut(stream));
}

static void the_cursor_is_that_of_the_last_whole_line(void **state)
{
    struct stream *stream = *state;
    struct arena arena CLEANUP(arena_release) = {0};

    assert_null(stream_cursor(stream, line_schema(), &arena));
    assert_int_equal(take(stream, "{\"cursor\":\"a\"}\n{\"cursor\":\"b\",\"id\":\"x\"}\n{\"cursor"),
                     0);
    assert_string_equal(stream_cursor(stream, line_schema(), &arena), "b");
    assert_int_equal(take(stream, "\":\"c\"}\n"), 0);
    assert_string_equal(stream_cursor(stream, line_schema(), &arena), "c");
    assert_int_equal(take(stream, "no JSON\n"), 0);
    assert_null(stream_cursor(stream, line_schema(), &arena));
}

static void a_failed_print_ends_it(void **state)
{
    struct stream *stream = *state;

    stream->print = print_fails;
    assert_int_equal(take(stream, "{\"cursor\":\"a\""), 0);
    assert_int_equal(take(stream, "}\n"), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_printed_when_they_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_cursor_is_that_of_the_last_whole_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failed_print_ends_it, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
