/* SPDX-License-Identifier: MIT */
/*
 * The mount lives in a namespace of our own: nothing has to be cleaned up, whatever happens.
 */
#include "own_disk.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#define DISK_SIZE  ((off_t)1 << 30) /* sparse; a controller wants 256 MiB free */
#define TOOL_LIMIT (60 * US_PER_S)

static bool run(const char *const *argv)
{
    const struct spawn spawn = {.argv = argv, .timeout_us = TOOL_LIMIT, .cancel_fd = -1};
    struct spawn_result result;

    if (spawn_run(&spawn, &result))
        return false;
    bool done = result.end == SPAWN_EXITED && result.exit_code == 0;
    spawn_result_release(&result);
    return done;
}

static bool file_make(const char *path)
{
    CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd >= 0 && ftruncate(fd, DISK_SIZE) == 0;
}

bool own_disk_open(const char *scratch, char *ret_dir, size_t dir_size)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const char *file = arena_printf(&arena, "%s/disk.image", scratch);
    const char *dir = arena_printf(&arena, "%s/disk", scratch);
    /* All of it now: else the kernel goes on making the file system while we count. */
    const char *const make[] = {"mkfs.ext4", "-q", "-b",
                                "4096",      "-E", "lazy_itable_init=0,lazy_journal_init=0",
                                file,        NULL};
    const char *const attach[] = {"mount", "-o", "loop", file, dir, NULL};

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    if (!file_make(file) || dir_make(dir, 0755) || !run(make) || !run(attach))
        return false;
    return snprintf(ret_dir, dir_size, "%s", dir) < (int)dir_size;
}
