/* SPDX-License-Identifier: MIT */
/*
 * Sealed: 1 byte version, 24 bytes nonce, ciphertext and tag as libsodium writes them. The nonce is
 * random: 192 bits need no counter that would have to survive a restored backup.
 */
#include "bus/seal.h"

#include "base/file.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION    1
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE   crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "libsodium's key");
_Static_assert(SEAL_ADDED == 1 + NONCE_SIZE + TAG_SIZE, "what is added");

/* ---- the key's file ---- */

static int refuse_key(struct refusal *why, const char *path, const char *fault)
{
    return refuse(why, OUTCOME_UNAVAILABLE, NULL, "sealing key %s %s", path, fault);
}

static int key_read(int fd, const char *path, struct seal_key *ret, struct refusal *why)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return FAULT(-errno);
    if (!S_ISREG(status.st_mode) || status.st_size != SEAL_KEY_SIZE)
        return refuse_key(why, path, "is none: 32 bytes are expected");
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return refuse_key(why, path, "is open to other users: chmod it to 0600");
    if (fd_read_all(fd, ret->bytes, sizeof(ret->bytes)))
        return refuse_key(why, path, "can't be read");
    return 0;
}

static int key_make(const char *path, struct seal_key *ret, struct refusal *why)
{
    random_bytes(ret->bytes, sizeof(ret->bytes));
    int r = file_write(
        path, (struct slice){.at = (const char *)ret->bytes, .size = sizeof(ret->bytes)}, 0600);

    return r ? refuse_key(why, path, strerrordesc_np(-r)) : 0;
}

int seal_key_open(const char *path, struct seal_key *ret, struct refusal *why)
{
    if (sodium_init() < 0)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "libsodium can't be used");
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return key_make(path, ret, why);
    if (fd < 0)
        return refuse_key(why, path, strerrordesc_np(errno));
    return key_read(fd, path, ret, why);
}

/* ---- sealing ---- */

/* What is authenticated beside the content. */
struct label {
    uint8_t version;
    uint8_t job[sizeof(struct uuid)];
    uint8_t run[4]; /* big-endian */
};
_Static_assert(sizeof(struct label) == 21, "without gaps");

static struct label label_of(const struct seal_place *place)
{
    struct label label = {.version = VERSION};

    memcpy(label.job, place->job.bytes, sizeof(label.job));
    for (int i = 0; i < 4; i++)
        label.run[i] = (uint8_t)(place->run >> (24 - 8 * i));
    return label;
}

void seal_close(const struct seal_key *key, const struct seal_place *place, struct slice plain,
                struct buf *to)
{
    struct label label = label_of(place);
    uint8_t *at = (uint8_t *)buf_reserve(to, plain.size + SEAL_ADDED);

    if (!at)
        return;
    at[0] = VERSION;
    random_bytes(at + 1, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(at + 1 + NONCE_SIZE, NULL, (const uint8_t *)plain.at,
                                               plain.size, (const uint8_t *)&label, sizeof(label),
                                               NULL, at + 1, key->bytes);
    to->size += plain.size + SEAL_ADDED;
}

int seal_break(const struct seal_key *key, const struct seal_place *place, struct slice sealed,
               struct arena *arena, struct slice *ret)
{
    struct label label = label_of(place);
    const uint8_t *at = (const uint8_t *)sealed.at;

    assert(arena->wipes);
    if (sealed.size < SEAL_ADDED || at[0] != VERSION)
        return OUTCOME_UNAVAILABLE;
    size_t size = sealed.size - SEAL_ADDED;
    uint8_t *plain = arena_alloc(arena, size + 1);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, at + 1 + NONCE_SIZE,
                                                   size + TAG_SIZE, (const uint8_t *)&label,
                                                   sizeof(label), at + 1, key->bytes) != 0)
        return OUTCOME_UNAVAILABLE;
    *ret = (struct slice){.at = (const char *)plain, .size = size};
    return 0;
}
