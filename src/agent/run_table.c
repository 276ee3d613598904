/* SPDX-License-Identifier: MIT */
/*
 * Open addressing with linear probing, at most half full.
 */
#include "agent/run_table.h"
#include "base/mem.h"

#include <assert.h>

#define SLOTS_LEAST ((size_t)64)

struct run_key run_key_of(const struct bus_run_ref *ref)
{
    struct run_key key = {.run = (uint32_t)ref->run};
    bool parsed = uuid_parse(slice_of(ref->job), &key.job);

    assert(parsed); /* the row says FORMAT(uuid) */
    return key;
}

struct bus_run_ref run_key_ref(const struct run_key *key, struct arena *arena)
{
    struct bus_run_ref ref = {.row_ = {0}};
    char *job = arena_alloc(arena, UUID_TEXT_SIZE);

    uuid_format(&key->job, job);
    SET(&ref, job, job);
    SET(&ref, run, key->run);
    return ref;
}

bool run_key_equal(const struct run_key *a, const struct run_key *b)
{
    return a->run == b->run && uuid_equal(&a->job, &b->job);
}

/* The last eight bytes of a UUID v7 are random. */
static size_t first_slot(const struct run_table *table, const struct run_key *key)
{
    uint64_t hash;

    memcpy(&hash, key->job.bytes + 8, sizeof(hash));
    hash = (hash ^ key->run) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32) & (table->n_slots - 1);
}

/* The entry of `key`, or the empty slot where it belongs. */
static struct known_run *slot_of(const struct run_table *table, const struct run_key *key)
{
    size_t i = first_slot(table, key);

    while (table->slots[i].known != RUNLOG_UNKNOWN && !run_key_equal(&table->slots[i].key, key))
        i = (i + 1) & (table->n_slots - 1);
    return &table->slots[i];
}

static void rebuild(struct run_table *table, size_t n_slots)
{
    struct run_table old = *table;

    table->slots = mem_alloc(n_slots * sizeof(*table->slots));
    table->n_slots = n_slots;
    for (size_t i = 0; i < old.n_slots; i++) {
        if (old.slots[i].known != RUNLOG_UNKNOWN)
            *slot_of(table, &old.slots[i].key) = old.slots[i];
    }
    mem_free(old.slots);
}

void run_table_release(struct run_table *table)
{
    mem_free(table->slots);
    *table = (struct run_table){0};
}

struct known_run *run_table_find(const struct run_table *table, const struct run_key *key)
{
    if (!table->n_slots)
        return NULL;
    struct known_run *entry = slot_of(table, key);
    return entry->known == RUNLOG_UNKNOWN ? NULL : entry;
}

struct known_run *run_table_add(struct run_table *table, const struct run_key *key)
{
    if (2 * (table->n + 1) > table->n_slots)
        rebuild(table, table->n_slots ? 2 * table->n_slots : SLOTS_LEAST);
    struct known_run *entry = slot_of(table, key);

    assert(entry->known == RUNLOG_UNKNOWN);
    *entry = (struct known_run){.key = *key};
    table->n++;
    return entry;
}

struct known_run *run_table_next(const struct run_table *table, size_t *at)
{
    while (*at < table->n_slots) {
        struct known_run *entry = &table->slots[(*at)++];

        if (entry->known != RUNLOG_UNKNOWN)
            return entry;
    }
    return NULL;
}

void run_table_keep(struct run_table *table,
                    bool (*keep)(const struct known_run *entry, const void *argument),
                    const void *argument)
{
    size_t n_slots = SLOTS_LEAST, n_kept = 0;

    for (size_t i = 0; i < table->n_slots; i++) {
        struct known_run *entry = &table->slots[i];

        if (entry->known != RUNLOG_UNKNOWN && !keep(entry, argument))
            entry->known = RUNLOG_UNKNOWN;
        n_kept += entry->known != RUNLOG_UNKNOWN;
    }
    if (n_kept == table->n)
        return;
    table->n = n_kept;
    while (n_slots < 2 * (n_kept + 1))
        n_slots *= 2;
    rebuild(table, n_slots);
}
