/* SPDX-License-Identifier: MIT */
/*
 * Limits.
 *
 * The rate is kept as one time for each token ("theoretical arrival time", ITU-T I.371 GCRA): when
 * the bucket would be full again. A time that has passed is an entry that is free.
 */
#include "http/limit.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

#define WINDOW 8 /* entries a key may be in, from its own on */

_Static_assert((LIMIT_ENTRIES & (LIMIT_ENTRIES - 1)) == 0, "entries are counted by a mask");

static size_t entry_at(uint64_t key, size_t i)
{
    /* Fibonacci hashing: keys may be addresses that differ in few bits. */
    return (size_t)((key * UINT64_C(0x9E3779B97F4A7C15) >> 32) + i) & (LIMIT_ENTRIES - 1);
}

/* ---- rate ---- */

struct rate_entry {
    uint64_t key;
    int64_t full_us; /* when its bucket is full again */
};

struct rate_limit {
    pthread_mutex_t lock;
    _Atomic int64_t interval_us; /* 0: no limit, which costs no lock */
    int64_t burst_us;            /* how far ahead of now full_us may be */
    struct rate_entry entries[LIMIT_ENTRIES];
};

struct rate_limit *rate_limit_new(void)
{
    struct rate_limit *limit = mem_alloc(sizeof(*limit));

    pthread_mutex_init(&limit->lock, NULL);
    return limit;
}

void rate_limit_free(struct rate_limit *limit)
{
    pthread_mutex_destroy(&limit->lock);
    mem_free(limit);
}

void rate_limit_set(struct rate_limit *limit, int64_t per_second, int64_t burst)
{
    int64_t interval_us = per_second ? US_PER_S / per_second : 0;
    int64_t burst_us = interval_us * burst;

    pthread_mutex_lock(&limit->lock);
    /* What was taken was counted in the old measure, and could shut a token out for days. */
    if (interval_us != limit->interval_us || burst_us != limit->burst_us)
        memset(limit->entries, 0, sizeof(limit->entries));
    limit->interval_us = interval_us;
    limit->burst_us = burst_us;
    pthread_mutex_unlock(&limit->lock);
}

/* The key's own entry, else one that is free, else the one that is free soonest. */
static struct rate_entry *rate_find(struct rate_limit *limit, uint64_t key)
{
    struct rate_entry *best = NULL;

    for (size_t i = 0; i < WINDOW; i++) {
        struct rate_entry *entry = &limit->entries[entry_at(key, i)];
        if (entry->key == key)
            return entry;
        if (!best || entry->full_us < best->full_us)
            best = entry;
    }
    *best = (struct rate_entry){.key = key};
    return best;
}

static int64_t rate_take(struct rate_limit *limit, uint64_t key, int64_t now_us)
{
    struct rate_entry *entry = rate_find(limit, key);
    int64_t full_us = entry->full_us > now_us ? entry->full_us : now_us;
    int64_t over_us = full_us + limit->interval_us - (now_us + limit->burst_us);

    if (over_us > 0)
        return over_us;
    entry->full_us = full_us + limit->interval_us;
    return 0;
}

int64_t rate_limit_take(struct rate_limit *limit, uint64_t key, int64_t now_us)
{
    int64_t wait_us = 0;

    if (!limit->interval_us)
        return 0;
    pthread_mutex_lock(&limit->lock);
    if (limit->interval_us)
        wait_us = rate_take(limit, key, now_us);
    pthread_mutex_unlock(&limit->lock);
    return wait_us;
}

/* ---- lock-out ---- */

struct lockout_entry {
    uint64_t key;
    int64_t since_us; /* of the window in which attempts are counted */
    int64_t until_us; /* locked out; 0: not */
    int64_t attempts;
};

struct lockout {
    pthread_mutex_t lock;
    int64_t attempts, duration_us;
    struct lockout_entry entries[LIMIT_ENTRIES];
};

struct lockout *lockout_new(void)
{
    struct lockout *lockout = mem_alloc(sizeof(*lockout));

    pthread_mutex_init(&lockout->lock, NULL);
    return lockout;
}

void lockout_free(struct lockout *lockout)
{
    pthread_mutex_destroy(&lockout->lock);
    mem_free(lockout);
}

void lockout_set(struct lockout *lockout, int64_t attempts, int64_t duration_us)
{
    pthread_mutex_lock(&lockout->lock);
    lockout->attempts = attempts;
    lockout->duration_us = duration_us;
    pthread_mutex_unlock(&lockout->lock);
}

/* When an entry stops to matter. */
static int64_t lockout_end(const struct lockout_entry *entry)
{
    int64_t counted_us = entry->since_us + LOCKOUT_WINDOW_US;

    return entry->until_us > counted_us ? entry->until_us : counted_us;
}

/* NULL when the key has none, and `make` is false. */
static struct lockout_entry *lockout_find(struct lockout *lockout, uint64_t key, bool make)
{
    struct lockout_entry *best = NULL;

    for (size_t i = 0; i < WINDOW; i++) {
        struct lockout_entry *entry = &lockout->entries[entry_at(key, i)];
        if (entry->key == key && entry->attempts)
            return entry;
        if (!best || lockout_end(entry) < lockout_end(best))
            best = entry;
    }
    if (!make)
        return NULL;
    *best = (struct lockout_entry){.key = key};
    return best;
}

int64_t lockout_left(struct lockout *lockout, uint64_t key, int64_t now_us)
{
    int64_t left_us = 0;

    pthread_mutex_lock(&lockout->lock);
    const struct lockout_entry *entry = lockout_find(lockout, key, false);
    if (entry && lockout->attempts)
        left_us = entry->until_us - now_us;
    pthread_mutex_unlock(&lockout->lock);
    return left_us > 0 ? left_us : 0;
}

bool lockout_count(struct lockout *lockout, uint64_t key, int64_t now_us)
{
    bool locks = false;

    pthread_mutex_lock(&lockout->lock);
    struct lockout_entry *entry = lockout_find(lockout, key, true);
    if (entry->attempts == 0 || now_us >= entry->since_us + LOCKOUT_WINDOW_US) {
        entry->since_us = now_us;
        entry->attempts = 0;
    }
    entry->attempts++;
    if (lockout->attempts && entry->attempts >= lockout->attempts && entry->until_us <= now_us) {
        entry->until_us = now_us + lockout->duration_us;
        locks = true;
    }
    pthread_mutex_unlock(&lockout->lock);
    return locks;
}
