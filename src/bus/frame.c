/* SPDX-License-Identifier: MIT */
/*
 * Messages to bytes and back.
 *
 * The table comes from message.def; nothing here knows a message by name.
 */
#include "bus/frame.h"

#include <assert.h>

/* Buffers up to this size are kept from message to message. */
#define BODY_KEPT ((size_t)64 << 10)

const struct frame_row frame_rows[BUS_MESSAGE_COUNT] = {
#define MESSAGE(id, wire_number, from, body)                                                       \
    [BUS_##id] = {                                                                                 \
        .name = #id,                                                                               \
        .number = (wire_number),                                                                   \
        .sender = (from),                                                                          \
        .schema = &body##_schema,                                                                  \
    },
#include "bus/message.def"
#undef MESSAGE
};

static const struct frame_row *row_of_number(unsigned char number)
{
    for (int i = 0; i < BUS_MESSAGE_COUNT; i++) {
        if (frame_rows[i].number == number)
            return &frame_rows[i];
    }
    return NULL;
}

static void head_put(char *head, size_t body_size, unsigned char number)
{
    for (int i = 0; i < 4; i++)
        head[i] = (char)(body_size >> (24 - 8 * i) & 0xff);
    head[4] = (char)number;
}

static size_t head_body_size(const unsigned char *head)
{
    return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

void frame_write(struct buf *to, enum bus_message message, const void *body)
{
    const struct frame_row *row = &frame_rows[message];
    size_t start = to->size;

    if (!buf_reserve(to, FRAME_HEAD_SIZE))
        return;
    to->size += FRAME_HEAD_SIZE;
    schema_encode(row->schema, body, to);
    if (buf_overflowed(to))
        return;

    size_t body_size = to->size - start - FRAME_HEAD_SIZE;
    assert(body_size <= BUS_MESSAGE_MAX);
    head_put(to->at + start, body_size, row->number);
}

void frame_reader_init(struct frame_reader *reader, enum bus_role sender)
{
    *reader = (struct frame_reader){.sender = sender};
    buf_init_secret(&reader->body, BUS_MESSAGE_MAX);
}

void frame_reader_release(struct frame_reader *reader)
{
    buf_release(&reader->body);
}

void frame_reader_done(struct frame_reader *reader)
{
    reader->head_size = 0;
    reader->row = NULL;
    if (reader->body.room > BODY_KEPT)
        buf_release(&reader->body);
    buf_clear(&reader->body);
}

static struct slice take(struct slice *input, size_t size_max)
{
    struct slice taken = {.at = input->at, .size = input->size < size_max ? input->size : size_max};

    input->at += taken.size;
    input->size -= taken.size;
    return taken;
}

static int head_check(struct frame_reader *reader, struct refusal *why)
{
    const struct frame_row *row = row_of_number(reader->head[4]);
    size_t body_size = head_body_size(reader->head);

    if (!row)
        return refuse(why, OUTCOME_INVALID, NULL, "message number %d is not known",
                      reader->head[4]);
    if (row->sender != reader->sender)
        return refuse(why, OUTCOME_INVALID, NULL, "%s may not be sent by this side", row->name);
    if (body_size > BUS_MESSAGE_MAX)
        return refuse(why, OUTCOME_INVALID, NULL, "%s of %zu bytes is over the limit of %zu",
                      row->name, body_size, BUS_MESSAGE_MAX);
    reader->row = row;
    reader->body_size = body_size;
    return 0;
}

/* 0 also when the head is not whole yet: then reader->row is still NULL. */
static int head_read(struct frame_reader *reader, struct slice *input, struct refusal *why)
{
    struct slice part = take(input, FRAME_HEAD_SIZE - reader->head_size);

    if (part.size)
        memcpy(reader->head + reader->head_size, part.at, part.size);
    reader->head_size += part.size;
    if (reader->head_size < FRAME_HEAD_SIZE)
        return 0;
    return head_check(reader, why);
}

/* The body when all of it is there; one that came in one piece is not copied. */
static bool body_read(struct frame_reader *reader, struct slice *input, struct slice *ret)
{
    if (reader->body.size == 0 && input->size >= reader->body_size) {
        *ret = take(input, reader->body_size);
        return true;
    }
    buf_add_slice(&reader->body, take(input, reader->body_size - reader->body.size));
    if (reader->body.size < reader->body_size)
        return false;
    *ret = buf_slice(&reader->body);
    return true;
}

int frame_read(struct frame_reader *reader, struct slice *input, struct arena *arena,
               struct frame *ret, struct refusal *why)
{
    *ret = (struct frame){.body = NULL};
    if (!reader->row) {
        int r = head_read(reader, input, why);
        if (r)
            return r;
        if (!reader->row)
            return 0;
    }

    struct slice json;
    if (!body_read(reader, input, &json))
        return 0;
    void *body = arena_alloc(arena, reader->row->schema->size);
    int r = schema_decode(reader->row->schema, json, BUS_VALUES_MAX, arena, body, why);
    if (r)
        return r;
    *ret = (struct frame){.message = (enum bus_message)(reader->row - frame_rows), .body = body};
    return 0;
}
