/* SPDX-License-Identifier: MIT */
/*
 * What output goes to: how wide it may be, whether it may have colours and pictures.
 */
#ifndef REEVE_CLI_SCREEN_H
#define REEVE_CLI_SCREEN_H

#include "base/buf.h"

#define SCREEN_COLUMNS     100 /* when the output is no terminal */
#define SCREEN_COLUMNS_MIN 40  /* narrower terminals wrap */

enum tint { TINT_NONE, TINT_BOLD, TINT_GOOD, TINT_BAD, TINT_PENDING };

struct screen {
    size_t columns;
    bool colour;
    bool utf8; /* else pictures are drawn with ASCII */
};

/* Of standard output: colours only on a terminal and without NO_COLOR. */
struct screen screen_of_stdout(void);

void tint_begin(struct buf *to, const struct screen *screen, enum tint tint);
void tint_end(struct buf *to, const struct screen *screen, enum tint tint);

#endif
