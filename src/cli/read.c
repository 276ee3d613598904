/* SPDX-License-Identifier: MIT */
/*
 * Reading to the end, under the buffer's cap.
 */
#include "cli/read.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int read_to_end(int fd, struct buf *to)
{
    char bytes[4096];

    while (!buf_overflowed(to)) {
        ssize_t size = read(fd, bytes, sizeof(bytes));
        if (size == 0)
            break;
        if (size < 0 && errno != EINTR)
            return -errno;
        if (size > 0)
            buf_add(to, bytes, (size_t)size);
    }
    return 0;
}

int read_path(const char *path, struct buf *to)
{
    if (strcmp(path, "-") == 0)
        return read_to_end(STDIN_FILENO, to);
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : read_to_end(fd, to);
}
