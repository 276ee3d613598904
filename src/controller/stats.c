/* SPDX-License-Identifier: MIT */
/*
 * Counts of jobs for dashboards.
 */
#include "controller/filter.h"
#include "controller/op.h"

#include <inttypes.h>

/* ---- what is asked ---- */

/* The shortest piece that certainly is not too short: two may be cut by the ends. */
static int64_t bucket_min_us(int64_t range_us)
{
    int64_t min_us = range_us / (LEDGER_BUCKETS_MAX - 2);

    return (min_us / US_PER_S + 1) * US_PER_S;
}

/* With buckets, jobs that come while it is counted are left out: the last bucket has an end. */
static int ask_series(struct op_ctx *ctx, const struct job_stats_in *in,
                      struct ledger_stats_question *question)
{
    struct ledger_filter *filter = &question->filter;

    if (!in->has_bucket)
        return 0;
    if (!filter->until_us)
        filter->until_us = ctx->now_us + 1;
    if (filter->since_us >= filter->until_us)
        return refuse(&ctx->why, OUTCOME_INVALID, "since",
                      "since: with bucket and without until it has to be in the past");
    question->bucket_us = in->bucket;
    if (ledger_n_buckets(filter->since_us, filter->until_us, in->bucket) <= LEDGER_BUCKETS_MAX)
        return 0;
    return refuse(&ctx->why, OUTCOME_INVALID, "bucket",
                  "bucket: too short for the time from since to until, which may have at most %d; "
                  "expected at least %" PRId64 "s",
                  LEDGER_BUCKETS_MAX,
                  bucket_min_us(filter->until_us - filter->since_us) / US_PER_S);
}

static int ask(struct op_ctx *ctx, const struct job_stats_in *in,
               struct ledger_stats_question *question)
{
    struct job_filter filter = FILTER_OF(in);
    int r = filter_resolve(&filter, ctx->now_us, ctx->arena, &question->filter, &ctx->why);

    if (r)
        return r;
    for (size_t i = 0; i < in->by.n; i++)
        question->by |= 1u << in->by.v[i];
    if (in->by.n == 0)
        question->by = 1u << stats_by_STATUS;
    return ask_series(ctx, in, question);
}

/* ---- what is answered ---- */

static struct i64_map groups_map(const struct op_ctx *ctx, const struct ledger_groups *groups)
{
    struct i64_map map = {.n = groups->n};

    map.v = arena_alloc(ctx->arena, map.n * sizeof(*map.v));
    for (size_t i = 0; i < map.n; i++)
        map.v[i] = (struct i64_entry){.key = groups->v[i].name, .val = (int64_t)groups->v[i].n};
    return map;
}

static struct job_groups by_of(const struct op_ctx *ctx,
                               const struct ledger_stats_question *question,
                               const struct ledger_stats *stats)
{
    const struct ledger_groups *by = stats->by;
    struct job_groups all = {0};

    if (question->by & 1u << stats_by_STATUS)
        SET(&all, status, groups_map(ctx, &by[stats_by_STATUS]));
    if (question->by & 1u << stats_by_CODE)
        SET(&all, code, groups_map(ctx, &by[stats_by_CODE]));
    if (question->by & 1u << stats_by_OPERATION)
        SET(&all, operation, groups_map(ctx, &by[stats_by_OPERATION]));
    if (question->by & 1u << stats_by_HOSTNAME)
        SET(&all, hostname, groups_map(ctx, &by[stats_by_HOSTNAME]));
    if (question->by & 1u << stats_by_USER)
        SET(&all, user, groups_map(ctx, &by[stats_by_USER]));
    if (by[stats_by_OPERATION].others)
        SET(&all, operation_others, (int64_t)by[stats_by_OPERATION].others);
    if (by[stats_by_HOSTNAME].others)
        SET(&all, hostname_others, (int64_t)by[stats_by_HOSTNAME].others);
    if (by[stats_by_USER].others)
        SET(&all, user_others, (int64_t)by[stats_by_USER].others);
    return all;
}

static struct stats_bucket bucket_of(const struct op_ctx *ctx, const struct ledger_bucket *bucket)
{
    struct stats_bucket one = {0};
    int64_t total = 0;

    for (unsigned status = 0; status < job_status_COUNT; status++)
        total += (int64_t)bucket->counts[status];
    SET(&one, start, time_text(ctx->arena, bucket->start_us));
    SET(&one, total, total);
    SET(&one, submitted, (int64_t)bucket->counts[job_status_SUBMITTED]);
    SET(&one, processing, (int64_t)bucket->counts[job_status_PROCESSING]);
    SET(&one, completed, (int64_t)bucket->counts[job_status_COMPLETED]);
    SET(&one, failed, (int64_t)bucket->counts[job_status_FAILED]);
    SET(&one, partial_failure, (int64_t)bucket->counts[job_status_PARTIAL_FAILURE]);
    SET(&one, skipped, (int64_t)bucket->counts[job_status_SKIPPED]);
    return one;
}

static struct stats_bucket_list series_of(const struct op_ctx *ctx,
                                          const struct ledger_stats *stats)
{
    struct stats_bucket_list list = {.n = stats->n_buckets};

    list.v = arena_alloc(ctx->arena, list.n * sizeof(*list.v));
    for (size_t i = 0; i < list.n; i++)
        list.v[i] = bucket_of(ctx, &stats->buckets[i]);
    return list;
}

int op_job_stats(struct op_ctx *ctx, const struct job_stats_in *in, struct job_stats_out *out)
{
    struct ledger_stats_question question = {.by = 0};
    struct ledger_stats stats;

    int r = ask(ctx, in, &question);
    if (!r)
        r = ledger_stats(ctx->reader, &question, ctx->arena, &stats, &ctx->why);
    if (r)
        return r;
    if (question.filter.since_us)
        SET(out, since, time_text(ctx->arena, question.filter.since_us));
    if (question.filter.until_us)
        SET(out, until, time_text(ctx->arena, question.filter.until_us));
    SET(out, total, (int64_t)stats.total);
    SET(out, by, by_of(ctx, &question, &stats));
    if (!question.bucket_us)
        return 0;
    SET(out, bucket, question.bucket_us);
    SET(out, series, series_of(ctx, &stats));
    return 0;
}
