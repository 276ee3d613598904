/* SPDX-License-Identifier: MIT */
/*
 * A handful of replies: looking at each is cheaper than a table.
 */
#include "controller/shown.h"

#include "base/mem.h"

#include <string.h>

static void reply_drop(struct shown *shown, struct shown_reply *reply)
{
    if (!reply->body)
        return;
    shown->size -= http_body_room(reply->body);
    reply->body = http_body_unref(reply->body);
    *reply = (struct shown_reply){0};
}

void shown_release(struct shown *shown)
{
    for (size_t i = 0; i < SHOWN_REPLIES; i++)
        reply_drop(shown, &shown->replies[i]);
}

struct http_body *shown_find(struct shown *shown, const char *etag)
{
    for (size_t i = 0; i < SHOWN_REPLIES; i++) {
        struct shown_reply *reply = &shown->replies[i];
        if (memcmp(reply->etag, etag, ETAG_SIZE) != 0)
            continue;
        reply->used = ++shown->n_uses;
        return reply->body;
    }
    return NULL;
}

bool shown_wants(struct shown *shown, const char *etag)
{
    for (size_t i = 0; i < SHOWN_REPLIES; i++) {
        if (memcmp(shown->once[i], etag, ETAG_SIZE) == 0)
            return true;
    }
    memcpy(shown->once[shown->n_once++ % SHOWN_REPLIES], etag, ETAG_SIZE);
    return false;
}

/* An empty place, or the reply that was not used for longest. */
static struct shown_reply *oldest(struct shown *shown, bool wants_reply)
{
    struct shown_reply *found = NULL;

    for (size_t i = 0; i < SHOWN_REPLIES; i++) {
        struct shown_reply *reply = &shown->replies[i];
        if (wants_reply && !reply->body)
            continue;
        if (!found || reply->used < found->used)
            found = reply;
    }
    return found;
}

void shown_add(struct shown *shown, const char *etag, struct http_body *body)
{
    size_t size = http_body_room(body);

    if (size > SHOWN_BYTES_MAX / 4)
        return;
    struct shown_reply *place = oldest(shown, false);
    reply_drop(shown, place);
    while (shown->size + size > SHOWN_BYTES_MAX)
        reply_drop(shown, oldest(shown, true));
    place->body = http_body_ref(body);
    place->used = ++shown->n_uses;
    memcpy(place->etag, etag, ETAG_SIZE);
    shown->size += size;
}
