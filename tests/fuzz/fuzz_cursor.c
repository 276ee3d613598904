/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the reading of cursors.
 *
 * An input is a text. It is refused, or it is the one text of the cursor that is read from it: then
 * it was written here. Its first bytes are as well a cursor that is written, and changed by the
 * rest.
 */
#include "base/mem.h"
#include "http/cursor.h"

#include <assert.h>

#define QUESTION UINT64_C(0x5eed)
#define TEXT_MAX 128 /* as the rows accept */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct cursor_key *fuzz_key(void)
{
    static const struct token_key from = {.bytes = "0123456789abcdef0123456789abcdef", .size = 32};
    static struct cursor_key key;
    static bool is_made;

    if (!is_made)
        cursor_key_init(&key, &from);
    is_made = true;
    return &key;
}

/* Whether it was taken. */
static bool read_text(const char *text, struct cursor *ret)
{
    char again[CURSOR_TEXT_SIZE];
    struct refusal why = {0};

    int r = cursor_read(fuzz_key(), text, QUESTION, ret, &why);
    if (r) {
        assert(r == OUTCOME_INVALID && strcmp(why.field, "cursor") == 0);
        return false;
    }
    assert(ret->question == QUESTION && ret->direction <= CURSOR_BACK);
    cursor_write(fuzz_key(), ret, again);
    assert(strcmp(again, text) == 0);
    return true;
}

static void read_bytes(const uint8_t *bytes, size_t size)
{
    char text[TEXT_MAX + 1];
    struct cursor cursor;

    if (size > TEXT_MAX)
        return;
    memcpy(text, bytes, size);
    text[size] = '\0';
    read_text(text, &cursor);
}

/* Written, read back, and with a character changed refused. */
static void write_and_change(const uint8_t *bytes)
{
    struct cursor cursor = {.direction = bytes[0] & 1 ? CURSOR_BACK : CURSOR_ON,
                            .question = QUESTION};
    char text[CURSOR_TEXT_SIZE];
    struct cursor read;

    memcpy(&cursor.seq, bytes + 1, sizeof(cursor.seq));
    cursor_write(fuzz_key(), &cursor, text);
    bool was_taken = read_text(text, &read);
    assert(was_taken && read.seq == cursor.seq && read.direction == cursor.direction);
    char *at = &text[bytes[9] % (CURSOR_TEXT_SIZE - 1)];
    bool is_changed = *at != (char)bytes[10];
    *at = (char)bytes[10];
    was_taken = read_text(text, &read);
    assert(was_taken == !is_changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_bytes(bytes, size);
    if (size >= 11)
        write_and_change(bytes);
    return 0;
}
