/* SPDX-License-Identifier: MIT */
/*
 * What the scanner (json_check.c) and the walkers (json.c) share: escapes, and what a value's first
 * byte tells.
 *
 * For these two files alone.
 */
#ifndef REEVE_BASE_JSON_INSIDE_H
#define REEVE_BASE_JSON_INSIDE_H

#include "base/json.h"

/* What a value that begins with `first` is, if it is one at all. */
enum json_kind json_kind_of(char first);

/* Bytes of the escape that begins at `at` with a backslash: 2, 6, or 12 for a pair of surrogates; 0
   when it is none or a surrogate alone. */
size_t escape_size(const char *at, const char *end);

/* Reads the inside of a checked string byte by byte, escapes resolved. */
struct unescaped {
    const char *at, *end;
    char bytes[4]; /* of the last \u escape */
    unsigned n_bytes, n_read;
};
struct unescaped unescaped_of(struct slice inside);
/* The next byte, or -1 at the end. */
int unescaped_next(struct unescaped *u);

#endif
