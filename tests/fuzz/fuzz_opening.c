/* SPDX-License-Identifier: MIT */
/*
 * Any bytes are the opening of a request: request line, header, and whatever follows.
 *
 * What is taken whole is taken in every part, and what is refused as a part is refused whole: a
 * client that sends slowly gets the same answer. The header's values go through the checks that
 * follow in the server.
 */
#include "base/mem.h"
#include "http/http.h"
#include "http/opening.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int check(const uint8_t *bytes, size_t size, bool *ret_is_whole, struct guard_refusal *ret)
{
    char *copy = mem_alloc(size);

    memcpy(copy, bytes, size);
    int r = opening_check(copy, size, ret_is_whole, ret);
    mem_free(copy);
    return r;
}

static void assert_fit_for_an_answer(const struct guard_refusal *refused)
{
    int status = refused->status ? refused->status : outcome_http(refused->why.outcome);

    assert(status >= 400 && (status < 500 || status == 501 || status == 505));
    assert(refused->why.text[0] && slice_is_utf8(slice_of(refused->why.text)));
}

/* The rest of the server's checks, on any text. */
static void check_values(const uint8_t *bytes, size_t size)
{
    CLEANUP(mem_freep) char *text = mem_alloc(size + 1);
    struct slice path, query;
    struct refusal why;

    memcpy(text, bytes, size);
    int r = type_check(text, &why);
    assert(r == 0 || r == OUTCOME_MEDIA_TYPE);
    r = encoding_check(text, &why);
    assert(r == 0 || r == OUTCOME_MEDIA_TYPE);
    if (request_id_is_good(text))
        assert(strlen(text) < HTTP_REQUEST_ID_SIZE);
    target_split(text, &path, &query);
    assert(target_size(path, query) >= path.size + query.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct guard_refusal refused, part_refused;
    bool is_whole, part_is_whole;

    if (size > HTTP_HEADER_MAX)
        return 0;
    int r = check(bytes, size, &is_whole, &refused);
    if (r)
        assert_fit_for_an_answer(&refused);
    for (size_t i = 1; i < 4 && size < HTTP_HEADER_MAX; i++) {
        int part = check(bytes, size * i / 4, &part_is_whole, &part_refused);
        assert(!part || part == r);
        assert(!part_is_whole || (is_whole && part == r));
    }
    check_values(bytes, size);
    return 0;
}
