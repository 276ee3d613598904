/* SPDX-License-Identifier: MIT */
/*
 * Certificates and keys from their files, and what is said on a session beside the library.
 *
 * GnuTLS is told all it must know in tls_begin(): priorities, certificate, and whom to call when
 * the handshake is over. Key material leaves this file only into GnuTLS's own memory.
 */
#include "http/tls.h"

#include "base/file.h"
#include "base/mem.h"
#include "http/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <sys/stat.h>
#include <unistd.h>

struct tls_identity {
    atomic_uint n_refs;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priorities;
    int64_t expires_s;
};

/*
 * Files
 */

static int refuse_file(struct refusal *why, const char *field, const char *path, const char *fault)
{
    return refuse(why, OUTCOME_UNAVAILABLE, field, "%s: %s %s", field, path, fault);
}

/* The group may read a key only where the file is another user's: that is how root hands one to a
   user without rights. */
static int check_mode(const struct stat *file, const char *path, struct refusal *why)
{
    mode_t others = file->st_uid == geteuid() ? S_IRWXG | S_IRWXO : S_IWGRP | S_IXGRP | S_IRWXO;

    if (!S_ISREG(file->st_mode))
        return refuse_file(why, "tls.key", path, "is no file");
    if (file->st_mode & others)
        return refuse_file(why, "tls.key", path,
                           "can be read by others; take that away: chmod 600, or 640 where the "
                           "file is root's and the group the controller's");
    return 0;
}

static int read_pem(const char *field, const char *path, bool is_secret, struct buf *to,
                    struct refusal *why)
{
    struct stat file;

    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &file) < 0)
        return refuse(why, OUTCOME_UNAVAILABLE, field,
                      "%s: %s can't be read by the controller's user: %s", field, path,
                      strerror(errno));
    int r = is_secret ? check_mode(&file, path, why) : 0;
    if (r)
        return r;
    buf_reserve(to, TLS_FILE_MAX); /* at once: growing would leave copies of a key behind */
    r = fd_read_to_end(fd, to);
    if (r)
        return refuse_file(why, field, path, strerror(-r));
    if (buf_overflowed(to))
        return refuse_file(why, field, path, "is larger than 64 KiB");
    return 0;
}

static gnutls_datum_t datum_of(struct buf *pem)
{
    return (gnutls_datum_t){.data = (unsigned char *)pem->at, .size = (unsigned)pem->size};
}

/*
 * Certificate and key
 */

struct chain {
    gnutls_x509_crt_t *all;
    unsigned n;
};

static void chain_release(struct chain *chain)
{
    for (unsigned i = 0; i < chain->n; i++)
        gnutls_x509_crt_deinit(chain->all[i]);
    gnutls_free(chain->all);
}

static void x509_keyp(gnutls_x509_privkey_t *key)
{
    if (*key)
        gnutls_x509_privkey_deinit(*key);
}

static void buf_wipe(struct buf *buf)
{
    if (buf->at)
        explicit_bzero(buf->at, buf->room);
    buf_release(buf);
}

static int load_chain(const char *path, struct chain *ret, struct refusal *why)
{
    CLEANUP(buf_release) struct buf pem;

    buf_init(&pem, TLS_FILE_MAX);
    int r = read_pem("tls.certificate", path, false, &pem, why);
    if (r)
        return r;
    gnutls_datum_t bytes = datum_of(&pem);
    r = gnutls_x509_crt_list_import2(&ret->all, &ret->n, &bytes, GNUTLS_X509_FMT_PEM,
                                     GNUTLS_X509_CRT_LIST_SORT);
    if (r < 0)
        return refuse(why, OUTCOME_UNAVAILABLE, "tls.certificate",
                      "tls.certificate: %s holds no certificate chain in PEM (%s)", path,
                      gnutls_strerror(r));
    if (ret->n > TLS_CHAIN_MAX)
        return refuse_file(why, "tls.certificate", path, "holds more than 16 certificates");
    return 0;
}

static int load_key(const char *path, gnutls_x509_privkey_t *ret, struct refusal *why)
{
    CLEANUP(buf_wipe) struct buf pem;

    buf_init(&pem, TLS_FILE_MAX);
    int r = read_pem("tls.key", path, true, &pem, why);
    if (r)
        return r;
    gnutls_datum_t bytes = datum_of(&pem);
    r = gnutls_x509_privkey_init(ret);
    if (!r)
        r = gnutls_x509_privkey_import2(*ret, &bytes, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (r == GNUTLS_E_DECRYPTION_FAILED)
        return refuse_file(
            why, "tls.key", path,
            "is encrypted; nobody is there to be asked, store it without a password");
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, "tls.key",
                      "tls.key: %s holds no private key in PEM (%s)", path, gnutls_strerror(r));
    return 0;
}

static int64_t chain_expires_s(const struct chain *chain)
{
    int64_t first_s = INT64_MAX;

    for (unsigned i = 0; i < chain->n; i++) {
        int64_t ends_s = gnutls_x509_crt_get_expiration_time(chain->all[i]);
        first_s = ends_s < first_s ? ends_s : first_s;
    }
    return first_s;
}

static void identity_unrefp(struct tls_identity **identity)
{
    tls_identity_unref(*identity);
}

int tls_identity_load(const struct http_tls *files, struct tls_identity **ret, struct refusal *why)
{
    CLEANUP(identity_unrefp) struct tls_identity *identity = mem_alloc(sizeof(*identity));
    CLEANUP(chain_release) struct chain chain = {.n = 0};
    CLEANUP(x509_keyp) gnutls_x509_privkey_t key = NULL;
    int r;

    identity->n_refs = 1;
    r = load_chain(files->certificate, &chain, why);
    if (!r)
        r = load_key(files->key, &key, why);
    if (r)
        return r;
    if (gnutls_priority_init(&identity->priorities, TLS_PRIORITIES, NULL) < 0 ||
        gnutls_certificate_allocate_credentials(&identity->credentials) < 0)
        return FAULT(-ENOMEM);
    r = gnutls_certificate_set_x509_key(identity->credentials, chain.all, (int)chain.n, key);
    if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return refuse(why, OUTCOME_UNAVAILABLE, "tls.key",
                      "tls.key: %s is not the key of the certificate in %s", files->key,
                      files->certificate);
    if (r < 0)
        return refuse_file(why, "tls.certificate", files->certificate, gnutls_strerror(r));
    identity->expires_s = chain_expires_s(&chain);
    *ret = TAKE(identity);
    return 0;
}

struct tls_identity *tls_identity_ref(struct tls_identity *identity)
{
    atomic_fetch_add(&identity->n_refs, 1);
    return identity;
}

void tls_identity_unref(struct tls_identity *identity)
{
    if (!identity || atomic_fetch_sub(&identity->n_refs, 1) > 1)
        return;
    if (identity->credentials)
        gnutls_certificate_free_credentials(identity->credentials);
    if (identity->priorities)
        gnutls_priority_deinit(identity->priorities);
    mem_free(identity);
}

int64_t tls_identity_expires_s(const struct tls_identity *identity)
{
    return identity->expires_s;
}

/*
 * The current one
 */

void tls_init(struct tls *tls)
{
    *tls = (struct tls){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void tls_release(struct tls *tls)
{
    tls_identity_unref(tls->identity);
    pthread_mutex_destroy(&tls->lock);
}

void tls_put(struct tls *tls, struct tls_identity *identity)
{
    pthread_mutex_lock(&tls->lock);
    struct tls_identity *before = tls->identity;
    tls->identity = identity;
    pthread_mutex_unlock(&tls->lock);
    tls_identity_unref(before);
}

struct tls_identity *tls_get(struct tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    struct tls_identity *identity = tls->identity ? tls_identity_ref(tls->identity) : NULL;
    pthread_mutex_unlock(&tls->lock);
    return identity;
}

/*
 * Sessions
 */

/* The client's last message has come. */
static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                       const gnutls_datum_t *message)
{
    (void)type;
    (void)when;
    (void)message;
    if (incoming)
        connection_shaken(gnutls_session_get_ptr(session));
    return 0;
}

void tls_begin(struct connection *connection, gnutls_session_t session)
{
    connection->tls = session;
    connection->identity = tls_get(&connection->loop->server->tls);
    gnutls_session_set_ptr(session, connection);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       on_finished);
    /* Both only store a pointer; without them no handshake ends well. */
    int r = gnutls_priority_set(session, connection->identity->priorities);
    assert(r == 0);
    r = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, connection->identity->credentials);
    assert(r == 0);
}

void tls_end(struct connection *connection)
{
    connection->tls = NULL;
    tls_identity_unref(connection->identity);
    connection->identity = NULL;
}

void tls_say(struct connection *connection, struct slice text)
{
    if (connection->tls && !connection->is_shaking)
        gnutls_record_send(connection->tls, text.at, text.size);
}

void tls_bye(struct connection *connection)
{
    if (connection->tls && !connection->is_shaking)
        gnutls_bye(connection->tls, GNUTLS_SHUT_WR);
}

int tls_no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int n,
                       const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                       gnutls_pcert_st **ret, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
    (void)session, (void)authorities, (void)n, (void)algorithms, (void)n_algorithms;
    (void)ret, (void)ret_n, (void)ret_key;
    return -1;
}
