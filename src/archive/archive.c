/* SPDX-License-Identifier: MIT */
/*
 * The order that makes it safe: frame, fdatasync, then the mark, which says how far the newest file
 * is whole. What lies behind the mark was never said to be durable, and is cut off.
 */
#include "archive/archive.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define MARK_NAME     "whole"
#define MARK_SIZE_MAX 128
#define NAME_PREFIX   "jobs-"
#define NAME_SUFFIX   ".jsonl.zst"
#define DAY_SIZE      8 /* of 20261124T061228Z */
#define NAME_SIZE     (sizeof(NAME_PREFIX) - 1 + 16 + sizeof(NAME_SUFFIX))
#define LEVEL         3

struct archive {
    char *dir;
    char name[NAME_SIZE]; /* of the newest file; "" : there is none */
    uint64_t whole;       /* bytes of it */
    int fd;               /* it is open for writing; -1: not, or something went wrong */
    ZSTD_CCtx *zstd;
    char *out; /* ZSTD_CStreamOutSize() */
};

struct archive *archive_new(const char *dir)
{
    struct archive *archive = mem_alloc(sizeof(*archive));

    archive->dir = mem_strdup(dir);
    archive->fd = -1;
    archive->zstd = ZSTD_createCCtx();
    if (!archive->zstd)
        abort(); /* out of memory */
    ZSTD_CCtx_setParameter(archive->zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(archive->zstd, ZSTD_c_checksumFlag, 1);
    archive->out = mem_alloc(ZSTD_CStreamOutSize());
    return archive;
}

void archive_free(struct archive *archive)
{
    if (!archive)
        return;
    fd_closep(&archive->fd);
    ZSTD_freeCCtx(archive->zstd);
    mem_free(archive->out);
    mem_free(archive->dir);
    mem_free(archive);
}

static void file_close(struct archive *archive)
{
    fd_closep(&archive->fd);
    archive->fd = -1;
}

/* ---- failing ---- */

/* Whatever went wrong: the file is looked at anew, and cut, before the next frame. */
static int fail(struct archive *archive, const char *what, int error, struct refusal *why)
{
    char room[64];

    file_close(archive);
    return refuse(why, OUTCOME_UNAVAILABLE, NULL, "can't %s the archive in %s: %s", what,
                  archive->dir, strerror_r(error, room, sizeof(room)));
}

static int path_of(struct archive *archive, const char *name, char ret[PATH_MAX],
                   struct refusal *why)
{
    int size = snprintf(ret, PATH_MAX, "%s/%s", archive->dir, name);

    return size < PATH_MAX ? 0 : fail(archive, "name a file of", ENAMETOOLONG, why);
}

/* ---- the mark ---- */

/* "<name> <bytes>\n". What is no mark of ours marks nothing. */
static void mark_parse(struct archive *archive, struct slice text)
{
    struct slice name;
    char *end;

    archive->name[0] = '\0';
    if (!slice_cut(&text, ' ', &name) || name.size != NAME_SIZE - 1 ||
        memchr(name.at, '/', name.size))
        return;
    unsigned long long whole = strtoull(text.at, &end, 10);
    if (end == text.at || *end != '\n')
        return;
    memcpy(archive->name, name.at, name.size);
    archive->name[name.size] = '\0';
    archive->whole = whole;
}

static int mark_read(struct archive *archive, struct refusal *why)
{
    CLEANUP(arena_release) struct arena arena;
    char path[PATH_MAX];
    struct slice text;

    arena_init(&arena);
    archive->name[0] = '\0';
    int r = path_of(archive, MARK_NAME, path, why);
    if (r)
        return r;
    r = file_read(path, MARK_SIZE_MAX, &arena, &text);
    if (r == -ENOENT)
        return 0;
    if (r)
        return fail(archive, "read", -r, why);
    mark_parse(archive, text);
    return 0;
}

/* Makes the file's own name durable as well: that is in the same directory. */
static int mark_write(struct archive *archive, struct refusal *why)
{
    char path[PATH_MAX], text[MARK_SIZE_MAX];
    int size = snprintf(text, sizeof(text), "%s %" PRIu64 "\n", archive->name, archive->whole);
    int r = path_of(archive, MARK_NAME, path, why);

    if (r)
        return r;
    r = file_write(path, (struct slice){.at = text, .size = (size_t)size}, 0600);
    return r ? fail(archive, "write", -r, why) : 0;
}

/* ---- files ---- */

/* Cuts the open file to what is whole; one without a whole frame is removed. A file that is shorter
   was changed by others, and is left alone. */
static int file_cut(struct archive *archive, const char *path, uint64_t *ret_cut,
                    struct refusal *why)
{
    struct stat stat;

    if (fstat(archive->fd, &stat) < 0)
        return fail(archive, "look at", errno, why);
    uint64_t size = (uint64_t)stat.st_size;
    *ret_cut = size > archive->whole ? size - archive->whole : 0;
    if (archive->whole == 0 && unlink(path) < 0)
        return fail(archive, "mend", errno, why);
    if (archive->whole == 0 || size < archive->whole)
        file_close(archive);
    else if (*ret_cut &&
             (ftruncate(archive->fd, (off_t)archive->whole) < 0 || fsync(archive->fd) < 0))
        return fail(archive, "mend", errno, why);
    return 0;
}

/* Opens the newest file, if it is there and can be gone on with. */
static int file_resume(struct archive *archive, uint64_t *ret_cut, struct refusal *why)
{
    char path[PATH_MAX];

    *ret_cut = 0;
    int r = mark_read(archive, why);
    if (!r && archive->name[0])
        r = path_of(archive, archive->name, path, why);
    if (r || !archive->name[0])
        return r;
    archive->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (archive->fd >= 0)
        return file_cut(archive, path, ret_cut, why);
    return errno == ENOENT ? 0 : fail(archive, "open", errno, why);
}

/* 2026-11-24T06:12:28.123456Z as 20261124T061228Z. */
static void name_make(int64_t now_us, char ret[NAME_SIZE])
{
    char time[TIME_TEXT_SIZE];

    time_format(now_us, time);
    snprintf(ret, NAME_SIZE, NAME_PREFIX "%.4s%.2s%.2sT%.2s%.2s%.2sZ" NAME_SUFFIX, time, time + 5,
             time + 8, time + 11, time + 14, time + 17);
}

/* What is in a directory lasts only as long as its own name does. */
static int dir_make_durable(struct archive *archive, struct refusal *why)
{
    char parent[PATH_MAX];
    int r = path_of(archive, "..", parent, why);

    if (r)
        return r;
    r = dir_make(archive->dir, 0700);
    if (!r)
        r = dir_sync(parent);
    return r ? fail(archive, "make", -r, why) : 0;
}

static int file_make(struct archive *archive, const char *name, struct refusal *why)
{
    char path[PATH_MAX];

    file_close(archive);
    int r = dir_make_durable(archive, why);
    if (!r)
        r = path_of(archive, name, path, why);
    if (r)
        return r;
    if (access(path, F_OK) == 0) /* or the mark would say that nothing of it is whole */
        return fail(archive, "make a file of", EEXIST, why);
    memcpy(archive->name, name, NAME_SIZE);
    archive->whole = 0;
    /* First: a file that the mark does not name could not be mended. */
    r = mark_write(archive, why);
    if (r)
        return r;
    archive->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return archive->fd < 0 ? fail(archive, "make a file of", errno, why) : 0;
}

int archive_mend(struct archive *archive, uint64_t *ret_bytes, struct refusal *why)
{
    file_close(archive);
    return file_resume(archive, ret_bytes, why);
}

/* ---- frames ---- */

int archive_begin(struct archive *archive, int64_t now_us, struct refusal *why)
{
    char name[NAME_SIZE];
    uint64_t cut;
    int r = archive->fd < 0 ? file_resume(archive, &cut, why) : 0;

    if (r)
        return r;
    ZSTD_CCtx_reset(archive->zstd, ZSTD_reset_session_only);
    name_make(now_us, name);
    bool same_day = strncmp(name, archive->name, sizeof(NAME_PREFIX) - 1 + DAY_SIZE) == 0;
    if (archive->fd >= 0 && same_day && archive->whole < ARCHIVE_FILE_BYTES)
        return 0;
    return file_make(archive, name, why);
}

static int compress(struct archive *archive, struct slice text, ZSTD_EndDirective directive,
                    struct refusal *why)
{
    ZSTD_inBuffer in = {.src = text.at, .size = text.size};
    size_t left;

    do {
        ZSTD_outBuffer out = {.dst = archive->out, .size = ZSTD_CStreamOutSize()};
        left = ZSTD_compressStream2(archive->zstd, &out, &in, directive);
        if (ZSTD_isError(left))
            return fail(archive, ZSTD_getErrorName(left), EIO, why);
        int r = fd_write_all(archive->fd, out.dst, out.pos);
        if (r)
            return fail(archive, "write", -r, why);
    } while (directive == ZSTD_e_end ? left > 0 : in.pos < in.size);
    return 0;
}

int archive_add(struct archive *archive, struct slice text, struct refusal *why)
{
    return compress(archive, text, ZSTD_e_continue, why);
}

int archive_end(struct archive *archive, struct refusal *why)
{
    struct stat stat;
    int r = compress(archive, (struct slice){0}, ZSTD_e_end, why);

    if (r)
        return r;
    if (FAULT_POINT("archive.sync") || fdatasync(archive->fd) < 0 || fstat(archive->fd, &stat) < 0)
        return fail(archive, "write", errno, why);
    archive->whole = (uint64_t)stat.st_size;
    return mark_write(archive, why);
}
