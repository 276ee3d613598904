/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the conditions of a job list, from the query string to what the ledger is asked.
 *
 * An input is a query string. It is refused, with a field that can be a condition's, or it means
 * something that the ledger can be asked, and the same thing each time.
 */
#include "base/mem.h"
#include "controller/filter.h"

#include <assert.h>

#define NOW_US INT64_C(1764000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* "" when it is accepted. */
static const char *decode(struct slice query, struct arena *arena, struct job_list_in *in)
{
    static struct refusal why;
    const struct op *op = &op_catalog[OP_job_list];
    struct op_request request = {.query = query};
    void *shared = arena_alloc(arena, op_shared_in(op)->size);

    why = (struct refusal){.outcome = OUTCOME_DONE};
    int r = op_decode(op, &request, arena, in, shared, &why);
    assert(r == 0 || (r == OUTCOME_INVALID && *why.field));
    return r ? why.field : "";
}

static void assert_can_be_asked(const struct ledger_filter *filter)
{
    assert(filter->statuses < 1u << job_status_COUNT);
    assert(filter->codes < 1u << run_code_COUNT);
    assert(filter->since_us >= 0 && filter->until_us >= 0);
    assert(!filter->until_us || filter->since_us < filter->until_us);
    assert(!filter->operation || *filter->operation);
    assert(!filter->hostname || *filter->hostname);
    assert(!filter->target || *filter->target);
    assert(!filter->user || *filter->user);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct slice query = {.at = (const char *)bytes, .size = size};
    struct job_list_in in, again;
    struct ledger_filter resolved;
    struct refusal why = {.outcome = OUTCOME_DONE};

    if (*decode(query, &arena, &in))
        return 0;
    struct job_filter filter = FILTER_OF(&in);
    assert(!filter_is_empty(&filter) || !filter_has_more_than_status(&filter));
    int r = filter_resolve(&filter, NOW_US, &arena, &resolved, &why);
    assert(r == 0 || r == OUTCOME_INVALID);
    if (r)
        assert(strcmp(why.field, "since") == 0 || strcmp(why.field, "status") == 0 ||
               strcmp(why.field, "code") == 0);
    else
        assert_can_be_asked(&resolved);
    const char *field = decode(query, &arena, &again);
    assert(!*field);
    assert(filter_question(&filter) == filter_question(&FILTER_OF(&again)));
    return 0;
}
