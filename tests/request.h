/* SPDX-License-Identifier: MIT */
/*
 * Requests made from the catalog's rows: valid ones, and ones that are wrong in exactly one place.
 *
 * Only what a row requires is given, plus the one field that is broken.
 */
#ifndef REEVE_TESTS_REQUEST_H
#define REEVE_TESTS_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"

#define FIELD_DEPTH_MAX 4

/* One field of a request, reached through the objects that hold it, and what stands there instead
   of a valid value. */
struct variant {
    const struct field *fields[FIELD_DEPTH_MAX]; /* outermost first; the last is the broken one */
    unsigned depth;                              /* 0: the request is valid */
    const char *text; /* JSON in a body, percent-encoded elsewhere; NULL: the field is left out */
    bool twice;       /* given two times */
};

struct request {
    struct buf path; /* with the query */
    struct buf body; /* empty: the operation takes none */
};

const struct field *variant_field(const struct variant *variant);
/* "operation.type" */
const char *variant_name(const struct variant *variant, struct arena *arena);

/* `prefix` is "" or "/api". The caller releases with request_release(). */
void request_build(const struct op *op, const char *prefix, const struct variant *variant,
                   struct request *ret);
void request_release(struct request *request);

/* JSON of a value that the field's kind and rule accept. */
void valid_value(const struct field *field, struct buf *to);
/* Text as it stands in a path or a query. */
void percent_encode(struct slice text, struct buf *to);

#endif
