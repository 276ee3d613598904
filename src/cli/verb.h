/* SPDX-License-Identifier: MIT */
/*
 * The verbs: one a row of the catalog, and the few that this program does itself.
 */
#ifndef REEVE_CLI_VERB_H
#define REEVE_CLI_VERB_H

#include "catalog/catalog.h"

struct command;

struct verb {
    const char *words; /* "node command exec" */
    const char *doc;
    const struct op *op;     /* NULL: no request to the controller */
    const struct schema *in; /* what it takes when there is no op; NULL: nothing */
    /* 0; > 0 with *why, whose text is empty when all has been said; < 0 a fault. */
    int (*run)(struct command *command, struct refusal *why);
};

/* The verb after `verb`, the first after NULL, in the order in which help shows them; NULL after
 * the last. */
const struct verb *verb_next(const struct verb *verb);
/* NULL when these words are no verb. */
const struct verb *verb_find(struct slice words);
/* Whether some verb begins with these words and goes on. */
bool verb_is_group(struct slice words);
/* Whether `verb` begins with the words of `group` and goes on; all are below the empty group. */
bool verb_is_below(const struct verb *verb, struct slice group);
/* The word that follows `group` in a verb below it. */
struct slice verb_word_after(const struct verb *verb, struct slice group);
/* What may have been meant by `word` after `group`, in the arena; NULL when nothing is near. */
const char *verb_suggestion(struct slice group, const char *word, struct arena *arena);

#endif
