/* SPDX-License-Identifier: MIT */
/*
 * Internal to this folder: one value against one field, and the texts of refusals.
 *
 * Requests, payloads and checks of replies go through the same rules, so that none can accept what
 * another refuses. A refusal names where the value stands, shows it, and says what is accepted.
 */
#ifndef REEVE_CATALOG_CHECK_H
#define REEVE_CATALOG_CHECK_H

#include "catalog/catalog.h"

/* Where a value stands ("operation.type", "args[3]") and what is accepted there. One a level, on
   the stack. */
struct spot {
    const struct spot *up;   /* NULL: at top */
    struct slice name;       /* of a member or parameter */
    size_t index;            /* of an element of a list; its name.at is NULL */
    const struct type *type; /* NULL where nothing is accepted: an unknown member */
    const struct rule *rule;
};
struct spot spot_of(const struct spot *up, const struct field *field);

/* All of these fill *why (unless NULL) and return OUTCOME_INVALID. */
/* "limit: '101' is not accepted; expected an integer from 1 to 100" */
int spot_refuse(const struct spot *spot, struct slice value, struct refusal *why);
/* "hostname: 'a%zz' is not accepted; <because>" */
int spot_refuse_because(const struct spot *spot, struct slice value, const char *because,
                        struct refusal *why);
/* "command: required; expected 1 to 4096 characters of text: Program" */
int spot_refuse_missing(const struct spot *spot, const char *doc, struct refusal *why);
/* "args: <text>" */
int spot_refuse_text(const struct spot *spot, const char *text, struct refusal *why);

/* The fields that "cuont: unknown member; accepted are address, count" names. */
#define PLACES_ALL (~0u)
struct known {
    const struct schema *schemas[2]; /* the second may be NULL */
    unsigned places;                 /* sum of 1u << enum place */
};
int spot_refuse_unknown(const struct spot *spot, const char *what, const struct known *known,
                        struct refusal *why);

bool rule_allows_i64(const struct rule *rule, int64_t value);
bool rule_allows_f64(const struct rule *rule, double value);
bool rule_allows_text(const struct rule *rule, struct slice text); /* text is NUL-terminated */

/* PATTERN: whether the whole text matches. Thread-safe. */
#define PATTERN_TEXT_MAX 4096 /* bytes; longer texts never match */
bool pattern_check(const char *pattern, const char *text);

/* A duration as requests write it: "1h30m". Parts below a millisecond are cut, less is "0s". */
void duration_write(int64_t duration_us, char ret[DURATION_TEXT_SIZE]);

/* ---- decoding (decode.c, schema.c) ---- */

/* Any list(t) and map(t). */
struct sequence {
    void *v;
    size_t n;
};

struct decoder {
    struct arena *arena;
    struct refusal *why;
    size_t list_max; /* values of one list or map */
    /* As schema_encode() writes: null in NULLABLE members alone, these never absent; "***" for any
       secret. */
    bool written;
};

/* Text of a parameter or default, NUL-terminated and UTF-8, which lives as long as the value. */
int decode_text(const struct decoder *d, const struct spot *spot, struct slice text, void *ret);
int decode_json(const struct decoder *d, const struct spot *spot, struct json json, void *ret);
/* Members into the fields of these places. */
int decode_members(const struct decoder *d, const struct spot *up, const struct schema *schema,
                   unsigned places, struct json object, void *ret);
/* When all places were decoded: what is required, pairs, defaults. */
int decode_finish(const struct decoder *d, const struct spot *up, const struct schema *schema,
                  void *ret);
/* json_check() whose refusal names the field "body". */
int decode_document(struct slice text, size_t values_max, struct json *ret, struct refusal *why);

/* The WHOLE field of a schema that is one, else NULL. */
const struct field *schema_whole(const struct schema *schema);
bool field_is_in_body(const struct field *field); /* BODY or WHOLE */
/* Whether a request for it is nothing without a body. */
bool schema_needs_body(const struct schema *schema);
static inline bool *field_has(const struct field *field, void *object)
{
    return (bool *)((char *)object + field->has_offset);
}

#endif
