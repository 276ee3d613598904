/* SPDX-License-Identifier: MIT */
/*
 * Reference counts are the only thing here that threads share while it changes.
 */
#include "controller/kept.h"

#include "base/mem.h"

#include <assert.h>

/* Four times what a message can hold: what came out of one fits. */
#define KEPT_JSON_MAX ((size_t)64 << 20)

struct kept *kept_new(void)
{
    struct kept *kept = mem_alloc(sizeof(*kept));

    atomic_init(&kept->refs, 1);
    arena_init_small(&kept->arena);
    return kept;
}

/* By way of its JSON: the catalog knows how to write and how to read every struct of its rows. */
struct kept *kept_copy(const struct schema *schema, const void *object)
{
    struct kept *kept = kept_new();
    CLEANUP(buf_release) struct buf json;

    buf_init(&json, KEPT_JSON_MAX);
    schema_encode(schema, object, &json);
    kept->object = arena_alloc(&kept->arena, schema->size);
    /* The decoder's text points into what it read, so that must live as long. */
    struct slice text = {.at = arena_copy(&kept->arena, buf_slice(&json)), .size = json.size};
    int r = schema_decode(schema, text, JSON_VALUES_MAX_RESULT, &kept->arena, kept->object, NULL);
    assert(r == 0);
    (void)r;
    return kept;
}

struct kept *kept_ref(struct kept *kept)
{
    if (kept)
        atomic_fetch_add_explicit(&kept->refs, 1, memory_order_relaxed);
    return kept;
}

struct kept *kept_unref(struct kept *kept)
{
    if (!kept || atomic_fetch_sub_explicit(&kept->refs, 1, memory_order_acq_rel) > 1)
        return NULL;
    arena_release(&kept->arena);
    mem_free(kept);
    return NULL;
}
