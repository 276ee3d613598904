/* SPDX-License-Identifier: MIT */
/*
 * The guards as functions, with headers that libmicrohttpd would not hand on as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/guard.h"
#include "http/http.h"

struct pair {
    const char *name, *value;
};

static int check(const struct pair *pairs, const char *version, struct headers *ret_headers,
                 struct guard_refusal *ret)
{
    *ret_headers = (struct headers){.size = 0};
    for (; pairs->name; pairs++)
        headers_add(ret_headers, slice_of(pairs->name), pairs->value);
    return headers_check(ret_headers, "POST", strlen("/job"), version, ret);
}

static void assert_checked(const struct pair *pairs, const char *version, int outcome, int status)
{
    struct guard_refusal refused;
    struct headers headers;

    if (check(pairs, version, &headers, &refused) != outcome)
        fail_msg("%s: %s is not judged %d", pairs[0].name, pairs[0].value, outcome);
    if (outcome)
        assert_int_equal(refused.status, status);
}

static void what_may_stand_once_is_refused_twice(void **state)
{
    (void)state;
    static const char *const once[] = {"Authorization", "content-length",    "Content-Type",
                                       "expect",        "Transfer-Encoding", "host"};

    for (size_t i = 0; i < COUNT_OF(once); i++) {
        const struct pair twice[] = {{once[i], "0"}, {"hOST", "h"}, {once[i], "0"}, {.name = NULL}};
        assert_checked(twice, "HTTP/1.1", OUTCOME_INVALID, 0);
    }
    const struct pair others[] = {{"Prefer", "a"}, {"Host", "h"}, {"Prefer", "b"},
                                  {"X", "1"},      {"X", "2"},    {.name = NULL}};
    assert_checked(others, "HTTP/1.1", 0, 0);
}

static void the_end_of_the_body_is_said_in_one_way(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        int outcome;
    } cases[] = {
        {"Content-Length", "0", 0},
        {"Content-Length", "999999999999999999", 0},
        {"Content-Length", "9999999999999999999", OUTCOME_TOO_LARGE},
        {"Content-Length", "", OUTCOME_INVALID},
        {"Content-Length", " 1", OUTCOME_INVALID},
        {"Content-Length", "1 ", OUTCOME_INVALID},
        {"Content-Length", "1,1", OUTCOME_INVALID},
        {"Content-Length", "+1", OUTCOME_INVALID},
        {"Content-Length", "1e2", OUTCOME_INVALID},
        {"Transfer-Encoding", "chunked", 0},
        {"Transfer-Encoding", "CHUNKED", 0},
        {"Transfer-Encoding", "chunked ", OUTCOME_INVALID},
        {"Transfer-Encoding", "\tchunked", OUTCOME_INVALID},
        {"Transfer-Encoding", "xchunked", OUTCOME_INVALID},
        {"Transfer-Encoding", "chunked;q=1", OUTCOME_INVALID},
        {"Transfer-Encoding", "identity", OUTCOME_INVALID},
        {"Transfer-Encoding", "", OUTCOME_INVALID},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct pair pairs[] = {
            {cases[i].name, cases[i].value}, {"Host", "h"}, {.name = NULL}};
        assert_checked(pairs, "HTTP/1.1", cases[i].outcome, 0);
    }
    const struct pair both[] = {
        {"Transfer-Encoding", "chunked"}, {"Host", "h"}, {"Content-Length", "1"}, {.name = NULL}};
    assert_checked(both, "HTTP/1.1", OUTCOME_INVALID, 0);
    const struct pair old[] = {{"Transfer-Encoding", "chunked"}, {.name = NULL}};
    assert_checked(old, "HTTP/1.0", OUTCOME_INVALID, 0);
}

static void a_host_is_asked_for_since_http_1_1(void **state)
{
    (void)state;
    const struct pair none[] = {{"X", "y"}, {.name = NULL}};

    assert_checked(none, "HTTP/1.1", OUTCOME_INVALID, 0);
    assert_checked(none, "HTTP/1.0", 0, 0);
}

static void names_are_tokens_and_values_have_no_control_characters(void **state)
{
    (void)state;
    static const struct pair wrong[] = {
        {"Content-Length ", "1"},
        {" Host", "h"},
        {"X\t", "y"},
        {"", "y"},
        {"X(", "y"},
        {"X\"", "y"},
        {"X\x80", "y"},
        {"X", "\r"},
        {"X", "a\nb"},
        {"X", "\x7F"},
    };
    const struct pair right[] = {
        {"X!#$%&'*+-.^_`|~9", "\t \xC3\xA4 ,;\"()"}, {"Host", "h"}, {.name = NULL}};

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const struct pair pairs[] = {wrong[i], {"Host", "h"}, {.name = NULL}};
        assert_checked(pairs, "HTTP/1.1", OUTCOME_INVALID, 0);
    }
    assert_checked(right, "HTTP/1.1", 0, 0);
}

static void only_100_continue_is_expected(void **state)
{
    (void)state;
    const struct pair odd[] = {{"Expect", "100-continue, x"}, {"Host", "h"}, {.name = NULL}};
    const struct pair usual[] = {{"Expect", "100-Continue"}, {"Host", "h"}, {.name = NULL}};

    assert_checked(odd, "HTTP/1.1", OUTCOME_INVALID, 417);
    assert_checked(usual, "HTTP/1.1", 0, 0);
}

static void what_does_not_fit_is_refused_whether_long_or_many(void **state)
{
    (void)state;
    static char value[HTTP_HEADER_MAX];
    struct headers headers = {.size = 0};
    struct guard_refusal refused;

    headers_add(&headers, SLICE("Host"), "h");
    for (int i = 0; i < 300; i++)
        headers_add(&headers, SLICE("a"), "");
    assert_int_equal(headers_check(&headers, "GET", 1, "HTTP/1.1", &refused), OUTCOME_HEADERS);
    headers = (struct headers){.size = 0};
    headers_add(&headers, SLICE("Host"), "h");
    assert_int_equal(headers_check(&headers, "GET", 14000, "HTTP/1.1", &refused), 0);
    assert_int_equal(headers_check(&headers, "GET", 15000, "HTTP/1.1", &refused),
                     OUTCOME_URI_TOO_LONG);
    memset(value, 'v', sizeof(value) - 1);
    headers_add(&headers, SLICE("X"), value);
    assert_int_equal(headers_check(&headers, "GET", 1, "HTTP/1.1", &refused), OUTCOME_HEADERS);
}

static void a_body_is_announced_by_its_size_or_by_chunks(void **state)
{
    (void)state;
    const struct pair sized[] = {{"Content-Length", "007"}, {"Host", "h"}, {.name = NULL}};
    const struct pair chunks[] = {{"Transfer-Encoding", "chunked"}, {"Host", "h"}, {.name = NULL}};
    const struct pair empty[] = {{"Content-Length", "0"}, {"Host", "h"}, {.name = NULL}};
    struct guard_refusal refused;
    struct headers headers;
    uint64_t size;

    assert_int_equal(check(sized, "HTTP/1.1", &headers, &refused), 0);
    assert_true(headers_have_body(&headers, &size) && size == 7);
    assert_int_equal(check(chunks, "HTTP/1.1", &headers, &refused), 0);
    assert_true(headers_have_body(&headers, &size) && size == UINT64_MAX);
    assert_int_equal(check(empty, "HTTP/1.1", &headers, &refused), 0);
    assert_false(headers_have_body(&headers, &size));
}

static void json_has_one_type_and_one_charset(void **state)
{
    (void)state;
    static const char *const right[] = {
        "application/json",
        "APPLICATION/Json;charset=utf-8",
        "application/json; Charset = \"UTF-8\"",
        "application/json \t; x",
        "application/json;",
        "application/json;x=y;charset=utf-8;z",
    };
    static const char *const wrong[] = {
        NULL,
        "",
        ";",
        "application/jsonx",
        "application/json x",
        "application/merge-patch+json",
        "text/json",
        "application/json;charset=latin1",
        "application/json;charset=",
        "application/json;charset=\"",
        "application/json;x;charset=utf-16;charset=utf-8",
    };
    struct refusal why;

    for (size_t i = 0; i < COUNT_OF(right); i++)
        assert_int_equal(type_check(right[i], &why), 0);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(type_check(wrong[i], &why), OUTCOME_MEDIA_TYPE);
    type_check("application/json; charset=koi8-r", &why);
    assert_non_null(strstr(why.text, "koi8-r"));
}

static void bodies_come_without_an_encoding(void **state)
{
    (void)state;
    struct refusal why;

    assert_int_equal(encoding_check(NULL, &why), 0);
    assert_int_equal(encoding_check("Identity", &why), 0);
    assert_int_equal(encoding_check("", &why), OUTCOME_MEDIA_TYPE);
    assert_int_equal(encoding_check("identity, gzip", &why), OUTCOME_MEDIA_TYPE);
    assert_int_equal(encoding_check("br", &why), OUTCOME_MEDIA_TYPE);
    assert_non_null(strstr(why.text, "br"));
}

static void every_parameter_counts(void **state)
{
    (void)state;
    struct slice path = SLICE("/job");

    assert_int_equal(target_size(path, SLICE("")), 4);
    size_t one = target_size(path, SLICE("a"));
    assert_true(one > 5);
    assert_int_equal(target_size(path, SLICE("a&b&")) - 4, 3 * (one - 5) + 4);
    assert_true(target_fits(one));
    assert_false(target_fits(HTTP_HEADER_MAX));
}

static void targets_have_a_path_and_a_query(void **state)
{
    (void)state;
    static const struct {
        const char *target, *path, *query;
    } cases[] = {
        {"/job", "/job", ""},
        {"/job?", "/job", ""},
        {"/job?a=b?c", "/job", "a=b?c"},
        {"http://h/job?a", "/job", "a"},
        {"http://h:80", "/", ""},
        {"/x?u=http://h/job", "/x", "u=http://h/job"},
        {"*", "*", ""},
        {"", "", ""},
        {"?a", "", "a"},
    };
    struct slice path, query;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        target_split(cases[i].target, &path, &query);
        assert_true(slice_is(path, cases[i].path));
        assert_true(slice_is(query, cases[i].query));
    }
}

static void request_ids_are_short_and_plain(void **state)
{
    (void)state;
    char id[HTTP_REQUEST_ID_SIZE + 1] = "";

    assert_true(request_id_is_good("a-Z_0.9"));
    assert_false(request_id_is_good(""));
    assert_false(request_id_is_good(NULL));
    assert_false(request_id_is_good("a b"));
    assert_false(request_id_is_good("\xC3\xA4"));
    memset(id, 'x', HTTP_REQUEST_ID_SIZE);
    assert_false(request_id_is_good(id));
    id[HTTP_REQUEST_ID_SIZE - 1] = '\0';
    assert_true(request_id_is_good(id));
}

static void a_control_character_is_found_wherever_it_stands(void **state)
{
    char value[20];

    (void)state;
    for (size_t size = 1; size < sizeof(value); size++) {
        for (size_t at = 0; at < size; at++) {
            for (int byte = 1; byte < 256; byte++) {
                struct headers headers = {.size = 0};
                memset(value, 'a', size);
                value[size] = '\0';
                value[at] = (char)byte;
                headers_add(&headers, SLICE("X"), value);
                bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
                assert_int_equal(headers.has_bad_header, is_control);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_stand_once_is_refused_twice),
        cmocka_unit_test(the_end_of_the_body_is_said_in_one_way),
        cmocka_unit_test(a_host_is_asked_for_since_http_1_1),
        cmocka_unit_test(names_are_tokens_and_values_have_no_control_characters),
        cmocka_unit_test(only_100_continue_is_expected),
        cmocka_unit_test(what_does_not_fit_is_refused_whether_long_or_many),
        cmocka_unit_test(a_body_is_announced_by_its_size_or_by_chunks),
        cmocka_unit_test(json_has_one_type_and_one_charset),
        cmocka_unit_test(bodies_come_without_an_encoding),
        cmocka_unit_test(every_parameter_counts),
        cmocka_unit_test(targets_have_a_path_and_a_query),
        cmocka_unit_test(a_control_character_is_found_wherever_it_stands),
        cmocka_unit_test(request_ids_are_short_and_plain),
    };

    return cmocka_run_group_tests_name("http/guard", tests, NULL, NULL);
}
