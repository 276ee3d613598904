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
    arena_init_secret(&call->arena);
    pthread_mutex_init(&call->lock, NULL);
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
    if (call->kind == CALL_BULK)
        kept_unref(call->bulk.asked);
    call_drop_results(call);
    pthread_mutex_destroy(&call->lock);
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

/* ---- results of sensitive jobs ---- */

struct kept_result {
    size_t error_size, data_size;
    char bytes[];
};

static _Atomic size_t all_results_size; /* of all calls */

static bool take_room(struct call *call, size_t size)
{
    if (call->results_unwanted || size > CALL_RESULTS_MAX - call->results_size)
        return false;
    if (atomic_fetch_add(&all_results_size, size) + size > CALL_RESULTS_ALL_MAX) {
        atomic_fetch_sub(&all_results_size, size);
        return false;
    }
    call->results_size += size;
    return true;
}

static struct kept_result *kept_result_new(const struct call_result *result)
{
    struct kept_result *kept = mem_alloc(sizeof(*kept) + result->error.size + result->data.size);

    kept->error_size = result->error.size;
    kept->data_size = result->data.size;
    if (result->error.size)
        memcpy(kept->bytes, result->error.at, result->error.size);
    if (result->data.size)
        memcpy(kept->bytes + result->error.size, result->data.at, result->data.size);
    return kept;
}

/* A repeated report brings nothing new. */
static void keep_result(struct call *call, uint32_t run, const struct call_result *result)
{
    if (!call->results) {
        call->n_results = call->submit.hosts.n;
        call->results = mem_alloc(call->n_results * sizeof(*call->results));
    }
    if (run < call->n_results && !call->results[run] &&
        take_room(call, result->error.size + result->data.size))
        call->results[run] = kept_result_new(result);
}

void call_keep_result(struct call *call, uint32_t run, const struct call_result *result)
{
    pthread_mutex_lock(&call->lock);
    if (!call->results_unwanted)
        keep_result(call, run, result);
    pthread_mutex_unlock(&call->lock);
}

static bool find_result(const struct call *call, uint32_t run, struct arena *arena,
                        struct call_result *ret)
{
    const struct kept_result *kept =
        call->results && run < call->n_results ? call->results[run] : NULL;

    if (!kept)
        return false;
    struct slice error = {.at = kept->bytes, .size = kept->error_size};
    struct slice data = {.at = kept->bytes + kept->error_size, .size = kept->data_size};
    ret->error = (struct slice){.at = arena_copy(arena, error), .size = error.size};
    ret->data = (struct slice){.at = arena_copy(arena, data), .size = data.size};
    return true;
}

bool call_find_result(struct call *call, uint32_t run, struct arena *arena, struct call_result *ret)
{
    pthread_mutex_lock(&call->lock);
    bool found = find_result(call, run, arena, ret);
    pthread_mutex_unlock(&call->lock);
    return found;
}

static void kept_result_free(struct kept_result *kept)
{
    if (!kept)
        return;
    explicit_bzero(kept->bytes, kept->error_size + kept->data_size);
    mem_free(kept);
}

void call_drop_results(struct call *call)
{
    pthread_mutex_lock(&call->lock);
    for (uint32_t run = 0; call->results && run < call->n_results; run++)
        kept_result_free(call->results[run]);
    call->results = mem_free(call->results);
    atomic_fetch_sub(&all_results_size, call->results_size);
    call->results_size = 0;
    call->results_unwanted = true;
    pthread_mutex_unlock(&call->lock);
}
