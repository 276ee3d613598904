/* SPDX-License-Identifier: MIT */
/*
 * Names to permissions.
 */
#include "http/roles.h"

#include <ctype.h>

static void put(struct role_set *set, const char *name, uint64_t permissions)
{
    int found = role_set_find(set, slice_of(name));
    unsigned at = found >= 0 ? (unsigned)found : set->n++;

    snprintf(set->v[at].name, ROLE_NAME_SIZE, "%s", name);
    set->v[at].permissions = permissions;
}

void role_set_init(struct role_set *set)
{
    set->n = 0;
    for (int role = 0; role < ROLE_COUNT; role++)
        put(set, role_word((enum role)role), role_permissions((enum role)role));
}

static bool is_name(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
            return false;
    }
    return size > 0 && size < ROLE_NAME_SIZE;
}

static int permissions_of(const char *role, const struct str_list *words, uint64_t *ret,
                          struct refusal *why)
{
    uint64_t permissions = 0;

    for (size_t i = 0; i < words->n; i++) {
        int permission = permission_find(slice_of(words->v[i]));
        if (permission < 0)
            return refuse(why, OUTCOME_USAGE, "roles",
                          "roles.%s.permissions: there is no permission '%s'; permissions are such "
                          "as %s and %s",
                          role, words->v[i], permission_word(PERMISSION_JOB_READ),
                          permission_word(PERMISSION_NODE_WRITE));
        permissions |= UINT64_C(1) << permission;
    }
    *ret = permissions;
    return 0;
}

int role_set_add(struct role_set *set, const struct config_role_map *roles, struct refusal *why)
{
    if (roles->n > ROLES_MAX - ROLE_COUNT)
        return refuse(why, OUTCOME_USAGE, "roles", "roles: at most %d are accepted",
                      ROLES_MAX - ROLE_COUNT);
    for (size_t i = 0; i < roles->n; i++) {
        const char *name = roles->v[i].key;
        uint64_t permissions = 0;
        if (!is_name(name))
            return refuse(why, OUTCOME_USAGE, "roles",
                          "roles: '%.64s' is no name of a role; expected 1 to %d letters, digits, "
                          "'-' and '_'",
                          name, ROLE_NAME_SIZE - 1);
        int r = permissions_of(name, &roles->v[i].val.permissions, &permissions, why);
        if (r)
            return r;
        put(set, name, permissions);
    }
    return 0;
}

int role_set_find(const struct role_set *set, struct slice name)
{
    for (unsigned i = 0; i < set->n; i++) {
        if (slice_is(name, set->v[i].name))
            return (int)i;
    }
    return -1;
}

uint64_t role_set_permissions(const struct role_set *set, uint64_t roles)
{
    uint64_t permissions = 0;

    for (unsigned i = 0; i < set->n; i++)
        permissions |= roles >> i & 1 ? set->v[i].permissions : 0;
    return permissions;
}

void role_set_names(const struct role_set *set, struct buf *to)
{
    for (unsigned i = 0; i < set->n; i++)
        buf_printf(to, "%s%s", i ? ", " : "", set->v[i].name);
}
