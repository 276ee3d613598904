/* SPDX-License-Identifier: MIT */
/*
 * Making and reading tokens with the key of this machine's controller; no controller need run.
 */
#ifndef REEVE_CLI_TOKEN_H
#define REEVE_CLI_TOKEN_H

#include "base/outcome.h"

struct command;

/* Prints the token alone. OUTCOME_USAGE unknown role or permission; OUTCOME_UNAVAILABLE no key. */
int token_generate_run(struct command *command, struct refusal *why);
/* Prints what a token allows. OUTCOME_UNAUTHORIZED when it is not valid; OUTCOME_UNAVAILABLE no
 * key. */
int token_validate_run(struct command *command, struct refusal *why);
/* Writes its id into the controller's list of revoked tokens, which a running one reads again
   within a second. OUTCOME_UNAUTHORIZED, OUTCOME_USAGE no valid token and no id;
   OUTCOME_UNAVAILABLE. */
int token_revoke_run(struct command *command, struct refusal *why);

#endif
