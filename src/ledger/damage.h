/* SPDX-License-Identifier: MIT */
/*
 * The end of a process whose ledger file turns out to be damaged.
 *
 * LMDB reads the file through a map and believes what it finds. A file that was cut short, and a
 * disk that fails, show as SIGBUS; nonsense in a page shows as an assertion of LMDB's or as an
 * access to nowhere. Neither can be returned as an outcome, so both end the process here: with a
 * word that names the ledger, exit status 1, and nothing written.
 */
#ifndef REEVE_LEDGER_DAMAGE_H
#define REEVE_LEDGER_DAMAGE_H

#include <stdbool.h>

/* The one line of every refusal of a damaged ledger: its name, what was found, what to do. */
#define DAMAGE_TEXT   "the ledger in %s is damaged: "
#define DAMAGE_ADVICE "restore a backup (\"reeve ledger check\" tells more)"

/* From now on a page that can't be read ends this process, naming `name`, and so does any fault of
   memory in a thread that is inside of LMDB; one elsewhere is a mistake of ours, and stays one. */
void damage_watch(const char *name);
extern _Thread_local bool damage_in_lmdb;
/* Once damage_watch() was called; safe in a signal handler. */
_Noreturn void damage_end(const char *what);

#endif
