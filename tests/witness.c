/* SPDX-License-Identifier: MIT */
/*
 * The witness: words read once, sorted, searched.
 */
#include "witness.h"

#include "base/file.h"
#include "base/mem.h"

static int compare_words(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t count_lines(struct slice text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.size; i++)
        n += text.at[i] == '\n';
    return n;
}

int witness_read(const char *path, struct witness *ret)
{
    struct arena arena = {0};
    struct slice contents, line;
    struct witness witness = {.n_words = 0};
    int r = file_read(path, WITNESS_FILE_MAX, &arena, &contents);

    if (r)
        return r;
    witness.words = mem_alloc((count_lines(contents) + 1) * sizeof(*witness.words));
    while (slice_cut(&contents, '\n', &line))
        snprintf(witness.words[witness.n_words++], WITNESS_WORD_SIZE, "%.*s", (int)line.size,
                 line.at);
    arena_release(&arena);
    qsort(witness.words, witness.n_words, sizeof(*witness.words), compare_words);
    *ret = witness;
    return 0;
}

void witness_release(struct witness *witness)
{
    mem_free(witness->words);
}

bool witness_has(const struct witness *witness, const char *word)
{
    return bsearch(word, witness->words, witness->n_words, sizeof(*witness->words), compare_words);
}

unsigned witness_print_doubles(const struct witness *witness)
{
    unsigned doubled = 0;

    for (size_t i = 1; i < witness->n_words; i++) {
        if (strcmp(witness->words[i - 1], witness->words[i]))
            continue;
        printf("crash: %s ran twice\n", witness->words[i]);
        doubled++;
    }
    return doubled;
}
