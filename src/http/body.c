/* SPDX-License-Identifier: MIT */
/*
 * A reply's bytes, counted: whoever keeps them to reply with them again holds one reference, each
 * reply on its way another.
 */
#include "base/mem.h"
#include "http/loop.h"

#include <assert.h>

struct http_body *http_body_new(struct buf *text)
{
    struct http_body *body = mem_alloc(sizeof(*body));

    assert(!buf_overflowed(text) && text->size > 0);
    body->text = *text;
    body->n_refs = 1;
    buf_init(text, text->cap);
    return body;
}

struct http_body *http_body_ref(struct http_body *body)
{
    body->n_refs++;
    return body;
}

struct http_body *http_body_unref(struct http_body *body)
{
    if (!body || --body->n_refs > 0)
        return NULL;
    buf_release(&body->text);
    return mem_free(body);
}

struct slice http_body_text(const struct http_body *body)
{
    return buf_slice(&body->text);
}

size_t http_body_room(const struct http_body *body)
{
    return body->text.room;
}
