/* SPDX-License-Identifier: MIT */
/*
 * The two ends of a pipe: LMDB writes as fast as it can, and waits for who reads at the rate that
 * was asked for.
 */
#include "ledger/backup.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "ledger/store.h"

#include <errno.h>
#include <unistd.h>

#define CHUNK_SIZE ((size_t)64 << 10)

int backup_write(const char *dir, int fd, struct refusal *why)
{
    struct store *store;
    int r = store_open_to_read(dir, &store, why);

    if (r)
        return r;
    r = store_copy(store, fd);
    if (r)
        r = store_refuse(store, "copy", r, why);
    store_close(store);
    return r;
}

static void sleep_until(int64_t boot_us)
{
    struct timespec until = {.tv_sec = boot_us / US_PER_S, .tv_nsec = boot_us % US_PER_S * 1000};

    while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

int backup_pump(int from, int to, uint64_t bytes_per_s, uint64_t *ret_size)
{
    char *chunk CLEANUP(mem_freep) = mem_alloc(CHUNK_SIZE);
    int64_t begin_us = clock_boot_us();
    uint64_t size = 0;
    ssize_t n;

    while ((n = read(from, chunk, CHUNK_SIZE)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        int r = n < 0 ? -errno : fd_write_all(to, chunk, (size_t)n);
        if (r)
            return r;
        size += (uint64_t)n;
        sleep_until(begin_us + (int64_t)((double)size / (double)bytes_per_s * US_PER_S));
    }
    *ret_size = size;
    return 0;
}
