/* SPDX-License-Identifier: MIT */
/*
 * What a handler of class LOCAL gets. A handler reads its decoded input and fills a reply; routes,
 * permissions, decoding, encoding, status codes and memory are the dispatcher's (api.c).
 *
 * A handler runs in an HTTP loop's thread and waits for nothing. What only the core may do it puts
 * into a call and returns OP_PARKED; when the core has done it, `finish` fills the reply, in the
 * same thread.
 */
#ifndef REEVE_CONTROLLER_OP_H
#define REEVE_CONTROLLER_OP_H

#include "catalog/catalog.h"
#include "controller/core.h"
#include "http/cursor.h"
#include "ledger/ledger.h"

#define OP_PARKED 2000 /* the reply comes later */

struct op_ctx {
    const struct op *op;
    struct arena *arena; /* lives until the reply is made */
    struct ledger_reader *reader;
    struct core *core;
    struct bulk *bulk;
    struct slice openapi;
    const struct cursor_key *cursor_key;
    int64_t now_us;            /* when the handler was called */
    const struct token *token; /* NULL on PUBLIC routes */
    bool prefers_async;        /* Prefer: respond-async */
    struct buf *text;          /* empty; what a large output points into until that is encoded */
    struct refusal why;        /* text of an outcome that is returned */
    int status;                /* HTTP status instead of the row's code; 0: the row's */

    /* Filled with OP_PARKED. */
    struct call *call;
    int (*finish)(struct op_ctx *ctx, void *ret_out); /* NULL: answer with the results of the job */
    int64_t wait_us; /* how long; with `finish` 0: CORE_ANSWER_US */
    void (*send)(struct op_ctx *ctx,
                 struct call *call); /* NULL: to the core; takes the reference */
};

#endif
