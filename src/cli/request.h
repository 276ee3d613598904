/* SPDX-License-Identifier: MIT */
/*
 * From what was given on the command line to a request, checked before anything is sent.
 *
 * The one validator is the catalog's decoder, which the controller uses as well: a request is
 * written, then read back by it, and its refusal is worded with flags instead of fields.
 */
#ifndef REEVE_CLI_REQUEST_H
#define REEVE_CLI_REQUEST_H

#include "cli/argument.h"

#define REQUEST_TARGET_DEFAULT "_any" /* of operations that only read */

struct request {
    const char *method;
    const char *path;      /* percent-encoded, with its query */
    struct slice body;     /* empty: none */
    int64_t wait_us;       /* how long the controller may hold it; 0 when the row has no `wait` */
    const char *waits_for; /* the target as given; NULL when no host is asked */
};

/* The request of an operation. All texts live in the set's arena. 0; OUTCOME_USAGE. */
int request_make(const struct op *op, struct argument_set *set, struct request *ret,
                 struct refusal *why);

/* What was given for the fields of `schema`, decoded into `ret` (its size). 0; OUTCOME_USAGE. */
int request_options(struct argument_set *set, const struct schema *schema, void *ret,
                    struct refusal *why);

#endif
