/* SPDX-License-Identifier: MIT */
/*
 * A mixed load on one controller, and the memory of what it acknowledged.
 *
 * Each modify appends a word of its own to a file on the host, so that the file tells how often it
 * ran. The memory is what a client could swear to: an answer that did not arrive proves nothing.
 */
#ifndef REEVE_TESTS_LOAD_H
#define REEVE_TESTS_LOAD_H

#include "base/uuid.h"

#include <stdint.h>

#define LOAD_WORKERS   4 /* at most */
#define LOAD_NOTES_MAX ((size_t)1 << 18)

struct load;

struct load_options {
    const char *url, *token;
    const char *witness; /* file on the host that modifies append to; absolute, without blanks */
    uint64_t seed;
    unsigned n_workers; /* 0: LOAD_WORKERS */
};

enum note_fate {
    NOTE_KEPT,
    NOTE_DELETE_ASKED, /* no answer: may be there or not */
    NOTE_DELETED,
};

/* A job that the controller named in an answer. */
struct note {
    char id[UUID_TEXT_SIZE];
    enum note_fate fate;
};

struct load *load_new(const struct load_options *options);
/* The workers start, or stop after their calls under way. */
void load_go(struct load *load);
void load_pause(struct load *load);
void load_free(struct load *load);

/* While paused. */
size_t load_n_notes(const struct load *load);
const struct note *load_note(const struct load *load, size_t i);

/* Answers that were neither a success nor a refusal of the one error shape. */
unsigned load_n_improper(const struct load *load);

/* Notes as a file, for another process to look at: appends all, reads what is there. 0 or -errno.
 */
int load_save(const struct load *load, const char *path);
int load_restore(struct load *load, const char *path);

/* xorshift64*: *state is never 0. */
uint64_t random_next(uint64_t *state);

#endif
