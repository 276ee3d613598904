/* SPDX-License-Identifier: MIT */
/*
 * What a client is told about the job it made: {job_id, results[]}, or why there are no results.
 */
#ifndef REEVE_CONTROLLER_REPLY_H
#define REEVE_CONTROLLER_REPLY_H

#include "controller/op.h"

#define REPLY_MAX           ((size_t)64 << 20) /* bytes */
#define REPLY_DETAILS_HOSTS 50                 /* named in an error's details */

struct job_question {
    struct uuid id;
    const struct op *op;    /* of the job */
    bool is_answered;       /* the core says that the job is final; else the wait is over */
    const char *request_id; /* for errors */
    struct call *call;      /* has the results of a sensitive job */
};

/* One host asked (_any, a host): its result, or an error with the status of its failure. Several:
   all that answered, failures among them; only when nobody answered an error. Appends the body; 0
   with the HTTP status, or an outcome with *why that needs no body, or a fault. */
int reply_results(struct op_ctx *ctx, const struct job_question *question, struct buf *body,
                  int *ret_status);
/* {job_id, status: submitted} */
void reply_accepted(const struct uuid *id, struct buf *body);

#endif
