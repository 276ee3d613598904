/* SPDX-License-Identifier: MIT */
/*
 * Where a column or line of output comes from: a path of members in a reply, and the field of its
 * row.
 */
#ifndef REEVE_CLI_SOURCE_H
#define REEVE_CLI_SOURCE_H

#include "catalog/catalog.h"
#include "cli/table.h"

#define SOURCE_DEPTH_MAX 4 /* objects inside one another */

struct source {
    const char *path[SOURCE_DEPTH_MAX]; /* wire names, from the outside in */
    size_t depth;
    const struct field *field;
};

struct source_list {
    struct source *v;
    size_t n;
};

/* The columns of a schema's table: those of its TABLE row, without one every value that fits a
 * cell. */
struct source_list sources_of_table(const struct schema *schema, struct arena *arena);
/* Every value of the schema, those inside objects too; lists and maps of objects are no values. */
struct source_list sources_of_object(const struct schema *schema, struct arena *arena);

/* False when the object does not have it. */
bool source_value(const struct source *source, struct json object, struct json *ret);
/* "operation.type" */
const char *source_name(const struct source *source, struct arena *arena);
/* A column for sources[i]: titled by the last member, or by its whole path when others end alike.
 */
struct column source_column(const struct source_list *sources, size_t i, struct arena *arena);
/* `object` NULL: absent. */
struct cell source_cell(const struct source *source, const struct json *object,
                        struct arena *arena);

/* The schema of a list's, map's or encoded list's objects; NULL for all else. */
const struct schema *type_objects(const struct type *type);

#endif
