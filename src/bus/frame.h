/* SPDX-License-Identifier: MIT */
/*
 * One message on a stream: 4 bytes size of the body (big-endian), 1 byte number (message.def), the
 * body: its struct as JSON.
 *
 * A reader believes nothing: size, number and sender are checked before a byte of the body is kept.
 */
#ifndef REEVE_BUS_FRAME_H
#define REEVE_BUS_FRAME_H

#include "bus/bus.h"

#define FRAME_HEAD_SIZE 5

/* A row of message.def. */
struct frame_row {
    const char *name;
    unsigned char number;
    enum bus_role sender;
    const struct schema *schema;
};
extern const struct frame_row frame_rows[BUS_MESSAGE_COUNT];

/* Appends one message. What does not fit under the cap of `to` is told by buf_overflowed(). A
   message over BUS_MESSAGE_MAX is a bug of ours: results are capped where they are made. */
void frame_write(struct buf *to, enum bus_message message, const void *body);

struct frame {
    enum bus_message message;
    const void *body; /* NULL: not all of it is there yet */
};

struct frame_reader {
    enum bus_role sender; /* who is at the other end */
    unsigned char head[FRAME_HEAD_SIZE];
    size_t head_size;            /* bytes of it that are there */
    const struct frame_row *row; /* NULL until the head is whole */
    size_t body_size;
    struct buf body; /* grows with what comes, not with what was announced */
};

void frame_reader_init(struct frame_reader *reader, enum bus_role sender);
void frame_reader_release(struct frame_reader *reader);
/* Takes bytes off the front of *input until one message is whole or all are taken. 0;
   OUTCOME_INVALID, after which the stream is of no more use. The body lives in `arena`, in *input
   and in the reader: use it, then call frame_reader_done(). */
int frame_read(struct frame_reader *reader, struct slice *input, struct arena *arena,
               struct frame *ret, struct refusal *why);
/* Ready for the next message; the body is wiped, memory of a large one given back. */
void frame_reader_done(struct frame_reader *reader);

#endif
