/* SPDX-License-Identifier: MIT */
/*
 * Cursors: where a page of an answer goes on, as text that the client hands back.
 *
 * A cursor says all by itself, so nothing is kept for it and it never expires. It is authenticated:
 * one that was not made here is refused, and a number of the inside is never a client's to choose.
 * Layout, before base64url (RFC 4648 §5, unpadded), numbers little-endian:
 *
 *     version u8 = 1 · direction u8 · seq u64 · question u64 · MAC, 16 bytes
 *
 * To change it: another version; one of an older version is refused as one that was not made here.
 */
#ifndef REEVE_HTTP_CURSOR_H
#define REEVE_HTTP_CURSOR_H

#include "http/token.h"

#define CURSOR_TEXT_SIZE 47 /* 46 characters and NUL */

/* Derived from the token key: cursors are good beyond a restart, and until the key is replaced. */
struct cursor_key {
    uint8_t bytes[32];
};
void cursor_key_init(struct cursor_key *key, const struct token_key *token_key);

enum cursor_direction {
    CURSOR_ON,   /* what follows seq in the order of the answer: `next` */
    CURSOR_BACK, /* what stands before it: `prev` */
};
struct cursor {
    enum cursor_direction direction;
    uint64_t seq;
    uint64_t question; /* cursor_question() of what was asked: the cursor is good for that alone */
};

/* Tells questions apart; `kind` tells apart those of different operations. */
uint64_t cursor_question(const char *kind, struct slice text);

void cursor_write(const struct cursor_key *key, const struct cursor *cursor,
                  char ret[CURSOR_TEXT_SIZE]);
/* 0; OUTCOME_INVALID naming `cursor`: it was not made here, or for another question. */
int cursor_read(const struct cursor_key *key, const char *text, uint64_t question,
                struct cursor *ret, struct refusal *why);

#endif
