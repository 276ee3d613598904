/* SPDX-License-Identifier: MIT */
/*
 * The catalog: every operation, with its types, derived from the rows of *.def.
 *
 * From one row come the C types of input and output (below), the prototype of its function, its
 * route, the decoder and its 400 texts, the encoder, the OpenAPI entry, the command-line verb. A
 * derivation never asks which operation it has: what differs stands in a column (rows.h).
 */
#ifndef REEVE_CATALOG_CATALOG_H
#define REEVE_CATALOG_CATALOG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/outcome.h"
#include "base/secret.h"

#include <stdint.h>

/* ---- C types of the rows ---- */

/* C type of each kind; list(t) and map(t) take a scalar kind, a STRUCT or an ENUM by name. Each
   field `f` has a twin `has_f`: given, defaulted, or (encoding) to be written. Text is
   NUL-terminated and lives in the arena. */
#define CTYPE_str             const char *
#define CTYPE_i64             int64_t
#define CTYPE_f64             double
#define CTYPE_flag            bool
#define CTYPE_any             struct slice
#define CTYPE_duration        int64_t
#define CTYPE_secret          struct secret
#define CTYPE_choice(e)       enum e
#define CTYPE_obj(t)          struct t
#define CTYPE_list(t)         struct t##_list
#define CTYPE_map(t)          struct t##_map
#define CTYPE_encoded(t)      struct slice
#define CTYPE_encoded_list(t) struct slice
#define CTYPE_lines(t)        struct lines

/* JSON lines, made while the client reads them. */
struct lines {
    /* Appends whole lines, each with its newline: at least one, unless it returns LINES_END, behind
       the last. < 0: a fault. */
    int (*next)(void *owner, struct buf *to);
    void (*free)(void *owner);
    void *owner;
};
#define LINES_END 1

#define CATALOG_SCALARS(X) X(str) X(i64) X(f64) X(flag) X(any) X(duration) X(secret)

/* list(t): { v, n }; map(t): { v, n } of { key, val } entries in the order they came. */
#define CATALOG_LIST(t, ctype)                                                                     \
    struct t##_list {                                                                              \
        ctype *v;                                                                                  \
        size_t n;                                                                                  \
    };                                                                                             \
    struct t##_entry;                                                                              \
    struct t##_map {                                                                               \
        struct t##_entry *v;                                                                       \
        size_t n;                                                                                  \
    };
#define CATALOG_ENTRY(t, ctype)                                                                    \
    struct t##_entry {                                                                             \
        const char *key;                                                                           \
        ctype val;                                                                                 \
    };

#define X(kind) CATALOG_LIST(kind, CTYPE_##kind) CATALOG_ENTRY(kind, CTYPE_##kind)
CATALOG_SCALARS(X)
#undef X

#define ENUM(e, doc)            enum e {
#define VALUE(e, id, word, doc) e##_##id,
#define END_ENUM(e)                                                                                \
    e##_COUNT                                                                                      \
    }                                                                                              \
    ;                                                                                              \
    CATALOG_LIST(e, enum e)                                                                        \
    CATALOG_ENTRY(e, enum e)
#include "catalog/rows.h"

#define STRUCT(s, doc) CATALOG_LIST(s, struct s)
#include "catalog/rows.h"

#define STRUCT(s, doc)                                                                             \
    struct s {                                                                                     \
        char row_[1]; /* C has no empty structs */
#define FIELD_AS(s, place, kind, name, wire, presence, rule, doc)                                  \
    CTYPE_##kind name;                                                                             \
    bool has_##name;
#define END(s)                                                                                     \
    }                                                                                              \
    ;                                                                                              \
    CATALOG_ENTRY(s, struct s)
#include "catalog/rows.h"

/* Sets a field and its twin: SET(out, uptime, text). Evaluates `value` once. */
#define SET(object, field, value) ((object)->field = (value), (object)->has_##field = true)

/* ---- functions of the operations ---- */

struct op_ctx; /* controller/op.h: what handlers of class LOCAL get */
struct host;   /* host/host.h: what functions of the other classes get */
#define OP_CTX_LOCAL      struct op_ctx
#define OP_CTX_QUERY      struct host
#define OP_CTX_MODIFY     struct host
#define OP_CTX_ENDS_AGENT struct host
#define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc)             \
    int op_##id(OP_CTX_##class *ctx, const struct in *input, struct out *ret_out);
#include "catalog/rows.h"

/* ---- description of the rows ---- */

enum kind {
    KIND_STR,
    KIND_I64,
    KIND_F64,
    KIND_FLAG,
    KIND_ANY,
    KIND_DURATION,
    KIND_SECRET,
    KIND_CHOICE,
    KIND_OBJ,
    KIND_LIST,
    KIND_MAP,
    KIND_ENCODED,
    KIND_ENCODED_LIST,
    KIND_LINES,
};
enum place { PLACE_PATH, PLACE_QUERY, PLACE_BODY, PLACE_WHOLE, PLACE_START, PLACE_RELOAD };
enum presence { PRESENCE_REQUIRED, PRESENCE_OPTIONAL, PRESENCE_NULLABLE };
enum rule_kind {
    RULE_KIND_ANY,
    RULE_KIND_RANGE,
    RULE_KIND_LENGTH,
    RULE_KIND_FORMAT,
    RULE_KIND_PATTERN,
    RULE_KIND_UNIT
};
enum pair_kind { PAIR_EXACTLY_ONE, PAIR_AT_LEAST_ONE, PAIR_AT_MOST_ONE, PAIR_NEEDS };
enum op_class { CLASS_LOCAL, CLASS_QUERY, CLASS_MODIFY, CLASS_ENDS_AGENT };

struct word {
    const char *word, *doc;
};

struct rule {
    enum rule_kind kind;
    int64_t min, max; /* RANGE, LENGTH (code points) */
    /* FORMAT, UNIT: its name; PATTERN: POSIX extended expression, matched whole */
    const char *name;
};

/* Of a value, and what a list or map holds. */
struct type {
    enum kind kind;
    const struct schema *schema; /* OBJ, ENCODED, ENCODED_LIST, LINES */
    const struct word *words;    /* CHOICE */
    int n_words;
    const struct type *element; /* LIST, MAP */
    size_t size;                /* of one value in C */
    size_t entry_size, val_offset;
};

struct field {
    const char *wire, *doc; /* wire NULL ends the array */
    const char *default_text;
    enum place place;
    enum presence presence;
    struct type type;
    struct rule rule;
    size_t offset, has_offset;
};

struct pair {
    enum pair_kind kind;
    const char *a, *b; /* wire names; a NULL ends the array */
    size_t has_a, has_b;
};

struct schema {
    const char *name, *doc;
    const struct field *fields;
    const struct pair *pairs;
    const char *table; /* TABLE row, or NULL */
    size_t size;
};

enum op_id {
#define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc) OP_##id,
#include "catalog/rows.h"
    OP_COUNT
};

#define LIMIT_OWN (-1)

struct op {
    enum op_id id;
    const char *name;   /* identifier of the row: "node_disk"; also the OpenAPI operationId */
    const char *type;   /* "node.disk.get"; also the audit name */
    const char *method; /* "GET" */
    const char *path;   /* "/node/{hostname}/disk", without the /api prefix */
    int permission;     /* enum permission, or PERMISSION_PUBLIC */
    enum op_class class;
    int limit_s; /* LIMIT_OWN: the input's `timeout` */
    const struct schema *in, *out;
    int code;
    const char *verb; /* "node disk" */
    const char *doc;
};

extern const struct op op_catalog[OP_COUNT];
/* Every STRUCT, in row order; ends with NULL. */
extern const struct schema *const schema_catalog[];
#define STRUCT(s, doc) extern const struct schema s##_schema;
#include "catalog/rows.h"
#define ENUM(e, doc) extern const struct word e##_words[];
#include "catalog/rows.h"

/* NULL when there is none. */
const struct op *op_by_type(const char *type);
/* What the class adds to the input: node_target for all but LOCAL, where it is `none`. */
const struct schema *op_shared_in(const struct op *op);
bool op_makes_run(const struct op *op); /* every class but LOCAL */
/* TAGGED: its reply depends on the ledger's position and the request alone; unless this input has a
   moment that counts back from now. */
bool op_is_tagged(const struct op *op);
bool op_input_is_relative(const struct op *op, const void *input);
/* Seconds a run may take, LIMIT_OWN resolved from decoded input; 0 for LOCAL. */
int64_t op_limit_s(const struct op *op, const void *input);
/* Position of `word` among n words, or -1. */
int word_find(const struct word *words, int n_words, const char *word);

/* ---- permissions (permission.def) ---- */

enum role { ROLE_ADMIN, ROLE_WRITE, ROLE_READ, ROLE_COUNT };
#define ROLE_BIT_ADMIN (1u << ROLE_ADMIN)
#define ROLE_BIT_WRITE (1u << ROLE_WRITE)
#define ROLE_BIT_READ  (1u << ROLE_READ)

enum permission {
#define PERMISSION(id, word, roles) PERMISSION_##id,
#include "catalog/permission.def"
#undef PERMISSION
    PERMISSION_COUNT,
    PERMISSION_PUBLIC = -1,
};
_Static_assert(PERMISSION_COUNT <= 64, "a set of permissions is a uint64_t");

const char *permission_word(int permission); /* "public" for PERMISSION_PUBLIC */
int permission_find(struct slice word);      /* -1 when there is none */
const char *role_word(enum role role);
int role_find(struct slice word);          /* -1 when there is none */
uint64_t role_permissions(enum role role); /* bit set of 1 << permission */

/* ---- decode, encode (request.c, schema.c, encode.c) ---- */

/* Caps of one request's parts; each is refused with a text that names it. */
#define QUERY_PARAMETERS_MAX 64
#define LIST_VALUES_MAX      10000

/* Path parameters of a matched route, still percent-encoded, in the order of the row's {names}. */
#define PATH_PARAMETERS_MAX 4
struct op_request {
    struct slice path[PATH_PARAMETERS_MAX];
    struct slice query; /* after '?', still encoded */
    struct slice body;  /* JSON text, or empty */
};

/* Decodes path, query and body by op->in and op_shared_in(op) into *ret_in (op->in->size bytes) and
   *ret_shared (its schema's size), checking every rule. A null or empty body counts as {} when no
   BODY field is required; a null member counts as absent unless NULLABLE. 0, or OUTCOME_INVALID
   with the field, the value's fault and what is accepted: unknown or repeated parameters and
   members, malformed %xx, wrong kinds, broken rules. Values of kind any are slices of the body. */
int op_decode(const struct op *op, const struct op_request *request, struct arena *arena,
              void *ret_in, void *ret_shared, struct refusal *why);

/* The job payload: all fields of the struct, whatever their place, as one JSON object.
   schema_decode() is also how bus messages are read. values_max as in json_check(). Values of kind
   any and encoded are slices of `json`. */
int schema_decode(const struct schema *schema, struct slice json, size_t values_max,
                  struct arena *arena, void *ret, struct refusal *why);
int schema_decode_value(const struct schema *schema, struct json object, struct arena *arena,
                        void *ret, struct refusal *why);
/* Writes the fields that are has_…; a WHOLE field is written alone, lines never. NULLABLE fields
 * without has_ become null. A secret becomes "***". */
void schema_encode(const struct schema *schema, const void *object, struct buf *to);
/* The same without the braces, for envelopes that put members before them; false when there was no
 * member. */
bool schema_encode_members(const struct schema *schema, const void *object, struct json_writer *w);
/* The same with the secrets as they are, into a buf that wipes: what the host that is to have them
   is given, and what is sealed for it. Nothing else calls this. */
void schema_encode_revealed(const struct schema *schema, const void *object, struct buf *to);
/* What is shown as the whole input or result of a sensitive job: JSON. */
#define SENSITIVE_SHOWN SLICE("\"" SECRET_SHOWN "\"")
/* Whether a secret was given, at any depth. */
bool schema_has_secret(const struct schema *schema, const void *object);
/* 0 when `json` is what schema_encode() could have written (required members there, kinds and words
   right, no unknown member): replies are checked with it in debug builds, hosts' results always. */
int schema_check(const struct schema *schema, struct slice json, size_t values_max,
                 struct refusal *why);

/* The rule as people read it: "an integer from 1 to 100", "one of submitted, processing, …". */
void field_accepts(const struct field *field, char *ret, size_t size);

/* ---- formats (format.c): the names in FORMAT(name) ---- */

/* False when there is no such format. *ret_ok tells whether `text` has it. */
bool format_check(const char *name, const char *text, bool *ret_ok);
/* What the format accepts, for refusals and OpenAPI; NULL when there is no such format. */
const char *format_accepts(const char *name);

/* ---- documents (openapi.c, types.c) ---- */

void openapi_write(struct buf *to, const char *version);
/* docs/types.h: the rows as plain C, to read and to navigate; never compiled. */
void types_write(struct buf *to);

#endif
