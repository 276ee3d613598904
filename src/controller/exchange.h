/* SPDX-License-Identifier: MIT */
/*
 * A request under way: what the way in (api.c) and the way out (api_reply.c) share.
 */
#ifndef REEVE_CONTROLLER_EXCHANGE_H
#define REEVE_CONTROLLER_EXCHANGE_H

#include "controller/api.h"
#include "controller/op.h"
#include "controller/shown.h"
#include "http/route.h"

struct api {
    struct ledger *ledger;
    struct core *core;
    struct bulk *bulk;
    struct access *access;
    struct cursor_key cursor_key;
    struct etag_key etag_key;
    struct buf openapi;
};

/* What belongs to one loop's thread. */
struct api_loop {
    struct ledger_reader *reader;
    struct token_cache *tokens;
    struct shown shown;
    struct buf text; /* op_ctx.text: between requests empty, its memory kept for the next page */
};

#define API_TEXT_MAX  ((size_t)64 << 20)  /* a page, or one job of many hosts */
#define API_TEXT_KEPT ((size_t)256 << 10) /* more memory is given back after the reply */

/* A request under way; in its arena. */
struct exchange {
    const struct api *api;
    struct op_ctx ctx;
    struct route_match match;
    struct token token;
    void *out;
    struct lines lines;          /* of a reply that has them */
    uint64_t position;           /* of the ledger, before the handler read it */
    char etag[ETAG_SIZE];        /* of a reply at that position; "": it has none */
    char job_id[UUID_TEXT_SIZE]; /* "" when it made none */
};

/* ---- api_reply.c: each of these ends the request ---- */

/* r: an outcome, with the text in x->ctx.why, or a fault. */
void refuse_with(struct http_request *request, struct exchange *x, int r);
/* What the handler put into x->out. */
void reply_out(struct http_request *request, struct exchange *x);
/* 202: the job is recorded. */
void reply_recorded(struct http_request *request, struct exchange *x);
/* What the job of x->ctx.call came to; is_answered: the core has said that it is over. */
void reply_job(struct http_request *request, struct exchange *x, bool is_answered);

/* Before anything is decoded or read: gives the reply its tag. True: the client has that reply, or
   the loop has it, and the request is answered. */
bool reply_known(struct http_request *request, struct exchange *x);

#endif
