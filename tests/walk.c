/* SPDX-License-Identifier: MIT */
/*
 * Walks a list of jobs from end to end: by cursor to the oldest, back to the newest, and by offset.
 *
 *     walk URL TOKEN_FILE QUERY        nothing changes meanwhile: all ways meet the same jobs, in
 *                                      one order, as many as is said; they are printed
 *     walk URL TOKEN_FILE QUERY busy   beside one who submits and deletes: both ways by cursor meet
 *                                      every job that stayed, once; those are printed
 *
 * QUERY is a part of a query, such as status=failed, or "". Exit status 0: it is so.
 */
#include "client.h"
#include "load.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "catalog/catalog.h"

#include <pthread.h>
#include <stdatomic.h>

#define ANSWER_MS  20000L
#define JOBS_MAX   ((size_t)1 << 18)
#define PAGE       100
#define PATH_SIZE  1024
#define CURSOR_MAX 128

enum way { WAY_OLDER, WAY_NEWER, WAY_OFFSET };

/* Ids in the order they were met; newest first but for WAY_NEWER. */
struct met {
    char (*ids)[UUID_TEXT_SIZE];
    size_t n;
    int64_t total; /* the last page's */
};

struct walk {
    const char *url, *token, *query;
    struct client *client;
    struct met older, newer, offset;
    char oldest[CURSOR_MAX + 1]; /* `prev` of the page that ends at the oldest job; or "" */
};

static _Noreturn void fail(const struct walk *walk, const char *what, size_t i)
{
    printf("walk: %s: %s (%zu)\n", walk->query, what, i);
    exit(1);
}

/* ---- pages ---- */

static void copy_text(struct json text, char *to, size_t size)
{
    snprintf(to, size, "%.*s", (int)text.text.size - 2, text.text.at + 1);
}

/* "" when there is none. */
static void read_cursor(struct json page, const char *name, char ret[CURSOR_MAX + 1])
{
    struct json cursor;

    *ret = '\0';
    if (json_member(page, name, &cursor))
        copy_text(cursor, ret, CURSOR_MAX + 1);
}

static int64_t number(const struct walk *walk, struct json object, const char *name)
{
    struct json member;
    int64_t n;

    if (!json_member(object, name, &member) || !json_i64(member, &n))
        fail(walk, name, 0);
    return n;
}

/* What is counted by status is what is counted as a whole: each answer is of one moment. With
   `status` asked for, the others are counted too. */
static void check_counts(const struct walk *walk, struct json page)
{
    struct json counts;
    int64_t sum = 0;

    if (strstr(walk->query, "status="))
        return;
    if (!json_member(page, *walk->query ? "matching_counts" : "status_counts", &counts))
        fail(walk, "no counts", 0);
    for (int i = 0; i < job_status_COUNT; i++)
        sum += number(walk, counts, job_status_words[i].word);
    if (sum != number(walk, page, "total_items"))
        fail(walk, "counts do not add up", (size_t)sum);
}

static struct json get_page(struct walk *walk, const char *where)
{
    char path[PATH_SIZE];
    struct json page;

    snprintf(path, sizeof(path), "/job?view=summary&limit=%d%s%s%s", PAGE, *walk->query ? "&" : "",
             walk->query, where);
    const struct call call = {.method = "GET", .path = path, .token = walk->token};
    int status = client_call(walk->client, &call);
    if (status != 200 || !client_json(walk->client, &page))
        fail(walk, path, (size_t)status);
    check_counts(walk, page);
    return page;
}

/* Appends the page's ids; to the newest, the page is read from its end. */
static size_t take_page(const struct walk *walk, struct json page, enum way way, struct met *met)
{
    struct json items, id;
    size_t n = 0;

    if (!json_member(page, "items", &items))
        fail(walk, "no items", 0);
    for (struct json_walk item = json_walk(items); json_next(&item); n++) {
        if (met->n + n == JOBS_MAX || !json_member(item.value, "id", &id))
            fail(walk, "an item without an id, or too many", n);
        copy_text(id, met->ids[met->n + n], UUID_TEXT_SIZE);
    }
    for (size_t i = 0; way == WAY_NEWER && i < n / 2; i++) {
        char swapped[UUID_TEXT_SIZE];
        memcpy(swapped, met->ids[met->n + i], UUID_TEXT_SIZE);
        memcpy(met->ids[met->n + i], met->ids[met->n + n - 1 - i], UUID_TEXT_SIZE);
        memcpy(met->ids[met->n + n - 1 - i], swapped, UUID_TEXT_SIZE);
    }
    met->n += n;
    met->total = number(walk, page, "total_items");
    return n;
}

static void walk_older(struct walk *walk)
{
    char where[PATH_SIZE] = "", next[CURSOR_MAX + 1];

    do {
        struct json page = get_page(walk, where);
        take_page(walk, page, WAY_OLDER, &walk->older);
        read_cursor(page, "next", next);
        read_cursor(page, "prev", walk->oldest);
        snprintf(where, sizeof(where), "&cursor=%s", next);
    } while (*next);
}

/* From behind the last page that walk_older() saw. */
static void walk_newer(struct walk *walk)
{
    char where[PATH_SIZE], prev[CURSOR_MAX + 1];

    snprintf(prev, sizeof(prev), "%s", walk->oldest);
    while (*prev) {
        snprintf(where, sizeof(where), "&cursor=%s", prev);
        struct json page = get_page(walk, where);
        take_page(walk, page, WAY_NEWER, &walk->newer);
        read_cursor(page, "prev", prev);
    }
}

static void walk_offset(struct walk *walk)
{
    char where[PATH_SIZE];

    do
        snprintf(where, sizeof(where), "&offset=%zu", walk->offset.n);
    while (take_page(walk, get_page(walk, where), WAY_OFFSET, &walk->offset) == PAGE);
}

/* ---- at rest ---- */

static void expect_same(const struct walk *walk)
{
    const struct met *older = &walk->older, *newer = &walk->newer, *offset = &walk->offset;
    size_t n_last = older->n - newer->n; /* of the page that the way back begins behind */

    if (older->total != (int64_t)older->n || offset->n != older->n)
        fail(walk, "not as many as are counted", older->n);
    if (newer->n > older->n || n_last > PAGE)
        fail(walk, "the way back is of another length", newer->n);
    for (size_t i = 0; i < older->n; i++) {
        if (strcmp(older->ids[i], offset->ids[i]) != 0)
            fail(walk, "by offset comes another job", i);
        if (i < newer->n && strcmp(older->ids[i], newer->ids[newer->n - 1 - i]) != 0)
            fail(walk, "on the way back comes another job", i);
        puts(older->ids[i]);
    }
}

/* ---- beside a load ---- */

/* Deletes jobs that were there, one after the other all over the list, and submits others. */
struct load_beside {
    struct walk *walk;
    const struct met *before;
    bool *is_deleted;
    pthread_t thread;
    uint64_t random;
    atomic_bool stop;
    unsigned n_deleted, n_submitted, n_improper;
};

static void *work(void *owner)
{
    struct load_beside *load = owner;
    struct client *client = client_new(load->walk->url, ANSWER_MS);
    char path[PATH_SIZE];

    while (!load->stop) {
        size_t i = random_next(&load->random) % load->before->n;
        struct call call = {.method = "GET",
                            .path = "/node/_any/hostname",
                            .token = load->walk->token,
                            .prefer = "respond-async"};
        int status = client_call(client, &call);
        load->n_submitted += status == 202;
        load->n_improper += status != 202;
        if (load->is_deleted[i])
            continue;
        snprintf(path, sizeof(path), "/job/%s", load->before->ids[i]);
        call = (struct call){.method = "DELETE", .path = path, .token = load->walk->token};
        status = client_call(client, &call);
        load->is_deleted[i] = true;
        load->n_deleted += status == 204;
        load->n_improper += status != 204;
    }
    client_free(client);
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Every job that was there before and is still there was met; none twice. */
static void expect_survivors(const struct walk *walk, const struct load_beside *load,
                             struct met *met, size_t n_not_asked)
{
    size_t n_missed = 0;

    qsort(met->ids, met->n, sizeof(met->ids[0]), compare_ids);
    for (size_t i = 1; i < met->n; i++) {
        if (strcmp(met->ids[i - 1], met->ids[i]) == 0)
            fail(walk, "a job is met twice", i);
    }
    for (size_t i = 0; i < load->before->n; i++) {
        if (!load->is_deleted[i])
            n_missed +=
                !bsearch(load->before->ids[i], met->ids, met->n, sizeof(met->ids[0]), compare_ids);
    }
    if (n_missed > n_not_asked)
        fail(walk, "jobs that stayed are not met", n_missed);
}

static void walk_beside_load(struct walk *walk)
{
    struct load_beside load = {.walk = walk, .before = &walk->offset, .random = random_u64() | 1};

    walk_offset(walk);
    load.is_deleted = mem_alloc(walk->offset.n * sizeof(*load.is_deleted));
    if (pthread_create(&load.thread, NULL, work, &load))
        abort();
    walk_older(walk);
    walk_newer(walk);
    load.stop = true;
    pthread_join(load.thread, NULL);
    expect_survivors(walk, &load, &walk->older, 0);
    expect_survivors(walk, &load, &walk->newer, PAGE); /* it began behind a page */
    if (load.n_improper || load.n_deleted < 10 || load.n_submitted < 10)
        fail(walk, "there was no load, or a refused one", load.n_improper);
    for (size_t i = 0; i < load.before->n; i++) {
        if (!load.is_deleted[i])
            puts(load.before->ids[i]);
    }
    mem_free(load.is_deleted);
}

/* ---- all of it ---- */

int main(int argc, char **argv)
{
    struct walk walk = {0};
    struct met *all[] = {&walk.older, &walk.newer, &walk.offset};
    struct arena arena = {0};
    struct slice token;

    if (argc < 4 || file_read(argv[2], 8192, &arena, &token)) {
        fprintf(stderr, "usage: walk URL TOKEN_FILE QUERY [busy]\n");
        return 2;
    }
    while (token.size && token.at[token.size - 1] == '\n')
        token.size--;
    walk.url = argv[1];
    walk.token = arena_copy(&arena, token);
    walk.query = argv[3];
    walk.client = client_new(walk.url, ANSWER_MS);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        all[i]->ids = mem_alloc(JOBS_MAX * sizeof(all[i]->ids[0]));
    if (argc > 4) {
        walk_beside_load(&walk);
    } else {
        walk_older(&walk);
        walk_newer(&walk);
        walk_offset(&walk);
        expect_same(&walk);
    }
    for (size_t i = 0; i < COUNT_OF(all); i++)
        mem_free(all[i]->ids);
    client_free(walk.client);
    arena_release(&arena);
    return 0;
}
