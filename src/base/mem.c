/* SPDX-License-Identifier: MIT */
/*
 * The one place that calls malloc, and the one that decides what running out of it means: abort.
 */
#include "base/mem.h"

#include <errno.h>
#include <unistd.h>

#undef calloc
#undef realloc

/* No log line: that would need memory. */
static _Noreturn void out_of_memory(void)
{
    static const char text[] = "out of memory\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

    (void)written;
    abort();
}

void *mem_alloc(size_t size)
{
    void *block = calloc(1, size ? size : 1);

    if (!block)
        out_of_memory();
    return block;
}

void *mem_realloc(void *block, size_t size)
{
    void *moved = realloc(block, size ? size : 1);

    if (!moved)
        out_of_memory();
    return moved;
}

char *mem_strdup(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(mem_alloc(size), text, size);
}

void *mem_free(void *block)
{
    free(block);
    return NULL;
}

void mem_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;

    free(*pointer);
}

void fd_closep(int *fd)
{
    if (*fd < 0)
        return;
    int kept = errno;
    close(*fd);
    errno = kept;
}
