/* SPDX-License-Identifier: MIT */
/*
 * The server over real sockets: requests, replies and connections that keep the rules.
 *
 * What breaks them is in test_limits.c, what waits in test_parking.c.
 */
#include "http/fixture.h"

#include "base/mem.h"

/*
 * Requests and replies
 */

static void a_request_is_answered_with_the_headers_of_every_reply(void **state)
{
    struct service *service = *state;
    struct reply reply = service_ask(
        service, "GET /facts/a%2Fb?x=%20&y HTTP/1.1\r\nHost: h\r\nX-Request-ID: my.id-1\r\n"
                 "Authorization: Bearer t\r\nPrefer: p\r\n\r\n");
    char date[64];

    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "GET /facts/a%2Fb x=%20&y auth=Bearer t prefer=p");
    assert_header(&reply, "Content-Type", "application/json");
    assert_header(&reply, "Cache-Control", "no-store");
    assert_header(&reply, "X-Content-Type-Options", "nosniff");
    assert_header(&reply, "X-Request-ID", "my.id-1");
    assert_true(reply_header(&reply, "Date", date, sizeof(date)));
    assert_int_equal(strlen(date), strlen("Tue, 24 Nov 2026 06:12:28 GMT"));
    wait_count(&service->n_replied, 1);
    assert_int_equal(atomic_load(&service->last_status), 200);
    assert_int_equal(atomic_load(&service->last_size), reply.body_size);
}

static void a_request_id_that_is_not_plain_is_replaced(void **state)
{
    static const char *const ids[] = {
        "a b", "", "\"x\"", "a/b",
        "x2345678901234567890123456789012345678901234567890123456789012345"};
    char request[256], made[128], before[128] = "";

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: %s\r\n\r\n",
                 ids[i]);
        struct reply reply = service_ask(*state, request);
        assert_true(reply_header(&reply, "X-Request-ID", made, sizeof(made)));
        assert_true(strlen(made) > 16);
        assert_string_not_equal(made, ids[i]);
        assert_string_not_equal(made, before);
        memcpy(before, made, sizeof(made));
    }
}

static void a_connection_is_used_again(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);
    char request[256];

    for (int i = 0; i < 100; i++) {
        int size = snprintf(NULL, 0, "{\"i\":%d}", i);
        snprintf(request, sizeof(request),
                 "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: %d\r\n\r\n{\"i\":%d}",
                 size, i);
        struct reply reply = client_ask(&client, request);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body, strstr(request, "{"));
    }
    assert_int_equal(atomic_load(&service->server->n_connections), 1);
    client_close(&client);
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_gone), 0);
}

static void a_refusal_without_a_body_keeps_the_connection(void **state)
{
    struct client client = client_open(*state);
    struct reply reply = client_ask(&client, GET("/deny"));

    assert_error(&reply, 401, "unauthorized", "Bearer token required");
    assert_header(&reply, "WWW-Authenticate", "Bearer");
    reply = client_ask(&client, GET("/method"));
    assert_error(&reply, 405, "method", "the path takes POST");
    assert_header(&reply, "Allow", "POST");
    reply = client_ask(&client, GET("/fault"));
    assert_error(&reply, 500, "fault", "internal fault");
    reply = client_ask(&client, GET("/facts"));
    assert_int_equal(reply.status, 200);
    client_close(&client);
}

static void head_is_get_without_the_body(void **state)
{
    struct client client = client_open(*state);

    client_send(&client, "HEAD /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply head = client_reply_to_head(&client);
    assert_int_equal(head.status, 200);
    struct reply get = client_ask(&client, GET("/facts"));
    char length[32];
    assert_true(reply_header(&head, "Content-Length", length, sizeof(length)));
    assert_header(&get, "Content-Length", length);
    assert_int_equal(strncmp(get.body, "GET /facts", 10), 0);
    client_close(&client);
}

static void a_reply_without_a_body_has_none(void **state)
{
    struct client client = client_open(*state);

    client_send(&client,
                "DELETE /none HTTP/1.1\r\nHost: h\r\n\r\nGET /facts HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_int_equal(reply.status, 204);
    assert_header(&reply, "Content-Type", "");
    reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    client_close(&client);
}

static void a_reply_with_a_tag_may_be_kept_and_asked_for_again(void **state)
{
    struct client client = client_open(*state);
    struct reply reply = client_ask(
        &client, "GET /tagged HTTP/1.1\r\nHost: h\r\nIf-None-Match: W/\"a\", \"b\"\r\n\r\n");

    assert_string_equal(reply.body, "W/\"a\", \"b\"");
    for (int i = 0; i < 2; i++) {
        assert_header(&reply, "ETag", "\"t\"");
        assert_header(&reply, "Vary", "Authorization");
        assert_header(&reply, "Cache-Control", "private, no-cache");
        reply = client_ask(&client, GET("/same"));
    }
    assert_int_equal(reply.status, 304);
    client_close(&client);
}

static void not_modified_has_no_body(void **state)
{
    struct client client = client_open(*state);

    for (int i = 0; i < 2; i++) { /* what followed on the connection would be taken for a body */
        struct reply reply = client_ask(&client, GET("/same"));
        assert_int_equal(reply.status, 304);
        assert_header(&reply, "Content-Type", "");
        assert_header(&reply, "Transfer-Encoding", "");
        assert_int_equal(client.in.size, 0);
    }
    client_close(&client);
}

static void a_reply_larger_than_any_buffer_arrives_whole(void **state)
{
    struct reply reply = service_ask(*state, GET("/big"));

    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Content-Type", "text/plain");
    assert_int_equal(reply.body_size, BIG_SIZE);
    assert_int_equal(strspn(reply.body, "x"), BIG_SIZE);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    struct client client = client_open(*state);

    client_send(&client, "GET /facts?1 HTTP/1.1\r\nHost: h\r\n\r\n"
                         "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 1\r\n\r\n2"
                         "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET /facts?4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_non_null(strstr(reply.body, " 1 "));
    reply = client_reply(&client);
    assert_string_equal(reply.body, "2");
    reply = client_reply(&client);
    assert_string_equal(reply.body, "waited out");
    reply = client_reply(&client);
    assert_non_null(strstr(reply.body, " 4 "));
    assert_ended(&client);
    client_close(&client);
}

static void http_1_0_is_spoken(void **state)
{
    struct client client = client_open(*state);
    struct reply reply = client_ask(&client, "GET /facts HTTP/1.0\r\n\r\n");

    assert_int_equal(reply.status, 200);
    assert_ended(&client);
    client_close(&client);
    client = client_open(*state);
    client_ask(&client, "GET /facts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    reply = client_ask(&client, "GET /facts HTTP/1.0\r\n\r\n");
    assert_int_equal(reply.status, 200);
    client_close(&client);
}

static void the_absolute_form_of_a_target_is_accepted(void **state)
{
    struct reply reply =
        service_ask(*state, "GET http://h:1/facts?q HTTP/1.1\r\nHost: h:1\r\n\r\n");

    assert_int_equal(reply.status, 200);
    assert_int_equal(strncmp(reply.body, "GET /facts q ", 13), 0);
}

static void chunks_are_put_together(void **state)
{
    struct client client = client_open(*state);

    client_send(&client,
                "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Transfer-Encoding: chunked\r\n\r\n"
                "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n"
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n");
    struct reply reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{\"a\":1}");
    reply = client_reply(&client);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_size, 0);
    client_close(&client);
}

static void the_body_is_asked_for_with_100_continue(void **state)
{
    struct client client = client_open(*state);
    struct reply reply =
        client_ask(&client, "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Expect: 100-Continue\r\n"
                            "Content-Length: 2\r\n\r\n");

    assert_int_equal(reply.status, 100);
    reply = client_ask(&client, "{}");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{}");
    client_close(&client);
}

static void a_body_that_is_refused_is_not_asked_for(void **state)
{
    assert_refused(*state,
                   "POST /deny HTTP/1.1\r\nHost: h\r\n" JSON "Expect: 100-continue\r\n"
                   "Content-Length: 2\r\n\r\n",
                   401, "unauthorized", "");
    assert_refused(*state,
                   "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Expect: 100-continue\r\n"
                   "Content-Length: 99999999\r\n\r\n",
                   413, "too_large", "");
}

/*
 * Many clients
 */

/* libmicrohttpd's own loop serves none of exactly 128 requests that are ready at once. */
static void clients_that_send_at_the_same_instant_are_all_served(void **state)
{
    struct service *service = *state;
    struct client clients[256];

    for (size_t n = 127; n <= 256; n += n < 129 ? 1 : 127) {
        for (size_t i = 0; i < n; i++)
            clients[i] = client_open(service);
        for (int round = 0; round < 5; round++) {
            for (size_t i = 0; i < n; i++)
                client_send(&clients[i], GET("/facts"));
            for (size_t i = 0; i < n; i++) {
                struct reply reply = client_reply(&clients[i]);
                assert_int_equal(reply.status, 200);
            }
        }
        for (size_t i = 0; i < n; i++)
            client_close(&clients[i]);
        wait_connections(service, 0);
    }
}

static void both_loops_are_used(void **state)
{
    struct service *service = *state;
    struct client clients[64];
    unsigned n_of_loop[2] = {0};

    for (unsigned i = 0; i < COUNT_OF(clients); i++) {
        clients[i] = client_open(service);
        client_send(&clients[i], GET("/park"));
        wait_count(&service->n_parked, i + 1);
        n_of_loop[atomic_load(&service->last_ticket_loop)]++;
        service_wake(service);
    }
    assert_true(n_of_loop[0] > 0 && n_of_loop[1] > 0);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct reply reply = client_reply(&clients[i]);
        assert_int_equal(reply.status, 200);
        client_close(&clients[i]);
    }
}

/*
 * Start
 */

static void a_port_that_is_taken_is_refused(void **state)
{
    struct service *service = *state;
    struct http_server *second = NULL;
    struct refusal why;
    char text[64];
    struct http_options options = {
        .listen = "127.0.0.1",
        .port = http_port(service->server),
        .n_loops = 2,
        .connections_max = 10,
        .service = &fixture_service,
        .owner = service,
    };

    assert_int_equal(http_open(&options, &second, &why), OUTCOME_UNAVAILABLE);
    snprintf(text, sizeof(text), "port %u on 127.0.0.1 is taken", options.port);
    assert_string_equal(why.text, text);
    options.listen = "localhost";
    assert_int_equal(http_open(&options, &second, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "not an IPv4 or IPv6 address"));
    options.listen = "192.0.2.1"; /* RFC 5737: nobody's */
    assert_int_equal(http_open(&options, &second, &why), OUTCOME_UNAVAILABLE);
    assert_null(second);
    http_stop(service->server, 0); /* and is free again at once, whatever its connections do */
    http_close(service->server);
    options.listen = "127.0.0.1";
    assert_int_equal(http_open(&options, &service->server, &why), 0);
    assert_int_equal(http_port(service->server), options.port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(a_request_is_answered_with_the_headers_of_every_reply, service_setup),
        TEST_BOTH(a_request_id_that_is_not_plain_is_replaced, service_setup),
        TEST_BOTH(a_connection_is_used_again, service_setup),
        TEST_BOTH(a_refusal_without_a_body_keeps_the_connection, service_setup),
        TEST_BOTH(a_reply_with_a_tag_may_be_kept_and_asked_for_again, service_setup),
        TEST_BOTH(not_modified_has_no_body, service_setup),
        TEST_BOTH(head_is_get_without_the_body, service_setup),
        TEST_BOTH(a_reply_without_a_body_has_none, service_setup),
        TEST_BOTH(a_reply_larger_than_any_buffer_arrives_whole, service_setup),
        TEST_BOTH(pipelined_requests_are_answered_in_their_order, service_setup),
        TEST_BOTH(http_1_0_is_spoken, service_setup),
        TEST_BOTH(the_absolute_form_of_a_target_is_accepted, service_setup),
        TEST_BOTH(chunks_are_put_together, service_setup),
        TEST_BOTH(the_body_is_asked_for_with_100_continue, service_setup),
        TEST_BOTH(a_body_that_is_refused_is_not_asked_for, service_setup),
        TEST_BOTH(clients_that_send_at_the_same_instant_are_all_served, service_setup),
        TEST_BOTH(both_loops_are_used, service_setup_wide),
        TEST_BOTH(a_port_that_is_taken_is_refused, service_setup_wide),
    };

    return cmocka_run_group_tests_name("http/server", tests, NULL, NULL);
}
