/* SPDX-License-Identifier: MIT */
/*
 * Kills controller, agent or both with SIGKILL at random moments under load, again and again, and
 * asks afterwards whether every promise was kept.
 *
 *     crash URL TOKEN_FILE WITNESS_FILE CONTROLLER AGENT LOOPS SEED
 *
 * CONTROLLER and AGENT are started without arguments; each becomes the program it names by exec, so
 * that its process is the one to kill. A program that was killed is started again at once.
 *
 * Lost: a job that an answer named is not in the ledger, or one whose deletion was confirmed is.
 * Doubled: a modify ran twice. Further faults have a line of their own. Exit status 0: none.
 */
#include "client.h"
#include "load.h"
#include "witness.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "catalog/catalog.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS   5000L
#define RECOVERY_US (20 * US_PER_S) /* from a kill to ready */
#define STOP_US     (20 * US_PER_S) /* from SIGTERM to the end */
#define SETTLE_US   (40 * US_PER_S) /* from the last call until every job is final */
#define OLD_NOTES   40              /* of earlier loops, looked at again after each kill */

enum { CONTROLLER, AGENT, PROGRAMS };

struct program {
    const char *name, *path;
    pid_t pid;
};

struct crash {
    struct program programs[PROGRAMS];
    struct client *client;
    struct load *load;
    const char *token;
    uint64_t random;
    size_t checked; /* notes of earlier loops */
    unsigned lost, doubled, faults;
};

__attribute__((format(printf, 2, 3))) static void fault(struct crash *crash, const char *format,
                                                        ...)
{
    va_list arguments;

    crash->faults++;
    printf("crash: ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static int get(struct crash *crash, const char *path)
{
    return client_call(crash->client,
                       &(struct call){.method = "GET", .path = path, .token = crash->token});
}

/* ---- kill and recover ---- */

static void start(struct program *program)
{
    fflush(stdout);
    program->pid = fork();
    if (program->pid < 0)
        abort();
    if (program->pid == 0) {
        execl(program->path, program->path, (char *)NULL);
        _exit(127);
    }
}

static void kill_and_start(struct program *program)
{
    kill(program->pid, SIGKILL);
    waitpid(program->pid, NULL, 0);
    start(program);
}

static void kill_some(struct crash *crash)
{
    unsigned victims = 1 + (unsigned)(random_next(&crash->random) % 3);

    for (int i = 0; i < PROGRAMS; i++) {
        if (victims & 1u << i)
            kill_and_start(&crash->programs[i]);
    }
}

/* Nothing but a signal of ours may end them. */
static bool are_running(struct crash *crash)
{
    bool running = true;

    for (int i = 0; i < PROGRAMS; i++) {
        int status;

        if (waitpid(crash->programs[i].pid, &status, WNOHANG) == 0)
            continue;
        fault(crash, "the %s ended by itself, wait status %#x", crash->programs[i].name,
              (unsigned)status);
        running = false;
    }
    return running;
}

static bool is_ready(struct crash *crash)
{
    struct slice body;

    if (get(crash, "/agent") != 200)
        return false;
    body = client_body(crash->client);
    return memmem(body.at, body.size, "\"Ready\"", strlen("\"Ready\""));
}

static bool recover(struct crash *crash)
{
    int64_t until_us = clock_boot_us() + RECOVERY_US;

    while (!is_ready(crash)) {
        if (!are_running(crash))
            return false;
        if (clock_boot_us() > until_us) {
            fault(crash, "not ready %lld s after a kill", (long long)(RECOVERY_US / US_PER_S));
            return false;
        }
        usleep(10000);
    }
    return true;
}

static void stop(struct crash *crash, struct program *program)
{
    int64_t until_us = clock_boot_us() + STOP_US;
    int status = 0;

    kill(program->pid, SIGTERM);
    while (waitpid(program->pid, &status, WNOHANG) == 0) {
        if (clock_boot_us() > until_us)
            kill(program->pid, SIGKILL);
        usleep(10000);
    }
    if (status)
        fault(crash, "the %s was stopped and ended with wait status %#x", program->name,
              (unsigned)status);
}

/* ---- what must be true after each recovery ---- */

static void check_note(struct crash *crash, const struct note *note)
{
    char path[128];
    int status;

    snprintf(path, sizeof(path), "/job/%s", note->id);
    status = get(crash, path);
    if (status == 200 ? note->fate == NOTE_DELETED : note->fate == NOTE_KEPT || status != 404) {
        crash->lost++;
        printf("crash: job %s (fate %d) answers %d\n", note->id, note->fate, status);
    }
}

static void check_notes(struct crash *crash)
{
    size_t n = load_n_notes(crash->load);

    for (unsigned i = 0; crash->checked && i < OLD_NOTES; i++)
        check_note(crash, load_note(crash->load, random_next(&crash->random) % crash->checked));
    for (; crash->checked < n; crash->checked++)
        check_note(crash, load_note(crash->load, crash->checked));
}

struct counts {
    int64_t total, by_status[job_status_COUNT];
};

static bool read_counts(struct crash *crash, struct json page, struct counts *ret)
{
    struct json counts, value;
    bool ok = json_member(page, "total_items", &value) && json_i64(value, &ret->total) &&
              json_member(page, "status_counts", &counts);

    for (int i = 0; ok && i < job_status_COUNT; i++)
        ok = json_member(counts, job_status_words[i].word, &value) &&
             json_i64(value, &ret->by_status[i]);
    if (!ok)
        fault(crash, "a page has no counts");
    return ok;
}

/* One answer is one snapshot: the counts add up in every single one. */
static bool get_page(struct crash *crash, int64_t offset, struct json *ret,
                     struct counts *ret_counts)
{
    int64_t sum = 0;
    char path[64];

    snprintf(path, sizeof(path), "/job?limit=100&offset=%lld", (long long)offset);
    if (get(crash, path) != 200 || !client_json(crash->client, ret)) {
        fault(crash, "%s is not answered", path);
        return false;
    }
    if (!read_counts(crash, *ret, ret_counts))
        return false;
    for (int i = 0; i < job_status_COUNT; i++)
        sum += ret_counts->by_status[i];
    if (sum != ret_counts->total)
        fault(crash, "counts add up to %lld of %lld jobs", (long long)sum,
              (long long)ret_counts->total);
    return true;
}

/* ---- what must be true at the end ---- */

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

/* By the message of its last event: "Job expired on web-01 before it started". */
static bool has_expired(struct json item)
{
    struct json timeline, message = {.text = SLICE("")};

    if (!json_member(item, "timeline", &timeline))
        return false;
    for (struct json_walk walk = json_walk(timeline); json_next(&walk);)
        json_member(walk.value, "message", &message);
    return memmem(message.text.at, message.text.size, "Job expired ", strlen("Job expired "));
}

static void check_job(struct crash *crash, const struct witness *witness, struct json item,
                      struct counts *recount)
{
    enum job_status status = status_of_job(item);
    char word[WITNESS_WORD_SIZE];

    recount->total++;
    if (status < job_status_COUNT)
        recount->by_status[status]++;
    if (!word_of_job(item, word))
        return;
    if (status == job_status_COMPLETED && !witness_has(witness, word))
        fault(crash, "%s is completed and never ran", word);
    if (has_expired(item) && witness_has(witness, word))
        fault(crash, "%s was told expired and ran", word);
}

/* Reads all jobs, page by page: each completed modify ran, and the counts are what counting gives.
 */
static void check_all_jobs(struct crash *crash, const struct witness *witness)
{
    struct counts said, recount = {0};
    struct json page, items;
    int64_t before;

    do {
        before = recount.total;
        if (!get_page(crash, recount.total, &page, &said) || !json_member(page, "items", &items))
            return;
        for (struct json_walk walk = json_walk(items); json_next(&walk);)
            check_job(crash, witness, walk.value, &recount);
    } while (recount.total > before);
    if (recount.total != said.total)
        fault(crash, "%lld jobs are counted, %lld are there", (long long)said.total,
              (long long)recount.total);
    for (int i = 0; i < job_status_COUNT; i++) {
        if (recount.by_status[i] != said.by_status[i])
            fault(crash, "%s: %lld are counted, %lld are there", job_status_words[i].word,
                  (long long)said.by_status[i], (long long)recount.by_status[i]);
    }
}

static void settle(struct crash *crash)
{
    int64_t until_us = clock_boot_us() + SETTLE_US;
    struct counts counts = {0};
    struct json page;

    while (get_page(crash, 0, &page, &counts) &&
           counts.by_status[job_status_SUBMITTED] + counts.by_status[job_status_PROCESSING] > 0) {
        if (clock_boot_us() > until_us) {
            fault(crash, "%lld jobs never became final",
                  (long long)(counts.by_status[job_status_SUBMITTED] +
                              counts.by_status[job_status_PROCESSING]));
            return;
        }
        usleep(100000);
    }
}

/* ---- the loops ---- */

static bool loop(struct crash *crash)
{
    struct counts counts;
    struct json page;

    load_go(crash->load);
    usleep(50000 + (useconds_t)(random_next(&crash->random) % 350000));
    kill_some(crash);
    load_pause(crash->load);
    if (!recover(crash))
        return false;
    check_notes(crash);
    return get_page(crash, 0, &page, &counts);
}

/* The controller makes the file when it starts for the first time. */
static const char *read_token(const char *path, struct arena *arena)
{
    int64_t until_us = clock_boot_us() + RECOVERY_US;
    struct slice token = {.size = 0};

    while (file_read(path, 8192, arena, &token) && clock_boot_us() < until_us)
        usleep(10000);
    if (token.size && token.at[token.size - 1] == '\n')
        token.size--;
    return arena_copy(arena, token);
}

static void check_end(struct crash *crash, const char *witness_path)
{
    struct witness witness;

    settle(crash);
    crash->checked = 0;
    check_notes(crash);
    if (witness_read(witness_path, &witness)) {
        fault(crash, "%s can't be read: no modify ran", witness_path);
        return;
    }
    crash->doubled = witness_print_doubles(&witness);
    check_all_jobs(crash, &witness);
    witness_release(&witness);
}

int main(int argc, char **argv)
{
    static struct crash crash;
    struct arena arena = {0};
    unsigned loops, done = 0;
    uint64_t seed;

    if (argc != 8) {
        fprintf(stderr, "usage: crash URL TOKEN_FILE WITNESS_FILE CONTROLLER AGENT LOOPS SEED\n");
        return 2;
    }
    loops = (unsigned)strtoul(argv[6], NULL, 10);
    seed = strtoull(argv[7], NULL, 10);
    printf("crash: seed %llu\n", (unsigned long long)seed);
    crash.programs[CONTROLLER] = (struct program){.name = "controller", .path = argv[4]};
    crash.programs[AGENT] = (struct program){.name = "agent", .path = argv[5]};
    crash.random = seed + 1;
    crash.client = client_new(argv[1], ANSWER_MS);
    start(&crash.programs[AGENT]);
    start(&crash.programs[CONTROLLER]);
    crash.token = read_token(argv[2], &arena);
    crash.load = load_new(&(struct load_options){
        .url = argv[1], .token = crash.token, .witness = argv[3], .seed = seed + 1});

    if (recover(&crash)) {
        while (done < loops && loop(&crash))
            done++;
        check_end(&crash, argv[3]);
    }
    stop(&crash, &crash.programs[CONTROLLER]);
    stop(&crash, &crash.programs[AGENT]);
    printf("crash: loops %u, jobs %zu, lost %u, doubled %u\n", done, load_n_notes(crash.load),
           crash.lost, crash.doubled);
    load_free(crash.load);
    client_free(crash.client);
    arena_release(&arena);
    return crash.lost || crash.doubled || crash.faults || done < loops;
}
