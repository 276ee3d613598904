/* SPDX-License-Identifier: MIT */
/*
 * A copy of a ledger as of one commit, made while its controller works.
 *
 * A copy holds one snapshot for as long as it takes: the pages that commits set free meanwhile
 * can't be used again, so the ledger's file grows by what is written.
 */
#ifndef REEVE_LEDGER_BACKUP_H
#define REEVE_LEDGER_BACKUP_H

#include "base/outcome.h"

#include <stdint.h>

/* Writes the ledger's file to `fd`, which may be a pipe: the newest commit, without free pages. In
   a process of its own, which damage may end. 0; OUTCOME_UNAVAILABLE; a fault. */
int backup_write(const char *dir, int fd, struct refusal *why);
/* From one descriptor to the other until the end, at most so many bytes a second. 0 with how many
   came, or -errno of `to` or `from`. */
int backup_pump(int from, int to, uint64_t bytes_per_s, uint64_t *ret_size);

#endif
