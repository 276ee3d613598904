/* SPDX-License-Identifier: MIT */
/*
 * TLS: which certificates are taken, what old and wrong clients get, and that another certificate
 * comes into place under way. What holds for plain connections is tested with TLS in the other
 * files.
 */
#include "http/fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include <gnutls/gnutls.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S ((int64_t)86400)

static int64_t in_days(int64_t days)
{
    return clock_now_us() / US_PER_S + days * DAY_S;
}

/*
 * Files
 */

static void assert_unusable(const struct http_tls *files, const char *field, const char *text)
{
    struct tls_identity *identity = NULL;
    struct refusal why;

    assert_int_equal(tls_identity_load(files, &identity, &why), OUTCOME_UNAVAILABLE);
    assert_string_equal(why.field, field);
    if (!strstr(why.text, text) || !strstr(why.text, field))
        fail_msg("\"%s\" does not say \"%s\"", why.text, text);
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(file_write(path, slice_of(text), 0600), 0);
}

static void a_key_must_belong_to_its_certificate(void **state)
{
    (void)state;
    struct tls_files one, other;

    tls_files_make(&one, "one", in_days(1));
    tls_files_make(&other, "other", in_days(1));
    assert_unusable(&(struct http_tls){.certificate = one.certificate, .key = other.key}, "tls.key",
                    "is not the key of the certificate");
    assert_unusable(&(struct http_tls){.certificate = one.key, .key = one.key}, "tls.certificate",
                    "no certificate chain in PEM");
    assert_unusable(&(struct http_tls){.certificate = one.certificate, .key = one.certificate},
                    "tls.key", "no private key in PEM");
    tls_files_remove(&one);
    tls_files_remove(&other);
}

static void a_key_is_nobody_elses_to_read(void **state)
{
    (void)state;
    static const mode_t wrong[] = {0644, 0640, 0604, 0620, 0601};
    struct tls_files files;

    tls_files_make(&files, "one", in_days(1));
    struct http_tls http = tls_files_http(&files);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(chmod(files.key, wrong[i]), 0);
        assert_unusable(&http, "tls.key", "chmod 600");
    }
    assert_int_equal(chmod(files.key, 0400), 0);
    struct tls_identity *identity;
    struct refusal why;
    assert_int_equal(tls_identity_load(&http, &identity, &why), 0);
    tls_identity_unref(identity);
    tls_files_remove(&files);
}

static void files_that_hold_no_pem_are_named(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n",
                                        "-----BEGIN PRIVATE KEY-----\n"};
    struct tls_files files, good;

    tls_files_make(&files, "one", in_days(1));
    tls_files_make(&good, "two", in_days(1));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        write_text(files.certificate, texts[i]);
        assert_unusable(&(struct http_tls){.certificate = files.certificate, .key = good.key},
                        "tls.certificate", files.certificate);
        write_text(files.key, texts[i]);
        assert_unusable(&(struct http_tls){.certificate = good.certificate, .key = files.key},
                        "tls.key", files.key);
    }
    char *big = mem_alloc(TLS_FILE_MAX + 2);
    memset(big, 'x', TLS_FILE_MAX + 1);
    write_text(files.key, big);
    mem_free(big);
    assert_unusable(&(struct http_tls){.certificate = good.certificate, .key = files.key},
                    "tls.key", "larger");
    assert_int_equal(unlink(files.key), 0);
    assert_unusable(&(struct http_tls){.certificate = good.certificate, .key = files.key},
                    "tls.key", "No such file");
    assert_unusable(&(struct http_tls){.certificate = "/", .key = good.key}, "tls.certificate",
                    "/");
    assert_unusable(&(struct http_tls){.certificate = good.certificate, .key = "/dev/null"},
                    "tls.key", "is no file");
    tls_files_remove(&files);
    tls_files_remove(&good);
}

static void a_server_wants_both_files_or_none(void **state)
{
    (void)state;
    struct service service = {.server = NULL};
    struct http_options options = {.listen = "127.0.0.1",
                                   .n_loops = 1,
                                   .connections_max = 1,
                                   .tls = {.certificate = "/x"},
                                   .service = &fixture_service,
                                   .owner = &service};
    struct refusal why;

    assert_int_equal(http_open(&options, &service.server, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "belong together"));
    options.tls = (struct http_tls){.key = "/x"};
    assert_int_equal(http_open(&options, &service.server, &why), OUTCOME_UNAVAILABLE);
}

/*
 * Clients
 */

static bool shakes_hands(const struct service *service, const char *priorities)
{
    struct client client = client_open_plain(service);

    client.tls = tls_client_open(client.fd, priorities);
    bool shaken = client.tls != NULL;
    client_close(&client);
    return shaken;
}

static void only_tls_1_2_and_1_3_are_spoken(void **state)
{
    static const char *const old[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT",
                                      "NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT"};

    assert_true(shakes_hands(*state, "NORMAL:-VERS-ALL:+VERS-TLS1.2"));
    assert_true(shakes_hands(*state, "NORMAL:-VERS-ALL:+VERS-TLS1.3"));
    for (size_t i = 0; i < COUNT_OF(old); i++)
        assert_false(shakes_hands(*state, old[i]));
    wait_connections(*state, 0);
}

static void both_versions_carry_requests(void **state)
{
    static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2",
                                           "NORMAL:-VERS-ALL:+VERS-TLS1.3"};

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct client client = client_open_plain(*state);
        client.tls = tls_client_open(client.fd, versions[i]);
        for (int n = 0; n < 3; n++) {
            struct reply reply = client_ask(&client, GET("/facts"));
            assert_int_equal(reply.status, 200);
        }
        client_close(&client);
    }
}

static void a_client_that_never_shakes_hands_is_cut(void **state)
{
    int64_t start_us = clock_boot_us();
    struct client silent = client_open_plain(*state), slow = client_open_plain(*state);

    client_send(&slow, "\x16\x03\x01");
    assert_ended(&silent);
    assert_ended(&slow);
    assert_in_range(us_since(start_us), 290 * US_PER_MS, 2 * US_PER_S);
    client_close(&silent);
    client_close(&slow);
    wait_connections(*state, 0);
}

/* The handshake's time is over, and not the request's. */
static void a_client_that_is_silent_after_the_handshake_is_idle(void **state)
{
    struct client client = client_open(*state);

    usleep(500 * 1000);
    struct reply reply = client_ask(&client, GET("/facts"));
    assert_int_equal(reply.status, 200);
    client_close(&client);
}

static void plain_http_is_told_that_the_port_speaks_tls(void **state)
{
    struct client client = client_open_plain(*state);
    struct reply reply = client_ask(&client, GET("/facts"));

    assert_error(&reply, 400, "invalid", "https://");
    assert_header(&reply, "Connection", "close");
    assert_ended(&client);
    client_close(&client);
    wait_connections(*state, 0);
}

static void one_connection_too_many_is_closed_at_once(void **state)
{
    struct client clients[4];

    for (size_t i = 0; i < COUNT_OF(clients); i++)
        clients[i] = client_open(*state);
    wait_connections(*state, COUNT_OF(clients));
    struct client more = client_open_plain(*state);
    assert_false(client_read(&more));
    client_close(&more);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct reply reply = client_ask(&clients[i], GET("/facts"));
        assert_int_equal(reply.status, 200);
        client_close(&clients[i]);
    }
}

/* A cut would look the same as an attack (RFC 8446 §6.1). */
static void the_end_of_a_connection_is_said_in_tls(void **state)
{
    struct client client = client_open(*state);
    struct reply reply =
        client_ask(&client, "GET /facts HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    char byte;

    assert_int_equal(reply.status, 200);
    assert_int_equal(tls_client_read(client.tls, &byte, 1), 0);
    client_close(&client);
}

/*
 * Another certificate
 */

static void assert_shown(struct client *client, const char *name)
{
    char shown[64];

    tls_client_peer(client->tls, shown, sizeof(shown));
    assert_string_equal(shown, name);
}

static void a_new_certificate_is_for_new_connections(void **state)
{
    struct service *service = *state;
    struct client before = client_open(service);
    struct tls_files second;
    struct refusal why;

    tls_files_make(&second, "second", in_days(2));
    struct http_tls files = tls_files_http(&second);
    assert_int_equal(http_tls_reload(service->server, &files, &why), 0);
    assert_in_range(http_tls_expires_s(service->server), in_days(2) - 60, in_days(2) + 60);
    struct client after = client_open(service);
    assert_shown(&before, "first");
    assert_shown(&after, "second");
    struct reply reply = client_ask(&before, GET("/facts"));
    assert_int_equal(reply.status, 200);
    reply = client_ask(&after, GET("/facts"));
    assert_int_equal(reply.status, 200);
    client_close(&before);
    client_close(&after);
    tls_files_remove(&second);
}

static void a_certificate_that_can_not_be_used_leaves_the_old_one(void **state)
{
    struct service *service = *state;
    struct tls_files second;
    struct refusal why;

    tls_files_make(&second, "second", in_days(2));
    struct http_tls mixed = {.certificate = second.certificate, .key = service->files.key};
    assert_int_equal(http_tls_reload(service->server, &mixed, &why), OUTCOME_UNAVAILABLE);
    assert_int_equal(http_tls_reload(service->server, &(struct http_tls){.key = NULL}, &why),
                     OUTCOME_UNAVAILABLE);
    struct client client = client_open(service);
    assert_shown(&client, "first");
    client_close(&client);
    tls_files_remove(&second);
}

static void a_plain_server_stays_plain(void **state)
{
    struct service *service = *state;
    struct tls_files files;
    struct refusal why;

    tls_files_make(&files, "first", in_days(1));
    struct http_tls http = tls_files_http(&files);
    assert_int_equal(http_tls_reload(service->server, &http, &why), OUTCOME_UNAVAILABLE);
    assert_int_equal(http_tls_expires_s(service->server), 0);
    tls_files_remove(&files);
}

/* Clients check the time themselves, and say more about it than a closed port would. */
static void a_certificate_that_has_ended_is_shown(void **state)
{
    struct service *service = *state;
    struct tls_files old;
    struct refusal why;

    tls_files_make(&old, "old", in_days(-1));
    struct http_tls files = tls_files_http(&old);
    assert_int_equal(http_tls_reload(service->server, &files, &why), 0);
    assert_true(http_tls_expires_s(service->server) < in_days(0));
    struct client client = client_open(service);
    assert_shown(&client, "old");
    client_close(&client);
    tls_files_remove(&old);
}

static void *shake_many_hands(void *owner)
{
    const struct service *service = owner;
    uintptr_t n = 0;

    for (int i = 0; i < 60; i++)
        n += shakes_hands(service, "NORMAL");
    return (void *)n;
}

static void certificates_change_under_handshakes(void **state)
{
    struct service *service = *state;
    pthread_t clients[3];
    struct refusal why;
    void *n_shaken;

    struct http_tls files = tls_files_http(&service->files);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        assert_int_equal(pthread_create(&clients[i], NULL, shake_many_hands, service), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(http_tls_reload(service->server, &files, &why), 0);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        pthread_join(clients[i], &n_shaken);
        assert_int_equal((uintptr_t)n_shaken, 60);
    }
    wait_connections(service, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_must_belong_to_its_certificate),
        cmocka_unit_test(a_key_is_nobody_elses_to_read),
        cmocka_unit_test(files_that_hold_no_pem_are_named),
        cmocka_unit_test(a_server_wants_both_files_or_none),
        TEST(only_tls_1_2_and_1_3_are_spoken, service_setup_tls),
        TEST(both_versions_carry_requests, service_setup_tls),
        TEST(a_client_that_never_shakes_hands_is_cut, service_setup_hasty_tls),
        TEST(a_client_that_is_silent_after_the_handshake_is_idle, service_setup_hasty_tls),
        TEST(plain_http_is_told_that_the_port_speaks_tls, service_setup_tls),
        TEST(one_connection_too_many_is_closed_at_once, service_setup_narrow_tls),
        TEST(the_end_of_a_connection_is_said_in_tls, service_setup_tls),
        TEST(a_new_certificate_is_for_new_connections, service_setup_wide_tls),
        TEST(a_certificate_that_can_not_be_used_leaves_the_old_one, service_setup_tls),
        TEST(a_plain_server_stays_plain, service_setup),
        TEST(a_certificate_that_has_ended_is_shown, service_setup_tls),
        TEST(certificates_change_under_handshakes, service_setup_wide_tls),
    };

    return cmocka_run_group_tests_name("http/tls", tests, NULL, NULL);
}
