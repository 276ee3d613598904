/* SPDX-License-Identifier: MIT */
/*
 * Filters take the values that mix.c gives to jobs, those that few have included.
 */
#include "cases.h"

#include "base/mem.h"

#include <inttypes.h>

#define PAGE     10
#define NEAR_MAX 1000u /* jobs among which first, middle and last pages begin */
#define LIST     "/job?limit=10"

/* Numerical Recipes' generator: only the high bits are used. */
static uint64_t draw_below(struct asked *asked, uint64_t n)
{
    asked->random = asked->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (asked->random >> 33) * n >> 31;
}

/* ---- offsets ---- */

static void path_same(struct asked *asked, uint64_t number, struct buf *to)
{
    (void)asked;
    (void)number;
    buf_add_text(to, LIST);
}

static void add_offset(struct asked *asked, uint64_t begin, uint64_t n, struct buf *to)
{
    buf_printf(to, LIST "&offset=%" PRIu64, begin + draw_below(asked, n));
}

static void path_random(struct asked *asked, uint64_t number, struct buf *to)
{
    (void)number;
    add_offset(asked, 0, asked->n_jobs - PAGE, to);
}

static uint64_t n_near(const struct asked *asked)
{
    uint64_t part = asked->n_jobs / 10;

    return part < NEAR_MAX ? part : NEAR_MAX;
}

static void path_first(struct asked *asked, uint64_t number, struct buf *to)
{
    (void)number;
    add_offset(asked, 0, n_near(asked), to);
}

static void path_middle(struct asked *asked, uint64_t number, struct buf *to)
{
    (void)number;
    add_offset(asked, asked->n_jobs / 2, n_near(asked), to);
}

static void path_last(struct asked *asked, uint64_t number, struct buf *to)
{
    (void)number;
    add_offset(asked, asked->n_jobs - n_near(asked) - PAGE, n_near(asked), to);
}

/* ---- filters ---- */

static const char *const types[] = {
    "node.status.get", "node.hostname.get",    "node.uptime.get",
    "node.load.get",   "node.memory.get",      "node.disk.get",
    "node.os.get",     "command.exec.execute", "command.shell.execute",
};
static const char *const names[] = {"ci",    "alice", "monitoring", "bob",   "deploy",
                                    "carol", "dave",  "erin",       "frank", "admin"};
static const char *const codes[] = {"error", "timeout", "expired", "interrupted", "lost"};

#define PICK(words, i) ((words)[(i) % COUNT_OF(words)])

static void filter_failed(const struct asked *asked, unsigned i, struct buf *to)
{
    (void)asked;
    buf_printf(to, "&status=failed&operation=%s", PICK(types, i));
}

static void filter_completed(const struct asked *asked, unsigned i, struct buf *to)
{
    (void)asked;
    buf_printf(to, "&status=completed&user=%s", PICK(names, i));
}

static void filter_host(const struct asked *asked, unsigned i, struct buf *to)
{
    buf_printf(to, "&hostname=web-%04u", 1 + 37 * i % asked->n_hosts);
}

static void filter_prefix(const struct asked *asked, unsigned i, struct buf *to)
{
    (void)asked;
    buf_printf(to, "&operation=%s&user=%s", i % 2 ? "node." : "command.", PICK(names, i));
}

static void filter_code(const struct asked *asked, unsigned i, struct buf *to)
{
    (void)asked;
    buf_printf(to, "&code=%s&user=%s", PICK(codes, i), PICK(names, i / 5));
}

static void filter_changed(const struct asked *asked, unsigned i, struct buf *to)
{
    (void)asked;
    buf_printf(to, "&changed=%s&user=%s", i % 2 ? "true" : "false", PICK(names, i));
}

static void filter_target(const struct asked *asked, unsigned i, struct buf *to)
{
    (void)asked;
    buf_printf(to, "&target=%s&operation=%s", i % 2 ? "_any" : "_all", PICK(types, i));
}

static void filter_pair(const struct asked *asked, unsigned i, struct buf *to)
{
    (void)asked;
    buf_printf(to, "&operation=%s&user=%s", PICK(types, i), PICK(names, i));
}

static void filter_not_done(const struct asked *asked, unsigned i, struct buf *to)
{
    (void)asked;
    buf_printf(to, "&status=failed&status=partial_failure&user=%s", PICK(names, i));
}

static void filter_label(const struct asked *asked, unsigned i, struct buf *to)
{
    buf_printf(to, "&target=rack:r%03u", 1 + i % (asked->n_hosts / 100 + 1));
}

typedef void add_filter(const struct asked *asked, unsigned i, struct buf *to);

static add_filter *const filters[] = {
    filter_failed,  filter_completed, filter_host, filter_prefix,   filter_code,
    filter_changed, filter_target,    filter_pair, filter_not_done, filter_label};

#define OF_EACH 10u /* times the ten of them: a hundred */

static void filter_add(const struct asked *asked, uint64_t number, struct buf *to)
{
    unsigned i = (unsigned)(number % (COUNT_OF(filters) * OF_EACH));

    filters[i % COUNT_OF(filters)](asked, i / (unsigned)COUNT_OF(filters), to);
}

static void path_filters(struct asked *asked, uint64_t number, struct buf *to)
{
    buf_add_text(to, LIST);
    filter_add(asked, number, to);
}

/* Of many pages: one that is asked for again and again is answered from what the loop remembers. */
static void path_summary(struct asked *asked, uint64_t number, struct buf *to)
{
    path_first(asked, number, to);
    buf_add_text(to, "&view=summary");
}

static void path_summary_filters(struct asked *asked, uint64_t number, struct buf *to)
{
    buf_add_text(to, LIST "&view=summary");
    filter_add(asked, number, to);
}

/* Those pairs that the hundred don't hold, and at last those that they do. */
static void path_new_filters(struct asked *asked, uint64_t number, struct buf *to)
{
    unsigned i = (unsigned)(number % CASE_NEW_FILTERS_N);

    (void)asked;
    buf_printf(to, LIST "&operation=%s&user=%s", types[i / COUNT_OF(names)],
               names[i % COUNT_OF(names)]);
}

/* ---- the cases ---- */

static const struct {
    const char *name;
    void (*path)(struct asked *asked, uint64_t number, struct buf *to);
    bool conditional;
} cases[] = {
    [CASE_SAME] = {.name = "same URL", .path = path_same},
    [CASE_RANDOM] = {.name = "random offsets", .path = path_random},
    [CASE_FIRST] = {.name = "first pages", .path = path_first},
    [CASE_MIDDLE] = {.name = "middle pages", .path = path_middle},
    [CASE_LAST] = {.name = "last pages", .path = path_last},
    [CASE_FILTERS] = {.name = "a hundred filters", .path = path_filters},
    [CASE_SUMMARY] = {.name = "first pages, summary", .path = path_summary},
    [CASE_SUMMARY_FILTERS] = {.name = "a hundred filters, summary", .path = path_summary_filters},
    [CASE_NOT_MODIFIED] = {.name = "304", .path = path_same, .conditional = true},
    [CASE_NEW_FILTERS] = {.name = "filters used for the first time", .path = path_new_filters},
};

const char *case_name(enum list_case list_case)
{
    return cases[list_case].name;
}

void case_request(void *owner, uint64_t number, struct buf *to)
{
    struct asked *asked = owner;

    buf_add_text(to, "GET ");
    cases[asked->list_case].path(asked, number, to);
    buf_printf(to, " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n", asked->token);
    if (cases[asked->list_case].conditional)
        buf_printf(to, "If-None-Match: %s\r\n", asked->tag);
    buf_add_text(to, "\r\n");
}
