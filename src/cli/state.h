/* SPDX-License-Identifier: MIT */
/*
 * The state directory of "reeve start", and who owns what in it:
 *
 *   STATE/             0755  who starts: token (0600), url, lock
 *   STATE/agent/       0700  who starts: the agent runs as them
 *   STATE/controller/  0700  the controller's user: key, ledger
 *
 * Once STATE/controller is handed over, "reeve start" as root neither writes nor reads below it:
 * what has to be done there is done by a process that has become the controller's user. A
 * controller taken over by somebody must not be able to make root follow its links.
 */
#ifndef REEVE_CLI_STATE_H
#define REEVE_CLI_STATE_H

#include "base/arena.h"
#include "base/outcome.h"

#include <sys/types.h>

/* Who a program runs as. */
struct identity {
    bool change; /* false: stays who we are */
    uid_t uid;
    gid_t gid;
};

/* The user of this name, for the controller of a supervisor that is root; who we are for everybody
   else. 0; OUTCOME_UNAVAILABLE no such user, root, or nobody. */
int identity_find(const char *user, struct identity *ret, struct refusal *why);
/* Becomes it for good, without supplementary groups. 0 or -errno; also when there was a way back.
 */
int identity_take(const struct identity *identity);

struct state {
    const char *path; /* absolute */
    const char *agent_path;
    int controller_fd;        /* STATE/controller */
    int lock_fd;              /* held for as long as it is open */
    struct identity identity; /* the controller's */
};

/* Makes what is missing, locks it, makes the key at the first start, and writes a new admin token.
   0; OUTCOME_CONFLICT already started; OUTCOME_UNAVAILABLE not usable: *why says how. */
int state_open(const char *path, const struct identity *identity, struct arena *arena,
               struct state *ret, struct refusal *why);
void state_close(struct state *state); /* accepts a zeroed struct with fds of -1 */
/* STATE/token: a new admin token. It lasts 30 days, so a supervisor renews it while it runs. 0;
   OUTCOME_UNAVAILABLE; a fault. */
int state_renew_token(const struct state *state, struct refusal *why);
/* STATE/url. 0 or a fault. */
int state_write_url(const struct state *state, const char *url);

#endif
