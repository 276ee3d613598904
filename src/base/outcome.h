/* SPDX-License-Identifier: MIT */
/*
 * What a call comes back with: 0 done; > 0 an outcome (enum outcome, outcome.def) that the caller
 * must know; < 0 a fault (-errno), passed up unchanged and logged once by the program's main loop.
 *
 *     r = ledger_find(ledger, id, &seq);
 *     if (r)
 *         return r;
 */
#ifndef REEVE_BASE_OUTCOME_H
#define REEVE_BASE_OUTCOME_H

#include <errno.h>
#include <stddef.h>

enum outcome {
    OUTCOME_DONE = 0,
#define OUTCOME(id, http, exit, word, sentence) OUTCOME_##id,
#include "base/outcome.def"
#undef OUTCOME
    OUTCOME_COUNT
};

int outcome_http(enum outcome outcome);
int outcome_exit(enum outcome outcome);
const char *outcome_word(enum outcome outcome);
const char *outcome_sentence(enum outcome outcome);

/* Why something was refused: filled by whoever refuses, shown to the client. */
#define REFUSAL_TEXT_SIZE  512 /* longer texts are cut at a character */
#define REFUSAL_FIELD_SIZE 128
struct refusal {
    enum outcome outcome;
    char field[REFUSAL_FIELD_SIZE]; /* "" when no field is to blame */
    char text[REFUSAL_TEXT_SIZE];
};

/* Fills *why, unless it is NULL, and returns `outcome`: return refuse(why, OUTCOME_INVALID,
   "limit", "…", …); field may be NULL. Like FAULT a macro, so that compilers and analyzers see that
   it is not 0. */
#define refuse(why, outcome_, ...)                                                                 \
    __extension__({                                                                                \
        enum outcome refused_ = (outcome_);                                                        \
        refusal_fill((why), refused_, __VA_ARGS__);                                                \
        (int)refused_;                                                                             \
    })
void refusal_fill(struct refusal *why, enum outcome outcome, const char *field, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* Notes where a fault was made, for this thread, and returns its argument: return FAULT(-errno); a
   call that failed and left errno 0 is -EIO. */
#define FAULT(negative_errno)                                                                      \
    __extension__({                                                                                \
        int fault_ = (negative_errno);                                                             \
        fault_ = fault_ < 0 ? fault_ : -EIO;                                                       \
        fault_note(fault_, __FILE__, __LINE__);                                                    \
        fault_;                                                                                    \
    })
void fault_note(int fault, const char *file, int line);
/* "src/ledger/store.c:120: No space left on device" for the last fault of this thread; for the one
 * log line. */
const char *fault_text(void);

#endif
