/* SPDX-License-Identifier: MIT */
/*
 * Findings as lines, and walks over tables.
 *
 * A walk believes no key: they must ascend, so that pages that lead in a circle have an end.
 */
#include "ledger/verify_inside.h"

#include <stdarg.h>

#define LEAF_SIZE 4096u /* LMDB's pages are not smaller */

enum key_kind {
    KEY_BYTES,
    KEY_NUMBER,
    KEY_RUN, /* struct run_key */
};

static const struct key_row {
    enum key_kind kind;
    const char *word; /* what a number is of; NULL: no key is named */
} keys[TABLE_COUNT] = {
    [TABLE_META] = {.kind = KEY_NUMBER},
    [TABLE_HEADS] = {.kind = KEY_NUMBER, .word = "seq"},
    [TABLE_JOBS] = {.kind = KEY_NUMBER, .word = "seq"},
    [TABLE_HOSTS] = {.kind = KEY_NUMBER, .word = "seq"},
    [TABLE_EVENTS] = {.kind = KEY_NUMBER, .word = "seq"},
    [TABLE_RUNS] = {.kind = KEY_RUN, .word = "seq"},
    [TABLE_SEALED] = {.kind = KEY_RUN, .word = "seq"},
    [TABLE_HOSTRUNS] = {.kind = KEY_RUN, .word = "block"},
    [TABLE_IDS] = {.kind = KEY_BYTES, .word = "seq"},
    [TABLE_NAMES] = {.kind = KEY_BYTES},
    [TABLE_BLOCKS] = {.kind = KEY_NUMBER, .word = "block"},
    [TABLE_DIRTY] = {.kind = KEY_NUMBER, .word = "block"},
    [TABLE_AGENTS] = {.kind = KEY_NUMBER, .word = "host"},
};

/* ---- findings ---- */

static void add_subject(struct verify *verify, enum table table, uint64_t key, struct buf *line)
{
    char id[UUID_TEXT_SIZE];

    buf_add_text(line, table_name(table));
    if (key != VERIFY_NO_KEY && keys[table].word)
        buf_printf(line, ", %s %llu", keys[table].word, (unsigned long long)key);
    if (key != VERIFY_NO_KEY && verify->job_seq == key && verify->job_seq) {
        uuid_format(&verify->job, id);
        buf_printf(line, ", job %s", id);
    }
    buf_add_text(line, ": ");
}

void verify_say(struct verify *verify, enum table table, uint64_t key, const char *format, ...)
{
    struct verify_report *report = verify->report;
    char text[VERIFY_TEXT_MAX];
    struct buf line;
    va_list arguments;

    report->n_findings++;
    if (report->n_shown == VERIFY_SHOWN_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    buf_init(&line, VERIFY_TEXT_MAX - 1);
    add_subject(verify, table, key, &line);
    buf_add_text(&line, text);
    char *to = report->shown[report->n_shown];
    for (size_t i = 0; i < line.size; i++)
        to[i] = line.at[i] >= ' ' && line.at[i] <= '~' ? line.at[i] : '?';
    to[line.size] = '\0';
    report->n_shown++;
    buf_release(&line);
}

/* ---- walks ---- */

static void walk_break(struct walk *walk)
{
    walk->here = false;
    walk->broken = true;
}

static bool key_decode(enum table table, struct slice key, uint64_t *ret_number, uint32_t *ret_run)
{
    *ret_number = 0;
    *ret_run = 0;
    switch (keys[table].kind) {
    case KEY_BYTES:
        return true;
    case KEY_NUMBER:
        return u64_decode(key, ret_number) == 0;
    case KEY_RUN:
        return run_key_decode(key, ret_number, ret_run);
    }
    return false;
}

/* Whether the entry that was read, with key `key`, comes after the one before. */
static bool ascends(const struct walk *walk, struct slice key, uint64_t number, uint32_t run)
{
    if (walk->n == 0)
        return true;
    if (keys[walk->table].kind != KEY_BYTES)
        return number > walk->number || (number == walk->number && run > walk->run);
    size_t size = key.size < walk->key.size ? key.size : walk->key.size;
    int order = memcmp(walk->key.at, key.at, size);
    return order < 0 || (order == 0 && walk->key.size < key.size);
}

/* A walk goes from leaf to leaf; a search comes down the tree, and goes astray if the keys there
   are wrong. It is enough to look for the first and the last entry of each leaf. */
static void walk_find(const struct walk *walk, struct slice key, uint64_t number)
{
    struct slice value;

    if (table_find(&walk->verify->txn, walk->table, key, &value))
        verify_say(walk->verify, walk->table, number, "it is there, and is not found by its key");
}

static bool same_leaf(struct slice a, struct slice b)
{
    return (uintptr_t)a.at / LEAF_SIZE == (uintptr_t)b.at / LEAF_SIZE;
}

static void walk_take(struct walk *walk, int r, struct slice key, struct slice value)
{
    struct verify *verify = walk->verify;
    uint64_t number;
    uint32_t run;

    walk->here = false;
    if (r == OUTCOME_NOT_FOUND && walk->n > 0)
        walk_find(walk, walk->key, walk->number);
    if (r == OUTCOME_NOT_FOUND)
        return;
    if (r) {
        walk_break(walk);
        verify_say(verify, walk->table, walk->n ? walk->number : VERIFY_NO_KEY,
                   "after it a page can't be read (%s)", fault_text());
        return;
    }
    if (!key_decode(walk->table, key, &number, &run) || !ascends(walk, key, number, run)) {
        walk_break(walk);
        verify_say(verify, walk->table, walk->n ? walk->number : VERIFY_NO_KEY,
                   "the key after it is none, or out of order");
        return;
    }
    if (walk->n > 0 && !same_leaf(walk->key, key))
        walk_find(walk, walk->key, walk->number);
    if (walk->n == 0 || !same_leaf(walk->key, key))
        walk_find(walk, key, number);
    *walk = (struct walk){.verify = verify,
                          .table = walk->table,
                          .here = true,
                          .key = key,
                          .value = value,
                          .number = number,
                          .run = run,
                          .n = walk->n + 1};
    verify->place->has_key = keys[walk->table].kind != KEY_BYTES;
    verify->place->key = number;
}

struct walk walk_begin(struct verify *verify, enum table table)
{
    struct walk walk = {.verify = verify, .table = table};
    struct slice key, value;

    *verify->place = (struct verify_place){.table = table};
    int r = table_first(&verify->txn, table, &key, &value);
    walk_take(&walk, r, key, value);
    return walk;
}

void walk_next(struct walk *walk)
{
    struct slice key, value;

    walk->verify->place->table = walk->table;
    int r = table_next(&walk->verify->txn, walk->table, &key, &value);
    walk_take(walk, r, key, value);
}

bool walk_to(struct walk *walk, uint64_t number)
{
    while (walk->here && walk->number < number) {
        verify_say(walk->verify, walk->table, walk->number, "there is no such job");
        walk_next(walk);
    }
    return walk->here && walk->number == number;
}

void walk_check_count(struct walk *walk)
{
    uint64_t n;

    if (walk->broken)
        return;
    if (table_count(&walk->verify->txn, walk->table, &n) == 0 && n != walk->n)
        verify_say(walk->verify, walk->table, VERIFY_NO_KEY,
                   "it has %llu entries and says that they are %llu", (unsigned long long)walk->n,
                   (unsigned long long)n);
}

void walk_end(struct walk *walk)
{
    walk_to(walk, UINT64_MAX);
    walk_check_count(walk);
}
