/* SPDX-License-Identifier: MIT */
/*
 * JSON (RFC 8259) as slices of the text it came in, and a writer.
 *
 * Validate once, then walk: json_check() proves a whole document (syntax, UTF-8, depth, number of
 * values, no duplicate keys), after which the walkers below can't fail on it. No tree is built and
 * numbers stay text, so that an `any` value passes through byte for byte (a tree turned 1 MiB of
 * `{}` into 77 MB and 0.1 into 0.10000000000000001).
 */
#ifndef REEVE_BASE_JSON_H
#define REEVE_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/outcome.h"

#include <stdint.h>

#define JSON_DEPTH_MAX  32    /* arrays and objects inside one another */
#define JSON_VALUES_MAX 20000 /* values in one document, members and elements included */
/* Documents of Reeve's own making (results that hosts sent) may hold more values. */
#define JSON_VALUES_MAX_RESULT 1000000

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* A value inside checked text. */
struct json {
    enum json_kind kind;
    struct slice text; /* from its first to its last byte, quotes and brackets included */
};

/* 0, or OUTCOME_INVALID with a text that names the byte offset and what was expected there. Leading
   and trailing white space is accepted, anything else after the value is not. *ret is the
   document's value. */
int json_check(struct slice text, size_t values_max, struct json *ret, struct refusal *why);

/* Walks an array or object:  struct json_walk w = json_walk(value); while (json_next(&w)) … w.key,
 * w.value */
struct json_walk {
    const char *at, *end;
    bool members;
    struct json key; /* of an object: a JSON_STRING, still escaped */
    struct json value;
};
struct json_walk json_walk(struct json array_or_object);
bool json_next(struct json_walk *walk);

/* The member of an object, false when there is none. */
bool json_member(struct json object, const char *name, struct json *ret);

/* Compares a JSON_STRING, unescaped, with text. */
bool json_string_is(struct json string, const char *text);
/* Unescaped and NUL-terminated in the arena; a string that holds U+0000 is OUTCOME_INVALID (no
   path, name or argument can carry it). *ret_size may be NULL. */
int json_string(struct json string, struct arena *arena, const char **ret, size_t *ret_size);
/* False when it is no integer or does not fit: 1.0 and 1e3 are no integers. */
bool json_i64(struct json number, int64_t *ret);
bool json_f64(struct json number, double *ret); /* false when it overflows */

/* Writes one JSON document into a buf; puts the commas. */
struct json_writer {
    struct buf *to;
    bool comma; /* the next value needs one before it */
};
struct json_writer json_writer(struct buf *to);
void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_slice(struct json_writer *w, struct slice key);
void json_null(struct json_writer *w);
void json_bool(struct json_writer *w, bool value);
void json_int(struct json_writer *w, int64_t value);
void json_double(struct json_writer *w,
                 double value); /* shortest text that reads back the same; not finite: null */
void json_text(struct json_writer *w, const char *text);
void json_slice(struct json_writer *w, struct slice text);
void json_time(struct json_writer *w, int64_t time_us);
/* Text that is JSON already. */
void json_raw(struct json_writer *w, struct slice json);

/* The bytes as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD, and the result
 * is false. */
bool json_quote(struct buf *to, struct slice text);

#endif
