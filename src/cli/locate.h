/* SPDX-License-Identifier: MIT */
/*
 * Where the controller is, and the token for it: flags, then the environment, then the state
 * directory.
 */
#ifndef REEVE_CLI_LOCATE_H
#define REEVE_CLI_LOCATE_H

#include "base/arena.h"
#include "base/outcome.h"
#include "catalog/catalog.h"

#define STATE_INSTALLED "/var/lib/reeve"

struct endpoint {
    const char *url;   /* without a slash at the end */
    const char *token; /* NULL: none wanted */
    const char *ca;    /* file of certificates; NULL: the system's */
};

/* --state, REEVE_STATE, else "state" beside this program, or STATE_INSTALLED when it is installed
 * below /usr. */
const char *locate_state(const struct cli_options *options, struct arena *arena);
/* The directory this program is in; NULL when the kernel does not tell. */
const char *locate_programs(struct arena *arena);

/*
 * 0; OUTCOME_UNREACHABLE no address known; OUTCOME_UNAUTHORIZED a token is wanted and none found;
 * OUTCOME_USAGE one of them is malformed. The token of a state directory goes only to that
 * directory's address, unless the directory was named (--state, REEVE_STATE): naming an address
 * alone must not send it a token.
 */
int locate_endpoint(const struct cli_options *options, bool wants_token, struct arena *arena,
                    struct endpoint *ret, struct refusal *why);

#endif
