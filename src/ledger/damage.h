/* SPDX-License-Identifier: MIT */
/*
 * The end of a process whose ledger file turns out to be damaged.
 *
 * LMDB reads the file through a map and believes what it finds. A file that was cut short, and a
 * disk that fails, show as SIGBUS; nonsense in a page shows as an assertion of LMDB's. Neither can
 * be returned as an outcome, so both end the process here: with a word that names the ledger, exit
 * status 1, and nothing written.
 */
#ifndef REEVE_LEDGER_DAMAGE_H
#define REEVE_LEDGER_DAMAGE_H

/* From now on SIGBUS ends this process, naming `dir`. */
void damage_watch(const char *dir);
/* Once damage_watch() was called; safe in a signal handler. */
_Noreturn void damage_end(const char *what);

#endif
