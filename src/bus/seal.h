/* SPDX-License-Identifier: MIT */
/*
 * The input of runs that holds secrets, as it lies on disk until its host has it.
 *
 * XChaCha20-Poly1305 with a key of its own beside the ledger. What was sealed for one run opens for
 * no other: job and run are part of what is authenticated.
 */
#ifndef REEVE_BUS_SEAL_H
#define REEVE_BUS_SEAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/outcome.h"
#include "base/uuid.h"

#define SEAL_KEY_FILE "seal.key" /* in the state directory */
#define SEAL_KEY_SIZE 32
#define SEAL_ADDED    41 /* bytes: version, nonce, tag */

struct seal_key {
    uint8_t bytes[SEAL_KEY_SIZE];
};

/* Reads the key, or makes it (0600, and durable) when there is none: what was sealed with a lost
   one stays sealed. 0; OUTCOME_UNAVAILABLE: it can't be read or made, is no key, or open to others.
 */
int seal_key_open(const char *path, struct seal_key *ret, struct refusal *why);

struct seal_place {
    struct uuid job;
    uint32_t run;
};

/* Appends size + SEAL_ADDED bytes. */
void seal_close(const struct seal_key *key, const struct seal_place *place, struct slice plain,
                struct buf *to);
/* *ret is in the arena, which wipes. 0; OUTCOME_UNAVAILABLE: sealed with another key, for another
   run, or damaged. */
int seal_break(const struct seal_key *key, const struct seal_place *place, struct slice sealed,
               struct arena *arena, struct slice *ret);

#endif
