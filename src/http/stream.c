/* SPDX-License-Identifier: MIT */
/*
 * Bodies that are made while the client reads them: one piece at a time is asked for, and the next
 * one when it is on its way. So a client that reads slowly holds one piece, and nobody waits.
 */
#include "base/clock.h"
#include "http/loop.h"

#include <assert.h>
#include <errno.h>

void stream_open(struct exchange *exchange, const struct http_stream *source)
{
    exchange->stream.source = *source;
    buf_init_secret(&exchange->stream.piece, HTTP_STREAM_PIECE_MAX);
}

/* The service fills the piece. 0, HTTP_STREAM_END or a fault. */
static int next_piece(struct exchange *exchange)
{
    struct stream *stream = &exchange->stream;

    buf_clear(&stream->piece);
    stream->n_taken = 0;
    int r = stream->source.next(stream->source.owner, &stream->piece);
    if (r)
        return r;
    assert(stream->piece.size > 0);
    if (buf_overflowed(&stream->piece) || !exchange_hold(exchange, stream->piece.size))
        return FAULT(-ENOBUFS);
    return 0;
}

int stream_read(struct exchange *exchange, char *to, size_t room, size_t *ret_size)
{
    struct stream *stream = &exchange->stream;

    if (stream->n_taken == stream->piece.size) {
        int r = next_piece(exchange);
        if (r)
            return r;
    }
    size_t left = stream->piece.size - stream->n_taken;
    size_t size = left < room ? left : room;
    memcpy(to, stream->piece.at + stream->n_taken, size);
    stream->n_taken += size;
    exchange->reply_size += size;
    *ret_size = size;
    return 0;
}

void stream_close(struct exchange *exchange)
{
    struct stream *stream = &exchange->stream;

    if (!stream->source.next)
        return;
    stream->source.free(stream->source.owner);
    buf_release(&stream->piece);
    *stream = (struct stream){0};
}
