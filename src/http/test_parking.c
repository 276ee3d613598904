/* SPDX-License-Identifier: MIT */
/*
 * Requests that wait in the server: woken, late, left by their client, and overtaken by its stop.
 *
 * Each ends in one way exactly, which the service's counts show.
 */
#include "http/fixture.h"

#include "base/clock.h"
#include "base/mem.h"

#include <unistd.h>

/*
 * Parked requests
 */

static void a_parked_request_is_woken_from_another_thread(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    for (unsigned i = 1; i <= 50; i++) {
        client_send(&client, GET("/park"));
        wait_count(&service->n_parked, i);
        service_wake(service);
        service_wake(service);
        struct reply reply = client_reply(&client);
        assert_string_equal(reply.body, "woken");
        service_wake(service);
    }
    assert_int_equal(atomic_load(&service->n_resumed), 50);
    client_close(&client);
    assert_int_equal(atomic_load(&service->n_gone), 0);
}

static void a_request_may_be_parked_again(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, GET("/park-again"));
    wait_count(&service->n_parked, 1);
    service_wake(service);
    wait_count(&service->n_parked, 2);
    service_wake(service);
    struct reply reply = client_reply(&client);
    assert_string_equal(reply.body, "woken");
    client_close(&client);
}

static void a_parked_request_waits_no_longer_than_it_was_told(void **state)
{
    struct service *service = *state;
    int64_t start_us = clock_boot_us();
    struct reply reply = service_ask(service, GET("/wait"));

    assert_string_equal(reply.body, "waited out");
    assert_in_range(us_since(start_us), 50 * US_PER_MS, 2 * US_PER_S);
    service_wake(service);
    assert_int_equal(atomic_load(&service->n_resumed), 1);
}

static void a_parked_client_that_leaves_is_noticed(void **state)
{
    struct service *service = *state;
    struct client client = client_open(service);

    client_send(&client, GET("/park"));
    wait_count(&service->n_parked, 1);
    client_close(&client);
    wait_count(&service->n_gone, 1);
    wait_connections(service, 0);
    service_wake(service);
    struct reply reply = service_ask(service, GET("/facts"));
    assert_int_equal(reply.status, 200);
    assert_int_equal(atomic_load(&service->n_resumed), 0);
}

/* The client is gone before its request is parked: there will be no event any more. */
static void a_client_that_left_before_it_is_parked_is_noticed(void **state)
{
    struct service *service = *state;

    for (unsigned i = 1; i <= 20; i++) {
        struct client client = client_open(service);
        client_send(&client, GET("/park"));
        client_close(&client);
    }
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_served), atomic_load(&service->n_gone));
}

static void *wake_often(void *argument)
{
    struct service *service = argument;

    for (int i = 0; i < 20000; i++)
        service_wake(service);
    return NULL;
}

/* Woken, late and gone in any order, from several threads at once. */
static void wakes_and_leaving_clients_do_not_mix(void **state)
{
    struct service *service = *state;
    pthread_t threads[2];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wake_often, service), 0);
    for (int i = 0; i < 300; i++) {
        struct client client = client_open(service);
        client_send(&client, i % 3 ? GET("/park") : GET("/wait"));
        if (i % 4 == 0)
            usleep(500);
        client_close(&client);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    wait_connections(service, 0);
    assert_int_equal(atomic_load(&service->n_served),
                     atomic_load(&service->n_gone) + atomic_load(&service->n_replied));
}

/*
 * Stop
 */

static void stopping_closes_what_is_idle_and_lets_the_rest_finish(void **state)
{
    struct service *service = *state;
    struct client idle = client_open(service), busy = client_open(service);
    int64_t start_us = clock_boot_us();

    client_ask(&idle, GET("/facts"));
    client_send(&busy, GET("/slow"));
    wait_count(&service->n_parked, 1);
    http_stop(service->server, 5 * US_PER_S);
    http_close(service->server);
    service->server = NULL;
    assert_in_range(us_since(start_us), 290 * US_PER_MS, 4 * US_PER_S);
    assert_ended(&idle);
    struct reply reply = client_reply(&busy);
    assert_string_equal(reply.body, "waited out");
    assert_header(&reply, "Connection", "close");
    assert_ended(&busy);
    client_close(&idle);
    client_close(&busy);
}

static void stopping_cuts_what_takes_longer_than_the_grace(void **state)
{
    struct service *service = *state;
    struct client parked = client_open(service), half = client_open(service),
                  reading = client_open(service);
    int64_t start_us = clock_boot_us();

    client_send(&parked, GET("/park"));
    client_send(&half, "POST /echo HTTP/1.1\r\nHost: h\r\n" JSON "Content-Length: 100\r\n\r\n");
    client_send(&reading, GET("/big")); /* and does not read */
    wait_count(&service->n_parked, 1);
    wait_count(&service->n_begun, 3);
    http_stop(service->server, 100 * US_PER_MS);
    http_close(service->server);
    service->server = NULL;
    assert_in_range(us_since(start_us), 100 * US_PER_MS, 3 * US_PER_S);
    assert_int_equal(atomic_load(&service->n_gone), 2);
    assert_int_equal(atomic_load(&service->n_replied), 1);
    assert_ended(&parked);
    assert_ended(&half);
    client_close(&parked);
    client_close(&half);
    client_close(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(a_parked_request_is_woken_from_another_thread, service_setup),
        TEST_BOTH(a_request_may_be_parked_again, service_setup),
        TEST_BOTH(a_parked_request_waits_no_longer_than_it_was_told, service_setup),
        TEST_BOTH(a_parked_client_that_leaves_is_noticed, service_setup),
        TEST_BOTH(a_client_that_left_before_it_is_parked_is_noticed, service_setup),
        TEST_BOTH(wakes_and_leaving_clients_do_not_mix, service_setup_wide),
        TEST_BOTH(stopping_closes_what_is_idle_and_lets_the_rest_finish, service_setup),
        TEST_BOTH(stopping_cuts_what_takes_longer_than_the_grace, service_setup_wide),
    };

    return cmocka_run_group_tests_name("http/parking", tests, NULL, NULL);
}
