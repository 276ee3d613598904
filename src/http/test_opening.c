/* SPDX-License-Identifier: MIT */
/*
 * What the first bytes of a request tell.
 */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/http.h"
#include "http/opening.h"

#define LINE "GET /a HTTP/1.1\r\n"
#define HEAD LINE "Host: h\r\n"

/* In a block of exactly its size, for the sanitizer. */
static int check_whole(struct slice opening, bool *ret_is_whole, struct guard_refusal *ret)
{
    char *bytes = mem_alloc(opening.size);

    memcpy(bytes, opening.at, opening.size);
    int r = opening_check(bytes, opening.size, ret_is_whole, ret);
    mem_free(bytes);
    return r;
}

static int check(struct slice opening, struct guard_refusal *ret)
{
    bool is_whole;

    return check_whole(opening, &is_whole, ret);
}

static void what_may_become_a_request_is_let_pass(void **state)
{
    (void)state;
    const struct slice openings[] = {
        SLICE("G"),
        SLICE("GET /a HTTP/1."),
        SLICE("\r"),
        SLICE("\r\n\r\nGET "),
        SLICE(LINE),
        SLICE(LINE "\r"),
        SLICE("POST http://h/a?b HTTP/1.0\r\nHost: h"),
        SLICE(HEAD "X:\r"),
        SLICE(HEAD "\r\n\0\n any body\n"),
        SLICE(LINE "Host:h \t\r\nX:\r\n\r\n"),
        SLICE("GET /a HTTP/1.0\r\n\r\n"),
    };
    struct guard_refusal refused;

    for (size_t i = 0; i < COUNT_OF(openings); i++)
        if (check(openings[i], &refused))
            fail_msg("%zu: %s", i, refused.why.text);
}

static void every_beginning_of_a_request_is_let_pass(void **state)
{
    (void)state;
    struct slice whole = SLICE("\r\nPOST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Type: "
                               "application/json\r\nContent-Length: 2\r\n\r\n{}");
    struct guard_refusal refused;

    for (size_t size = 0; size <= whole.size; size++) {
        bool is_whole;
        struct slice beginning = {.at = whole.at, .size = size};
        assert_int_equal(check_whole(beginning, &is_whole, &refused), 0);
        assert_int_equal(is_whole, size >= whole.size - strlen("{}"));
    }
}

static void what_is_no_request_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    const struct {
        struct slice opening;
        int status;
    } cases[] = {
        {SLICE("\0"), 0},
        {SLICE("\x16\x03\x01\x02"), 0},
        {SLICE("{\"a\":1}"), 0},
        {SLICE(" GET / HTTP/1.1\r\n"), 0},
        {SLICE("hello\r\n"), 0},
        {SLICE("GET HTTP/1.1\r\n"), 0},
        {SLICE("GET  HTTP/1.1\r\n"), 0},
        {SLICE("GET /a\r\n"), 0},
        {SLICE("GET /a b HTTP/1.1\r\n"), 0},
        {SLICE("GET /a\tb HTTP/1.1\r\n"), 0},
        {SLICE("GET /\0 HTTP/1.1\r\n"), 0},
        {SLICE("GET /a http/1.1\r\n"), 0},
        {SLICE("GET /a HTTP/1.1 \r\n"), 0},
        {SLICE("GET /a HTTP/1x1\r\n"), 0},
        {SLICE("G@T /a HTTP/1.1\r\n"), 0},
        {SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
        {SLICE("GET / HTTP/9.9\r\n"), 505},
        {SLICE("GET /a HTTP/1.1\n"), 0},
        {SLICE("\n"), 0},
        {SLICE(LINE "Host: h\n"), 0},
        {SLICE(HEAD " more\r\n"), 0},
        {SLICE(HEAD "\tmore\r\n"), 0},
        {SLICE(LINE "Host: a\0b\r\n"), 0},
        {SLICE(LINE "Host: a\rX: b\r\n"), 0},
        {SLICE(HEAD "\n"), 0},
        {SLICE(HEAD "X\r\n"), 0},
        {SLICE(HEAD ": x\r\n\r\n"), 0},
        {SLICE(LINE "\r\n"), 0},
        {SLICE(HEAD "Content-Length: 2, 2\r\n\r\n"), 0},
        {SLICE(HEAD "Host: h\r\n\r\n"), 0},
        {SLICE(HEAD "Expect: tea\r\n\r\n"), 417},
        {SLICE("BREW /a HTTP/1.1\r\nHost: h\r\n\r\n"), 501},
        {SLICE("A-METHOD-OF-MORE-THAN-SIXTEEN-LETTERS /a HTTP/1.1\r\nHost: h\r\n\r\n"), 501},
    };
    struct guard_refusal refused;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (!check(cases[i].opening, &refused))
            fail_msg("%zu is let pass", i);
        assert_int_equal(refused.status, cases[i].status);
    }
}

static void what_fills_the_memory_without_an_end_is_too_long(void **state)
{
    (void)state;
    static char bytes[HTTP_HEADER_MAX];
    struct guard_refusal refused;
    bool is_whole;

    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(opening_check(bytes, sizeof(bytes) - 1, &is_whole, &refused), 0);
    assert_int_equal(opening_check(bytes, sizeof(bytes), &is_whole, &refused),
                     OUTCOME_URI_TOO_LONG);
    memcpy(bytes, HEAD "X: ", strlen(HEAD "X: "));
    assert_int_equal(opening_check(bytes, sizeof(bytes), &is_whole, &refused), OUTCOME_HEADERS);
}

static void a_tls_connection_begins_with_a_handshake(void **state)
{
    (void)state;
    struct guard_refusal refused;

    assert_int_equal(opening_check_tls('\x16', &refused), 0);
    assert_int_equal(opening_check_tls('G', &refused), OUTCOME_INVALID);
    assert_non_null(strstr(refused.why.text, "https://"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_become_a_request_is_let_pass),
        cmocka_unit_test(every_beginning_of_a_request_is_let_pass),
        cmocka_unit_test(what_is_no_request_is_known_by_its_first_bytes),
        cmocka_unit_test(what_fills_the_memory_without_an_end_is_too_long),
        cmocka_unit_test(a_tls_connection_begins_with_a_handshake),
    };

    return cmocka_run_group_tests_name("http/opening", tests, NULL, NULL);
}
