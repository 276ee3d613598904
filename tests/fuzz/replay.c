/* SPDX-License-Identifier: MIT */
/*
 * Feeds the files of the directories given to a fuzz target, once each, without libFuzzer.
 *
 * Each input is a heap block of exactly its size, so that the address sanitizer sees the first byte
 * read beyond it. An empty corpus is a failure: it would prove nothing.
 */
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>

#define INPUT_MAX ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* 1 when the file was fed, 0 when it is none. */
static unsigned feed(const char *directory, const char *name)
{
    struct arena arena = {0};
    struct slice contents;
    uint8_t *exact;
    unsigned fed = 0;

    if (name[0] != '.' &&
        !file_read(arena_printf(&arena, "%s/%s", directory, name), INPUT_MAX, &arena, &contents)) {
        exact = mem_alloc(contents.size);
        if (contents.size)
            memcpy(exact, contents.at, contents.size);
        LLVMFuzzerTestOneInput(exact, contents.size);
        mem_free(exact);
        fed = 1;
    }
    arena_release(&arena);
    return fed;
}

static unsigned feed_all(const char *directory)
{
    DIR *dir = opendir(directory);
    unsigned fed = 0;

    if (!dir) {
        perror(directory);
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(dir));)
        fed += feed(directory, entry->d_name);
    closedir(dir);
    return fed;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        unsigned fed = feed_all(argv[i]);

        printf("%s: %u inputs\n", argv[i], fed);
        if (!fed)
            return 1;
    }
    return argc < 2;
}
