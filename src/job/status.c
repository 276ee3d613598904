/* SPDX-License-Identifier: MIT */
/*
 * Status of a job from its counters, and of a run from its state.
 *
 * The order of the questions is the rule: first match wins.
 */
#include "job/job.h"

enum job_status job_status_of(const struct run_counts *counts)
{
    uint32_t n_final = counts->completed + counts->failed + counts->skipped;

    if (counts->active == 0 && n_final == 0)
        return job_status_SUBMITTED;
    if (n_final < counts->total)
        return job_status_PROCESSING;
    if (counts->completed > 0 && counts->failed > 0)
        return job_status_PARTIAL_FAILURE;
    if (counts->failed > 0)
        return job_status_FAILED;
    if (counts->skipped == counts->total)
        return job_status_SKIPPED;
    return job_status_COMPLETED;
}

bool job_status_is_final(enum job_status status)
{
    return status != job_status_SUBMITTED && status != job_status_PROCESSING;
}

bool run_state_is_final(enum run_state state)
{
    return state == run_state_COMPLETED || state == run_state_FAILED || state == run_state_SKIPPED;
}
