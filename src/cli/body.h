/* SPDX-License-Identifier: MIT */
/*
 * What was given for the fields of a schema, as JSON.
 */
#ifndef REEVE_CLI_BODY_H
#define REEVE_CLI_BODY_H

#include "cli/argument.h"

#define BODY_FILE_MAX   ((size_t)1 << 20) /* bytes of a file given as @FILE */
#define BODY_PLACES_ALL (~0u)

/* Before any value of `root` is used: reads files for @FILE, and refuses what JSON can't hold and
   what is missing. 0; OUTCOME_USAGE. */
int body_prepare(struct argument_set *set, const struct schema *root, struct refusal *why);

/* The object of the fields that were given, in the arena; `places` is a sum of 1u << enum place. 0;
 * OUTCOME_USAGE. */
int body_write(const struct argument_set *set, const struct schema *schema, unsigned places,
               struct slice *ret, struct refusal *why);

#endif
