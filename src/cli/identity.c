/* SPDX-License-Identifier: MIT */
/*
 * Becoming the controller's user.
 */
#include "cli/state.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define UID_NOBODY 65534

int identity_find(const char *user, struct identity *ret, struct refusal *why)
{
    if (geteuid() != 0) {
        *ret = (struct identity){.uid = geteuid(), .gid = getegid()};
        return 0;
    }
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (!entry)
        return refuse(
            why, OUTCOME_UNAVAILABLE, "user",
            "there is no user %s for the controller: create it with \"useradd -r %s\", or "
            "name another with --user",
            user, user);
    if (entry->pw_uid == 0)
        return refuse(why, OUTCOME_UNAVAILABLE, "user",
                      "the controller does not run as root: name another --user than %s", user);
    /* Whatever else runs as nobody could then reach the key. */
    if (entry->pw_uid == UID_NOBODY || strcmp(user, "nobody") == 0)
        return refuse(why, OUTCOME_UNAVAILABLE, "user",
                      "the controller does not run as nobody: it must have a user of its own");
    *ret = (struct identity){.change = true, .uid = entry->pw_uid, .gid = entry->pw_gid};
    return 0;
}

static bool is_taken(const struct identity *identity)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    return getresuid(&real, &effective, &saved) == 0 &&
           getresgid(&real_group, &effective_group, &saved_group) == 0 && real == identity->uid &&
           effective == identity->uid && saved == identity->uid && real_group == identity->gid &&
           effective_group == identity->gid && saved_group == identity->gid;
}

int identity_take(const struct identity *identity)
{
    if (!identity->change)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) < 0)
        return -errno;
    if (!is_taken(identity) || setuid(0) == 0 || setgid(0) == 0)
        return -EPERM;
    return 0;
}
