/* SPDX-License-Identifier: MIT */
/*
 * Whatever makes one job comes through here: routes of nodes, POST /job, retry. One function, so
 * that the permission of the operation is asked for on every way. (Many at once: bulk_plan.c.)
 */
#ifndef REEVE_CONTROLLER_SUBMISSION_H
#define REEVE_CONTROLLER_SUBMISSION_H

#include "controller/op.h"

#define SUBMISSION_WAIT_US     (30 * US_PER_S) /* where a route has no option `wait` */
#define SUBMISSION_EXPIRES_MIN US_PER_S
/* A shorter wait can't be told from none: a job has to be recorded before its fate can be looked
   up. */
#define SUBMISSION_WAIT_MIN_US (100 * US_PER_MS)
#define SUBMISSION_DATA_MAX    ((size_t)4 << 20) /* bytes of a job payload */

struct submission {
    const struct op *op;
    const void *input; /* decoded by op->in */
    const char *target;
    const char *target_field; /* what a refusal of the target calls it */
    int64_t wait_us;          /* 0: answer when it is recorded */
    int64_t expires_us;       /* 0: the wait */
    uint64_t retry_of;        /* seq; 0: none */
    bool sensitive;           /* input and results are shown to nobody but in the reply */
};

/* Checks permission and target's syntax and fills ctx->call. OP_PARKED, or an outcome with
   ctx->why. */
int submission_make(struct op_ctx *ctx, const struct submission *submission);
/* The operation `type` with its payload as JSON (empty: none), as clients and old jobs give it.
   OUTCOME_INVALID with fields under "operation". */
int submission_decode(struct op_ctx *ctx, const char *type, struct slice data,
                      struct submission *ret);

/* The targets that the token is restricted to, copied into the arena; none: all hosts. */
struct str_list token_targets(const struct token *token, struct arena *arena);
/* 0, or OUTCOME_FORBIDDEN naming what is needed. `token` NULL has no permission at all. */
int token_allows(const struct token *token, int permission, struct refusal *why);

#endif
