/* SPDX-License-Identifier: MIT */
/*
 * From method and path to the catalog's row. Every path exists twice: /job and /api/job.
 */
#ifndef REEVE_HTTP_ROUTE_H
#define REEVE_HTTP_ROUTE_H

#include "catalog/catalog.h"

#define ROUTE_ALLOW_SIZE 64

struct route_match {
    const struct op *op;
    struct slice
        path[PATH_PARAMETERS_MAX]; /* still percent-encoded, in the order of the row's {names} */
    char allow[ROUTE_ALLOW_SIZE];  /* OUTCOME_METHOD: "GET, DELETE" */
};

/* Literals beat parameters; {name*} takes the rest, slashes included. A parameter that ends the
   path is never empty; one inside may be, and the decoder refuses it: the contract has /node//load
   answered 400. 0, OUTCOME_NOT_FOUND, or OUTCOME_METHOD when the path takes other methods. Bounded
   by the number of rows and the path's segments (ROUTE_SEGMENTS_MAX; more is not found). */
#define ROUTE_SEGMENTS_MAX 64
int route_find(const char *method, struct slice path, struct route_match *ret);

/* The tree behind it, for rows of any origin; route_find() has one of all rows. They outlive the
 * table. */
struct route_table;
struct route_table *route_table_new(const struct op *rows, size_t n_rows);
void route_table_free(struct route_table *table);
int route_table_find(const struct route_table *table, const char *method, struct slice path,
                     struct route_match *ret);

#endif
