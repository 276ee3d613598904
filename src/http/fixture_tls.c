/* SPDX-License-Identifier: MIT */
/*
 * Certificates of the tests and the client's side of TLS. Whatever goes wrong while they are made
 * fails the test.
 */
#include "http/fixture_tls.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DAY_S ((int64_t)86400)

struct tls_client {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};

/*
 * Certificates
 */

static void write_datum(const char *path, gnutls_datum_t *pem)
{
    struct slice text = {.at = (const char *)pem->data, .size = pem->size};

    assert_int_equal(file_write(path, text, 0600), 0);
    gnutls_free(pem->data);
}

static void sign(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *name,
                 int64_t ends_s)
{
    const unsigned char serial = 1;

    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_serial(certificate, &serial, sizeof(serial));
    gnutls_x509_crt_set_activation_time(certificate, (time_t)(ends_s - 10 * DAY_S));
    gnutls_x509_crt_set_expiration_time(certificate, (time_t)ends_s);
    gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                  (unsigned)strlen(name));
    gnutls_x509_crt_set_key(certificate, key);
    assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
}

void tls_files_make(struct tls_files *files, const char *name, int64_t ends_s)
{
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem;

    snprintf(files->dir, sizeof(files->dir), "/tmp/reeve-test-tls-XXXXXX");
    assert_non_null(mkdtemp(files->dir));
    snprintf(files->certificate, TLS_PATH_SIZE, "%s/certificate", files->dir);
    snprintf(files->key, TLS_PATH_SIZE, "%s/key", files->dir);
    gnutls_x509_privkey_init(&key);
    gnutls_x509_crt_init(&certificate);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    sign(certificate, key, name, ends_s);
    assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_datum(files->certificate, &pem);
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_datum(files->key, &pem);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
}

void tls_files_remove(const struct tls_files *files)
{
    unlink(files->certificate);
    unlink(files->key);
    assert_int_equal(rmdir(files->dir), 0);
}

struct http_tls tls_files_http(const struct tls_files *files)
{
    return (struct http_tls){.certificate = files->certificate, .key = files->key};
}

/*
 * The client
 */

struct tls_client *tls_client_open(int fd, const char *priorities)
{
    struct tls_client *client = mem_alloc(sizeof(*client));
    int r;

    gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    gnutls_certificate_allocate_credentials(&client->credentials);
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    assert_int_equal(gnutls_priority_set_direct(client->session, priorities, NULL), 0);
    gnutls_transport_set_int(client->session, fd);
    do
        r = gnutls_handshake(client->session);
    while (r < 0 && !gnutls_error_is_fatal(r));
    if (r == 0)
        return client;
    tls_client_close(client);
    return NULL;
}

void tls_client_close(struct tls_client *client)
{
    if (!client)
        return;
    gnutls_deinit(client->session);
    gnutls_certificate_free_credentials(client->credentials);
    mem_free(client);
}

void tls_client_send(struct tls_client *client, const void *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = gnutls_record_send(client->session, (const char *)bytes + sent, size - sent);
        if (n < 0)
            return;
        sent += (size_t)n;
    }
}

ssize_t tls_client_read(struct tls_client *client, void *bytes, size_t size)
{
    ssize_t n;

    do
        n = gnutls_record_recv(client->session, bytes, size);
    while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
    return n;
}

bool tls_client_has_read_ahead(struct tls_client *client)
{
    return gnutls_record_check_pending(client->session) > 0;
}

void tls_client_peer(struct tls_client *client, char *name, size_t size)
{
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t certificate;
    unsigned n;

    chain = gnutls_certificate_get_peers(client->session, &n);
    assert_true(chain && n > 0);
    gnutls_x509_crt_init(&certificate);
    assert_int_equal(gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(
        gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size),
        0);
    gnutls_x509_crt_deinit(certificate);
}
