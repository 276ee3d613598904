/* SPDX-License-Identifier: MIT */
/*
 * One value of a reply as people read it, by the field of its row.
 */
#ifndef REEVE_CLI_VALUE_H
#define REEVE_CLI_VALUE_H

#include "catalog/catalog.h"
#include "cli/screen.h"
#include "cli/text.h"

/* What stands where a value is absent or null. */
#define VALUE_ABSENT "-"
/* "2026-11-24 06:12:28" of a time in a table */
#define VALUE_TIME_SHORT 19

/* Cleaned text in the arena. `json` NULL: absent. Numbers get their unit, lists and maps are
   joined, objects and `any` are JSON. */
struct slice value_text(const struct field *field, const struct json *json, enum text_lines lines,
                        struct arena *arena);
/* The same for a cell of a table: times as "2026-11-24 06:12:28.123456", of text of several lines
 * the first and "…". */
struct slice value_cell(const struct field *field, const struct json *json, struct arena *arena);
/* Whether it is text of several lines. */
bool value_has_lines(const struct json *json, struct arena *arena);
/* Colour of words that say good or bad (states); TINT_NONE for all else. */
enum tint value_tint(const struct field *field, struct slice text);

/* What a JSON string says, uncleaned: the escaped text itself if it holds a NUL. */
struct slice value_string(struct json string, struct arena *arena);

bool value_is_number(const struct field *field);
bool value_is_time(const struct field *field);
/* Where another page goes on: something to hand back, not to read. */
bool value_is_cursor(const struct field *field);
/* The flag that takes one back; NULL: the operation takes none. */
const char *value_cursor_flag(const struct op *op);
/* struct column */
size_t value_floor(const struct field *field);

/* JSON, indented and cleaned; a line feed ends it. */
void value_pretty(struct json json, struct buf *to);

#endif
