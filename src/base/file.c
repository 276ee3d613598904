/* SPDX-License-Identifier: MIT */
/*
 * Small files, whole.
 *
 * The order in file_write() is what makes it safe: contents on disk before the name points at them,
 * the name on disk before it returns.
 */
#include "base/file.h"

#include "base/fault.h"
#include "base/mem.h"
#include "base/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP ((size_t)16384)

static int regular_check(int fd, size_t cap)
{
    struct stat stat;

    if (fstat(fd, &stat) < 0)
        return FAULT(-errno);
    if (S_ISDIR(stat.st_mode))
        return FAULT(-EISDIR);
    if (!S_ISREG(stat.st_mode))
        return FAULT(-EINVAL);
    if ((uintmax_t)stat.st_size > cap)
        return FAULT(-EFBIG);
    return 0;
}

int fd_read_to_end(int fd, struct buf *to)
{
    char step[READ_STEP];

    while (!buf_overflowed(to)) {
        ssize_t n = read(fd, step, sizeof(step));
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return FAULT(-errno);
        if (n > 0)
            buf_add(to, step, (size_t)n);
    }
    return 0;
}

static int read_whole(const char *path, int flags, size_t cap, struct arena *arena,
                      struct slice *ret)
{
    CLEANUP(fd_closep) int fd = -1;
    CLEANUP(buf_release) struct buf contents;

    buf_init(&contents, cap);
    /* O_NONBLOCK: opening a FIFO would wait for its writer. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
    if (fd < 0)
        return FAULT(-errno);
    int r = regular_check(fd, cap);
    if (r)
        return r;
    r = fd_read_to_end(fd, &contents);
    if (r)
        return r;
    if (buf_overflowed(&contents))
        return FAULT(-EFBIG);
    *ret = (struct slice){.at = arena_copy(arena, buf_slice(&contents)), .size = contents.size};
    return 0;
}

int file_read(const char *path, size_t cap, struct arena *arena, struct slice *ret)
{
    return read_whole(path, 0, cap, arena, ret);
}

int file_read_unlinked(const char *path, size_t cap, struct arena *arena, struct slice *ret)
{
    return read_whole(path, O_NOFOLLOW, cap, arena, ret);
}

/* Bytes of `path` before its last component, the slash included. */
static size_t directory_size(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

static void directory_of(const char *path, struct buf *ret)
{
    size_t size = directory_size(path);

    buf_add(ret, size ? path : ".", size ? size : 1);
}

/* "dir/.name.XXXXXX" beside "dir/name". */
static void template_beside(const char *path, struct buf *ret)
{
    size_t size = directory_size(path);

    buf_add(ret, path, size);
    buf_add_char(ret, '.');
    buf_add_text(ret, path + size);
    buf_add_text(ret, ".XXXXXX");
}

static int write_and_sync(int fd, struct slice contents, mode_t mode)
{
    int r = fd_write_all(fd, contents.at, contents.size);

    if (r)
        return r;
    if (fchmod(fd, mode) < 0)
        return FAULT(-errno);
    if (FAULT_POINT("file.sync") || fsync(fd) < 0)
        return FAULT(-errno);
    return 0;
}

int file_write(const char *path, struct slice contents, mode_t mode)
{
    CLEANUP(fd_closep) int fd = -1;
    CLEANUP(buf_release) struct buf beside;
    CLEANUP(buf_release) struct buf directory;

    buf_init(&beside, PATH_MAX - 1);
    buf_init(&directory, PATH_MAX - 1);
    template_beside(path, &beside);
    directory_of(path, &directory);
    if (buf_overflowed(&beside) || buf_overflowed(&directory))
        return FAULT(-ENAMETOOLONG);

    buf_text(&beside);
    fd = FAULT_POINT("file.create") ? -1 : mkostemp(beside.at, O_CLOEXEC);
    if (fd < 0)
        return FAULT(-errno);
    int r = write_and_sync(fd, contents, mode);
    if (r == 0 && (FAULT_POINT("file.rename") || rename(beside.at, path) < 0))
        r = FAULT(-errno);
    if (r) {
        unlink(beside.at);
        return r;
    }
    return dir_sync(buf_text(&directory));
}

static int dir_make_one(const char *path, mode_t mode)
{
    struct stat stat_;

    if (!FAULT_POINT("dir.make") && mkdir(path, mode) == 0)
        return 0;
    int error = errno;
    /* Not only EEXIST: on a read-only or foreign file system mkdir says so of directories that
     * exist, too. */
    if (stat(path, &stat_) == 0)
        return S_ISDIR(stat_.st_mode) ? 0 : FAULT(-ENOTDIR);
    return FAULT(-error);
}

int dir_make(const char *path, mode_t mode)
{
    char part[PATH_MAX];
    size_t size = strlen(path);

    if (size == 0)
        return FAULT(-ENOENT);
    if (size >= sizeof(part))
        return FAULT(-ENAMETOOLONG);
    memcpy(part, path, size + 1);
    for (size_t i = 1; i < size; i++) {
        if (part[i] != '/')
            continue;
        part[i] = '\0';
        int r = dir_make_one(part, mode);
        if (r)
            return r;
        part[i] = '/';
    }
    return dir_make_one(part, mode);
}

int dir_sync(const char *path)
{
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return FAULT(-errno);
    if (FAULT_POINT("dir.sync") || fsync(fd) < 0)
        return FAULT(-errno);
    return 0;
}

int fd_write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t n = FAULT_POINT("file.write") ? -1 : write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FAULT(-errno);
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

int fd_read_all(int fd, void *bytes, size_t size)
{
    char *at = bytes;

    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FAULT(-errno);
        if (n == 0)
            return FAULT(-ENODATA);
        at += n;
        size -= (size_t)n;
    }
    return 0;
}
