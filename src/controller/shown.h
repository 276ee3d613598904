/* SPDX-License-Identifier: MIT */
/*
 * The last replies of a loop, by their tags: whoever asks the same again, while nothing has
 * changed, gets the same bytes without their being made anew. A tag is of one position and one
 * request (http/etag.h), so what is found is what would be made; it never has to be taken back.
 *
 * A reply is kept when it is asked for again: the memory of all others is used again while it is
 * warm (5 % of a page at a random offset).
 */
#ifndef REEVE_CONTROLLER_SHOWN_H
#define REEVE_CONTROLLER_SHOWN_H

#include "http/etag.h"
#include "http/http.h"

#define SHOWN_REPLIES   16
#define SHOWN_BYTES_MAX ((size_t)1 << 20) /* of all; a reply over a quarter of it is not kept */

/* A zeroed one is empty. */
struct shown {
    struct shown_reply {
        struct http_body *body;
        uint64_t used; /* n_uses at the last use */
        char etag[ETAG_SIZE];
    } replies[SHOWN_REPLIES];
    uint64_t n_uses;
    size_t size;
    char once[SHOWN_REPLIES][ETAG_SIZE]; /* the last tags that were asked for once */
    unsigned n_once;
};

void shown_release(struct shown *shown);
/* NULL: it is not here. Else it stays the shown's. */
struct http_body *shown_find(struct shown *shown, const char *etag);
/* Of a reply that was not found: whether it was asked for before. */
bool shown_wants(struct shown *shown, const char *etag);
/* Takes a reference of its own, or none. Those that were not used for longest make room. */
void shown_add(struct shown *shown, const char *etag, struct http_body *body);

#endif
