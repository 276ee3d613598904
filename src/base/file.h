/* SPDX-License-Identifier: MIT */
/*
 * Small files: read whole under a cap, or written so that a reader or a crash sees the old or the
 * new contents, never a part.
 */
#ifndef REEVE_BASE_FILE_H
#define REEVE_BASE_FILE_H

#include "base/arena.h"
#include "base/buf.h"

#include <sys/types.h>

/* 0, or -errno: -ENOENT, -EFBIG when over `cap`, -EINVAL when it is no regular file, …; also for
   procfs, whose files have no size. NUL-terminated in the arena. */
int file_read(const char *path, size_t cap, struct arena *arena, struct slice *ret);
/* The same for a directory that another user may write: -ELOOP for a symbolic link, which could
   lead us to what only we may read. */
int file_read_unlinked(const char *path, size_t cap, struct arena *arena, struct slice *ret);
/* New file beside it, fsync, rename over it, fsync of the directory. 0 or -errno; nothing changed
   then, unless it was that last step that failed. */
int file_write(const char *path, struct slice contents, mode_t mode);
/* mkdir -p with `mode` for what is made; 0 or -errno. */
int dir_make(const char *path, mode_t mode);
int dir_sync(const char *path);
/* Write all, read exactly: 0 or -errno; a read that ends early is -ENODATA. */
int fd_write_all(int fd, const void *bytes, size_t size);
int fd_read_all(int fd, void *bytes, size_t size);
/* Appends all that comes until the end, or until `to` overflows. 0 or -errno. */
int fd_read_to_end(int fd, struct buf *to);

#endif
