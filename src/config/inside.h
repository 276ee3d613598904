/* SPDX-License-Identifier: MIT */
/*
 * Internal to this folder: where one is in the tree of keys.
 */
#ifndef REEVE_CONFIG_INSIDE_H
#define REEVE_CONFIG_INSIDE_H

#include "config/config.h"

/* The root has no field. */
struct position {
    const char *path; /* "" at the root */
    const struct type *type;
    const struct field *field; /* the last one on the way */
};

/* `ret_type` is what ret->type points to. */
void position_root(const struct schema *schema, struct type *ret_type, struct position *ret);
/* At a dotted path. */
bool position_find(const struct schema *schema, const char *path, bool loose, struct arena *arena,
                   struct type *ret_type, struct position *ret);
/* One segment further. `loose`: '-' is taken for '_'. False when there is no such key. */
bool position_child(const struct position *at, struct slice segment, bool loose,
                    struct arena *arena, struct position *ret);
/* What may stand beneath: "certificate, key"; for refusals. */
void position_accepts(const struct position *at, struct buf *to);
/* What somebody wrote, for refusals: cut, and with nothing in it that a terminal obeys. */
void config_add_shown(struct buf *to, struct slice text);

/* 0; OUTCOME_USAGE too many, or no text. */
int config_add(struct config *config, const struct position *at, const char *text,
               const char *origin, struct refusal *why);
/* Drops what was given for this key: a later source replaces a list as a whole. */
void config_forget(struct config *config, const char *path);

/* Of config_controller. */
int check_controller(const void *values, struct refusal *why);

struct yaml_source {
    const char *name; /* of the file or variable */
    bool has_lines;
    struct slice text;
};
/* YAML text into settings; `at` is where its top stands. 0; OUTCOME_USAGE. */
int yaml_read(struct config *config, const struct position *at, const struct yaml_source *source,
              struct refusal *why);

#endif
