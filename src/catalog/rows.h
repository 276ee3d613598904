/* SPDX-License-Identifier: MIT */
/* clang-format off */ /* the columns below are a table */
/*
 * All rows of the catalog, with whichever row words the includer has defined; the others vanish.
 *
 *     #define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc) …
 *     #include "catalog/rows.h"
 *
 * To add a domain: its file below. To add an operation: 1. its STRUCT rows  2. one OP row  3. one function
 * op_<id>() in host/<domain>.c (class QUERY, MODIFY) or controller/<domain>.c (class LOCAL). Nothing else.
 *
 * Row words (upper case) and what stands in their columns:
 *   ENUM(e, doc) VALUE(e, id, word, doc) END_ENUM(e)
 *   STRUCT(s, doc) … END(s); contained structs stand before their users.
 *   FIELD(s, place, kind, name, presence, rule, doc); FIELD_AS where the wire name is no C identifier
 *     place     PATH QUERY BODY, or WHOLE: the value is the whole body, the only field of its struct;
 *               in configuration START RELOAD: when a changed key takes effect
 *     kind      str i64 f64 flag any duration secret choice(e) obj(t) list(t) map(t) encoded(t) encoded_list(t) lines(t)
 *               duration: microseconds in C, text such as 30s on the wire
 *               secret: text that is written as "***" everywhere but on its way to the host; in bodies alone
 *               any: JSON text, byte for byte; encoded(t): the same, known to be a t; encoded_list(t): array of t
 *               lines(t): a whole reply of any length, one t a line (application/x-ndjson)
 *     presence  REQUIRED OPTIONAL NULLABLE DEFAULT(text)
 *     rule      ANY RANGE(lo, hi) LENGTH(lo, hi) FORMAT(name) PATTERN(text) UNIT(name)
 *   PAIR(s, kind, a, b)      kind EXACTLY_ONE AT_LEAST_ONE AT_MOST_ONE NEEDS (a needs b)
 *   TABLE(s, "col col.sub …") the columns a terminal shows of a list of s; without it: every scalar field
 *   OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc)
 *     permission  a row of permission.def, or PUBLIC
 *     class       LOCAL QUERY MODIFY ENDS_AGENT (enum op_class)
 *     limit       seconds a run may take; OWN: the input's i64 field `timeout` says it; 0 for LOCAL
 *     code        HTTP status of success
 *     verb        words of the command line: "node disk"
 *   TAGGED(id)   its reply depends on the ledger's position and the request alone: it has an ETag
 */
#ifndef ENUM
#define ENUM(e, doc)
#endif
#ifndef VALUE
#define VALUE(e, id, word, doc)
#endif
#ifndef END_ENUM
#define END_ENUM(e)
#endif
#ifndef STRUCT
#define STRUCT(s, doc)
#endif
#ifndef FIELD_AS
#define FIELD_AS(s, place, kind, name, wire, presence, rule, doc)
#endif
#ifndef PAIR
#define PAIR(s, kind, a, b)
#endif
#ifndef TABLE
#define TABLE(s, columns)
#endif
#ifndef END
#define END(s)
#endif
#ifndef TAGGED
#define TAGGED(id)
#endif
#ifndef OP
#define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc)
#endif
#define FIELD(s, place, kind, name, presence, rule, doc)                                           \
    FIELD_AS(s, place, kind, name, #name, presence, rule, doc)

#include "catalog/shared.def"

#include "catalog/node.def"

#include "catalog/command.def"

#include "catalog/job.def"

#include "catalog/agent.def"

#include "catalog/health.def"

#include "catalog/bus.def"

#include "catalog/config.def"

#include "catalog/cli.def"

#ifdef ROWS_EXTRA /* wrong rows, which tests/catalog_traps.sh wants refused */
#include ROWS_EXTRA
#endif

#undef ENUM
#undef VALUE
#undef END_ENUM
#undef STRUCT
#undef FIELD_AS
#undef FIELD
#undef PAIR
#undef TABLE
#undef END
#undef TAGGED
#undef OP
