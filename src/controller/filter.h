/* SPDX-License-Identifier: MIT */
/*
 * Which jobs a request means: from the rows of JOB_FILTER (catalog/job.def) to what the ledger is
 * asked.
 */
#ifndef REEVE_CONTROLLER_FILTER_H
#define REEVE_CONTROLLER_FILTER_H

#include "catalog/catalog.h"
#include "ledger/ledger.h"

/* The struct job_filter of any struct that has the rows of JOB_FILTER. Evaluates `in` often. */
#define FILTER_OF(in) ((struct job_filter){JOB_FILTER_ROWS(FILTER_FIELD_OF, in, BODY)})
#define FILTER_FIELD_OF(in, place, kind, name, presence, rule, doc)                                \
    .name = (in)->name, .has_##name = (in)->has_##name,

/* Texts stay the request's. Durations count back from now_us. 0; OUTCOME_INVALID naming `since`,
   when it is not before `until`, or a list without a value. */
int filter_resolve(const struct job_filter *filter, int64_t now_us, struct arena *arena,
                   struct ledger_filter *ret, struct refusal *why);
/* What a cursor is good for (http/cursor.h): the filter as it was asked. A duration stays one, so a
   walk goes on while time does. */
uint64_t filter_question(const struct job_filter *filter);
bool filter_is_empty(const struct job_filter *filter);
/* There is more in it than `status`. */
bool filter_has_more_than_status(const struct job_filter *filter);

#endif
