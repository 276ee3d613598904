/* SPDX-License-Identifier: MIT */
/*
 * The answer is released before the request is woken, and acquired by whoever finds it answered.
 */
#include "controller/call.h"

#include "base/mem.h"

struct call *call_new(enum call_kind kind)
{
    struct call *call = mem_alloc(sizeof(*call));

    atomic_init(&call->refs, 1);
    atomic_init(&call->answered, false);
    call->kind = kind;
    arena_init(&call->arena);
    return call;
}

struct call *call_ref(struct call *call)
{
    atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
    return call;
}

struct call *call_unref(struct call *call)
{
    if (!call || atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) > 1)
        return NULL;
    if (call->kind == CALL_AGENTS) {
        for (uint32_t i = 0; i < call->agents.n; i++)
            agent_view_release(&call->agents.v[i]);
    }
    arena_release(&call->arena);
    mem_free(call);
    return NULL;
}

struct refusal *call_why(struct call *call)
{
    if (!call->why)
        call->why = arena_alloc(&call->arena, sizeof(*call->why));
    return call->why;
}

void call_answer(struct call *call, struct http_server *server, int outcome)
{
    struct http_ticket ticket = call->ticket;

    call->outcome = outcome;
    atomic_store_explicit(&call->answered, true, memory_order_release);
    http_wake(server, ticket);
    call_unref(call);
}

bool call_is_answered(const struct call *call)
{
    return atomic_load_explicit(&call->answered, memory_order_acquire);
}
