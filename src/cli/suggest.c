/* SPDX-License-Identifier: MIT */
/*
 * Nearness of words: Levenshtein distance, in one row of the matrix.
 */
#include "cli/suggest.h"

#include "base/mem.h"

#define WORD_MAX     64 /* longer words are not compared */
#define DISTANCE_MAX 2  /* letters that may be wrong */

struct suggestion suggestion_for(struct slice given)
{
    return (struct suggestion){.given = given, .distance = DISTANCE_MAX + 1};
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

static size_t word_distance(struct slice a, struct slice b)
{
    size_t row[WORD_MAX + 1];

    for (size_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (size_t i = 0; i < a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.size; j++) {
            size_t above = row[j + 1];
            row[j + 1] = smallest(above + 1, row[j] + 1, diagonal + (a.at[i] != b.at[j]));
            diagonal = above;
        }
    }
    return row[b.size];
}

void suggestion_offer(struct suggestion *suggestion, const char *word)
{
    struct slice offered = slice_of(word);

    if (offered.size > WORD_MAX || suggestion->given.size > WORD_MAX)
        return;
    size_t distance = word_distance(suggestion->given, offered);
    /* Of two letters both may be wrong: that is another word, not a slip. */
    if (distance >= suggestion->distance || distance >= offered.size)
        return;
    suggestion->best = word;
    suggestion->distance = distance;
}

const char *suggestion_best(const struct suggestion *suggestion)
{
    return suggestion->best;
}
