/* SPDX-License-Identifier: MIT */
/*
 * Arena: a list of chunks that double in size up to CHUNK_SIZE_MAX.
 *
 * A piece of more than a quarter of the next chunk gets a chunk of its own, behind the newest one,
 * so that the room left behind when a chunk is begun stays small. `end` is NULL until the first
 * shared chunk is begun.
 */
#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>

#define CHUNK_SIZE_SMALL ((size_t)256)
#define CHUNK_SIZE_FIRST ((size_t)4096)
#define CHUNK_SIZE_MAX   ((size_t)65536)

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* bytes at `room` */
    _Alignas(max_align_t) char room[];
};

static struct arena_chunk *chunk_new(struct arena *arena, size_t size)
{
    assert(size <= SIZE_MAX - sizeof(struct arena_chunk));
    struct arena_chunk *chunk = mem_realloc(NULL, sizeof(*chunk) + size);

    chunk->older = NULL;
    chunk->size = size;
    arena->allocated += size;
    return chunk;
}

static void chunk_open(struct arena *arena, struct arena_chunk *chunk)
{
    arena->at = chunk->room;
    arena->end = chunk->room + chunk->size;
}

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_init_secret(struct arena *arena)
{
    *arena = (struct arena){.wipes = true};
}

void arena_init_small(struct arena *arena)
{
    *arena = (struct arena){.is_small = true};
}

/* Of the chunk in use only what was given out: the rest was wiped before, or never held anything.
 */
static void chunks_wipe(const struct arena *arena)
{
    for (struct arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->older) {
        bool is_open = chunk->room + chunk->size == arena->end;
        explicit_bzero(chunk->room, is_open ? (size_t)(arena->at - chunk->room) : chunk->size);
    }
}

static void chunks_free(struct arena_chunk *chunk, const struct arena_chunk *kept)
{
    while (chunk) {
        struct arena_chunk *older = chunk->older;
        if (chunk != kept)
            mem_free(chunk);
        chunk = older;
    }
}

static struct arena_chunk *chunk_to_keep(const struct arena *arena)
{
    for (struct arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->older) {
        if (chunk->size == CHUNK_SIZE_FIRST)
            return chunk;
    }
    return NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *kept = chunk_to_keep(arena);

    assert(!arena->is_small);
    if (arena->wipes)
        chunks_wipe(arena);
    chunks_free(arena->chunks, kept);
    *arena = (struct arena){.wipes = arena->wipes};
    if (!kept)
        return;
    kept->older = NULL;
    arena->chunks = kept;
    arena->allocated = kept->size;
    chunk_open(arena, kept);
}

void arena_release(struct arena *arena)
{
    if (arena->wipes)
        chunks_wipe(arena);
    chunks_free(arena->chunks, NULL);
    *arena = (struct arena){.wipes = arena->wipes};
}

/* A chunk for one piece; it stands behind the newest one, whose room stays in use. */
static char *arena_take_alone(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = chunk_new(arena, size);

    if (arena->chunks) {
        chunk->older = arena->chunks->older;
        arena->chunks->older = chunk;
    } else {
        arena->chunks = chunk;
    }
    return chunk->room;
}

static size_t next_chunk_size(const struct arena *arena)
{
    if (!arena->end)
        return arena->is_small ? CHUNK_SIZE_SMALL : CHUNK_SIZE_FIRST;
    size_t doubled = 2 * (size_t)(arena->end - arena->chunks->room);
    return doubled < CHUNK_SIZE_MAX ? doubled : CHUNK_SIZE_MAX;
}

static char *arena_take(struct arena *arena, size_t size)
{
    size_t align = _Alignof(max_align_t);

    assert(size <= SIZE_MAX - align);
    size = size ? (size + align - 1) / align * align : align;
    if (size <= (size_t)(arena->end - arena->at)) {
        char *at = arena->at;
        arena->at += size;
        return at;
    }

    size_t chunk_size = next_chunk_size(arena);
    if (size > chunk_size / 4)
        return arena_take_alone(arena, size);
    struct arena_chunk *chunk = chunk_new(arena, chunk_size);
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    chunk_open(arena, chunk);
    arena->at += size;
    return chunk->room;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(arena_take(arena, size), 0, size);
}

char *arena_copy(struct arena *arena, struct slice text)
{
    assert(text.size < SIZE_MAX);
    char *copy = arena_take(arena, text.size + 1);

    if (text.size)
        memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_copy(arena, slice_of(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    char *free_room = arena->at;
    va_list args;

    /* Mostly it fits where the next piece would stand, and need not be printed again. */
    va_start(args, format);
    int printed = vsnprintf(free_room, (size_t)(arena->end - arena->at), format, args);
    va_end(args);
    assert(printed >= 0);
    char *text = arena_take(arena, (size_t)printed + 1);
    if (text != free_room) {
        va_start(args, format);
        vsnprintf(text, (size_t)printed + 1, format, args);
        va_end(args);
    }
    return text;
}
