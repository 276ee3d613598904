/* SPDX-License-Identifier: MIT */
/*
 * Something that is written once and then read by several threads: counted, with the memory it lies
 * in.
 *
 * What an agent says of its host is kept so: the core replaces it, replies that are being made
 * still read the old.
 */
#ifndef REEVE_CONTROLLER_KEPT_H
#define REEVE_CONTROLLER_KEPT_H

#include "base/arena.h"
#include "catalog/catalog.h"

#include <stdatomic.h>

struct kept {
    atomic_uint refs;
    struct arena arena;
    void *object; /* in the arena; unchanged once there is a second reference */
};

/* One reference, no object yet. */
struct kept *kept_new(void);
/* A deep copy of a row's struct. */
struct kept *kept_copy(const struct schema *schema, const void *object);
struct kept *kept_ref(struct kept *kept);   /* accepts NULL */
struct kept *kept_unref(struct kept *kept); /* accepts NULL; returns NULL */

#endif
