/* SPDX-License-Identifier: MIT */
/*
 * Reading what a flag names, under the buffer's cap.
 */
#include "cli/read.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int read_path(const char *path, struct buf *to)
{
    if (strcmp(path, "-") == 0)
        return fd_read_to_end(STDIN_FILENO, to);
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd_read_to_end(fd, to);
}
