/* SPDX-License-Identifier: MIT */
/*
 * The parked requests of one loop: each waits for a wake from any thread, or for its time.
 *
 * A number names one park for ever; a wake that comes late, twice, or for a request that is gone
 * finds nothing. park_wake() alone may be called from other threads.
 */
#ifndef REEVE_HTTP_PARK_H
#define REEVE_HTTP_PARK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct exchange;
struct park_slot;

struct park_table {
    pthread_mutex_t lock;
    struct park_slot *slots; /* grows; a free slot is on the free list */
    uint32_t n_slots, room, first_free;
    uint32_t first_woken, last_woken; /* in the order of their wakes */
    uint32_t *heap;                   /* slots by time, the earliest first */
    uint32_t n_heap;
};

void park_table_init(struct park_table *table);
void park_table_release(struct park_table *table);

/* `exchange` waits until boot_us at the latest. Returns its number, never 0. */
uint64_t park_add(struct park_table *table, struct exchange *exchange, int64_t until_boot_us);
/* Forgets it; nothing when it is gone already. */
void park_remove(struct park_table *table, uint64_t number);
/* True when the loop has to be told: it was the first wake since the loop looked. */
bool park_wake(struct park_table *table, uint64_t number);
/* Takes out the next woken one; NULL when there is none. */
struct exchange *park_take_woken(struct park_table *table);
/* Takes out the next one whose time has come; NULL when there is none. */
struct exchange *park_take_late(struct park_table *table, int64_t now_boot_us);
/* Earliest time anything waits for; INT64_MAX when nothing waits. */
int64_t park_next_us(struct park_table *table);

#endif
