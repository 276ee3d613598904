/* SPDX-License-Identifier: MIT */
/*
 * Memory of one request or one message: allocated piece by piece, freed at once by whoever made the
 * arena.
 *
 * Nothing that is stored in an arena is freed on its own. Not thread-safe.
 */
#ifndef REEVE_BASE_ARENA_H
#define REEVE_BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    char *at, *end;             /* free room in the newest chunk */
    size_t allocated;           /* bytes in all chunks */
    bool wipes;                 /* what it held is gone from memory when it is reset or released */
    bool is_small;
};

/* Allocates nothing; a zeroed struct arena is valid as well. */
void arena_init(struct arena *arena);
/* For what may be secret: wiped when it is reset or released. */
void arena_init_secret(struct arena *arena);
/* For what is kept, many times over: begins with 256 bytes instead of 4,096. Never reset. */
void arena_init_small(struct arena *arena);
/* Frees all chunks but the first small one, which is kept for the next request. */
void arena_reset(struct arena *arena);
void arena_release(struct arena *arena);

/* Zeroed, aligned for any type. Never NULL: out of memory aborts. */
void *arena_alloc(struct arena *arena, size_t size);
/* NUL-terminated copies. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_copy(struct arena *arena, struct slice text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
