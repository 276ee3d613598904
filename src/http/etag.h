/* SPDX-License-Identifier: MIT */
/*
 * Entity tags (RFC 9110 §8.8.3) of replies that are made of a state with a position and of the
 * request alone, so that a tag is compared before anything is read.
 *
 * They are strong: the same position and request give the same bytes. A tag is keyed by a random of
 * this start, since another start may give a position to another state.
 */
#ifndef REEVE_HTTP_ETAG_H
#define REEVE_HTTP_ETAG_H

#include "base/slice.h"

#include <stdint.h>

#define ETAG_SIZE 25 /* 22 characters in quotes, and NUL */

struct etag_key {
    uint8_t bytes[16];
};
void etag_key_init(struct etag_key *key); /* another one each time */

/* Of the reply at this position to a GET of this target, as it was sent. */
struct etag_question {
    uint64_t position;
    struct slice path, query;
};
void etag_make(const struct etag_key *key, const struct etag_question *question,
               char ret[ETAG_SIZE]);

/* If-None-Match, RFC 9110 §13.1.2: whether its list has the tag, compared weakly. What is no list
   has none. */
bool etag_list_has(const char *list, const char *etag);
/* "*": any reply there is. */
bool etag_list_is_any(const char *list);

#endif
