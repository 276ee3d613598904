/* SPDX-License-Identifier: MIT */
/*
 * Internal to this folder: what openapi.c (paths) and openapi_schema.c (components) share.
 *
 * A writer that notes which structs and enums were named, so that exactly these are written.
 */
#ifndef REEVE_CATALOG_OPENAPI_H
#define REEVE_CATALOG_OPENAPI_H

#include "catalog/check.h"

/* Every ENUM and STRUCT, in row order. */
enum openapi_component {
#define ENUM(e, doc)   OPENAPI_##e,
#define STRUCT(s, doc) OPENAPI_##s,
#include "catalog/rows.h"
    OPENAPI_COMPONENT_COUNT
};

struct openapi {
    struct json_writer w;
    bool wanted[OPENAPI_COMPONENT_COUNT];
};

/* "key": value */
void openapi_put(struct openapi *o, const char *key, const char *text);
void openapi_put_bool(struct openapi *o, const char *key, bool value);
void openapi_put_int(struct openapi *o, const char *key, int64_t value);
/* "key": { … } */
void openapi_begin(struct openapi *o, const char *key);
void openapi_end(struct openapi *o);
/* "$ref": "#/components/…" */
void openapi_put_ref(struct openapi *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same, to a struct of the rows, which becomes wanted. */
void openapi_put_schema_ref(struct openapi *o, const struct schema *schema);

/* Members of the JSON Schema of a field: type, rule, default; and its sentence. */
void openapi_put_field(struct openapi *o, const struct field *field);
void openapi_put_description(struct openapi *o, const struct field *field);

/* "schemas": what is wanted, and the replies of operations that make runs ("<name>_reply"). */
void openapi_put_schemas(struct openapi *o);

#endif
