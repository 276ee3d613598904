/* SPDX-License-Identifier: MIT */
/*
 * "did you mean": the offered word nearest to a mistyped one.
 */
#ifndef REEVE_CLI_SUGGEST_H
#define REEVE_CLI_SUGGEST_H

#include "base/slice.h"

struct suggestion {
    struct slice given;
    const char *best;
    size_t distance; /* of the best so far */
};

struct suggestion suggestion_for(struct slice given);
/* `word` must live as long as the suggestion. */
void suggestion_offer(struct suggestion *suggestion, const char *word);
/* NULL when nothing offered is near enough to be meant. */
const char *suggestion_best(const struct suggestion *suggestion);

#endif
