/* SPDX-License-Identifier: MIT */
/*
 * The derivation: tables of words, fields, pairs, schemas and operations, made from the rows by the compiler.
 *
 * Nothing here knows an operation. Rows that would compile into something they do not say are refused by the
 * assertions below; tests/catalog_traps.sh shows that each of them bites.
 */
#include "catalog/catalog.h"

#include "base/mem.h"

#include <assert.h>

#define UNUSED __attribute__((unused))

/* ---- words ---- */

#define ENUM(e, doc)            const struct word e##_words[] = {
#define VALUE(e, id, word, doc) [e##_##id] = {word, doc},
#define END_ENUM(e)                                                                                \
    }                                                                                              \
    ;                                                                                              \
    _Static_assert(COUNT_OF(e##_words) == e##_COUNT, "a VALUE of ENUM " #e " names another ENUM");
#include "catalog/rows.h"

/* ---- types ---- */

#define TYPE_str             .kind = KIND_STR
#define TYPE_i64             .kind = KIND_I64
#define TYPE_f64             .kind = KIND_F64
#define TYPE_flag            .kind = KIND_FLAG
#define TYPE_any             .kind = KIND_ANY
#define TYPE_duration        .kind = KIND_DURATION
#define TYPE_choice(e)       .kind = KIND_CHOICE, .words = e##_words, .n_words = e##_COUNT
#define TYPE_obj(t)          .kind = KIND_OBJ, .schema = &t##_schema
#define TYPE_list(t)         .kind = KIND_LIST, .element = &type_of_##t
#define TYPE_map(t)          .kind = KIND_MAP, .element = &type_of_##t
#define TYPE_encoded(t)      .kind = KIND_ENCODED, .schema = &t##_schema
#define TYPE_encoded_list(t) .kind = KIND_ENCODED_LIST, .schema = &t##_schema

#define TYPE_OF(t, type, ctype)                                                                    \
    UNUSED static const struct type type_of_##t = {                                                \
        type,                                                                                      \
        .size = sizeof(ctype),                                                                     \
        .entry_size = sizeof(struct t##_entry),                                                    \
        .val_offset = offsetof(struct t##_entry, val),                                             \
    };
#define X(kind) TYPE_OF(kind, TYPE_##kind, CTYPE_##kind)
CATALOG_SCALARS(X)
#undef X
/* TYPE_OF() takes one argument where TYPE_choice() makes three. */
#define LIST_OF(...)    __VA_ARGS__
#define ENUM(e, doc)    TYPE_OF(e, LIST_OF(TYPE_choice(e)), enum e)
#define STRUCT(s, doc)  TYPE_OF(s, LIST_OF(TYPE_obj(s)), struct s)
#include "catalog/rows.h"

/* ---- fields, pairs, schemas ---- */

#define PRESENT_REQUIRED      .presence = PRESENCE_REQUIRED
#define PRESENT_OPTIONAL      .presence = PRESENCE_OPTIONAL
#define PRESENT_NULLABLE      .presence = PRESENCE_NULLABLE
#define PRESENT_DEFAULT(text) .presence = PRESENCE_OPTIONAL, .default_text = text

#define RULE_ANY            {.kind = RULE_KIND_ANY}
#define RULE_RANGE(lo, hi)  {.kind = RULE_KIND_RANGE, .min = lo, .max = hi}
#define RULE_LENGTH(lo, hi) {.kind = RULE_KIND_LENGTH, .min = lo, .max = hi}
#define RULE_FORMAT(format) {.kind = RULE_KIND_FORMAT, .name = #format}
#define RULE_PATTERN(text)  {.kind = RULE_KIND_PATTERN, .name = text}
#define RULE_UNIT(unit)     {.kind = RULE_KIND_UNIT, .name = #unit}

#define STRUCT(s, doc) static const struct field s##_fields[] = {
#define FIELD_AS(s, place_, kind, member, wire_, presence, rule_, doc_)                            \
    {                                                                                              \
        .wire = wire_,                                                                             \
        .doc = doc_,                                                                               \
        .place = PLACE_##place_,                                                                   \
        PRESENT_##presence,                                                                        \
        .type = {TYPE_##kind, .size = sizeof(CTYPE_##kind)},                                       \
        .rule = RULE_##rule_,                                                                      \
        .offset = offsetof(struct s, member),                                                      \
        .has_offset = offsetof(struct s, has_##member),                                            \
    },
#define END(s)                                                                                     \
    {                                                                                              \
        .wire = NULL                                                                               \
    }                                                                                              \
    }                                                                                              \
    ;
#include "catalog/rows.h"

#define STRUCT(s, doc) static const struct pair s##_pairs[] = {
#define PAIR(s, kind_, a_, b_)                                                                     \
    {                                                                                              \
        .kind = PAIR_##kind_,                                                                      \
        .a = #a_,                                                                                  \
        .b = #b_,                                                                                  \
        .has_a = offsetof(struct s, has_##a_),                                                     \
        .has_b = offsetof(struct s, has_##b_),                                                     \
    },
#define END(s)                                                                                     \
    {                                                                                              \
        .a = NULL                                                                                  \
    }                                                                                              \
    }                                                                                              \
    ;
#include "catalog/rows.h"

#define STRUCT(s, doc_)                                                                            \
    const struct schema s##_schema = {                                                             \
        .name = #s,                                                                                \
        .doc = doc_,                                                                               \
        .fields = s##_fields,                                                                      \
        .pairs = s##_pairs,                                                                        \
        .size = sizeof(struct s),
#define TABLE(s, columns) .table = columns,
#define END(s)                                                                                     \
    }                                                                                              \
    ;
#include "catalog/rows.h"

const struct schema *const schema_catalog[] = {
#define STRUCT(s, doc) &s##_schema,
#include "catalog/rows.h"
    NULL,
};

/* ---- rows that would silently say something else ---- */

/* Which rules a kind takes; a list or map passes its element's. */
enum fits { FITS_ANY = 1, FITS_RANGE = 2, FITS_TEXT = 4, FITS_UNIT = 8 };
#define FITS_str             (FITS_ANY | FITS_TEXT)
#define FITS_i64             (FITS_ANY | FITS_RANGE | FITS_UNIT)
#define FITS_f64             (FITS_ANY | FITS_RANGE | FITS_UNIT)
#define FITS_duration        (FITS_ANY | FITS_RANGE)
#define FITS_flag            FITS_ANY
#define FITS_any             FITS_ANY
#define FITS_choice(e)       FITS_ANY
#define FITS_obj(t)          FITS_ANY
#define FITS_list(t)         FITS_OF_##t
#define FITS_map(t)          FITS_OF_##t
#define FITS_encoded(t)      FITS_ANY
#define FITS_encoded_list(t) FITS_ANY
#define NEEDS_ANY            FITS_ANY
#define NEEDS_RANGE(lo, hi)  FITS_RANGE
#define NEEDS_LENGTH(lo, hi) FITS_TEXT
#define NEEDS_FORMAT(format) FITS_TEXT
#define NEEDS_PATTERN(text)  FITS_TEXT
#define NEEDS_UNIT(unit)     FITS_UNIT

enum {
#define X(kind) FITS_OF_##kind = FITS_##kind,
    CATALOG_SCALARS(X)
#undef X
#define ENUM(e, doc)   FITS_OF_##e = FITS_ANY, ROW_OF_##e,
#define STRUCT(s, doc) FITS_OF_##s = FITS_ANY, ROW_OF_##s,
#include "catalog/rows.h"
};
