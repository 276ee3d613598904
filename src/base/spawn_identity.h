/* SPDX-License-Identifier: MIT */
/*
 * Whom a program runs as, found before there is a child: between fork() and execve() nothing may
 * read /etc/passwd.
 */
#ifndef REEVE_BASE_SPAWN_IDENTITY_H
#define REEVE_BASE_SPAWN_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

#define SPAWN_GROUPS_MAX 256
#define SPAWN_NAME_SIZE  33
#define SPAWN_HOME_SIZE  1024

struct spawn_identity {
    char user[SPAWN_NAME_SIZE], home[SPAWN_HOME_SIZE];
    uid_t uid;
    gid_t gid;
    gid_t groups[SPAWN_GROUPS_MAX];
    int n_groups;
};

/* The user of this name with all its groups. 0; -ENOENT no such user; -E2BIG name, home or groups
   beyond the caps. */
int spawn_identity_find(const char *user, struct spawn_identity *ret);
/* In the child: becomes it for good. 0 or -errno. */
int spawn_identity_take(const struct spawn_identity *identity);

#endif
