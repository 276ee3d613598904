/* SPDX-License-Identifier: MIT */
/*
 * A piece of text that somebody else owns; not NUL-terminated, may hold any byte.
 */
#ifndef REEVE_BASE_SLICE_H
#define REEVE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>

struct slice {
    const char *at; /* NULL only when size is 0 */
    size_t size;    /* bytes */
};

/* For string literals only. */
#define SLICE(literal) ((struct slice){.at = "" literal, .size = sizeof(literal) - 1})

struct slice slice_of(const char *text); /* NULL gives the empty slice */
bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *text);
bool slice_starts(struct slice a, const char *prefix);
/* Splits at the first `separator`: *ret_head is what stood before it, *rest what follows. Returns
 *false, and ret_head is all of *rest, when there is none. */
bool slice_cut(struct slice *rest, char separator, struct slice *ret_head);

/* 0 to 15, or -1 when `c` is no hexadecimal digit. */
int hex_digit(char c);

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool slice_is_utf8(struct slice a);
/* Bytes of the well-formed character that `a` begins with, 0 when it begins with none. */
size_t slice_character_size(struct slice a);
/* Code points in well-formed UTF-8. */
size_t slice_characters(struct slice a);
/* At most `size_max` bytes of well-formed UTF-8, never ending inside a character. */
struct slice slice_cut_at_character(struct slice a, size_t size_max);

#endif
