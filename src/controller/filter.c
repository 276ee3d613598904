/* SPDX-License-Identifier: MIT */
/*
 * Filters. The decoder has checked each value by its row; what is left is what they mean together.
 */
#include "controller/filter.h"

#include "base/mem.h"
#include "http/cursor.h"

#include <assert.h>

#define QUESTION_MAX ((size_t)1 << 20) /* two lists of LIST_VALUES_MAX words, and texts */

/* ---- what is in it ---- */

/* Fields that are given. */
static unsigned filter_n_given(const struct job_filter *filter)
{
    unsigned n = 0;

    for (const struct field *field = job_filter_schema.fields; field->wire; field++)
        n += *(const bool *)((const char *)filter + field->has_offset);
    return n;
}

bool filter_is_empty(const struct job_filter *filter)
{
    return filter_n_given(filter) == 0;
}

bool filter_has_more_than_status(const struct job_filter *filter)
{
    return filter_n_given(filter) > filter->has_status;
}

uint64_t filter_question(const struct job_filter *filter)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, QUESTION_MAX);
    schema_encode(&job_filter_schema, filter, &text);
    return cursor_question(job_filter_schema.name, buf_slice(&text));
}

/* ---- what it means ---- */

/* FORMAT(moment). */
static int64_t moment_resolve(const char *moment, int64_t now_us)
{
    int64_t us = 0;

    if (duration_parse(slice_of(moment), &us))
        return now_us - us;
    time_parse(slice_of(moment), &us);
    return us;
}

static int resolve_times(const struct job_filter *filter, int64_t now_us, struct ledger_filter *to,
                         struct refusal *why)
{
    int64_t since_us = filter->has_since ? moment_resolve(filter->since, now_us) : INT64_MIN;
    int64_t until_us = filter->has_until ? moment_resolve(filter->until, now_us) : INT64_MAX;

    if (since_us >= until_us)
        return refuse(why, OUTCOME_INVALID, "since", "since: %s is not before until: %s",
                      filter->since, filter->until);
    /* For the ledger 0 is any time, and nothing was created before 1970. */
    to->since_us = since_us > 0 ? since_us : 0;
    if (filter->has_until)
        to->until_us = until_us > 0 ? until_us : 1;
    return 0;
}

/* Of alternatives there is one at least: an empty list would mean all jobs to one reader, and none
   to another. */
static int check_lists(const struct job_filter *filter, struct refusal *why)
{
    if (filter->has_status && filter->status.n == 0)
        return refuse(why, OUTCOME_INVALID, "status", "status: expected at least one state");
    if (filter->has_code && filter->code.n == 0)
        return refuse(why, OUTCOME_INVALID, "code", "code: expected at least one reason");
    return 0;
}

int filter_resolve(const struct job_filter *filter, int64_t now_us, struct arena *arena,
                   struct ledger_filter *ret, struct refusal *why)
{
    struct ledger_filter resolved = {
        .operation = filter->operation,
        .user = filter->user,
        .hostname = filter->hostname,
        .target = filter->target,
        .has_changed = filter->has_changed,
        .changed = filter->changed,
    };

    int r = check_lists(filter, why);
    if (!r)
        r = resolve_times(filter, now_us, &resolved, why);
    if (r)
        return r;
    for (size_t i = 0; i < filter->status.n; i++)
        resolved.statuses |= 1u << filter->status.v[i];
    for (size_t i = 0; i < filter->code.n; i++)
        resolved.codes |= 1u << filter->code.v[i];
    if (filter->has_bulk) {
        struct uuid *bulk = arena_alloc(arena, sizeof(*bulk));
        bool parsed = uuid_parse(slice_of(filter->bulk), bulk); /* by its FORMAT it can be */
        assert(parsed);
        resolved.bulk = bulk;
    }
    *ret = resolved;
    return 0;
}
