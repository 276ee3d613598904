/* SPDX-License-Identifier: MIT */
/*
 * A slot a parked request, a heap of their times, and a list of those woken and not yet taken.
 *
 * Number = generation and slot. The generation grows when a slot is left, so that an old number
 * fits no more.
 */
#include "http/park.h"

#include "base/mem.h"

#include <assert.h>

#define NONE       UINT32_MAX
#define ROOM_FIRST 64

struct park_slot {
    struct exchange *exchange; /* NULL: free, or gone while on the woken list */
    int64_t until_us;
    uint32_t generation;
    uint32_t heap_at; /* NONE when not in the heap */
    uint32_t next;    /* on the free or the woken list */
    bool is_woken;    /* on the woken list */
};

void park_table_init(struct park_table *table)
{
    *table = (struct park_table){
        .first_free = NONE,
        .first_woken = NONE,
        .last_woken = NONE,
    };
    pthread_mutex_init(&table->lock, NULL);
}

void park_table_release(struct park_table *table)
{
    mem_free(table->slots);
    mem_free(table->heap);
    pthread_mutex_destroy(&table->lock);
}

/*
 * The heap
 */

static int64_t time_at(const struct park_table *table, uint32_t at)
{
    return table->slots[table->heap[at]].until_us;
}

static void heap_put(struct park_table *table, uint32_t at, uint32_t slot)
{
    table->heap[at] = slot;
    table->slots[slot].heap_at = at;
}

static void heap_swap(struct park_table *table, uint32_t a, uint32_t b)
{
    uint32_t slot = table->heap[a];

    heap_put(table, a, table->heap[b]);
    heap_put(table, b, slot);
}

static void heap_up(struct park_table *table, uint32_t at)
{
    for (; at > 0 && time_at(table, at) < time_at(table, (at - 1) / 2); at = (at - 1) / 2)
        heap_swap(table, at, (at - 1) / 2);
}

static void heap_down(struct park_table *table, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < table->n_heap; child++)
            if (time_at(table, child) < time_at(table, least))
                least = child;
        if (least == at)
            return;
        heap_swap(table, at, least);
        at = least;
    }
}

static void heap_remove(struct park_table *table, uint32_t slot)
{
    uint32_t at = table->slots[slot].heap_at;

    if (at == NONE)
        return;
    table->slots[slot].heap_at = NONE;
    table->n_heap--;
    if (at == table->n_heap)
        return;
    heap_put(table, at, table->heap[table->n_heap]);
    heap_up(table, at);
    heap_down(table, at);
}

/*
 * Slots. All of these hold the lock.
 */

static uint64_t slot_number(const struct park_table *table, uint32_t slot)
{
    return (uint64_t)table->slots[slot].generation << 32 | slot;
}

/* NONE when the number is of no one who waits. */
static uint32_t slot_of(const struct park_table *table, uint64_t number)
{
    uint32_t slot = (uint32_t)number;

    if (slot >= table->n_slots || slot_number(table, slot) != number ||
        !table->slots[slot].exchange)
        return NONE;
    return slot;
}

static uint32_t slot_take(struct park_table *table)
{
    uint32_t slot = table->first_free;

    if (slot != NONE) {
        table->first_free = table->slots[slot].next;
        return slot;
    }
    if (table->n_slots == table->room) {
        table->room = table->room ? 2 * table->room : ROOM_FIRST;
        table->slots = mem_realloc(table->slots, table->room * sizeof(*table->slots));
        table->heap = mem_realloc(table->heap, table->room * sizeof(*table->heap));
    }
    slot = table->n_slots++;
    table->slots[slot] = (struct park_slot){.generation = 1, .heap_at = NONE};
    return slot;
}

static void slot_free(struct park_table *table, uint32_t slot)
{
    table->slots[slot].is_woken = false;
    table->slots[slot].next = table->first_free;
    table->first_free = slot;
}

/* The request is no longer in it. A slot on the woken list is freed when the list comes to it. */
static struct exchange *slot_leave(struct park_table *table, uint32_t slot)
{
    struct exchange *exchange = table->slots[slot].exchange;

    heap_remove(table, slot);
    table->slots[slot].exchange = NULL;
    table->slots[slot].generation++;
    if (!table->slots[slot].is_woken)
        slot_free(table, slot);
    return exchange;
}

/*
 * The interface
 */

uint64_t park_add(struct park_table *table, struct exchange *exchange, int64_t until_boot_us)
{
    pthread_mutex_lock(&table->lock);
    uint32_t slot = slot_take(table);
    table->slots[slot].exchange = exchange;
    table->slots[slot].until_us = until_boot_us;
    heap_put(table, table->n_heap, slot);
    heap_up(table, table->n_heap++);
    uint64_t number = slot_number(table, slot);
    pthread_mutex_unlock(&table->lock);
    return number;
}

void park_remove(struct park_table *table, uint64_t number)
{
    pthread_mutex_lock(&table->lock);
    uint32_t slot = slot_of(table, number);
    if (slot != NONE)
        slot_leave(table, slot);
    pthread_mutex_unlock(&table->lock);
}

static bool woken_add(struct park_table *table, uint32_t slot)
{
    bool was_empty = table->first_woken == NONE;

    table->slots[slot].is_woken = true;
    table->slots[slot].next = NONE;
    if (was_empty)
        table->first_woken = slot;
    else
        table->slots[table->last_woken].next = slot;
    table->last_woken = slot;
    return was_empty;
}

bool park_wake(struct park_table *table, uint64_t number)
{
    bool is_first = false;

    pthread_mutex_lock(&table->lock);
    uint32_t slot = slot_of(table, number);
    if (slot != NONE && !table->slots[slot].is_woken)
        is_first = woken_add(table, slot);
    pthread_mutex_unlock(&table->lock);
    return is_first;
}

struct exchange *park_take_woken(struct park_table *table)
{
    struct exchange *exchange = NULL;

    pthread_mutex_lock(&table->lock);
    while (!exchange && table->first_woken != NONE) {
        uint32_t slot = table->first_woken;
        table->first_woken = table->slots[slot].next;
        exchange = table->slots[slot].exchange;
        if (exchange)
            slot_leave(table, slot);
        slot_free(table, slot);
    }
    pthread_mutex_unlock(&table->lock);
    return exchange;
}

struct exchange *park_take_late(struct park_table *table, int64_t now_boot_us)
{
    struct exchange *exchange = NULL;

    pthread_mutex_lock(&table->lock);
    if (table->n_heap > 0 && time_at(table, 0) <= now_boot_us)
        exchange = slot_leave(table, table->heap[0]);
    pthread_mutex_unlock(&table->lock);
    return exchange;
}

int64_t park_next_us(struct park_table *table)
{
    pthread_mutex_lock(&table->lock);
    int64_t next_us = table->n_heap > 0 ? time_at(table, 0) : INT64_MAX;
    pthread_mutex_unlock(&table->lock);
    return next_us;
}
