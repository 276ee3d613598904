/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the router: any bytes are a path.
 *
 * The first byte chooses the method. What is found must lie inside the path, be found behind /api
 * too, and each method that a refusal names must be one that finds something.
 */
#include "base/mem.h"
#include "http/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_parameters(const struct route_match *match, struct slice path)
{
    const char *row = match->op->path;
    size_t n = 0;

    while ((row = strchr(row, '{'))) {
        struct slice value = match->path[n++];
        if (value.at < path.at || value.at + value.size > path.at + path.size)
            abort();
        if (value.size == 0 && value.at == path.at + path.size) /* only inside of the path */
            abort();
        row++;
    }
    for (; n < PATH_PARAMETERS_MAX; n++)
        if (match->path[n].size)
            abort();
}

static void check_prefix(const char *method, struct slice path, int expected, const struct op *op)
{
    CLEANUP(buf_release) struct buf prefixed;
    struct route_match match = {.op = NULL};

    buf_init(&prefixed, path.size + 16);
    buf_add_text(&prefixed, "/api");
    buf_add_slice(&prefixed, path);
    if (route_find(method, buf_slice(&prefixed), &match) != expected || match.op != op)
        abort();
}

static void check_allow(const char *allow, struct slice path)
{
    struct slice rest = slice_of(allow), word;
    struct route_match match;
    char method[16];
    bool more;

    do {
        more = slice_cut(&rest, ',', &word);
        snprintf(method, sizeof(method), "%.*s", (int)word.size, word.at);
        if (route_find(method, path, &match))
            abort();
        if (more)
            slice_cut(&rest, ' ', &word);
    } while (more);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    struct route_match match = {.op = NULL};

    if (size == 0)
        return 0;
    const char *method = methods[bytes[0] % COUNT_OF(methods)];
    struct slice path = {.at = (const char *)bytes + 1, .size = size - 1};
    int r = route_find(method, path, &match);
    if (r == 0)
        check_parameters(&match, path);
    else if (r == OUTCOME_METHOD)
        check_allow(match.allow, path);
    if (r != OUTCOME_NOT_FOUND && !slice_starts(path, "/api/"))
        check_prefix(method, path, r, match.op);
    return 0;
}
