/* SPDX-License-Identifier: MIT */
/*
 * A configuration with the memory it lives in: one for each time it was read.
 */
#include "base/mem.h"
#include "config/config.h"

void config_generation_free(struct config_generation *generation)
{
    if (!generation)
        return;
    arena_release(&generation->arena);
    mem_free(generation);
}

int config_generation_read(const struct config_program *program, char **argv,
                           struct config_flags *ret_flags, struct config_generation **ret,
                           struct refusal *why)
{
    struct config_generation *generation = mem_alloc(sizeof(*generation));

    arena_init(&generation->arena);
    generation->values = arena_alloc(&generation->arena, program->schema->size);
    int r = config_read(program, argv, &generation->arena, ret_flags, &generation->config,
                        generation->values, why);
    if (r || ret_flags->help || ret_flags->version) {
        config_generation_free(generation);
        generation = NULL;
    }
    *ret = generation;
    return r;
}
