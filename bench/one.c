/* SPDX-License-Identifier: MIT */
/*
 * What one machine costs: the real programs against the disk they are on, in one table.
 *
 *     one [--idle SECONDS] [--figures FILE] PROGRAMS SCRATCH
 *
 * PROGRAMS is the directory of the programs, SCRATCH one on the disk in question, which the caller
 * removes. With a FILE the figures go there, for the table of `scale`. Measurements that are
 * compared take turns, so that what else the machine does falls on all alike. It reports and does
 * not judge: the exit status tells only whether it could measure.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "durable.h"
#include "figure.h"
#include "measure.h"
#include "own_disk.h"
#include "pair.h"
#include "process.h"

#include <getopt.h>
#include <limits.h>
#include <unistd.h>

#define N_STARTS       10
#define N_WARM         300 /* queries before the others, so that the ledger is none of the smallest */
#define N_SPACED       200
#define SPACE_US       (50 * US_PER_MS)
#define SETTLE_US      (2 * US_PER_S) /* after work, until nothing of it is left to do */
#define IDLE_DEFAULT_S 60
#define IDLE_MAX_S     86400
#define SPAWN_LIMIT_US (10 * US_PER_S)
#define QUERY_PATH     "/node/_any/hostname"
#define MODIFY_PATH    "/node/_any/command/exec"
#define MODIFY_BODY    "{\"command\":\"true\"}"
#define MB             1e6
#define KB             1e3
#define NS_PER_US      1000
#define REPORT_CAP     ((size_t)64 << 10)

struct sizes {
    double controller_empty, agent_new, agent_used; /* bytes of RssAnon */
};

struct writes {
    double by_disk, by_programs; /* bytes */
};

struct bench {
    const char *programs, *scratch;
    int64_t idle_us;
    struct durable durable;
    struct pair pair;
    struct series starts, commits, syncs, spawns, bare, queries, modifies;
    struct sizes sizes;
    struct writes per_query; /* NOT_TOLD for want of a disk of one's own (own_disk.h) */
    double agent_cpu;        /* share of a processor */
};

/* ---- measuring ---- */

static void measure_starts(struct bench *bench)
{
    for (unsigned i = 0; i < N_STARTS; i++)
        bench->starts.took_us[bench->starts.n++] =
            controller_start_us(bench->programs, bench->scratch, i);
}

/* The guard is a part of the agent; what both share is counted twice. */
static double agent_size(const struct pair *pair)
{
    return process_anon_size(pair->agent) + (pair->guard ? process_anon_size(pair->guard) : 0);
}

static void ask(struct bench *bench, const char *method, const char *path, const char *body)
{
    if (client_ask(&bench->pair.client, method, path, body) / 100 != 2)
        give_up(path, bench->pair.client.body.at);
}

static void spawn_true(void)
{
    const char *const argv[] = {"true", NULL};
    const struct spawn spawn = {.argv = argv, .timeout_us = SPAWN_LIMIT_US, .cancel_fd = -1};
    struct spawn_result result;

    if (spawn_run(&spawn, &result) || result.end != SPAWN_EXITED || result.exit_code)
        give_up("true", "could not be run");
    spawn_result_release(&result);
}

/* What a command makes durable and runs, without Reeve: twice U, twice F, and S. */
static void measure_bare(struct bench *bench)
{
    int64_t all_began_us = clock_boot_us(), began_us = all_began_us;

    durable_commit(&bench->durable, 1);
    series_add(&bench->commits, began_us);
    began_us = clock_boot_us();
    durable_append(&bench->durable);
    series_add(&bench->syncs, began_us);
    began_us = clock_boot_us();
    spawn_true();
    series_add(&bench->spawns, began_us);
    durable_append(&bench->durable);
    durable_commit(&bench->durable, 1);
    series_add(&bench->bare, all_began_us);
}

static void measure_turns(struct bench *bench)
{
    for (unsigned i = 0; i < SERIES_MAX; i++) {
        measure_bare(bench);
        int64_t began_us = clock_boot_us();
        ask(bench, "GET", QUERY_PATH, NULL);
        series_add(&bench->queries, began_us);
        began_us = clock_boot_us();
        ask(bench, "POST", MODIFY_PATH, MODIFY_BODY);
        series_add(&bench->modifies, began_us);
    }
}

static struct writes writes_now(const struct bench *bench, const char *dir)
{
    return (struct writes){
        .by_disk = (double)disk_written(dir),
        .by_programs =
            (double)(process_written(bench->pair.controller) + process_written(bench->pair.agent)),
    };
}

static void measure_writes(struct bench *bench)
{
    char dir[PATH_MAX];

    bench->per_query = (struct writes){.by_disk = NOT_TOLD, .by_programs = NOT_TOLD};
    if (!own_disk_open(bench->scratch, dir, sizeof(dir)))
        return;
    pair_start(&bench->pair, bench->programs, dir);
    for (unsigned i = 0; i < N_WARM; i++)
        ask(bench, "GET", QUERY_PATH, NULL);
    usleep(SETTLE_US);
    struct writes before = writes_now(bench, dir);
    for (unsigned i = 0; i < N_SPACED; i++) {
        ask(bench, "GET", QUERY_PATH, NULL);
        usleep(SPACE_US);
    }
    struct writes after = writes_now(bench, dir);
    bench->per_query.by_disk = (after.by_disk - before.by_disk) / N_SPACED;
    bench->per_query.by_programs = (after.by_programs - before.by_programs) / N_SPACED;
    pair_stop(&bench->pair);
}

static int64_t agent_cpu_ns(const struct pair *pair)
{
    return process_cpu_ns(pair->agent) + (pair->guard ? process_cpu_ns(pair->guard) : 0);
}

static void measure_idle(struct bench *bench)
{
    usleep(SETTLE_US);
    int64_t began_us = clock_boot_us(), until_us = began_us + bench->idle_us;
    int64_t before_ns = agent_cpu_ns(&bench->pair);
    for (int64_t now_us; (now_us = clock_boot_us()) < until_us;)
        usleep((useconds_t)(until_us - now_us < US_PER_S ? until_us - now_us : US_PER_S));
    double used_us = (double)(agent_cpu_ns(&bench->pair) - before_ns) / NS_PER_US;
    bench->agent_cpu = used_us / (double)(clock_boot_us() - began_us);
    bench->sizes.agent_used = agent_size(&bench->pair);
}

static void measure(struct bench *bench)
{
    measure_starts(bench);
    pair_start(&bench->pair, bench->programs, bench->scratch);
    usleep(SETTLE_US);
    bench->sizes.controller_empty = process_anon_size(bench->pair.controller);
    bench->sizes.agent_new = agent_size(&bench->pair);
    durable_open(&bench->durable, bench->scratch);
    measure_turns(bench);
    durable_remove(&bench->durable);
    measure_idle(bench);
    pair_stop(&bench->pair);
    measure_writes(bench);
}

/* ---- the table ---- */

static void add_times(struct bench *bench, struct figures *to)
{
    double commit = series_percentile_ms(&bench->commits, 50);
    double sync = series_percentile_ms(&bench->syncs, 50);
    double spawn = series_percentile_ms(&bench->spawns, 50);
    const struct figure figures[] = {
        {.name = "U: LMDB commit, a row in each of 5 tables", .value = commit},
        {.name = "F: append of 400 bytes, fdatasync", .value = sync},
        {.name = "S: spawn of true", .value = spawn},
        {.name = "query, synchronous, end to end",
         .value = series_percentile_ms(&bench->queries, 50),
         .must = BOUND_AT_MOST,
         .bound = 1.2 * commit + 0.5,
         .bound_is = "1.2 U + 0.5 ms"},
        {.name = "command, synchronous, end to end",
         .value = series_percentile_ms(&bench->modifies, 50),
         .must = BOUND_AT_MOST,
         .bound = 2 * commit + 2 * sync + spawn + 0.5,
         .bound_is = "2 U + 2 F + S + 0.5 ms"},
        {.name = "controller: exec to ready, empty state",
         .value = series_percentile_ms(&bench->starts, 50),
         .must = BOUND_AT_MOST,
         .bound = 300},
    };

    figures_add(to, figures, COUNT_OF(figures));
}

static void add_costs(const struct bench *bench, struct figures *to)
{
    const struct figure figures[] = {
        {.name = "controller: memory, empty ledger",
         .unit = UNIT_MB,
         .value = bench->sizes.controller_empty / MB,
         .must = BOUND_AT_MOST,
         .bound = 8},
        {.name = "agent: memory, new",
         .unit = UNIT_MB,
         .value = bench->sizes.agent_new / MB,
         .must = BOUND_AT_MOST,
         .bound = 2},
        {.name = "agent: memory, after the jobs above",
         .unit = UNIT_MB,
         .value = bench->sizes.agent_used / MB,
         .must = BOUND_AT_MOST,
         .bound = 2},
        {.name = "agent: processor, idle",
         .unit = UNIT_PERCENT,
         .value = bench->agent_cpu * 100,
         .must = BOUND_AT_MOST,
         .bound = 0.05},
        {.name = "written to disk for one query",
         .unit = UNIT_KB,
         .value = bench->per_query.by_disk / KB,
         .must = BOUND_AT_MOST,
         .bound = 70},
    };

    figures_add(to, figures, COUNT_OF(figures));
}

/* What helps to judge the table on a machine that does other things as well. */
static void print_notes(struct bench *bench)
{
    printf("\nTimes are medians, of %d turns and of %d starts; idle means for %lld s.\n",
           SERIES_MAX, N_STARTS, (long long)(bench->idle_us / US_PER_S));
    for (unsigned percent = 10; percent <= 90; percent += 40)
        printf("p%u: query %.3f ms, U %.3f ms; command %.3f ms, U F S F U at one go %.3f ms\n",
               percent, series_percentile_ms(&bench->queries, percent),
               series_percentile_ms(&bench->commits, percent),
               series_percentile_ms(&bench->modifies, percent),
               series_percentile_ms(&bench->bare, percent));
    if (!isnan(bench->per_query.by_programs))
        printf("write_bytes of controller and agent: %.1f KB a query\n",
               bench->per_query.by_programs / KB);
}

/* ---- usage ---- */

static _Noreturn void usage(void)
{
    fputs("usage: one [--idle SECONDS] [--figures FILE] PROGRAMS SCRATCH\n", stderr);
    exit(2);
}

static int64_t idle_parse(const char *text)
{
    char *end;
    long seconds = strtol(text, &end, 10);

    if (*end || seconds < 1 || seconds > IDLE_MAX_S)
        usage();
    return seconds * US_PER_S;
}

/* Programs are given their directory as their own, wherever the bench was called. */
static const char *absolute(const char *dir)
{
    char *path = realpath(dir, NULL);

    if (!path)
        give_up(dir, "is not there");
    return path;
}

static void write_figures(const struct figures *figures, const char *path)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, REPORT_CAP);
    struct json_writer writer = json_writer(&text);
    figures_encode(figures, &writer);
    int r = file_write(path, buf_slice(&text), 0644);
    if (r)
        give_up(path, strerror(-r));
}

static void report(struct bench *bench, const char *path)
{
    struct figures figures = {.n = 0};

    add_times(bench, &figures);
    add_costs(bench, &figures);
    if (path)
        write_figures(&figures, path);
    else
        figures_print(&figures);
    print_notes(bench);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"idle", required_argument, NULL, 'i'}, {"figures", required_argument, NULL, 'f'}, {0}};
    static struct bench bench = {.idle_us = IDLE_DEFAULT_S * US_PER_S};
    const char *path = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'i')
            bench.idle_us = idle_parse(optarg);
        else if (option == 'f')
            path = optarg;
        else
            usage();
    }
    if (argc - optind != 2)
        usage();
    bench.programs = absolute(argv[optind]);
    bench.scratch = absolute(argv[optind + 1]);
    measure(&bench);
    report(&bench, path);
    return EXIT_SUCCESS;
}
