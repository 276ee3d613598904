/* SPDX-License-Identifier: MIT */
/*
 * A ledger of a size that is asked for, made through the same records as a controller's.
 *
 *     fill --jobs N [--hosts H] [--span DURATION] [--open N] [--seed N] --state DIR
 *
 * DIR becomes the state directory of a controller, which makes what else it needs when it starts.
 * Batches are not synced one by one; the file is, before the program ends.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "ledger/inside.h"
#include "measure.h"
#include "mix.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_JOBS    1000u
#define PROGRESS_JOBS 1000000u
#define HOSTS_DEFAULT 10000u
#define HOSTS_MAX     1000000u
#define JOBS_MAX      UINT64_C(1000000000)
/* Within what the default retention keeps of queries, so that a controller finds nothing to drop.
 */
#define SPAN_DEFAULT_US (20 * 3600 * US_PER_S)
#define MB              1e6

struct fill {
    const char *state;
    struct mix_options mix_is;
    struct mix mix;
    struct ledger *ledger;
    uint64_t n_runs;
};

/* ---- the ledger ---- */

static void check(int r, const char *what)
{
    if (r)
        give_up(what, r < 0 ? fault_text() : outcome_sentence((enum outcome)r));
}

static uint64_t apply(struct fill *fill, const struct record *record)
{
    struct ledger_effect effect;

    check(ledger_apply(fill->ledger, record, &effect), "a record");
    return effect.seq;
}

static void add_agents(struct fill *fill)
{
    check(ledger_begin(fill->ledger), "begin");
    for (host_number host = 1; host <= fill->mix_is.n_hosts; host++) {
        struct record record = mix_agent(&fill->mix, host);
        apply(fill, &record);
    }
    check(ledger_commit(fill->ledger), "commit");
}

/* Only what is known to have started can be lost. */
static void apply_start(struct fill *fill, const struct record *lost)
{
    struct record record = {
        .kind = RECORD_STARTED,
        .time_us = lost->run.started_us,
        .run = {.seq = lost->run.seq,
                .run = lost->run.run,
                .by_agent = true,
                .started_us = lost->run.started_us},
    };

    apply(fill, &record);
}

static void add_job(struct fill *fill)
{
    struct mix_job job = mix_job(&fill->mix);
    uint64_t seq = apply(fill, &job.submitted);

    if (job.code == run_code_CANCELLED) {
        const struct record cancelled = {
            .kind = RECORD_CANCELLED,
            .time_us = job.submitted.time_us,
            .job = {.seq = seq, .user = job.submitted.submitted.user},
        };
        apply(fill, &cancelled);
    }
    for (uint32_t run = 0; run < job.n_runs; run++) {
        struct record record = mix_outcome(&fill->mix, &job, seq, run);
        if (record.run.to.code == run_code_LOST)
            apply_start(fill, &record);
        apply(fill, &record);
    }
    fill->n_runs += job.submitted.submitted.n_hosts;
}

static void add_jobs(struct fill *fill)
{
    uint64_t n_jobs = fill->mix_is.n_jobs;

    for (uint64_t n = 0; n < n_jobs;) {
        check(ledger_begin(fill->ledger), "begin");
        for (unsigned i = 0; i < BATCH_JOBS && n < n_jobs; i++, n++)
            add_job(fill);
        check(ledger_commit(fill->ledger), "commit");
        if (n % PROGRESS_JOBS == 0)
            fprintf(stderr, "%" PRIu64 " of %" PRIu64 " jobs\n", n, n_jobs);
    }
}

/* What a controller writes when it has nothing else to do. */
static void catch_up(struct fill *fill)
{
    while (ledger_is_behind(fill->ledger))
        check(ledger_checkpoint(fill->ledger, UINT_MAX), "checkpoint");
}

/* ---- the files ---- */

static void make_ledger(struct fill *fill, const char *dir)
{
    static const struct ledger_options no_sync = {.no_sync = true};
    struct refusal why = {.text = ""};

    int r = dir_make(fill->state, 0700);
    if (r)
        give_up(fill->state, strerror(-r));
    if (access(dir, F_OK) == 0)
        give_up(dir, "is there already");
    if (ledger_open_with(dir, &no_sync, &fill->ledger, &why))
        give_up(dir, why.text);
}

/* Bytes on disk, of which all are there when this returns. */
static int64_t sync_file(const char *dir)
{
    char path[PATH_MAX];
    struct stat status;

    if (snprintf(path, sizeof(path), "%s/data.mdb", dir) >= (int)sizeof(path))
        give_up(dir, "is too long a path");
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0 || fstat(fd, &status) < 0)
        give_up(path, strerror(errno));
    return (int64_t)status.st_blocks * 512;
}

static void fill_state(struct fill *fill)
{
    char dir[PATH_MAX];
    int64_t began_us = clock_boot_us();

    if (snprintf(dir, sizeof(dir), "%s/ledger", fill->state) >= (int)sizeof(dir))
        give_up(fill->state, "is too long a path");
    make_ledger(fill, dir);
    fill->mix_is.begin_us = clock_now_us() - fill->mix_is.span_us;
    mix_init(&fill->mix, &fill->mix_is);
    add_agents(fill);
    add_jobs(fill);
    mix_release(&fill->mix);
    catch_up(fill);
    ledger_close(fill->ledger);
    int64_t size = sync_file(dir);
    if (dir_sync(dir) || dir_sync(fill->state))
        give_up(dir, "can't be synced");
    printf("%" PRIu64 " jobs, %" PRIu64 " runs, %.1f s, %.1f MB on disk\n", fill->mix_is.n_jobs,
           fill->n_runs, (double)(clock_boot_us() - began_us) / (double)US_PER_S,
           (double)size / MB);
}

/* ---- usage ---- */

static _Noreturn void usage(void)
{
    fputs("usage: fill --jobs N [--hosts H] [--span DURATION] [--open N] [--seed N] --state DIR\n",
          stderr);
    exit(2);
}

static int64_t span_parse(const char *text)
{
    int64_t span_us;

    if (!duration_parse(slice_of(text), &span_us) || span_us <= 0)
        usage();
    return span_us;
}

static const struct option options[] = {
    {"jobs", required_argument, NULL, 'j'},
    {"hosts", required_argument, NULL, 'h'},
    {"span", required_argument, NULL, 's'},
    {"open", required_argument, NULL, 'o'},
    {"seed", required_argument, NULL, 'r'},
    {"state", required_argument, NULL, 'd'},
    {0},
};

static void take_option(struct fill *fill, int option)
{
    switch (option) {
    case 'j':
        fill->mix_is.n_jobs = number_of_option(optarg, 1, JOBS_MAX);
        break;
    case 'h':
        fill->mix_is.n_hosts = (uint32_t)number_of_option(optarg, 1, HOSTS_MAX);
        break;
    case 's':
        fill->mix_is.span_us = span_parse(optarg);
        break;
    case 'o':
        fill->mix_is.n_open = number_of_option(optarg, 0, JOBS_MAX);
        break;
    case 'r':
        fill->mix_is.seed = number_of_option(optarg, 0, UINT64_MAX);
        break;
    case 'd':
        fill->state = optarg;
        break;
    default:
        usage();
    }
}

int main(int argc, char **argv)
{
    static struct fill fill = {
        .mix_is = {.seed = 1, .n_hosts = HOSTS_DEFAULT, .span_us = SPAN_DEFAULT_US}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        take_option(&fill, option);
    if (optind != argc || !fill.state || !fill.mix_is.n_jobs)
        usage();
    fill_state(&fill);
    return EXIT_SUCCESS;
}
