/* SPDX-License-Identifier: MIT */
/*
 * The text of a page: which jobs are on it was decided under the lock (list.c), here they are
 * written, until the page is as large as it may be.
 *
 * A page of newer jobs ends at the place that was asked for: one that is cut loses its newest. So
 * it is written from its oldest job on, and turned round.
 */
#include "ledger/item.h"

/* What stands before, between and behind the items. */
struct frame {
    const char *open, *between, *close;
};
static const struct frame array_frame = {.open = "[", .between = ",", .close = "]"};
static const struct frame lines_frame = {.open = "", .between = "\n", .close = "\n"};

static int item_add(struct ledger_reader *reader, const struct ledger_question *question,
                    uint64_t seq, struct buf *items)
{
    if (question->lines)
        question->lines->begin(question->lines->owner, seq, items);
    size_t brace = items->size;
    int r = question->view == LEDGER_SUMMARY ? item_write_summary(reader, seq, items)
                                             : item_write(reader, seq, items);
    if (question->lines && items->size > brace)
        items->at[brace] = ',';
    return r;
}

/* False: the item went over a limit and is not the first: it was taken back, the page ends before
   it. */
static bool item_stays(struct buf *items, size_t page_start, size_t item_start, size_t bytes_max)
{
    bool over = buf_overflowed(items) || items->size - page_start > bytes_max;

    if (!over || item_start == page_start)
        return true;
    items->size = item_start;
    items->overflowed = false;
    return false;
}

static void reverse(char *from, char *to)
{
    while (from < to) {
        char byte = *from;
        *from++ = *--to;
        *to = byte;
    }
}

/* Items that stand one separator of one byte apart, into the other order. */
static void turn(struct buf *items, size_t start, const size_t ends[], unsigned n)
{
    size_t end = items->size;

    reverse(items->at + start, items->at + end);
    for (unsigned i = 0; i < n; i++) {
        size_t first = i > 0 ? ends[i - 1] + 1 : start;
        reverse(items->at + start + end - ends[i], items->at + start + end - first);
    }
}

static void page_note(const struct ledger_question *question, const uint64_t seqs[],
                      unsigned n_seqs, unsigned n, struct ledger_page *page)
{
    bool is_backward = question->from == LEDGER_FROM_NEWER;

    page->n_items = n;
    if (n == 0)
        return;
    page->newest_seq = is_backward ? seqs[n_seqs - n] : seqs[0];
    page->oldest_seq = is_backward ? seqs[n_seqs - 1] : seqs[n - 1];
    if (n < n_seqs && is_backward)
        page->has_newer = true;
    if (n < n_seqs && !is_backward)
        page->has_older = true;
}

int page_write(struct ledger_reader *reader, const struct ledger_question *question,
               const uint64_t seqs[], unsigned n_seqs, struct ledger_page *page, struct buf *items)
{
    const struct frame *frame = question->lines ? &lines_frame : &array_frame;
    size_t bytes_max = question->bytes_max ? question->bytes_max : LEDGER_PAGE_BYTES;
    bool is_backward = question->from == LEDGER_FROM_NEWER;
    size_t ends[LEDGER_PAGE_MAX];
    unsigned n = 0;

    buf_add_text(items, frame->open);
    size_t start = items->size;
    for (; n < n_seqs && !buf_overflowed(items); n++) {
        size_t item_start = items->size;
        if (n > 0)
            buf_add_text(items, frame->between);
        int r = item_add(reader, question, seqs[is_backward ? n_seqs - 1 - n : n], items);
        if (r)
            return r;
        if (!item_stays(items, start, item_start, bytes_max))
            break;
        ends[n] = items->size;
    }
    if (is_backward)
        turn(items, start, ends, n);
    if (n > 0 || !question->lines)
        buf_add_text(items, frame->close);
    page_note(question, seqs, n_seqs, n, page);
    return 0;
}
