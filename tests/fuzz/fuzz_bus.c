/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the stream decoder of the bus: any bytes are messages, are incomplete, or are refused.
 *
 * The first byte says who sends and in which pieces the rest comes: the pieces must make no
 * difference. A message that was read is written and read again.
 */
#include "base/mem.h"
#include "bus/frame.h"

#define OUTPUT_MAX (BUS_MESSAGE_MAX * 2)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static enum bus_role sender_of(uint8_t choice)
{
    return choice & 1 ? BUS_AGENT : BUS_CONTROLLER;
}

/* What was read must be writable, and come out the same from then on. */
static void write_and_read(enum bus_role sender, const struct frame *frame, struct buf *ret)
{
    struct frame_reader reader;
    struct arena arena;
    struct frame again;
    struct buf second CLEANUP(buf_release);

    arena_init(&arena);
    buf_init(&second, OUTPUT_MAX);
    frame_reader_init(&reader, sender);
    size_t start = ret->size;
    frame_write(ret, frame->message, frame->body);
    struct slice written = {.at = ret->at + start, .size = ret->size - start}, rest = written;
    if (frame_read(&reader, &rest, &arena, &again, NULL) || !again.body || rest.size ||
        again.message != frame->message)
        abort();
    frame_write(&second, again.message, again.body);
    if (!slice_equal(buf_slice(&second), written))
        abort();
    frame_reader_release(&reader);
    arena_release(&arena);
}

/* Reads until the end or a refusal; what was read is in *ret, written. False when it was
   refused. */
static bool read_all(enum bus_role sender, struct slice stream, size_t piece_max, struct buf *ret)
{
    struct frame_reader reader;
    bool sound = true;

    frame_reader_init(&reader, sender);
    while (sound && stream.size) {
        struct slice piece = {
            .at = stream.at,
            .size = stream.size < piece_max ? stream.size : piece_max,
        };
        stream.at += piece.size;
        stream.size -= piece.size;
        while (sound && piece.size) {
            struct arena arena = {0};
            struct frame frame;

            sound = frame_read(&reader, &piece, &arena, &frame, NULL) == 0;
            if (sound && frame.body) {
                write_and_read(sender, &frame, ret);
                frame_reader_done(&reader);
            }
            arena_release(&arena);
        }
    }
    frame_reader_release(&reader);
    return sound;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct buf whole CLEANUP(buf_release), pieces CLEANUP(buf_release);

    buf_init(&whole, OUTPUT_MAX);
    buf_init(&pieces, OUTPUT_MAX);
    if (size == 0)
        return 0;
    struct slice stream = {.at = (const char *)bytes + 1, .size = size - 1};
    bool sound = read_all(sender_of(bytes[0]), stream, SIZE_MAX, &whole);
    if (read_all(sender_of(bytes[0]), stream, (bytes[0] >> 1) + 1, &pieces) != sound ||
        !slice_equal(buf_slice(&whole), buf_slice(&pieces)))
        abort();
    return 0;
}
