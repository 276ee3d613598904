/* SPDX-License-Identifier: MIT */
/*
 * What the host says ran: the file to which each modify of the load appends a word of its own.
 */
#ifndef REEVE_TESTS_WITNESS_H
#define REEVE_TESTS_WITNESS_H

#include <stdbool.h>
#include <stddef.h>

#define WITNESS_FILE_MAX  ((size_t)64 << 20)
#define WITNESS_WORD_SIZE 32

struct witness {
    char (*words)[WITNESS_WORD_SIZE]; /* sorted */
    size_t n_words;
};

/* 0, or -errno when there is no such file. The caller releases. */
int witness_read(const char *path, struct witness *ret);
void witness_release(struct witness *witness);

bool witness_has(const struct witness *witness, const char *word);
/* A word that stands twice ran twice. Prints each and returns how many there are. */
unsigned witness_print_doubles(const struct witness *witness);

#endif
