/* SPDX-License-Identifier: MIT */
/*
 * The note of a running program.
 */
#include "base/ending.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

static void path_of(const char *dir, const char *name, char ret[PATH_MAX])
{
    snprintf(ret, PATH_MAX, "%s/%s", dir, name);
}

static int write_times(const char *path, struct slice started, int64_t noticed_us)
{
    char bytes[ENDING_TEXT_MAX + TIME_TEXT_SIZE], time[TIME_TEXT_SIZE];

    time_format(noticed_us, time);
    int size = snprintf(bytes, sizeof(bytes), "%.*s%s\n", (int)started.size, started.at, time);
    return file_write(path, (struct slice){.at = bytes, .size = (size_t)size}, 0600);
}

int ending_begin(const char *dir, int64_t now_us, bool *ret_failed)
{
    char running[PATH_MAX], failed[PATH_MAX];
    struct arena arena;
    struct slice started;

    path_of(dir, ENDING_RUNNING, running);
    path_of(dir, ENDING_FAILED, failed);
    arena_init(&arena);
    int r = file_read(running, ENDING_TEXT_MAX, &arena, &started);
    bool is_left = r == 0;
    r = r == -ENOENT ? 0 : r;
    if (is_left)
        r = write_times(failed, started, now_us);
    if (r == 0)
        r = write_times(running, SLICE(""), now_us);
    arena_release(&arena);
    if (r)
        return r;
    *ret_failed = is_left;
    return 0;
}

void ending_clean(const char *dir)
{
    char running[PATH_MAX];

    path_of(dir, ENDING_RUNNING, running);
    unlink(running);
}
