/* SPDX-License-Identifier: MIT */
/*
 * A configuration with the memory it lives in, one for each time it was read; and the one that is
 * followed.
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

/* ---- followed ---- */

int config_follow(const struct config_program *program, char **argv, struct config_flags *ret_flags,
                  struct config_followed *ret, struct refusal *why)
{
    struct config_followed followed = {.program = program, .argv = argv};

    int r = config_generation_read(program, argv, ret_flags, &followed.first, why);
    followed.now = followed.first;
    *ret = followed;
    return r;
}

static void note_if(bool is_noted, const struct config_follower *follower, const char *path,
                    const struct field *field)
{
    if (is_noted)
        follower->note(follower->owner, path, field);
}

static void note_reload(void *owner, const char *path, const struct field *field)
{
    note_if(field->place == PLACE_RELOAD, owner, path, field);
}

static void note_start(void *owner, const char *path, const struct field *field)
{
    note_if(field->place != PLACE_RELOAD, owner, path, field);
}

int config_follow_again(struct config_followed *followed, const struct config_follower *follower,
                        struct refusal *why)
{
    struct config_follower own = *follower;
    struct config_generation *next;
    struct config_flags flags;

    int r = config_generation_read(followed->program, followed->argv, &flags, &next, why);
    if (!r)
        r = follower->take(follower->owner, next->values, why);
    if (r) {
        config_generation_free(next);
        return r;
    }
    config_each_change(&followed->now->config, &next->config, note_reload, &own);
    config_each_change(&followed->first->config, &next->config, note_start, &own);
    if (followed->now != followed->first)
        config_generation_free(followed->now);
    followed->now = next;
    return 0;
}

void config_followed_release(struct config_followed *followed)
{
    if (followed->now != followed->first)
        config_generation_free(followed->now);
    config_generation_free(followed->first);
    followed->first = followed->now = NULL;
}
