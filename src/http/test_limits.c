/* SPDX-License-Identifier: MIT */
/*
 * What the server refuses: requests that are malformed, ambiguous, too large, too slow or too many.
 *
 * Deadlines are shortened, not faked. A refusal is read to its end: its connection closes, and the
 * client has read the reply by then.
 */
#include "http/fixture.h"

#include "base/clock.h"
#include "base/mem.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Guards
 */

static void requests_that_could_be_read_in_two_ways_are_refused(void **state)
{
    static const struct {
        const char *headers;
        int status;
        const char *reason,
            *text; /* of ours; the library refuses some itself, in one version or both */
    } wrong[] = {
        {"Host: h\r\n" JSON "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, NULL,
         "Content-Length"},
        {"Host: h\r\n" JSON "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, NULL,
         "Content-Length"},
        {"Host: h\r\n" JSON "Content-Length: 2, 2\r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length: +2\r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length: -2\r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length: 0x2\r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length: \r\n\r\n{}", 400, NULL, ""},
        {"Host: h\r\n" JSON "Content-Length : 2\r\n\r\n{}", 400, NULL, "no token"},
        {"Host: h\r\n" JSON "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         NULL, ""},
        {"Host: h\r\n" JSON "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, NULL, ""},
        {"Host: h\r\n" JSON "Transfer-Encoding: identity\r\n\r\n", 400, NULL, ""},
        {"Host: h\r\n" JSON "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, NULL, ""},
        {"Host: h\r\n" JSON "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
         400, NULL, ""},
        {"\r\n", 400, NULL, ""},
        {"Host: h\r\nHost: h\r\n\r\n", 400, NULL, ""},
        {"Host: h\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400, "invalid",
         "Authorization"},
        {"Host: h\r\n" JSON JSON "Content-Length: 2\r\n\r\n{}", 400, "invalid", "Content-Type"},
        {"Host: h\r\nExpect: 200-ok\r\n\r\n", 417, "expectation", "100-continue"},
        {"Host: h\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 400, "invalid",
         "Expect"},
        {"Host: h\r\nX: a\001b\r\n\r\n", 400, NULL, "control character"},
    };
    struct service *service = *state;
    char request[512];

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\n%s", wrong[i].headers);
        assert_refused(service, request, wrong[i].status, wrong[i].reason, wrong[i].text);
    }
    assert_int_equal(atomic_load(&service->n_begun), 0);
    assert_refused(service, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                   NULL, "");
}

static void methods_that_nobody_has_are_not_implemented(void **state)
{
    assert_refused(*state, "BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "method_unknown",
                   "none of GET");
    assert_refused(*state, "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "method_unknown",
                   "none of GET");
}

static void a_body_must_be_json(void **state)
{
    static const char *const types[] = {
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/jsonp\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: \r\n",
    };
    struct service *service = *state;
    char request[512];

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        snprintf(request, sizeof(request),
                 "POST /echo HTTP/1.1\r\nHost: h\r\n%sContent-Length: 2\r\n\r\n{}", types[i]);
        assert_refused(service, request, 415, "media_type", "application/json");
    }
    assert_refused(service,
                   "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                   415, "media_type", "text/plain");
    struct reply reply =
        service_ask(service, "POST /echo HTTP/1.1\r\nHost: h\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    assert_error(&reply, 415, "media_type", "application/json");
    reply = service_ask(
        service,
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: Application/JSON ; charset=utf-8\r\n"
        "Content-Length: 2\r\n\r\n{}");
    assert_int_equal(reply.status, 200);
    wait_count(&service->n_gone, 7);
    assert_int_equal(atomic_load(&service->n_served), 1);
}

/* The token's refusal comes first: nobody without one learns what a body may be. */
static void the_service_refuses_before_the_body_is_looked_at(void **state)
{
    assert_refused(*state,
                   "POST /deny HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: "
                   "999999999\r\n\r\n",
                   401, "unauthorized", "Bearer");
}

static void a_body_over_its_cap_is_refused_unread(void **state)
{
    struct service *service = *state;
    CLEANUP(buf_release) struct buf request;

    assert_refused(service, "POST /small HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 11\r\n\r\n",
                   413, "too_large", "10 bytes");
    assert_refused(service,
                   "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 1048577\r\n\r\n", 413,
                   "too_large", "1048576 bytes");
    assert_refused(service,
                   "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON
                   "Content-Length: 99999999999999999999999\r\n\r\n",
                   413, NULL, "");
    struct reply reply = service_ask(service, "POST /small HTTP/1.1\r\nHost: h\r\n" JSON
                                              "Content-Length: 10\r\n\r\n1234567890");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "1234567890");
    buf_init(&request, REPLY_MAX); /* all sent at once: the reply is there all the same */
    buf_add_text(&request,
                 "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 2000000\r\n\r\n");
    while (request.size < 2000000)
        buf_add_text(&request, "0123456789");
    assert_refused(service, buf_text(&request), 413, "too_large", "1048576 bytes");
}

static void chunks_over_the_cap_are_refused_when_they_pass_it(void **state)
{
    struct service *service = *state;

    assert_refused(service,
                   "POST /small HTTP/1.1\r\nHost: h\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n"
                   "6\r\n123456\r\n5\r\n78901\r\n",
                   413, "too_large", "10 bytes");
    wait_count(&service->n_gone, 1);
    wait_count(&service->n_replied, 1);
    assert_int_equal(atomic_load(&service->last_status), 413);
    assert_int_equal(atomic_load(&service->n_served), 0);
}

static void add_times(struct buf *to, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_text(to, text);
}

static void a_header_over_its_cap_is_refused(void **state)
{
    CLEANUP(buf_release) struct buf request;

    buf_init(&request, REPLY_MAX);
    buf_add_text(&request, "GET /facts HTTP/1.1\r\nHost: h\r\nX: ");
    add_times(&request, "x", 14300);
    buf_add_text(&request, "\r\n\r\n");
    assert_refused(*state, buf_text(&request), 431, "headers", "14 KiB");
    buf_clear(&request);
    buf_add_text(&request, "GET /facts HTTP/1.1\r\nHost: h\r\n");
    add_times(&request, "a: b\r\n", 230);
    buf_add_text(&request, "\r\n");
    assert_refused(*state, buf_text(&request), 431, NULL, "");
    buf_clear(&request);
    buf_add_text(&request, "GET /facts HTTP/1.1\r\nHost: h\r\nX: ");
    add_times(&request, "x", 40000);
    assert_refused(*state, buf_text(&request), 431, NULL, "");
    buf_clear(&request);
    buf_add_text(&request, "GET /");
    add_times(&request, "x", 40000);
    assert_refused(*state, buf_text(&request), 414, NULL, "");
}

/* Every size of header up to the cap is answered well: the reply's header finds room, and a body is
 * still read. */
static void headers_of_every_size_get_an_answer(void **state)
{
    CLEANUP(buf_release) struct buf request;

    buf_init(&request, REPLY_MAX);
    for (size_t size = 8000; size < 17000; size += 97) {
        buf_clear(&request);
        buf_add_text(&request,
                     "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 3000\r\nX: ");
        add_times(&request, "x", size);
        buf_add_text(&request, "\r\n\r\n");
        add_times(&request, "1", 3000);
        struct reply reply = service_ask(*state, buf_text(&request));
        if (reply.status != (size < 14000 ? 200 : 431) && reply.status != 431)
            fail_msg("%d for a header of %zu bytes", reply.status, size);
    }
}

static void what_is_no_http_gets_400_or_the_end(void **state)
{
    static const char *const requests[] = {
        "\x16\x03\x01\x02 hello tls\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\n" JSON "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\n" JSON
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    };
    struct service *service = *state;

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct reply reply = service_ask(service, requests[i]);
        if (reply.status != 0 && (reply.status < 400 || reply.status > 505))
            fail_msg("%d for %s", reply.status, requests[i]);
    }
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_served), 0);
    assert_int_equal(atomic_load(&service->n_begun), atomic_load(&service->n_gone));
}

/* From a client that then says that it is done. */
static struct reply reply_to_end(struct client *client, const char *text)
{
    client_send(client, text);
    assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
    return client_reply(client);
}

static void a_request_that_ends_early_is_told_so(void **state)
{
    static const struct {
        const char *request, *text;
    } cases[] = {
        {"GET /facts HTT", "ends within its header"},
        {"GET /facts HTTP/1.1\r\nHost: h\r\n", "ends within its header"},
        {"POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 100\r\n\r\n{}",
         "ends before it is whole"},
        {"POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
         "ends before it is whole"},
    };
    struct service *service = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t start_us = clock_boot_us();
        struct client client = client_open(service);
        struct reply reply = reply_to_end(&client, cases[i].request);
        /* Where the library learns of it, it ends the connection at once. */
        if (reply.status != 0 || i < 2)
            assert_error(&reply, 400, "invalid", cases[i].text);
        assert_ended(&client);
        assert_true(us_since(start_us) < 5 * US_PER_S);
        client_close(&client);
    }
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_served), 0);
}

static void a_client_that_asks_and_says_that_it_is_done_gets_its_answers_and_the_end(void **state)
{
    for (int i = 0; i < 20; i++) {
        int64_t start_us = clock_boot_us();
        struct client client = client_open(*state);
        struct reply reply =
            reply_to_end(&client, GET("/facts") GET("/none") GET("/facts") GET("/none"));
        assert_int_equal(reply.status, 200);
        for (int n = 1; n < 4; n++) {
            reply = client_reply(&client);
            assert_int_equal(reply.status, n % 2 ? 204 : 200);
        }
        assert_ended(&client);
        assert_true(us_since(start_us) < 5 * US_PER_S);
        client_close(&client);
    }
    wait_connections(*state, 0);
}

/* Whole before it is judged, however it comes. */
static void a_header_that_comes_in_pieces_gets_the_answer_of_one(void **state)
{
    static const char *const requests[] = {
        "hello\r\n\r\n",
        "GET /facts HTTP/1.1\nHost: h\n\n",
        "GET /facts HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
        "GET /facts HTTP/1.1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 2, 2\r\n\r\n{}",
    };

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct client client = client_open(*state);
        for (const char *at = requests[i]; *at; at++) {
            const char byte[] = {*at, '\0'};
            client_send(&client, byte);
            usleep(500);
        }
        struct reply reply = client_reply(&client);
        assert_error(&reply, 400, "invalid", "");
        assert_ended(&client);
        client_close(&client);
    }
}

static void one_connection_more_than_allowed_is_refused_at_once(void **state)
{
    struct service *service = *state;
    struct client clients[4];

    for (size_t i = 0; i < COUNT_OF(clients); i++)
        clients[i] = client_open(service);
    wait_connections(service, COUNT_OF(clients));
    for (int i = 0; i < 100; i++) {
        struct client more = client_open(service);
        if (i % 2)
            client_send(&more, GET("/facts"));
        struct reply reply = client_reply(&more);
        assert_error(&reply, 503, "connections", "all 4 connections");
        assert_header(&reply, "Retry-After", "1");
        assert_ended(&more);
        client_close(&more);
    }
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct reply reply = client_ask(&clients[i], GET("/facts"));
        assert_int_equal(reply.status, 200);
        client_close(&clients[i]);
    }
    wait_connections(service, 0);
    struct reply reply = service_ask(service, GET("/facts"));
    assert_int_equal(reply.status, 200);
}

/*
 * Deadlines
 */

/* One byte every 50 ms, on a connection that has served before and on a new one; for ever, if it
 * was let. */
static void drip(const struct service *service, struct client *client, const char *text)
{
    int64_t start_us = clock_boot_us();
    struct pollfd ready = {.fd = client->fd, .events = POLLIN};

    while (poll(&ready, 1, 50) == 0 && us_since(start_us) < 5 * US_PER_S) {
        const char byte[] = {*text, '\0'};
        client_send(client, byte);
        text += *text != '\0';
    }
    assert_in_range(us_since(start_us), 290 * US_PER_MS, 2 * US_PER_S);
    struct reply reply = client_reply(client);
    assert_error(&reply, 408, "slow", "did not arrive");
    assert_header(&reply, "Connection", "close");
    assert_ended(client);
    client_close(client);
    wait_connections(service, 0);
}

static void a_slow_header_is_cut(void **state)
{
    struct client client = client_open(*state);

    drip(*state, &client, "GET / HTTP/1.1\r\nHost: h\r\nX: abcdefghijklmnopqrstuvwxyz\r\n\r\n");
    client = client_open(*state);
    client_ask(&client, GET("/facts"));
    drip(*state, &client, "GET / HTTP/1.1\r\nHost: h\r\nX: abcdefghijklmnopqrstuvwxyz\r\n\r\n");
    client = client_open(*state);
    drip(*state, &client, "G");
}

static void a_slow_body_is_cut(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 100\r\n\r\n");
    drip(service, &client, "11111111111111111111111111111111111111111111111111");
    wait_count(&service->n_gone, 1);
    assert_int_equal(atomic_load(&service->n_served), 0);
    assert_int_equal(atomic_load(&service->last_status), 408);
}

static void an_idle_connection_is_closed_after_its_time_and_not_before(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service), silent = client_open(service);
    int64_t start_us = clock_boot_us();

    client_ask(&client, GET("/facts"));
    assert_false(client_read(&client));
    assert_true(us_since(start_us) > 900 * US_PER_MS);
    assert_false(client_read(&silent));
    assert_true(us_since(start_us) > 900 * US_PER_MS);
    client_close(&client);
    client_close(&silent);
}

/* Header and body in two pieces make an event after the request is over; it must not start a
 * deadline. */
static void an_idle_connection_is_not_taken_for_a_slow_request(void **state)
{
    struct client client = client_open(*state);

    for (int i = 0; i < 3; i++) {
        client_send(&client, "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 2\r\n\r\n");
        usleep(i * 1000);
        struct reply reply = client_ask(&client, "{}");
        assert_int_equal(reply.status, 200);
        usleep(500 * 1000);
    }
    client_close(&client);
}

static void replies_that_nobody_reads_take_bounded_memory(void **state)
{
    struct service *service = *state;
    struct client idler[] = {client_open(service), client_open(service)};

    for (size_t i = 0; i < COUNT_OF(idler); i++)
        client_send(&idler[i], GET("/big"));
    for (int tries = 0; atomic_load(&service->server->n_unsent) < 2 * BIG_SIZE; tries++) {
        assert_true(tries < 10000);
        usleep(1000);
    }
    struct reply reply = service_ask(service, GET("/big"));
    assert_error(&reply, 503, "unread", "try again");
    reply = service_ask(service, GET("/facts"));
    assert_int_equal(reply.status, 200);

    client_close(&idler[0]);
    wait_connections(service, 1);
    reply = service_ask(service, GET("/big"));
    assert_int_equal(reply.status, 200);
    client_close(&idler[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(requests_that_could_be_read_in_two_ways_are_refused, service_setup),
        TEST_BOTH(methods_that_nobody_has_are_not_implemented, service_setup),
        TEST_BOTH(a_body_must_be_json, service_setup),
        TEST_BOTH(the_service_refuses_before_the_body_is_looked_at, service_setup),
        TEST_BOTH(a_body_over_its_cap_is_refused_unread, service_setup),
        TEST_BOTH(chunks_over_the_cap_are_refused_when_they_pass_it, service_setup),
        TEST_BOTH(a_header_over_its_cap_is_refused, service_setup),
        TEST_BOTH(headers_of_every_size_get_an_answer, service_setup),
        TEST_BOTH(what_is_no_http_gets_400_or_the_end, service_setup),
        TEST(a_request_that_ends_early_is_told_so, service_setup),
        TEST(a_client_that_asks_and_says_that_it_is_done_gets_its_answers_and_the_end,
             service_setup),
        TEST(a_header_that_comes_in_pieces_gets_the_answer_of_one, service_setup),
        TEST(one_connection_more_than_allowed_is_refused_at_once, service_setup_narrow),
        TEST_BOTH(a_slow_header_is_cut, service_setup_hasty),
        TEST_BOTH(a_slow_body_is_cut, service_setup_hasty),
        TEST_BOTH(an_idle_connection_is_closed_after_its_time_and_not_before, service_setup_hasty),
        TEST_BOTH(an_idle_connection_is_not_taken_for_a_slow_request, service_setup_hasty),
        TEST_BOTH(replies_that_nobody_reads_take_bounded_memory, service_setup_tight),
    };

    return cmocka_run_group_tests_name("http/limits", tests, NULL, NULL);
}
