/* SPDX-License-Identifier: MIT */
/*
 * Revoked tokens, sorted for lookups.
 */
#include "http/revoked.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)REVOKED_MAX * (REVOKED_JTI_MAX + 24))

struct line {
    char jti[REVOKED_JTI_MAX + 1];
    int64_t expires_s;
};

struct lines {
    struct line *v;
    size_t n;
};

/* What tells one state of the file from another. */
struct version {
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct revoked {
    char *path;
    _Atomic int64_t look_boot_us; /* when the file is looked at again */
    pthread_rwlock_t lock;        /* of what follows */
    struct version version;
    struct lines lines;
    bool is_unreadable;
    char why[256];
};

bool revoked_jti_is_good(struct slice jti)
{
    for (size_t i = 0; i < jti.size; i++) {
        if (!isgraph((unsigned char)jti.at[i]))
            return false;
    }
    return jti.size > 0 && jti.size <= REVOKED_JTI_MAX;
}

/* ---- the file ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->jti, ((const struct line *)b)->jti);
}

static bool line_parse(struct slice text, struct line *ret)
{
    struct slice jti;
    char number[24], *end;

    if (!slice_cut(&text, ' ', &jti) || !revoked_jti_is_good(jti) || text.size == 0 ||
        text.size >= sizeof(number))
        return false;
    memcpy(number, text.at, text.size);
    number[text.size] = '\0';
    errno = 0;
    ret->expires_s = strtoll(number, &end, 10);
    memcpy(ret->jti, jti.at, jti.size);
    ret->jti[jti.size] = '\0';
    return !*end && !errno && isdigit((unsigned char)number[0]);
}

static int lines_parse(const char *path, struct slice text, struct lines *ret, struct refusal *why)
{
    struct lines lines = {0};
    struct slice line;

    if (text.size)
        lines.v = mem_alloc(REVOKED_MAX * sizeof(*lines.v));

    for (bool more = true; more && text.size;) {
        more = slice_cut(&text, '\n', &line);
        size_t n_line = lines.n + 1;
        if (!more || lines.n == REVOKED_MAX || !line_parse(line, &lines.v[lines.n])) {
            mem_free(lines.v);
            return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                          "%s: line %zu is not a token id, a blank, its expiry in seconds and a "
                          "line feed, or is beyond the %dth",
                          path, n_line, REVOKED_MAX);
        }
        lines.n++;
    }
    if (lines.n) {
        lines.v = mem_realloc(lines.v, lines.n * sizeof(*lines.v));
        qsort(lines.v, lines.n, sizeof(*lines.v), compare);
    }
    *ret = lines;
    return 0;
}

/* A file that is not there has no lines. */
static int lines_read(const char *path, struct lines *ret, struct refusal *why)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct slice text = {0};

    int r = file_read(path, FILE_MAX, &arena, &text);
    if (r && r != -ENOENT)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s: %s", path, strerror(-r));
    return lines_parse(path, text, ret, why);
}

static const struct line *lines_find(const struct lines *lines, const char *jti)
{
    struct line key;

    if (lines->n == 0)
        return NULL;
    snprintf(key.jti, sizeof(key.jti), "%s", jti);
    return bsearch(&key, lines->v, lines->n, sizeof(*lines->v), compare);
}

/* ---- serving ---- */

struct revoked *revoked_new(const char *path)
{
    struct revoked *revoked = mem_alloc(sizeof(*revoked));

    revoked->path = mem_strdup(path);
    pthread_rwlock_init(&revoked->lock, NULL);
    return revoked;
}

void revoked_free(struct revoked *revoked)
{
    if (!revoked)
        return;
    mem_free(revoked->lines.v);
    mem_free(revoked->path);
    pthread_rwlock_destroy(&revoked->lock);
    mem_free(revoked);
}

static bool version_of(const char *path, struct version *ret)
{
    struct stat status;

    *ret = (struct version){.inode = 0};
    if (stat(path, &status) < 0)
        return errno == ENOENT;
    *ret =
        (struct version){.inode = status.st_ino, .size = status.st_size, .changed = status.st_mtim};
    return true;
}

static bool version_equal(const struct version *a, const struct version *b)
{
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Under the write lock. What can't be read is read again at the next look. */
static void read_again(struct revoked *revoked, const struct version *version)
{
    struct lines lines;
    struct refusal why;

    int r = lines_read(revoked->path, &lines, &why);
    revoked->is_unreadable = r != 0;
    if (r) {
        snprintf(revoked->why, sizeof(revoked->why), "%.255s", why.text);
        return;
    }
    mem_free(revoked->lines.v);
    revoked->lines = lines;
    revoked->version = *version;
}

static void look(struct revoked *revoked, int64_t boot_us)
{
    int64_t due_us = atomic_load(&revoked->look_boot_us);
    struct version version;

    if (boot_us < due_us ||
        !atomic_compare_exchange_strong(&revoked->look_boot_us, &due_us, boot_us + REVOKED_LOOK_US))
        return;
    bool is_there = version_of(revoked->path, &version);
    pthread_rwlock_wrlock(&revoked->lock);
    if (!is_there || revoked->is_unreadable || !version_equal(&version, &revoked->version))
        read_again(revoked, &version);
    pthread_rwlock_unlock(&revoked->lock);
}

int revoked_check(struct revoked *revoked, const char *jti, int64_t boot_us, struct refusal *why)
{
    int r = 0;

    look(revoked, boot_us);
    pthread_rwlock_rdlock(&revoked->lock);
    if (revoked->is_unreadable)
        r = refuse(why, OUTCOME_UNAVAILABLE, NULL,
                   "no token is accepted while the list of revoked ones is unusable: %s",
                   revoked->why);
    else if (jti[0] && lines_find(&revoked->lines, jti))
        r = refuse(why, OUTCOME_UNAUTHORIZED, NULL, "Invalid token: token is revoked");
    pthread_rwlock_unlock(&revoked->lock);
    return r;
}

/* ---- adding ---- */

static int write_lines(const char *path, const struct lines *lines, const struct line *added,
                       int64_t now_s, struct refusal *why)
{
    CLEANUP(buf_release) struct buf text;
    size_t n = 0;

    buf_init(&text, FILE_MAX);
    for (size_t i = 0; i < lines->n; i++) {
        if (lines->v[i].expires_s <= now_s)
            continue;
        buf_printf(&text, "%s %lld\n", lines->v[i].jti, (long long)lines->v[i].expires_s);
        n++;
    }
    buf_printf(&text, "%s %lld\n", added->jti, (long long)added->expires_s);
    if (n >= REVOKED_MAX || buf_overflowed(&text))
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s holds %d tokens already: change the key",
                      path, REVOKED_MAX);
    int r = file_write(path, buf_slice(&text), 0600);
    return r ? refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s: %s", path, strerror(-r)) : 0;
}

int revoked_add(const char *path, const char *jti, int64_t expires_s, int64_t now_us, bool *ret_was,
                struct refusal *why)
{
    char lock_path[PATH_MAX];
    struct line added = {.expires_s = expires_s};
    struct lines lines;

    snprintf(added.jti, sizeof(added.jti), "%s", jti);
    snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
    CLEANUP(fd_closep)
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s: %s", lock_path, strerror(errno));
    int r = lines_read(path, &lines, why);
    if (r)
        return r;
    *ret_was = lines_find(&lines, jti) != NULL;
    if (!*ret_was)
        r = write_lines(path, &lines, &added, now_us / US_PER_S, why);
    mem_free(lines.v);
    return r;
}
