/* SPDX-License-Identifier: MIT */
/*
 * Agent operations. The fleet lives in the core; what is shown of it is made from views the core
 * hands out.
 */
#include "controller/op.h"

/* Takes over a field where the source has it. */
#define COPY(to, from, field)                                                                      \
    do {                                                                                           \
        (to)->field = (from)->field;                                                               \
        (to)->has_##field = (from)->has_##field;                                                   \
    } while (0)

static void show_facts(const struct agent_facts *facts, struct agent_info *info)
{
    COPY(info, facts, os_info);
    COPY(info, facts, architecture);
    COPY(info, facts, kernel_version);
    COPY(info, facts, cpu_count);
    COPY(info, facts, fqdn);
    COPY(info, facts, service_mgr);
    COPY(info, facts, package_mgr);
    COPY(info, facts, interfaces);
    COPY(info, facts, primary_interface);
    COPY(info, facts, routes);
}

static void show_vitals(struct arena *arena, const struct agent_vitals *vitals,
                        struct agent_info *info)
{
    char uptime[DURATION_TEXT_SIZE + 24];

    uptime_format(vitals->uptime_s, uptime);
    SET(info, uptime, arena_strdup(arena, uptime));
    COPY(info, vitals, load_average);
    COPY(info, vitals, memory);
}

static void show_conditions(struct arena *arena, const struct agent_view *view,
                            struct agent_info *info)
{
    struct agent_condition *all = arena_alloc(arena, condition_type_COUNT * sizeof(*all));

    for (int i = 0; i < condition_type_COUNT; i++) {
        const struct condition *condition = &view->conditions[i];
        char reason[CONDITION_REASON_SIZE];
        condition_judge((enum condition_type)i, view->facts->object, view->vitals->object, reason);
        SET(&all[i], type, (enum condition_type)i);
        SET(&all[i], status, condition->status);
        SET(&all[i], reason, arena_strdup(arena, reason));
        all[i].has_reason = reason[0] != '\0';
        SET(&all[i], last_transition_time, time_text(arena, condition->since_us));
    }
    SET(info, conditions, ((struct agent_condition_list){.v = all, .n = condition_type_COUNT}));
}

static void show_agent(struct arena *arena, const struct agent_view *view, struct agent_info *info)
{
    const struct identity *identity = view->identity->object;

    SET(info, hostname, identity->hostname);
    SET(info, status, view->is_ready ? agent_status_READY : agent_status_NOT_READY);
    SET(info, state, "Ready"); /* neither draining nor pending */
    SET(info, machine_id, identity->machine_id);
    SET(info, labels, identity->labels);
    info->has_labels = identity->labels.n > 0;
    SET(info, active_runs, view->open_runs);
    if (!view->is_heard)
        return;
    SET(info, version, view->version->object);
    SET(info, registered_at, time_text(arena, view->heard_us));
    SET(info, started_at, time_text(arena, view->started_us));
    show_facts(view->facts->object, info);
    show_vitals(arena, view->vitals->object, info);
    show_conditions(arena, view, info);
    SET(info, clock_error_us, view->clock_error_us);
    info->has_clock_error_us = view->has_clock_error;
}

static int finish_list(struct op_ctx *ctx, void *ret_out)
{
    const struct call_agents *seen = &ctx->call->agents;
    struct agent_list_out *out = ret_out;
    struct agent_info *all = arena_alloc(ctx->arena, seen->n * sizeof(*all));

    for (uint32_t i = 0; i < seen->n; i++)
        show_agent(ctx->arena, &seen->v[i], &all[i]);
    SET(out, agents, ((struct agent_info_list){.v = all, .n = seen->n}));
    SET(out, total, seen->n);
    return 0;
}

int op_agent_list(struct op_ctx *ctx, const struct none *in, struct agent_list_out *out)
{
    (void)in;
    (void)out;
    ctx->call = call_new(CALL_AGENTS);
    ctx->finish = finish_list;
    return OP_PARKED;
}

static int finish_get(struct op_ctx *ctx, void *ret_out)
{
    struct agent_get_out *out = ret_out;

    show_agent(ctx->arena, &ctx->call->agents.v[0], &out->agent);
    out->has_agent = true;
    return 0;
}

int op_agent_get(struct op_ctx *ctx, const struct agent_ref *in, struct agent_get_out *out)
{
    (void)out;
    ctx->call = call_new(CALL_AGENTS);
    ctx->call->agents.name = arena_strdup(&ctx->call->arena, in->hostname);
    ctx->finish = finish_get;
    return OP_PARKED;
}
