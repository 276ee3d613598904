/* SPDX-License-Identifier: MIT */
/*
 * Memory that lives longer than one request, and scope cleanup.
 *
 * Out of memory aborts the process: every size that a peer controls has a named cap that is checked
 * before the allocation, and every change of state is one transaction, so an abort is a restart
 * (docs/decisions/abort-on-out-of-memory.md). Only base/ calls malloc.
 */
#ifndef REEVE_BASE_MEM_H
#define REEVE_BASE_MEM_H

#include <stddef.h>

/* A zeroed block of `size` bytes (at least 1); the caller frees it with mem_free(). Never NULL. */
void *mem_alloc(size_t size);
/* Like realloc(); new bytes are not zeroed. Never NULL. */
void *mem_realloc(void *block, size_t size);
char *mem_strdup(const char *text);
/* Accepts NULL. Returns NULL, so that `p = mem_free(p)` leaves no dangling pointer. */
void *mem_free(void *block);

/* Runs release(&variable) when it leaves scope: CLEANUP(mem_freep) char *path = … */
#define CLEANUP(release) __attribute__((cleanup(release)))

/* Moves a pointer out of a CLEANUP variable: return TAKE(path); */
#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

/* For CLEANUP: frees *pointer_to_pointer. */
void mem_freep(void *pointer_to_pointer);
/* For CLEANUP: closes *fd unless it is negative. Keeps errno. */
void fd_closep(int *fd);

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
