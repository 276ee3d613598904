/* SPDX-License-Identifier: MIT */
/*
 * Counters and the metrics page. To add a metric: a member, its counting function, and one line in
 * metrics_write(); names and units as Prometheus wants them (base units, _total for counters).
 */
#include "controller/metrics.h"

#include "base/clock.h"
#include "base/mem.h"
#include "controller/core.h"
#include "ledger/ledger.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

typedef _Atomic uint64_t counter;

/* Upper bounds. */
static const int64_t bucket_us[] = {100,     250,     500,     1000,     2500,    5000,
                                    10000,   25000,   50000,   100000,   250000,  500000,
                                    1000000, 2500000, 5000000, 10000000, 30000000};

struct histogram {
    counter buckets[COUNT_OF(bucket_us) + 1];
    counter sum_us;
};

/* Every HTTP status the API sends; a second row of outcome.def with the same one is never found. */
static const int statuses[] = {
    200, 201, 202, 204, 304,
#define OUTCOME(id, http, exit, word, sentence) http,
#include "base/outcome.def"
#undef OUTCOME
};

enum ending {
    ENDING_COMPLETED,
    ENDING_SKIPPED,
    ENDING_FAILED,
    ENDING_COUNT = ENDING_FAILED + run_code_COUNT
};

/* The last of each: what has no row. */
struct metrics {
    int64_t started_us;
    counter replies[OP_COUNT + 1][COUNT_OF(statuses) + 1];
    counter runs[OP_COUNT + 1][ENDING_COUNT];
    counter dropped; /* jobs, by retention */
    struct histogram reply, commit;
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = mem_alloc(sizeof(*metrics));

    metrics->started_us = clock_now_us();
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    mem_free(metrics);
}

int64_t metrics_started_us(const struct metrics *metrics)
{
    return metrics->started_us;
}

/* ---- count ---- */

static void count(counter *number)
{
    atomic_fetch_add_explicit(number, 1, memory_order_relaxed);
}

static void observe(struct histogram *histogram, int64_t duration_us)
{
    size_t i = 0;

    while (i < COUNT_OF(bucket_us) && duration_us > bucket_us[i])
        i++;
    count(&histogram->buckets[i]);
    atomic_fetch_add_explicit(&histogram->sum_us, (uint64_t)duration_us, memory_order_relaxed);
}

void metrics_replied(struct metrics *metrics, const struct op *op, int status, int64_t duration_us)
{
    size_t i = 0;

    while (i < COUNT_OF(statuses) && statuses[i] != status)
        i++;
    count(&metrics->replies[op ? op->id : OP_COUNT][i]);
    observe(&metrics->reply, duration_us);
}

static enum ending ending_of(const struct run_point *at)
{
    if (at->state == run_state_COMPLETED)
        return ENDING_COMPLETED;
    return at->state == run_state_SKIPPED ? ENDING_SKIPPED : ENDING_FAILED + at->code;
}

void metrics_run_ended(struct metrics *metrics, const struct op *op, const struct run_point *at)
{
    count(&metrics->runs[op ? op->id : OP_COUNT][ending_of(at)]);
}

void metrics_dropped(struct metrics *metrics, uint32_t n_jobs)
{
    atomic_fetch_add_explicit(&metrics->dropped, n_jobs, memory_order_relaxed);
}

void metrics_committed(struct metrics *metrics, int64_t duration_us)
{
    observe(&metrics->commit, duration_us);
}

/* ---- write ---- */

static void head(struct buf *page, const char *name, const char *type, const char *help)
{
    buf_printf(page, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void value(struct buf *page, const char *name, const char *type, const char *help,
                  double number)
{
    head(page, name, type, help);
    buf_printf(page, "%s %.15g\n", name, number);
}

static void write_histogram(struct buf *page, const char *name, const char *help,
                            struct histogram *histogram)
{
    uint64_t sum = 0;

    head(page, name, "histogram", help);
    for (size_t i = 0; i < COUNT_OF(bucket_us); i++) {
        sum += atomic_load(&histogram->buckets[i]);
        buf_printf(page, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, (double)bucket_us[i] / 1e6,
                   sum);
    }
    sum += atomic_load(&histogram->buckets[COUNT_OF(bucket_us)]);
    buf_printf(page, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
               name, sum, name, (double)atomic_load(&histogram->sum_us) / 1e6, name, sum);
}

static int write_jobs(struct ledger_reader *reader, struct buf *page)
{
    struct ledger_page counts;

    int r = ledger_counts(reader, &counts);
    if (r)
        return r;
    head(page, "reeve_jobs", "gauge", "Jobs in the ledger by status.");
    for (int status = 0; status < job_status_COUNT; status++)
        buf_printf(page, "reeve_jobs{status=\"%s\"} %" PRIu64 "\n", job_status_words[status].word,
                   counts.counts[status]);
    return 0;
}

static const char *ending_word(enum ending ending)
{
    if (ending == ENDING_COMPLETED)
        return run_state_words[run_state_COMPLETED].word;
    if (ending == ENDING_SKIPPED)
        return run_state_words[run_state_SKIPPED].word;
    return run_code_words[ending - ENDING_FAILED].word;
}

static void write_runs(struct metrics *metrics, struct buf *page)
{
    head(page, "reeve_runs_total", "counter", "Runs that ended, by operation and outcome.");
    for (int op = 0; op <= OP_COUNT; op++) {
        for (int ending = 0; ending < ENDING_COUNT; ending++) {
            uint64_t n = atomic_load(&metrics->runs[op][ending]);
            if (n > 0)
                buf_printf(page, "reeve_runs_total{operation=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
                           op < OP_COUNT ? op_catalog[op].type : "other", ending_word(ending), n);
        }
    }
}

static void write_reply(struct buf *page, int op, size_t status, uint64_t n)
{
    const struct op *row = op < OP_COUNT ? &op_catalog[op] : NULL;

    buf_printf(page, "reeve_http_replies_total{method=\"%s\",route=\"%s\",code=\"",
               row ? row->method : "other", row ? row->path : "other");
    if (status < COUNT_OF(statuses))
        buf_add_i64(page, statuses[status]);
    else
        buf_add_text(page, "other");
    buf_printf(page, "\"} %" PRIu64 "\n", n);
}

static void write_replies(struct metrics *metrics, struct buf *page)
{
    head(page, "reeve_http_replies_total", "counter", "HTTP replies by route and status.");
    for (int op = 0; op <= OP_COUNT; op++) {
        for (size_t status = 0; status <= COUNT_OF(statuses); status++) {
            uint64_t n = atomic_load(&metrics->replies[op][status]);
            if (n > 0)
                write_reply(page, op, status, n);
        }
    }
}

static void write_core(struct core *core, struct buf *page)
{
    struct core_figures figures = core_figures(core);

    value(page, "reeve_ready", "gauge", "Whether the controller can do its work.",
          core_not_ready(core, clock_boot_us()) == NULL);
    value(page, "reeve_queue_calls", "gauge", "Requests that wait for the core's next turn.",
          figures.queued);
    value(page, "reeve_open_runs", "gauge", "Runs that are not final.", (double)figures.open_runs);
    value(page, "reeve_active_runs", "gauge", "Runs that are acknowledged or started.",
          (double)figures.active_runs);
    head(page, "reeve_agents", "gauge", "Agents by whether they are heard.");
    buf_printf(page, "reeve_agents{status=\"%s\"} %" PRIu32 "\n",
               agent_status_words[agent_status_READY].word, figures.agents_ready);
    buf_printf(page, "reeve_agents{status=\"%s\"} %" PRIu32 "\n",
               agent_status_words[agent_status_NOT_READY].word,
               figures.agents - figures.agents_ready);
    value(page, "reeve_state_disk_free_bytes", "gauge",
          "Bytes free on the disk of the state directory.", (double)figures.free_bytes);
}

static int write_ledger(struct ledger *ledger, struct buf *page)
{
    struct ledger_use use;

    int r = ledger_use(ledger, &use);
    if (r)
        return r;
    value(page, "reeve_ledger_bytes", "gauge", "Size of the ledger's file.",
          (double)use.file_bytes);
    value(page, "reeve_ledger_oldest_reader_commits", "gauge",
          "Commits since the oldest snapshot that is still read; 0: none is.",
          (double)use.oldest_reader_commits);
    value(page, "reeve_transitions_refused_total", "counter",
          "Moves of runs that the transition table refused.", (double)ledger_refused(ledger));
    return 0;
}

/* The process's own directory in /proc. */
static double open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    double n = 0;

    if (!directory)
        return 0;
    while (readdir(directory))
        n++;
    closedir(directory);
    return n - 3; /* "." and "..", and the directory itself */
}

/* In pages: size, resident, shared. */
static void read_memory(double *ret_resident, double *ret_anonymous)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long size, resident = 0, shared = 0;
    double page = (double)sysconf(_SC_PAGESIZE);

    if (file && fscanf(file, "%lu %lu %lu", &size, &resident, &shared) != 3)
        resident = shared = 0;
    if (file)
        fclose(file);
    *ret_resident = page * (double)resident;
    *ret_anonymous = page * (double)(resident - shared);
}

static void write_process(const struct metrics *metrics, struct buf *page)
{
    struct rusage used;
    double resident, anonymous;

    getrusage(RUSAGE_SELF, &used);
    read_memory(&resident, &anonymous);
    value(page, "process_cpu_seconds_total", "counter", "CPU time used.",
          (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
              (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    value(page, "process_resident_memory_bytes", "gauge",
          "Memory resident, pages of the ledger's file included.", resident);
    value(page, "process_anonymous_memory_bytes", "gauge", "Memory of the process's own.",
          anonymous);
    value(page, "process_open_fds", "gauge", "Open descriptors.", open_files());
    value(page, "process_start_time_seconds", "gauge", "When the process started, since 1970.",
          (double)(metrics->started_us / US_PER_S));
}

int metrics_write(struct metrics *metrics, struct core *core, struct ledger_reader *reader,
                  struct buf *page)
{
    int r = write_jobs(reader, page);
    if (r)
        return r;
    value(page, "reeve_jobs_dropped_total", "counter", "Jobs that retention dropped.",
          (double)atomic_load(&metrics->dropped));
    write_runs(metrics, page);
    write_core(core, page);
    r = write_ledger(core_ledger(core), page);
    if (r)
        return r;
    write_histogram(page, "reeve_commit_seconds", "How long batches took to become durable.",
                    &metrics->commit);
    write_replies(metrics, page);
    write_histogram(page, "reeve_http_reply_seconds",
                    "From a request's headers to its reply, waiting for a job included.",
                    &metrics->reply);
    write_process(metrics, page);
    return 0;
}
