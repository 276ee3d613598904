/* SPDX-License-Identifier: MIT */
/*
 * What is asked of GET /job: one row a case.
 *
 * Pages that are compared hold different jobs, so a case takes many of them: what they cost on
 * average is the index's part, not that of a document that happens to be there.
 */
#ifndef REEVE_BENCH_CASES_H
#define REEVE_BENCH_CASES_H

#include "base/buf.h"

enum list_case {
    CASE_SAME,    /* the newest page, one URL */
    CASE_RANDOM,  /* offsets drawn evenly */
    CASE_FIRST,   /* one of the newest jobs */
    CASE_MIDDLE,  /* … of those in the middle */
    CASE_LAST,    /* … of the oldest */
    CASE_FILTERS, /* a hundred filters, in turn */
    CASE_SUMMARY, /* first pages, with view=summary */
    CASE_SUMMARY_FILTERS,
    CASE_NOT_MODIFIED, /* If-None-Match */
    CASE_COUNT,
    /* Not of the rounds: each of them only once in a controller's life. */
    CASE_NEW_FILTERS = CASE_COUNT,
};

#define CASE_NEW_FILTERS_N 90u

/* Whom to ask, and what was drawn. */
struct asked {
    const char *token;
    uint64_t n_jobs;
    uint32_t n_hosts;
    enum list_case list_case;
    uint64_t random;
    char tag[128]; /* ETag of the newest page; "": none */
};

const char *case_name(enum list_case list_case);
/* Of the same kind as load_request; the owner is a struct asked. */
void case_request(void *owner, uint64_t number, struct buf *to);

#endif
