/* SPDX-License-Identifier: MIT */
/*
 * Text for a terminal: made harmless, measured, cut.
 *
 * Whatever a host or a server sent goes through text_clean() before it is printed; only --json
 * prints bytes as they came. Widths are columns of a terminal, not bytes or characters.
 */
#ifndef REEVE_CLI_TEXT_H
#define REEVE_CLI_TEXT_H

#include "base/buf.h"

#define TEXT_ELLIPSIS "…"

enum text_lines { TEXT_ONE_LINE, TEXT_KEEP_LINES };

/* Makes widths known to the C library. Once, before anything is measured. */
void text_setup(void);

/* Appends `text` with every character that could steer a terminal or reorder what is read (C0, C1,
   bidi and other invisible controls, bytes that are no UTF-8) replaced by an escape such as \u001b.
   TEXT_KEEP_LINES lets line feeds and tabs pass, TEXT_ONE_LINE writes them as \n and \t. */
void text_clean(struct buf *to, struct slice text, enum text_lines lines);

/* Columns of cleaned text that has one line. */
size_t text_columns(struct slice clean);
/* Appends cleaned text in exactly `columns` columns: cut with "…" or filled with blanks, on the
 * left when `right`. */
void text_fit(struct buf *to, struct slice clean, size_t columns, bool right);
void text_fill(struct buf *to, size_t columns);

#endif
