/* SPDX-License-Identifier: MIT */
/*
 * The derivation: tables of words, types, fields, pairs, schemas and operations, made from the rows
 * by the compiler. Nothing here knows an operation.
 *
 * Rows that would compile into something they do not say are refused by the assertions in the
 * middle; tests/catalog_traps.sh shows that each of them bites.
 */
#include "catalog/catalog.h"

#include "base/mem.h"

#include <assert.h>

/* One row word a line: clang-format would break the half-open braces. */
/* clang-format off */

/* ---- words ---- */

#define ENUM(e, doc) const struct word e##_words[] = {
#define VALUE(e, id, word, doc) [e##_##id] = {word, doc},
#define END_ENUM(e) };
#include "catalog/rows.h"

/* ---- types ---- */

#define TYPE_str .kind = KIND_STR
#define TYPE_i64 .kind = KIND_I64
#define TYPE_f64 .kind = KIND_F64
#define TYPE_flag .kind = KIND_FLAG
#define TYPE_any .kind = KIND_ANY
#define TYPE_duration .kind = KIND_DURATION
#define TYPE_secret .kind = KIND_SECRET
#define TYPE_choice(e) .kind = KIND_CHOICE, .words = e##_words, .n_words = e##_COUNT
#define TYPE_obj(t) .kind = KIND_OBJ, .schema = &t##_schema
#define TYPE_list(t) .kind = KIND_LIST, .element = &type_of_##t
#define TYPE_map(t) .kind = KIND_MAP, .element = &type_of_##t
#define TYPE_encoded(t) .kind = KIND_ENCODED, .schema = &t##_schema
#define TYPE_encoded_list(t) .kind = KIND_ENCODED_LIST, .schema = &t##_schema
#define TYPE_lines(t) .kind = KIND_LINES, .schema = &t##_schema

/* Of what list(t) and map(t) hold; most rows are never held. */
#define TYPE_OF(t, is, ctype)                                                                      \
    __attribute__((unused)) static const struct type type_of_##t = {                               \
        is, .size = sizeof(ctype), .entry_size = sizeof(struct t##_entry),                       \
        .val_offset = offsetof(struct t##_entry, val)};
#define X(kind) TYPE_OF(kind, TYPE_##kind, CTYPE_##kind)
CATALOG_SCALARS(X)
#undef X
#define ENUM(e, doc) TYPE_OF(e, TYPE_choice(e), enum e)
#define STRUCT(s, doc) TYPE_OF(s, TYPE_obj(s), struct s)
#include "catalog/rows.h"

/* ---- fields, pairs, schemas ---- */

#define PRESENT_REQUIRED .presence = PRESENCE_REQUIRED
#define PRESENT_OPTIONAL .presence = PRESENCE_OPTIONAL
#define PRESENT_NULLABLE .presence = PRESENCE_NULLABLE
#define PRESENT_DEFAULT(text) .presence = PRESENCE_OPTIONAL, .default_text = text

#define RULE_ANY {.kind = RULE_KIND_ANY}
#define RULE_RANGE(lo, hi) {.kind = RULE_KIND_RANGE, .min = lo, .max = hi}
#define RULE_LENGTH(lo, hi) {.kind = RULE_KIND_LENGTH, .min = lo, .max = hi}
#define RULE_FORMAT(format) {.kind = RULE_KIND_FORMAT, .name = #format}
#define RULE_PATTERN(text) {.kind = RULE_KIND_PATTERN, .name = text}
#define RULE_UNIT(unit) {.kind = RULE_KIND_UNIT, .name = #unit}

#define STRUCT(s, doc) static const struct field s##_fields[] = {
#define FIELD_AS(s, place_, kind, member, wire_, presence, rule_, doc_)                            \
    {.wire = wire_, .doc = doc_, .place = PLACE_##place_, PRESENT_##presence,                      \
     .type = {TYPE_##kind, .size = sizeof(CTYPE_##kind)}, .rule = RULE_##rule_,                    \
     .offset = offsetof(struct s, member), .has_offset = offsetof(struct s, has_##member)},
#define END(s) {.wire = NULL}};
#include "catalog/rows.h"

#define STRUCT(s, doc) static const struct pair s##_pairs[] = {
#define PAIR(s, kind_, a_, b_)                                                                     \
    {.kind = PAIR_##kind_, .a = #a_, .b = #b_,                                                     \
     .has_a = offsetof(struct s, has_##a_), .has_b = offsetof(struct s, has_##b_)},
#define END(s) {.a = NULL}};
#include "catalog/rows.h"

#define STRUCT(s, doc_)                                                                            \
    const struct schema s##_schema = {                                                             \
        .name = #s, .doc = doc_, .fields = s##_fields, .pairs = s##_pairs, .size = sizeof(struct s),
#define TABLE(s, columns) .table = columns,
#define END(s) };
#include "catalog/rows.h"

#define STRUCT(s, doc) &s##_schema,
const struct schema *const schema_catalog[] = {
#include "catalog/rows.h"
    NULL,
};

/* ---- rows that would compile and say something else ---- */

/* Which rules a kind takes; list and map pass on their element's. */
enum { FITS_ANY = 1, FITS_RANGE = 2, FITS_TEXT = 4, FITS_UNIT = 8, FITS_BODY_ALONE = 16, FITS_WHOLE_ALONE = 32 };
#define FITS_choice(e) FITS_ANY
#define FITS_obj(t) FITS_ANY
#define FITS_list(t) FITS_##t
#define FITS_map(t) FITS_##t
#define FITS_encoded(t) FITS_ANY
#define FITS_encoded_list(t) FITS_ANY
#define FITS_lines(t) FITS_ANY | FITS_WHOLE_ALONE
#define ENUM(e, doc) FITS_##e = FITS_ANY,
#define STRUCT(s, doc) FITS_##s = FITS_ANY,
enum {
    FITS_str = FITS_ANY | FITS_TEXT,
    FITS_i64 = FITS_ANY | FITS_RANGE | FITS_UNIT,
    FITS_f64 = FITS_i64,
    FITS_duration = FITS_ANY | FITS_RANGE,
    FITS_secret = FITS_ANY | FITS_TEXT | FITS_BODY_ALONE,
    FITS_flag = FITS_ANY,
    FITS_any = FITS_ANY,
#include "catalog/rows.h"
};
#define NEEDS_ANY FITS_ANY
#define NEEDS_RANGE(lo, hi) FITS_RANGE
#define NEEDS_LENGTH(lo, hi) FITS_TEXT
#define NEEDS_FORMAT(format) FITS_TEXT
#define NEEDS_PATTERN(text) FITS_TEXT
#define NEEDS_UNIT(unit) FITS_UNIT

/* Each STRUCT and ENUM has a number; between its first and last row `self` is that number. */
#define ENUM(e, doc) ROW_##e,
#define STRUCT(s, doc) ROW_##s,
enum {
#include "catalog/rows.h"
};
#define SELF(name) __attribute__((unused)) static inline void name##_rows(void) { enum { self = ROW_##name };
#define IS_SELF(word, name) _Static_assert((int)self == (int)ROW_##name, word " names another one: " #name);
#define ENUM(e, doc) SELF(e)
#define VALUE(e, id, word, doc) IS_SELF("VALUE", e)
#define END_ENUM(e) IS_SELF("END_ENUM", e) }
#define STRUCT(s, doc) SELF(s)
#define FIELD_AS(s, place, kind, member, wire, presence, rule, doc)                                \
    IS_SELF("FIELD", s)                                                                            \
    _Static_assert((FITS_##kind) & (NEEDS_##rule), "rule does not fit the kind: " #s "." #member); \
    _Static_assert(PLACE_##place != PLACE_WHOLE || COUNT_OF(s##_fields) == 2,                      \
                   "WHOLE is not the only field: " #s "." #member);                                \
    _Static_assert(PLACE_##place == PLACE_BODY || !((FITS_##kind) & FITS_BODY_ALONE),              \
                   "a secret stands in a body alone: " #s "." #member);                            \
    _Static_assert(PLACE_##place == PLACE_WHOLE || !((FITS_##kind) & FITS_WHOLE_ALONE),            \
                   "lines are a whole body: " #s "." #member);
#define PAIR(s, kind, a, b) IS_SELF("PAIR", s)
#define TABLE(s, columns) IS_SELF("TABLE", s)
#define END(s) IS_SELF("END", s) }
#include "catalog/rows.h"

/* ---- operations ---- */

enum { OWN = LIMIT_OWN };
#define OP(id_, type_, method_, path_, permission_, class_, limit_, in_, out_, code_, verb_, doc_) \
    [OP_##id_] = {                                                                                 \
        .id = OP_##id_, .name = #id_, .type = type_, .method = #method_, .path = path_,            \
        .permission = PERMISSION_##permission_, .class = CLASS_##class_, .limit_s = limit_,        \
        .in = &in_##_schema, .out = &out_##_schema, .code = code_, .verb = verb_, .doc = doc_},
const struct op op_catalog[OP_COUNT] = {
#include "catalog/rows.h"
};

#define TAGGED(id) [OP_##id] = true,
static const bool tagged_ops[OP_COUNT] = {
#include "catalog/rows.h"
};

/* clang-format on */

static const struct {
    const struct schema *shared_in;
    bool makes_run;
} op_classes[] = {
    [CLASS_LOCAL] = {.shared_in = &none_schema, .makes_run = false},
    [CLASS_QUERY] = {.shared_in = &node_target_schema, .makes_run = true},
    [CLASS_MODIFY] = {.shared_in = &node_target_schema, .makes_run = true},
    [CLASS_ENDS_AGENT] = {.shared_in = &node_target_schema, .makes_run = true},
};

const struct op *op_by_type(const char *type)
{
    for (size_t i = 0; i < OP_COUNT; i++) {
        if (strcmp(op_catalog[i].type, type) == 0)
            return &op_catalog[i];
    }
    return NULL;
}

const struct schema *op_shared_in(const struct op *op)
{
    return op_classes[op->class].shared_in;
}

bool op_makes_run(const struct op *op)
{
    return op_classes[op->class].makes_run;
}

bool op_is_tagged(const struct op *op)
{
    return tagged_ops[op->id];
}

static bool is_moment_from_now(const struct field *field, const char *object)
{
    int64_t us;
    bool has = *(const bool *)(object + field->has_offset);

    if (!has || field->rule.kind != RULE_KIND_FORMAT || strcmp(field->rule.name, "moment") != 0)
        return false;
    const char *text = *(const char *const *)(const void *)(object + field->offset);
    return duration_parse(slice_of(text), &us);
}

bool op_input_is_relative(const struct op *op, const void *input)
{
    for (const struct field *field = op->in->fields; field->wire; field++) {
        if (is_moment_from_now(field, input))
            return true;
    }
    return false;
}

int64_t op_limit_s(const struct op *op, const void *input)
{
    if (op->limit_s != LIMIT_OWN)
        return op->limit_s;
    for (const struct field *field = op->in->fields; field->wire; field++) {
        if (strcmp(field->wire, "timeout") == 0)
            return *(const int64_t *)(const void *)((const char *)input + field->offset);
    }
    assert(!"a row with limit OWN has an i64 field `timeout`");
    return 0;
}

int word_find(const struct word *words, int n_words, const char *word)
{
    for (int i = 0; i < n_words; i++) {
        if (strcmp(words[i].word, word) == 0)
            return i;
    }
    return -1;
}
