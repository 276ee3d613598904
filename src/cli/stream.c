/* SPDX-License-Identifier: MIT */
/*
 * Lines as they come.
 */
#include "cli/stream.h"

#include "base/mem.h"
#include "cli/value.h"

void stream_init(struct stream *stream, int (*print)(struct slice lines))
{
    *stream = (struct stream){.print = print};
    buf_init(&stream->begun, STREAM_LINE_MAX);
    buf_init(&stream->last, STREAM_LINE_MAX);
}

void stream_release(struct stream *stream)
{
    buf_release(&stream->begun);
    buf_release(&stream->last);
}

/* `lines` ends with a line feed. */
static void note_last(struct stream *stream, struct slice lines)
{
    lines.size--;
    const char *end = memrchr(lines.at, '\n', lines.size);
    size_t start = end ? (size_t)(end + 1 - lines.at) : 0;

    buf_clear(&stream->last);
    buf_add(&stream->last, lines.at + start, lines.size - start);
}

int stream_take(void *owner, struct slice bytes)
{
    struct stream *stream = owner;
    const char *end = bytes.size ? memrchr(bytes.at, '\n', bytes.size) : NULL;
    size_t whole = end ? (size_t)(end + 1 - bytes.at) : 0;

    stream->has_begun = true;
    buf_add(&stream->begun, bytes.at, whole);
    if (buf_overflowed(&stream->begun))
        return OUTCOME_FAULT;
    if (whole > 0) {
        int r = stream->print(buf_slice(&stream->begun));
        if (r)
            return r;
        note_last(stream, buf_slice(&stream->begun));
        buf_clear(&stream->begun);
    }
    buf_add(&stream->begun, bytes.at + whole, bytes.size - whole);
    return buf_overflowed(&stream->begun) ? OUTCOME_FAULT : 0;
}

bool stream_is_cut(const struct stream *stream)
{
    return stream->begun.size > 0;
}

const char *stream_cursor(const struct stream *stream, const struct schema *line,
                          struct arena *arena)
{
    struct json object, cursor;

    if (json_check(buf_slice(&stream->last), JSON_VALUES_MAX_RESULT, &object, NULL) ||
        object.kind != JSON_OBJECT)
        return NULL;
    for (const struct field *field = line->fields; field->wire; field++) {
        if (value_is_cursor(field) && json_member(object, field->wire, &cursor) &&
            cursor.kind == JSON_STRING)
            return value_text(field, &cursor, TEXT_ONE_LINE, arena).at;
    }
    return NULL;
}
