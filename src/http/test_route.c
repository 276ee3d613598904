/* SPDX-License-Identifier: MIT */
/*
 * The router: every row of the catalog is found by its own path and by no other, and rows made up
 * here show what the catalog has no case of yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "http/route.h"

/* The row's path with "v<i>%2F" for its i-th parameter, and "v<i>/a" for one that takes the rest.
 */
static void fill_path(const struct op *op, struct buf *to)
{
    int i = 0;

    for (const char *at = op->path; *at; at++) {
        if (*at != '{') {
            buf_add_char(to, *at);
            continue;
        }
        const char *end = strchr(at, '}');
        buf_printf(to, end[-1] == '*' ? "v%d/a" : "v%d%%2F", i++);
        at = end;
    }
}

static void assert_parameters(const struct op *op, const struct route_match *match)
{
    char value[16];
    int i = 0;

    for (const char *at = strchr(op->path, '{'); at; at = strchr(at + 1, '{'), i++) {
        bool takes_rest = strchr(at, '}')[-1] == '*';
        snprintf(value, sizeof(value), takes_rest ? "v%d/a" : "v%d%%2F", i);
        assert_true(slice_is(match->path[i], value));
    }
}

static void every_row_is_found_with_and_without_the_prefix(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf path;
    struct route_match match;

    buf_init(&path, 1024);
    for (size_t i = 0; i < 2 * OP_COUNT; i++) {
        const struct op *op = &op_catalog[i / 2];
        buf_clear(&path);
        buf_add_text(&path, i % 2 ? "/api" : "");
        fill_path(op, &path);
        assert_int_equal(route_find(op->method, buf_slice(&path), &match), 0);
        assert_ptr_equal(match.op, op);
        assert_parameters(op, &match);
    }
}

static void every_row_refuses_another_method_and_names_its_own(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf path;
    struct route_match match;

    buf_init(&path, 1024);
    for (size_t i = 0; i < OP_COUNT; i++) {
        buf_clear(&path);
        fill_path(&op_catalog[i], &path);
        assert_int_equal(route_find("OPTIONS", buf_slice(&path), &match), OUTCOME_METHOD);
        assert_non_null(strstr(match.allow, op_catalog[i].method));
        assert_null(match.op);
    }
}

/* With a segment more, a slash more, or one byte changed, no row's path leads to that row. */
static void no_row_is_found_by_a_path_beside_its_own(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf path;
    struct route_match match;

    buf_init(&path, 1024);
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_catalog[i];
        if (strstr(op->path, "*}"))
            continue;
        buf_clear(&path);
        fill_path(op, &path);
        size_t size = path.size;
        buf_add_char(&path, '/');
        assert_int_equal(route_find(op->method, buf_slice(&path), &match), OUTCOME_NOT_FOUND);
        buf_add_text(&path, "zz");
        if (route_find(op->method, buf_slice(&path), &match) == 0)
            assert_ptr_not_equal(match.op, op);
        path.size = size;
        path.at[1] = '~';
        assert_int_equal(route_find(op->method, buf_slice(&path), &match), OUTCOME_NOT_FOUND);
    }
}

static void no_other_path_is_found(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",         "/",        "*",      "//",      "/api",    "/api/", "job",   "/api/api/job",
        "/Job",     "/j%6Fb",   "/job//", "//job",   "/node/",  "/jo",   "/jobs", "/job/a/b/c/d/e",
        "/API/job", "/job;a=1", "/./job", "/../job", "/apijob",
    };
    struct route_match match;

    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_int_equal(route_find("GET", slice_of(paths[i]), &match), OUTCOME_NOT_FOUND);
    assert_int_equal(route_find("GET", (struct slice){0}, &match), OUTCOME_NOT_FOUND);
    assert_int_equal(route_find("GET", SLICE("/job\0"), &match), OUTCOME_NOT_FOUND);
}

static void allow_names_each_method_of_a_path(void **state)
{
    (void)state;
    struct route_match match;

    assert_int_equal(route_find("PATCH", SLICE("/api/job/1"), &match), OUTCOME_METHOD);
    assert_string_equal(match.allow, "GET, DELETE");
}

/*
 * Rows made up
 */

static const struct op rows[] = {
    {.method = "GET", .path = "/file/{name*}"},
    {.method = "GET", .path = "/file/{name}/status"},
    {.method = "GET", .path = "/file/list"},
    {.method = "PUT", .path = "/file/{name}"},
    {.method = "POST", .path = "/a/{x}/{y}/c/{z}"},
    {.method = "POST", .path = "/a/b/{y}/d"},
};

static const struct op *find_row(const char *method, const char *path, struct route_match *ret)
{
    struct route_table *table = route_table_new(rows, COUNT_OF(rows));
    int r = route_table_find(table, method, slice_of(path), ret);

    route_table_free(table);
    return r ? NULL : ret->op;
}

static void literals_beat_parameters_and_parameters_beat_the_rest(void **state)
{
    (void)state;
    struct route_match match;

    assert_ptr_equal(find_row("GET", "/file/list", &match), &rows[2]);
    assert_ptr_equal(find_row("GET", "/file/a/status", &match), &rows[1]);
    assert_true(slice_is(match.path[0], "a"));
    assert_ptr_equal(find_row("GET", "/file/a", &match), &rows[0]);
    assert_true(slice_is(match.path[0], "a"));
    assert_ptr_equal(find_row("PUT", "/file/list", &match), &rows[3]);
    assert_true(slice_is(match.path[0], "list"));
}

static void the_rest_takes_slashes_but_is_never_empty(void **state)
{
    (void)state;
    struct route_match match;

    assert_ptr_equal(find_row("GET", "/api/file/a/status/b//", &match), &rows[0]);
    assert_true(slice_is(match.path[0], "a/status/b//"));
    assert_ptr_equal(find_row("GET", "/file//a", &match), &rows[0]);
    assert_true(slice_is(match.path[0], "/a"));
    assert_null(find_row("GET", "/file/", &match));
    assert_null(find_row("GET", "/file", &match));
}

static void a_parameter_inside_may_be_empty_for_the_decoder_to_refuse(void **state)
{
    (void)state;
    struct route_match match;

    assert_int_equal(route_find("GET", SLICE("/node//os"), &match), 0);
    assert_int_equal(match.path[0].size, 0);
}

/* The literal b leads nowhere here, and its way has left no parameter behind. */
static void a_way_that_leads_nowhere_is_taken_back(void **state)
{
    (void)state;
    struct route_match match;

    assert_ptr_equal(find_row("POST", "/a/b/1/c/2", &match), &rows[4]);
    assert_true(slice_is(match.path[0], "b"));
    assert_true(slice_is(match.path[1], "1"));
    assert_true(slice_is(match.path[2], "2"));
    assert_ptr_equal(find_row("POST", "/a/b/1/d", &match), &rows[5]);
    assert_true(slice_is(match.path[0], "1"));
}

static void allow_is_of_all_ways_that_fit(void **state)
{
    (void)state;
    struct route_match match;

    assert_null(find_row("DELETE", "/file/list", &match));
    assert_string_equal(match.allow, "GET, PUT");
}

static void more_segments_than_accepted_are_not_found(void **state)
{
    (void)state;
    char path[2 * ROUTE_SEGMENTS_MAX + 16] = "/file";
    struct route_match match;

    for (int i = 1; i < ROUTE_SEGMENTS_MAX; i++)
        memcpy(path + strlen(path), "/a", 3);
    assert_ptr_equal(find_row("GET", path, &match), &rows[0]);
    memcpy(path + strlen(path), "/a", 3);
    assert_null(find_row("GET", path, &match));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_with_and_without_the_prefix),
        cmocka_unit_test(every_row_refuses_another_method_and_names_its_own),
        cmocka_unit_test(no_row_is_found_by_a_path_beside_its_own),
        cmocka_unit_test(no_other_path_is_found),
        cmocka_unit_test(allow_names_each_method_of_a_path),
        cmocka_unit_test(literals_beat_parameters_and_parameters_beat_the_rest),
        cmocka_unit_test(the_rest_takes_slashes_but_is_never_empty),
        cmocka_unit_test(a_parameter_inside_may_be_empty_for_the_decoder_to_refuse),
        cmocka_unit_test(a_way_that_leads_nowhere_is_taken_back),
        cmocka_unit_test(allow_is_of_all_ways_that_fit),
        cmocka_unit_test(more_segments_than_accepted_are_not_found),
    };

    return cmocka_run_group_tests_name("http/route", tests, NULL, NULL);
}
