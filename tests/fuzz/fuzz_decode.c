/* SPDX-License-Identifier: MIT */
/*
 * Any request into op_decode(); what it accepts is encoded, decoded as a payload and encoded again:
 * the same.
 *
 * An input is one byte that picks the operation, then "path?query", a newline, and the body. Every
 * parameter of the path gets the same text.
 */
#include "base/mem.h"
#include "catalog/catalog.h"

#include <assert.h>

#define ENCODED_CAP ((size_t)64 << 20) /* a byte becomes at most six */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void assert_fit_for_a_terminal(const char *text)
{
    assert(*text && slice_is_utf8(slice_of(text)));
    for (const char *at = text; *at; at++)
        assert((unsigned char)*at >= 0x20 && *at != 0x7F);
}

static void assert_comes_back(const struct schema *schema, const void *object, struct arena *arena)
{
    CLEANUP(buf_release) struct buf once = {.cap = ENCODED_CAP, .wipes = true};
    CLEANUP(buf_release) struct buf twice = {.cap = ENCODED_CAP, .wipes = true};
    CLEANUP(buf_release) struct buf shown = {.cap = ENCODED_CAP};
    void *again = arena_alloc(arena, schema->size);

    schema_encode_revealed(schema, object, &once);
    assert(!buf_overflowed(&once));
    int r = schema_decode(schema, buf_slice(&once), JSON_VALUES_MAX_RESULT, arena, again, NULL);
    assert(r == 0);
    schema_encode_revealed(schema, again, &twice);
    assert(slice_equal(buf_slice(&once), buf_slice(&twice)));
    schema_encode(schema, object, &shown);
    assert(schema_has_secret(schema, object) || slice_equal(buf_slice(&once), buf_slice(&shown)));
    assert(schema_check(schema, buf_slice(&shown), JSON_VALUES_MAX_RESULT, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct op_request request = {.query = {0}};
    struct refusal why = {.outcome = OUTCOME_DONE};
    struct slice head, path;

    if (size == 0)
        return 0;
    const struct op *op = &op_catalog[bytes[0] % OP_COUNT];
    request.body = (struct slice){.at = (const char *)bytes + 1, .size = size - 1};
    slice_cut(&request.body, '\n', &head);
    slice_cut(&head, '?', &path);
    request.query = head;
    for (size_t i = 0; i < PATH_PARAMETERS_MAX; i++)
        request.path[i] = path;

    void *in = arena_alloc(&arena, op->in->size);
    void *shared = arena_alloc(&arena, op_shared_in(op)->size);
    int r = op_decode(op, &request, &arena, in, shared, &why);
    assert(r == 0 || r == OUTCOME_INVALID);
    if (r) {
        assert(why.outcome == OUTCOME_INVALID && *why.field);
        assert_fit_for_a_terminal(why.text);
        return 0;
    }
    assert_comes_back(op->in, in, &arena);
    assert_comes_back(op_shared_in(op), shared, &arena);
    return 0;
}
