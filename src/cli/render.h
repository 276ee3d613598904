/* SPDX-License-Identifier: MIT */
/*
 * Replies as people read them, derived from the rows: tables, blocks of values, results of hosts.
 *
 * The reply need not be what its row says: what is missing is left out, what is of another kind is
 * shown as JSON.
 */
#ifndef REEVE_CLI_RENDER_H
#define REEVE_CLI_RENDER_H

#include "catalog/catalog.h"
#include "cli/screen.h"

/* Appends the reply of `op`. */
void render_reply(const struct op *op, struct json reply, const struct screen *screen,
                  struct buf *to, struct arena *arena);

/* For render_reply(): the results of hosts (result.c), an object or list by its schema (render.c).
 */
void render_results(const struct op *op, struct json results, const struct screen *screen,
                    struct buf *to, struct arena *arena);
void render_object(const struct schema *schema, struct json object, const struct screen *screen,
                   struct buf *to, struct arena *arena);

/* The member `results` of a reply, false when it has none: then no host has answered. */
bool reply_results(struct json reply, struct json *ret);
/* Whether some host of the reply failed. */
bool reply_has_failed(struct json reply);

#endif
