/* SPDX-License-Identifier: MIT */
/*
 * What a verb takes on the command line, derived from rows, and what was given.
 *
 * Every field of a schema becomes one argument: a PATH field a positional word, the others a flag,
 * fields of an object a flag with a dot (--operation.type, also --type where no other flag ends
 * so). The flag of a field is its wire name; '-' and '_' are one letter. Values stay text here: the
 * catalog's decoder alone decides what is acceptable (request.h).
 */
#ifndef REEVE_CLI_ARGUMENT_H
#define REEVE_CLI_ARGUMENT_H

#include "catalog/catalog.h"

struct argument {
    const char *name; /* "limit", "operation.type": as a flag, without its dashes */
    const char *wire; /* "operation.type": wire names from the schema down to the field */
    const struct schema *root;
    const struct field *field;
    bool positional;
    bool required;       /* and so are the objects it is in */
    const char **values; /* in the order given; "true" or "false" for a flag */
    size_t n_values, room;
};

struct argument_set {
    struct arena *arena;
    struct argument *v;
    size_t n, room;
};

/* Whose PATH parameter is the flag --target instead of a positional word: what every run needs. */
#define ARGUMENT_TARGET "target"

void argument_set_init(struct argument_set *set, struct arena *arena);
/* Adds the arguments of a schema; `target` names its PATH field --target. */
void argument_set_add(struct argument_set *set, const struct schema *schema, bool target);

/* NULL when there is none. */
struct argument *argument_find(const struct argument_set *set, const char *wire,
                               const struct schema *root);
/* The first positional argument that has no value yet; NULL when all have one. */
struct argument *argument_next_positional(const struct argument_set *set);
/* The argument that words after "--" fill: the only list of text in the body; NULL when there is
 * none or several. */
struct argument *argument_rest(const struct argument_set *set);
/* The value given for the first argument of text with this FORMAT; NULL when there is none. */
const char *argument_value_of_format(const struct argument_set *set, const char *format);
bool argument_repeats(const struct argument *argument);
/* Whether one value may be several, joined by commas: lists of an ENUM's words, which have none. */
bool argument_splits(const struct argument *argument);
/* Of one value: a list's or map's element. */
const struct type *argument_type(const struct argument *argument);
bool argument_takes_json(const struct argument *argument);
/* Whether @FILE stands for a file's contents and @- for standard input's: values that are JSON,
   which never begins with '@', and secrets, which should not stand on a command line. */
bool argument_takes_file(const struct argument *argument);
/* How many arguments come from `root`. */
size_t argument_count(const struct argument_set *set, const struct schema *root);
void argument_add_value(struct argument_set *set, struct argument *argument, const char *value);

/*
 * Takes the flag at words[0] ("--name value", "--name=value", "--name", "--no-name") and what
 * belongs to it: *ret_taken words. OUTCOME_USAGE: unknown (with what may have been meant), value
 * missing, given twice.
 */
int argument_take_flag(struct argument_set *set, char *const *words, int n_words, int *ret_taken,
                       struct refusal *why);

/* "--limit", "ID": how the argument is written; in the set's arena. */
const char *argument_shown(const struct argument_set *set, const struct argument *argument);

#endif
