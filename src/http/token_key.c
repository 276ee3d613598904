/* SPDX-License-Identifier: MIT */
/*
 * The signing key's file: its bytes are the key, as text, without the newline at the end.
 *
 * Whoever reads this file is admin. A key that others could read, or that is short, stops the
 * controller.
 */
#include "http/token.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_DIGITS 64

static int refuse_key(struct refusal *why, const char *path, const char *fault)
{
    return refuse(why, OUTCOME_UNAVAILABLE, NULL, "signing key %s %s", path, fault);
}

static int read_key(int fd, const char *path, struct token_key *key, struct refusal *why)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return FAULT(-errno);
    if (!S_ISREG(status.st_mode))
        return refuse_key(why, path, "is not a regular file");
    if (status.st_mode & S_IRWXO)
        return refuse_key(why, path, "is open to other users: chmod it to 0600");
    if (status.st_size > TOKEN_KEY_MAX)
        return refuse_key(why, path, "is longer than 1024 bytes");
    key->size = (size_t)status.st_size;
    if (fd_read_all(fd, key->bytes, key->size))
        return refuse_key(why, path, "can't be read");
    while (key->size > 0 &&
           (key->bytes[key->size - 1] == '\n' || key->bytes[key->size - 1] == '\r'))
        key->size--;
    if (key->size < TOKEN_KEY_MIN)
        return refuse_key(why, path, "is shorter than 32 bytes");
    return 0;
}

int token_key_load(const char *path, struct token_key *ret, struct refusal *why)
{
    struct token_key key;
    int r;

    CLEANUP(fd_closep)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0)
        return refuse_key(why, path, strerrordesc_np(errno));
    r = read_key(fd, path, &key, why);
    if (r == 0)
        *ret = key;
    sodium_memzero(&key, sizeof(key));
    return r;
}

/* Whole or not at all, also when it is killed: a part of a key is no key. */
int token_key_make(const char *path)
{
    uint8_t bytes[KEY_DIGITS / 2];
    char line[KEY_DIGITS + 1];

    if (access(path, F_OK) == 0)
        return FAULT(-EEXIST);
    random_bytes(bytes, sizeof(bytes));
    sodium_bin2hex(line, sizeof(line), bytes, sizeof(bytes));
    line[KEY_DIGITS] = '\n';
    int r = file_write(path, (struct slice){.at = line, .size = sizeof(line)}, 0600);
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(line, sizeof(line));
    return r;
}
