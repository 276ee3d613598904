/* SPDX-License-Identifier: MIT */
/*
 * Making and reading tokens with the key of this machine's controller; no controller need run.
 */
#ifndef REEVE_CLI_TOKEN_H
#define REEVE_CLI_TOKEN_H

#include "base/buf.h"
#include "base/outcome.h"

struct command;

/* Prints the token alone. OUTCOME_USAGE unknown role or permission; OUTCOME_UNAVAILABLE no key. */
int token_generate_run(struct command *command, struct refusal *why);
/* Prints what a token allows. OUTCOME_UNAUTHORIZED when it is not valid; OUTCOME_UNAVAILABLE no
 * key. */
int token_validate_run(struct command *command, struct refusal *why);

/* For "reeve start": a token with all permissions and a line feed, made with the key at `key_path`,
   which is made when there is none. 0; OUTCOME_UNAVAILABLE the key is not usable; < 0 a fault. */
#define TOKEN_ADMIN_S (30 * INT64_C(86400))
int token_of_admin(const char *key_path, struct buf *to, struct refusal *why);

#endif
