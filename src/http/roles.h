/* SPDX-License-Identifier: MIT */
/*
 * Roles: the three built-in ones, and those of the configuration.
 *
 * A configured role of a built-in's name takes its place. A set of roles is a bit set of positions
 * in the role_set; the built-in roles stand where ROLE_BIT_… says.
 */
#ifndef REEVE_HTTP_ROLES_H
#define REEVE_HTTP_ROLES_H

#include "catalog/catalog.h"

#include <stdint.h>

#define ROLES_MAX      64
#define ROLE_NAME_SIZE 33

struct role_set {
    unsigned n;
    struct {
        char name[ROLE_NAME_SIZE];
        uint64_t permissions; /* bit set of 1 << enum permission */
    } v[ROLES_MAX];
};

void role_set_init(struct role_set *set); /* the built-in ones */
/* And those of the configuration. 0; OUTCOME_USAGE names role and permission that are not
   acceptable; *set is then not to be used. */
int role_set_add(struct role_set *set, const struct config_role_map *roles, struct refusal *why);
/* -1 when there is none. */
int role_set_find(const struct role_set *set, struct slice name);
/* Permissions of all roles in the bit set. */
uint64_t role_set_permissions(const struct role_set *set, uint64_t roles);
/* Appends "admin, write, read, operators". */
void role_set_names(const struct role_set *set, struct buf *to);

#endif
