/* SPDX-License-Identifier: MIT */
/*
 * UUID version 7, and the kernel's random numbers in handfuls.
 *
 * Order within the process: the 48 bits of milliseconds and the 12 of their fraction (RFC 9562
 * §6.2, method 3) are one counter that only grows; when the clock stands still or jumps back, it
 * counts on by one.
 */
#include "base/uuid.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>

/* A system call for each id would cost more than the rest of it. Wiped as it is used, and dropped
   in a forked child: two processes must not draw the same numbers. */
static _Thread_local struct {
    uint8_t bytes[256];
    size_t left;
} pool;

static void pool_drop(void)
{
    pool.left = 0;
}

static void pool_watch_fork(void)
{
    if (pthread_atfork(NULL, NULL, pool_drop) != 0)
        abort();
}

static void kernel_random(void *bytes, size_t size)
{
    uint8_t *at = bytes;

    while (size > 0) {
        ssize_t n = getrandom(at, size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            abort(); /* no id and no key may be made without it */
        at += n;
        size -= (size_t)n;
    }
}

void random_bytes(void *bytes, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (size > sizeof(pool.bytes)) {
        kernel_random(bytes, size);
        return;
    }
    if (pool.left < size) {
        pthread_once(&once, pool_watch_fork);
        kernel_random(pool.bytes, sizeof(pool.bytes));
        pool.left = sizeof(pool.bytes);
    }
    pool.left -= size;
    memcpy(bytes, pool.bytes + pool.left, size);
    explicit_bzero(pool.bytes + pool.left, size);
}

uint64_t random_u64(void)
{
    uint64_t value;

    random_bytes(&value, sizeof(value));
    return value;
}

#define FRACTION_BITS  12
#define FRACTIONS      ((uint64_t)1 << FRACTION_BITS)
#define TIMESTAMP_MASK (((uint64_t)1 << 60) - 1)

/* Milliseconds and 4096ths of one in 60 bits; greater than any handed out before. */
static uint64_t timestamp_next(int64_t now_us)
{
    static _Atomic uint64_t last;
    uint64_t us = now_us > 0 ? (uint64_t)now_us : 0;
    uint64_t now = ((us / 1000) << FRACTION_BITS) + us % 1000 * FRACTIONS / 1000;
    uint64_t seen = atomic_load_explicit(&last, memory_order_relaxed);
    uint64_t next;

    do {
        next = now > seen ? now : seen + 1;
    } while (!atomic_compare_exchange_weak_explicit(&last, &seen, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return next & TIMESTAMP_MASK;
}

struct uuid uuid_make(int64_t now_us)
{
    struct uuid uuid;
    uint64_t timestamp = timestamp_next(now_us);
    uint64_t ms = timestamp >> FRACTION_BITS;
    uint64_t fraction = timestamp % FRACTIONS;

    for (unsigned i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    uuid.bytes[6] = (uint8_t)(0x70 | fraction >> 8);
    uuid.bytes[7] = (uint8_t)fraction;
    random_bytes(uuid.bytes + 8, 8);
    uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3F));
    return uuid;
}

/* Where the text has its hyphens. */
static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool uuid_parse(struct slice text, struct uuid *ret)
{
    struct uuid uuid;
    const char *at = text.at;

    if (text.size != UUID_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
        if (hyphen_before(i) && *at++ != '-')
            return false;
        int high = hex_digit(*at++);
        int low = hex_digit(*at++);
        if (high < 0 || low < 0)
            return false;
        uuid.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = uuid;
    return true;
}

void uuid_format(const struct uuid *uuid, char ret[UUID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    char *at = ret;

    for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
        if (hyphen_before(i))
            *at++ = '-';
        *at++ = hex[uuid->bytes[i] >> 4];
        *at++ = hex[uuid->bytes[i] & 15];
    }
    *at = '\0';
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
