/* SPDX-License-Identifier: MIT */
/*
 * Replies that are made while the client reads them: whole, or visibly not.
 */
#include "http/fixture.h"

#include "base/clock.h"
#include "base/mem.h"

#include <unistd.h>

#define STREAM_SIZE ((size_t)(STREAM_PIECES + 10000 * (STREAM_PIECES * (STREAM_PIECES - 1) / 2)))

/* What stands before the next "\r\n", which goes too. False: the connection ended before. */
static bool take_line(struct client *client, char *ret, size_t size)
{
    char *end;

    while (!(end = strstr(buf_text(&client->in), "\r\n")))
        if (!client_read(client))
            return false;
    size_t n = (size_t)(end - client->in.at);
    assert_true(n < size);
    memcpy(ret, client->in.at, n);
    ret[n] = '\0';
    memmove(client->in.at, client->in.at + n + 2, client->in.size - n - 2);
    client->in.size -= n + 2;
    return true;
}

/* RFC 9112 §7.1. True when the chunk of size 0 came, which says that this was all. */
static bool read_chunks(struct client *client, struct buf *body)
{
    char line[64];

    while (take_line(client, line, sizeof(line))) {
        size_t size = strtoul(line, NULL, 16);
        if (size == 0)
            return take_line(client, line, sizeof(line)) && line[0] == '\0';
        while (client->in.size < size + 2)
            if (!client_read(client))
                return false;
        buf_add(body, client->in.at, size);
        memmove(client->in.at, client->in.at + size + 2, client->in.size - size - 2);
        client->in.size -= size + 2;
    }
    return false;
}

static void assert_pieces(const struct buf *body)
{
    const char *at = body->at;

    assert_int_equal(body->size, STREAM_SIZE);
    for (int piece = 0; piece < STREAM_PIECES; piece++)
        for (int i = 0; i < 10000 * piece + 1; i++)
            assert_true(*at++ == 'a' + piece);
}

static void wait_streams(const struct service *service, unsigned n)
{
    for (int i = 0; i < 10000 && atomic_load(&service->n_streams) != n; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&service->n_streams), n);
}

static void a_stream_arrives_whole_and_its_connection_goes_on(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);
    struct buf body;

    buf_init(&body, REPLY_MAX);
    for (unsigned i = 1; i <= 2; i++) {
        struct reply reply = client_ask(&client, GET("/stream"));
        assert_int_equal(reply.status, 200);
        assert_header(&reply, "Content-Type", "text/x");
        assert_header(&reply, "Transfer-Encoding", "chunked");
        assert_header(&reply, "Content-Length", "");
        assert_true(read_chunks(&client, &body));
        assert_pieces(&body);
        buf_clear(&body);
        wait_streams(service, 0);
        wait_count(&service->n_replied, i);
        assert_int_equal(atomic_load(&service->last_size), STREAM_SIZE);
    }
    buf_release(&body);
    client_close(&client);
}

static void to_http_1_0_the_end_of_the_connection_is_the_end(void **state)
{
    struct client client = client_open(*state);
    struct reply reply = client_ask(&client, "GET /stream HTTP/1.0\r\n\r\n");

    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Transfer-Encoding", "");
    assert_ended(&client);
    assert_pieces(&client.in);
    client_close(&client);
}

static void a_fault_in_the_middle_is_no_end(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);
    struct buf body;

    buf_init(&body, REPLY_MAX);
    assert_int_equal(client_ask(&client, GET("/stream?cut")).status, 200);
    assert_false(read_chunks(&client, &body));
    wait_streams(service, 0);
    wait_connections(service, 0);
    buf_release(&body);
    client_close(&client);
}

static void the_head_of_a_stream_has_no_body(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, "HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply = client_reply_to_head(&client);
    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Content-Type", "text/x");
    assert_header(&reply, "Content-Length", "");
    wait_streams(service, 0);
    assert_ended(&client);
    assert_int_equal(client.in.size, 0);
    client_close(&client);
}

static void a_client_that_reads_none_of_it_is_cut(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);
    int64_t start_us = clock_boot_us();

    client_send(&client, GET("/stream?endless"));
    wait_streams(service, 1);
    wait_streams(service, 0);
    assert_in_range(us_since(start_us), US_PER_S / 2, 5 * US_PER_S);
    client_close(&client);
}

static void a_client_that_leaves_ends_it(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, GET("/stream?endless"));
    assert_true(client_read(&client));
    client_close(&client);
    wait_streams(service, 0);
    wait_connections(service, 0);
}

static void it_ends_with_the_server(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, GET("/stream?endless"));
    assert_true(client_read(&client));
    http_stop(service->server, 100 * US_PER_MS);
    http_close(service->server);
    service->server = NULL;
    assert_int_equal(atomic_load(&service->n_streams), 0);
    client_close(&client);
}

static void others_are_served_meanwhile(void **state)
{
    struct client slow = client_open(*state);

    client_send(&slow, GET("/stream?endless"));
    assert_true(client_read(&slow));
    for (int i = 0; i < 10; i++)
        assert_int_equal(service_ask(*state, GET("/facts")).status, 200);
    client_close(&slow);
}

static void too_many_unread_refuse_it(void **state)
{
    struct service *service = *state;
    struct client bigs[2];

    for (size_t i = 0; i < COUNT_OF(bigs); i++) {
        bigs[i] = client_open(service);
        client_send(&bigs[i], GET("/big"));
    }
    for (int i = 0; i < 10000 && atomic_load(&service->server->n_unsent) < 2 * BIG_SIZE; i++)
        usleep(1000);
    struct reply reply = service_ask(service, GET("/stream"));
    assert_error(&reply, 503, "unread", "too many replies to read");
    assert_int_equal(atomic_load(&service->n_streams), 0);
    for (size_t i = 0; i < COUNT_OF(bigs); i++)
        client_close(&bigs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(a_stream_arrives_whole_and_its_connection_goes_on, service_setup),
        TEST_BOTH(to_http_1_0_the_end_of_the_connection_is_the_end, service_setup),
        TEST_BOTH(a_fault_in_the_middle_is_no_end, service_setup),
        TEST_BOTH(the_head_of_a_stream_has_no_body, service_setup),
        TEST_BOTH(a_client_that_reads_none_of_it_is_cut, service_setup_hasty),
        TEST_BOTH(a_client_that_leaves_ends_it, service_setup),
        TEST_BOTH(it_ends_with_the_server, service_setup),
        TEST_BOTH(others_are_served_meanwhile, service_setup),
        TEST_BOTH(too_many_unread_refuse_it, service_setup_tight),
    };

    return cmocka_run_group_tests_name("http/stream", tests, NULL, NULL);
}
