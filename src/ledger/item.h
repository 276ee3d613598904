/* SPDX-License-Identifier: MIT */
/*
 * A job as its users see it: the JSON of a job_item (catalog/job.def).
 */
#ifndef REEVE_LEDGER_ITEM_H
#define REEVE_LEDGER_ITEM_H

#include "ledger/inside.h"
#include "ledger/retain.h"

/* Runs are shown until their rows have this many bytes, if fewer than LEDGER_RUNS_SHOWN; the first
   always is. */
#define ITEM_RUNS_BYTES ((size_t)4 << 20)

/* Appends the item; the reader is inside an answer. An item over the cap of *to overflows it. */
int item_write(struct ledger_reader *reader, uint64_t seq, struct buf *to);
/* The same of LEDGER_SUMMARY: how many runs are where, instead of what they came to. */
int item_write_summary(struct ledger_reader *reader, uint64_t seq, struct buf *to);

/* Appends the page of these jobs, newest first, and notes in *page its number of items, their ends,
   and that there are more where it ended early (page.c). */
int page_write(struct ledger_reader *reader, const struct ledger_question *question,
               const uint64_t seqs[], unsigned n_seqs, struct ledger_page *page, struct buf *items);

/* A sink has taken pieces of about this size, or of one run that is larger. */
#define ITEM_PIECE_BYTES ((size_t)64 << 10)
/* Room for what one run adds, its error escaped. */
#define ITEM_PIECE_MAX (4 * STORED_ROW_MAX)

/* The same with all of the job's runs, to a sink, through *to, which is empty before and after. */
int item_write_whole(struct ledger_reader *reader, uint64_t seq, const struct ledger_sink *sink,
                     struct buf *to);
/* Gives *to to the sink when it is large enough. Without a sink (NULL) it stays where it is. */
int item_piece(const struct ledger_sink *sink, struct buf *to);

/* ---- timeline.c ---- */

/* Appends "timeline":[…], of the job's own events and of the first n_shown of reader->runs. */
int timeline_write(struct ledger_reader *reader, uint64_t seq, const struct head *head,
                   uint32_t n_shown, const struct ledger_sink *sink, struct buf *to);
/* The text of a run that failed or was skipped: the agent's, or else the reason of its code. */
struct slice run_error(const struct run_row *run);

/* ---- members of one run, each with the comma before it (item.c, run_page.c) ---- */

/* The result itself, without a comma. 0 or a fault. */
int put_run_data(struct buf *to, const struct run_row *run, struct packer *packer);
void put_run_changed(struct buf *to, const struct run_row *run);
void put_run_error(struct buf *to, const struct run_row *run);
/* Nothing where the start is not known. */
void put_run_duration(struct buf *to, const struct run_row *run);

/* For literals, and for the inside of a JSON string. */
#define PUT(to, literal) buf_add((to), (literal), sizeof(literal) - 1)
void put_escaped(struct buf *to, struct slice text);

#endif
