/* SPDX-License-Identifier: MIT */
/*
 * What a handler of class LOCAL gets. A handler reads its decoded input and fills a reply; routes,
 * permissions, decoding, encoding, status codes and memory are the dispatcher's (api.c).
 *
 * A handler runs in an HTTP loop's thread and waits for nothing. What only the core may do is put
 * on the core's queue: the handler returns OP_PARKED, and its `finish` is called in the same thread
 * when the core has answered.
 */
#ifndef REEVE_CONTROLLER_OP_H
#define REEVE_CONTROLLER_OP_H

#include "catalog/catalog.h"
#include "http/token.h"
#include "ledger/ledger.h"

struct core;

#define OP_PARKED 2000 /* the reply comes later */

struct op_ctx {
    const struct op *op;
    struct arena *arena;
    struct ledger_reader *reader;
    struct core *core;
    const struct token *token; /* NULL on PUBLIC routes */
    struct refusal why;        /* text of an outcome that is returned */
    int status;                /* HTTP status instead of the row's code; 0: the row's */
};

#endif
