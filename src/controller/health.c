/* SPDX-License-Identifier: MIT */
/*
 * The controller about itself: health, status, version, OpenAPI. Health, version and OpenAPI answer
 * also when the core does not.
 */
#include "base/mem.h"
#include "base/version.h"
#include "controller/metrics.h"
#include "controller/op.h"

#include <inttypes.h>

#define STATUS_AGENTS_MAX 1000 /* shown; GET /agent has all */

int op_health_get(struct op_ctx *ctx, const struct none *in, struct health_out *out)
{
    (void)ctx;
    (void)in;
    SET(out, status, "ok");
    return 0;
}

int op_health_ready(struct op_ctx *ctx, const struct none *in, struct ready_out *out)
{
    const char *missing = core_not_ready(ctx->core, clock_boot_us());

    (void)in;
    SET(out, status, missing ? "not_ready" : "ready");
    SET(out, error, missing);
    out->has_error = missing != NULL;
    ctx->status = missing ? outcome_http(OUTCOME_UNAVAILABLE) : 0;
    return 0;
}

/* ---- status ---- */

static int show_jobs(struct op_ctx *ctx, struct status_out *out)
{
    struct ledger_page page;

    int r = ledger_counts(ctx->reader, &page);
    if (r)
        return r;
    SET(&out->jobs, total, (int64_t)page.total);
    SET(&out->jobs, unprocessed, (int64_t)page.counts[job_status_SUBMITTED]);
    SET(&out->jobs, processing, (int64_t)page.counts[job_status_PROCESSING]);
    SET(&out->jobs, completed, (int64_t)page.counts[job_status_COMPLETED]);
    SET(&out->jobs, failed, (int64_t)page.counts[job_status_FAILED]);
    SET(&out->jobs, partial_failure, (int64_t)page.counts[job_status_PARTIAL_FAILURE]);
    SET(&out->jobs, skipped, (int64_t)page.counts[job_status_SKIPPED]);
    SET(&out->jobs, dlq, 0);
    out->has_jobs = true;
    return 0;
}

static int show_ledger(struct op_ctx *ctx, const struct core_figures *figures,
                       struct status_out *out)
{
    struct ledger_use use;

    int r = ledger_use(core_ledger(ctx->core), &use);
    if (r)
        return r;
    SET(&out->ledger, bytes, (int64_t)use.file_bytes);
    SET(&out->ledger, disk_free, (int64_t)figures->free_bytes);
    SET(&out->ledger, oldest_reader_commits, (int64_t)use.oldest_reader_commits);
    out->has_ledger = true;
    return 0;
}

static const char *labels_text(struct arena *arena, const struct str_map *labels)
{
    const char *text = "";

    for (size_t i = 0; i < labels->n; i++)
        text = arena_printf(arena, "%s%s%s=%s", text, i ? ", " : "", labels->v[i].key,
                            labels->v[i].val);
    return text;
}

static void show_agent(struct arena *arena, const struct agent_view *view, struct status_agent *ret)
{
    const struct identity *identity = view->identity->object;
    int64_t ago_s = (clock_now_us() - view->heard_us) / US_PER_S;

    SET(ret, hostname, identity->hostname);
    SET(ret, labels, labels_text(arena, &identity->labels));
    ret->has_labels = identity->labels.n > 0;
    SET(ret, registered, arena_printf(arena, "%" PRId64 "s ago", ago_s > 0 ? ago_s : 0));
}

static void show_agents(struct arena *arena, const struct call_agents *seen,
                        struct status_agents *ret)
{
    uint32_t n = seen->n < STATUS_AGENTS_MAX ? seen->n : STATUS_AGENTS_MAX;
    struct status_agent *all = arena_alloc(arena, n * sizeof(*all));
    int64_t n_ready = 0;

    for (uint32_t i = 0; i < seen->n; i++)
        n_ready += seen->v[i].is_ready;
    for (uint32_t i = 0; i < n; i++)
        show_agent(arena, &seen->v[i], &all[i]);
    SET(ret, total, seen->n);
    SET(ret, ready, n_ready);
    SET(ret, agents, ((struct status_agent_list){.v = all, .n = n}));
}

static struct component_status component(const char *error)
{
    return (struct component_status){
        .status = error ? component_state_ERROR : component_state_OK,
        .has_status = true,
        .error = error,
        .has_error = error != NULL,
    };
}

/* What can fail on its own. */
static void show_components(struct op_ctx *ctx, struct status_out *out)
{
    struct component_status_entry *all = arena_alloc(ctx->arena, 2 * sizeof(*all));
    const char *not_ready = core_not_ready(ctx->core, clock_boot_us());
    const char *no_agent = out->agents.ready ? NULL : "no agent is heard";

    all[0] = (struct component_status_entry){"controller.core", component(not_ready)};
    all[1] = (struct component_status_entry){"controller.agents", component(no_agent)};
    SET(out, components, ((struct component_status_map){.v = all, .n = 2}));
    bool degraded = not_ready || no_agent;
    SET(out, status, degraded ? "degraded" : "ok");
    ctx->status = degraded ? outcome_http(OUTCOME_UNAVAILABLE) : 0;
}

static const char *age_text(struct arena *arena, int64_t since_us)
{
    char text[DURATION_TEXT_SIZE];
    int64_t age_us = clock_now_us() - since_us;

    duration_format(age_us > 0 ? age_us / US_PER_S * US_PER_S : 0, text);
    return arena_strdup(arena, text);
}

static int finish_status(struct op_ctx *ctx, void *ret_out)
{
    struct status_out *out = ret_out;
    struct core_figures figures = core_figures(ctx->core);

    int r = show_jobs(ctx, out);
    if (!r)
        r = show_ledger(ctx, &figures, out);
    if (r)
        return r;
    SET(&out->runs, open, (int64_t)figures.open_runs);
    SET(&out->runs, active, (int64_t)figures.active_runs);
    out->has_runs = true;
    show_agents(ctx->arena, &ctx->call->agents, &out->agents);
    out->has_agents = true;
    show_components(ctx, out);
    SET(out, version, version_text());
    SET(out, uptime, age_text(ctx->arena, metrics_started_us(core_metrics(ctx->core))));
    return 0;
}

int op_health_status(struct op_ctx *ctx, const struct none *in, struct status_out *out)
{
    (void)in;
    (void)out;
    ctx->call = call_new(CALL_AGENTS);
    ctx->finish = finish_status;
    return OP_PARKED;
}

/* ---- version, OpenAPI ---- */

int op_version_get(struct op_ctx *ctx, const struct none *in, struct version_out *out)
{
    (void)ctx;
    (void)in;
    SET(out, version, version_text());
    SET(out, commit, version_commit());
    SET(out, built, version_built());
    SET(out, api, VERSION_API);
    return 0;
}

int op_openapi_get(struct op_ctx *ctx, const struct none *in, struct openapi_out *out)
{
    (void)in;
    SET(out, document, ctx->openapi);
    return 0;
}
