/* SPDX-License-Identifier: MIT */
/*
 * The verdict: every job that was named, every page, every word of the witness.
 */
#include "verdict.h"

#include "witness.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "catalog/catalog.h"

#include <stdarg.h>
#include <unistd.h>

#define TOKEN_US  (20 * US_PER_S)
#define SETTLE_US (60 * US_PER_S) /* until every job is final: a silent host's runs take 32 s */
#define OLD_NOTES 40              /* of earlier rounds, looked at again in each */

void verdict_fault(struct verdict *verdict, const char *format, ...)
{
    va_list arguments;

    verdict->faults++;
    printf("%s: ", verdict->name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static int get(struct verdict *verdict, const char *path)
{
    return client_call(verdict->client,
                       &(struct call){.method = "GET", .path = path, .token = verdict->token});
}

const char *verdict_token(const char *path, struct arena *arena)
{
    int64_t until_us = clock_boot_us() + TOKEN_US;
    struct slice token = {.size = 0};

    while (file_read(path, 8192, arena, &token) && clock_boot_us() < until_us)
        usleep(10000);
    if (token.size && token.at[token.size - 1] == '\n')
        token.size--;
    return arena_copy(arena, token);
}

bool verdict_is_ready(struct verdict *verdict)
{
    struct slice body;

    if (get(verdict, "/agent") != 200)
        return false;
    body = client_body(verdict->client);
    return memmem(body.at, body.size, "\"Ready\"", strlen("\"Ready\""));
}

/* ---- the notes ---- */

static void check_note(struct verdict *verdict, const struct note *note)
{
    char path[128];

    snprintf(path, sizeof(path), "/job/%s", note->id);
    int status = get(verdict, path);
    bool may_be = note->fate != NOTE_DELETED;
    bool may_be_gone = note->fate != NOTE_KEPT || verdict->drops;

    if (status == 200 ? may_be : may_be_gone && status == 404)
        return;
    verdict->lost++;
    printf("%s: job %s (fate %d) answers %d\n", verdict->name, note->id, note->fate, status);
}

static void check_notes(struct verdict *verdict)
{
    size_t n = load_n_notes(verdict->load);

    for (unsigned i = 0; verdict->checked && i < OLD_NOTES; i++)
        check_note(verdict,
                   load_note(verdict->load, random_next(&verdict->random) % verdict->checked));
    for (; verdict->checked < n; verdict->checked++)
        check_note(verdict, load_note(verdict->load, verdict->checked));
}

/* ---- the counts ---- */

struct counts {
    int64_t total, by_status[job_status_COUNT];
};

static bool read_counts(struct verdict *verdict, struct json page, struct counts *ret)
{
    struct json counts, value;
    bool ok = json_member(page, "total_items", &value) && json_i64(value, &ret->total) &&
              json_member(page, "status_counts", &counts);

    for (int i = 0; ok && i < job_status_COUNT; i++)
        ok = json_member(counts, job_status_words[i].word, &value) &&
             json_i64(value, &ret->by_status[i]);
    if (!ok)
        verdict_fault(verdict, "a page has no counts");
    return ok;
}

/* One answer is one snapshot: the counts add up in every single one. */
static bool get_page(struct verdict *verdict, int64_t offset, struct json *ret,
                     struct counts *ret_counts)
{
    int64_t sum = 0;
    char path[64];

    snprintf(path, sizeof(path), "/job?limit=100&offset=%lld", (long long)offset);
    if (get(verdict, path) != 200 || !client_json(verdict->client, ret)) {
        verdict_fault(verdict, "%s is not answered", path);
        return false;
    }
    if (!read_counts(verdict, *ret, ret_counts))
        return false;
    for (int i = 0; i < job_status_COUNT; i++)
        sum += ret_counts->by_status[i];
    if (sum != ret_counts->total)
        verdict_fault(verdict, "counts add up to %lld of %lld jobs", (long long)sum,
                      (long long)ret_counts->total);
    return true;
}

void verdict_round(struct verdict *verdict)
{
    struct counts counts;
    struct json page;

    check_notes(verdict);
    get_page(verdict, 0, &page, &counts);
}

/* ---- the end ---- */

/* The word that the job's command line writes; false when it is no modify. */
static bool word_of_job(struct json item, char ret[WITNESS_WORD_SIZE])
{
    struct json operation;
    const char *echo;

    if (!json_member(item, "operation", &operation))
        return false;
    echo = memmem(operation.text.at, operation.text.size, "echo ", 5);
    return echo && sscanf(echo, "echo %31s", ret) == 1;
}

static enum job_status status_of_job(struct json item)
{
    struct json value;

    for (int i = 0; json_member(item, "status", &value) && i < job_status_COUNT; i++) {
        if (json_string_is(value, job_status_words[i].word))
            return (enum job_status)i;
    }
    return job_status_COUNT;
}

/* What the ledger says of a run that never began: the words of the controller, and of the agent. */
static bool never_began(struct json item)
{
    static const char *const words[] = {"before it started", "before it began",
                                        "not started before", "deadline to begin has passed"};
    struct json error;

    if (!json_member(item, "error", &error))
        return false;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (memmem(error.text.at, error.text.size, words[i], strlen(words[i])))
            return true;
    }
    return false;
}

/* A command that was killed by a signal is completed too. */
static bool has_succeeded(struct json item)
{
    static const char exit_code[] = "\"exit_code\":0";

    return memmem(item.text.at, item.text.size, exit_code, strlen(exit_code));
}

static void check_job(struct verdict *verdict, const struct witness *witness, struct json item,
                      struct counts *recount)
{
    enum job_status status = status_of_job(item);
    char word[WITNESS_WORD_SIZE];

    recount->total++;
    if (status < job_status_COUNT)
        recount->by_status[status]++;
    if (!word_of_job(item, word))
        return;
    if (status == job_status_COMPLETED && has_succeeded(item) && !witness_has(witness, word))
        verdict_fault(verdict, "%s is completed and never ran", word);
    if (status == job_status_FAILED && never_began(item) && witness_has(witness, word))
        verdict_fault(verdict, "%s was told never to have begun, and ran: %.*s", word,
                      (int)item.text.size, item.text.at);
}

/* Reads all jobs, page by page: each modify ran as the ledger says, and the counts are what
   counting gives. */
static void check_all_jobs(struct verdict *verdict, const struct witness *witness)
{
    struct counts said, recount = {0};
    struct json page, items;
    int64_t before;

    do {
        before = recount.total;
        if (!get_page(verdict, recount.total, &page, &said) || !json_member(page, "items", &items))
            return;
        for (struct json_walk walk = json_walk(items); json_next(&walk);)
            check_job(verdict, witness, walk.value, &recount);
    } while (recount.total > before);
    if (verdict->drops)
        return; /* between two pages a job may have been dropped */
    if (recount.total != said.total)
        verdict_fault(verdict, "%lld jobs are counted, %lld are there", (long long)said.total,
                      (long long)recount.total);
    for (int i = 0; i < job_status_COUNT; i++) {
        if (recount.by_status[i] != said.by_status[i])
            verdict_fault(verdict, "%s: %lld are counted, %lld are there", job_status_words[i].word,
                          (long long)said.by_status[i], (long long)recount.by_status[i]);
    }
}

static void settle(struct verdict *verdict)
{
    int64_t until_us = clock_boot_us() + SETTLE_US;
    struct counts counts = {0};
    struct json page;

    while (get_page(verdict, 0, &page, &counts) &&
           counts.by_status[job_status_SUBMITTED] + counts.by_status[job_status_PROCESSING] > 0) {
        if (clock_boot_us() > until_us) {
            verdict_fault(verdict, "%lld jobs never became final",
                          (long long)(counts.by_status[job_status_SUBMITTED] +
                                      counts.by_status[job_status_PROCESSING]));
            return;
        }
        usleep(100000);
    }
}

void verdict_end(struct verdict *verdict, const char *witness_path)
{
    struct witness witness;

    settle(verdict);
    verdict->checked = 0;
    check_notes(verdict);
    if (load_n_improper(verdict->load))
        verdict_fault(verdict, "%u answers were neither a result nor a proper refusal",
                      load_n_improper(verdict->load));
    if (witness_read(witness_path, &witness)) {
        verdict_fault(verdict, "%s can't be read: no modify ran", witness_path);
        return;
    }
    verdict->doubled = witness_print_doubles(&witness);
    check_all_jobs(verdict, &witness);
    witness_release(&witness);
}

bool verdict_close(struct verdict *verdict)
{
    printf("%s: jobs %zu, lost %u, doubled %u, faults %u\n", verdict->name,
           load_n_notes(verdict->load), verdict->lost, verdict->doubled, verdict->faults);
    return !verdict->lost && !verdict->doubled && !verdict->faults;
}
