/* SPDX-License-Identifier: MIT */
/*
 * The columns of permission.def as lookups, and the three built-in roles.
 */
#include "catalog/catalog.h"

#include <assert.h>

static const struct {
    const char *word;
    unsigned roles; /* sum of ROLE_BIT_… */
} permissions[PERMISSION_COUNT] = {
#define PERMISSION(id, word_, roles_) [PERMISSION_##id] = {.word = word_, .roles = roles_},
#include "catalog/permission.def"
#undef PERMISSION
};

static const char *const role_words[ROLE_COUNT] = {
    [ROLE_ADMIN] = "admin",
    [ROLE_WRITE] = "write",
    [ROLE_READ] = "read",
};

const char *permission_word(int permission)
{
    if (permission == PERMISSION_PUBLIC)
        return "public";
    assert(permission >= 0 && permission < PERMISSION_COUNT);
    return permissions[permission].word;
}

int permission_find(struct slice word)
{
    for (int i = 0; i < PERMISSION_COUNT; i++) {
        if (slice_is(word, permissions[i].word))
            return i;
    }
    return -1;
}

const char *role_word(enum role role)
{
    assert((unsigned)role < ROLE_COUNT);
    return role_words[role];
}

int role_find(struct slice word)
{
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (slice_is(word, role_words[i]))
            return i;
    }
    return -1;
}

uint64_t role_permissions(enum role role)
{
    uint64_t set = 0;

    for (int i = 0; i < PERMISSION_COUNT; i++) {
        if (permissions[i].roles & 1u << role)
            set |= UINT64_C(1) << i;
    }
    return set;
}
