/* SPDX-License-Identifier: MIT */
/*
 * The ways in which the value of one field can be wrong, derived from its kind, presence and rule.
 */
#ifndef REEVE_TESTS_WRONG_H
#define REEVE_TESTS_WRONG_H

#include "base/buf.h"
#include "catalog/catalog.h"

struct wrong {
    const char *name;
    /* Writes the value as variant.text takes it. False when the field can't be wrong this way. */
    bool (*write)(const struct field *field, struct buf *to);
    bool absent, twice; /* the field is left out; stands two times */
};

extern const struct wrong wrongs[];
extern const size_t n_wrongs;

#endif
