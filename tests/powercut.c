/* SPDX-License-Identifier: MIT */
/*
 * Cuts the power of one file system: what was not synced is lost, and nothing can be written any
 * more until it is mounted anew.
 *
 *     powercut DIRECTORY
 *
 * EXT4_IOC_SHUTDOWN (fs/ext4/ext4.h of the kernel), without a flush of the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define WITHOUT_FLUSH     2

int main(int argc, char **argv)
{
    uint32_t how = WITHOUT_FLUSH;
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0 || ioctl(fd, EXT4_IOC_SHUTDOWN, &how) < 0) {
        fprintf(stderr, "powercut: %s\n", argc == 2 ? strerror(errno) : "a directory is wanted");
        return 1;
    }
    close(fd);
    return 0;
}
