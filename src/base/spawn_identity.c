/* SPDX-License-Identifier: MIT */
/*
 * Users, looked up and become.
 */
#include "base/spawn_identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int spawn_identity_find(const char *user, struct spawn_identity *ret)
{
    struct spawn_identity identity = {.n_groups = SPAWN_GROUPS_MAX};
    const struct passwd *entry = getpwnam(user);

    if (!entry)
        return -ENOENT;
    if (strlen(entry->pw_name) >= SPAWN_NAME_SIZE || strlen(entry->pw_dir) >= SPAWN_HOME_SIZE ||
        getgrouplist(user, entry->pw_gid, identity.groups, &identity.n_groups) < 0)
        return -E2BIG;
    snprintf(identity.user, sizeof(identity.user), "%s", entry->pw_name);
    snprintf(identity.home, sizeof(identity.home), "%s", entry->pw_dir);
    identity.uid = entry->pw_uid;
    identity.gid = entry->pw_gid;
    *ret = identity;
    return 0;
}

int spawn_identity_take(const struct spawn_identity *identity)
{
    /* Who is not root is this user already, or can't become it. */
    if (geteuid() == 0 && setgroups((size_t)identity->n_groups, identity->groups) < 0)
        return -errno;
    if (setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) < 0)
        return -errno;
    return 0;
}
