/* SPDX-License-Identifier: MIT */
/*
 * What a list of jobs costs, against the number of jobs and against what others take for the same.
 *
 *     scale [--sizes N,N,…] [--rounds N] [--slice DURATION] [--peers SECONDS]
 *           [--figures FILE] [--report FILE] [--chart FILE] PROGRAMS DIR
 *
 * PROGRAMS is the directory of the programs. Ledgers are made in DIR/ledgers and kept, all else in
 * DIR/scratch, which is the caller's to remove. What is compared takes turns, slice by slice.
 * It reports and does not judge: the exit status tells only whether it could measure.
 */
#include "scale.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "client.h"
#include "process.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <unistd.h>

#define HOSTS            10000u
#define ROUNDS_DEFAULT   9
#define SLICE_US         (300 * US_PER_MS)
#define JOBS_A_WARM_PAGE 100
#define WARM_US          (12 * US_PER_S) /* at most */
#define SIZES_DEFAULT    "1000,100000,1000000,10000000"
#define SIZE_MIN         1000
#define SIZE_LIMIT       UINT64_C(1000000000)
#define PEERS_DEFAULT    3 /* seconds a case */
#define PEER_SECONDS_MAX 600

const unsigned scale_client_counts[CLIENT_COUNTS] = {1, 8, 64};

/* ---- what the parts share ---- */

void scale_sample(const struct load *load, struct case_samples *to)
{
    static struct load_result result;

    load_run(load, &result);
    samples_add(&to->per_second, load_per_second(&result));
    samples_add(&to->p50_us, latency_percentile_us(&result.latency, 50));
    samples_add(&to->p99_us, latency_percentile_us(&result.latency, 99));
}

void scale_warm_up(const struct controller *controller, struct asked *asked)
{
    static struct load_result result;
    const struct load load = {
        .port = controller->port,
        .n_connections = CLIENTS,
        .for_us = WARM_US,
        .n_max = asked->n_jobs / JOBS_A_WARM_PAGE,
        .request = case_request,
        .owner = asked,
    };

    asked->list_case = CASE_RANDOM;
    load_run(&load, &result);
}

void scale_ask(const struct scale *scale, const struct controller *controller, struct asked *asked,
               enum list_case list_case, struct case_samples *to)
{
    const struct load load = {
        .port = controller->port,
        .n_connections = CLIENTS,
        .for_us = scale->slice_us,
        .request = case_request,
        .owner = asked,
    };

    asked->list_case = list_case;
    scale_sample(&load, to);
}

static void nginx_request(void *owner, uint64_t number, struct buf *to)
{
    (void)owner;
    (void)number;
    buf_add_text(to, "GET /page.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
}

void scale_ask_nginx(const struct scale *scale, struct case_samples *to)
{
    const struct load load = {
        .port = scale->nginx_port,
        .n_connections = CLIENTS,
        .for_us = scale->slice_us,
        .request = nginx_request,
    };

    if (scale->has_nginx)
        scale_sample(&load, to);
}

struct asked scale_asked(const struct controller *controller, uint64_t n_jobs)
{
    return (struct asked){
        .token = controller->token, .n_jobs = n_jobs, .n_hosts = HOSTS, .random = n_jobs};
}

void scale_fill(const struct scale *scale, const char *state, uint64_t n_jobs)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const char *const argv[] = {
        arena_printf(&arena, "%s/bench/fill", scale->programs),
        "--jobs",
        arena_printf(&arena, "%" PRIu64, n_jobs),
        "--hosts",
        arena_printf(&arena, "%u", HOSTS),
        "--state",
        state,
        NULL,
    };

    if (access(state, F_OK) == 0)
        return;
    fprintf(stderr, "filling a ledger of %" PRIu64 " jobs\n", n_jobs);
    if (process_wait(process_start(argv, -1, scale->log)))
        give_up("fill", scale->log);
}

static void note_tag(const struct client *client, struct asked *asked)
{
    const char *tag = strcasestr(client->reply, "\r\netag: ");

    asked->tag[0] = '\0';
    if (!tag || tag > client->body.at)
        return;
    tag += strlen("\r\netag: ");
    snprintf(asked->tag, sizeof(asked->tag), "%.*s", (int)strcspn(tag, "\r"), tag);
}

void scale_read_page(const struct controller *controller, struct asked *asked, const char *file)
{
    static struct client client;

    client_open(&client, controller->url, controller->token);
    if (client_ask(&client, "GET", "/job?limit=10", NULL) != 200)
        give_up("the newest page", client.body.at);
    note_tag(&client, asked);
    int r = file ? file_write(file, client.body, 0644) : 0;
    if (r)
        give_up(file, strerror(-r));
    client_close(&client);
}

/* ---- peers ---- */

static void measure_peers(struct scale *scale)
{
    static const char *const names[] = {"bullmq", "postgres"};

    for (size_t i = 0; scale->peer_seconds && i < COUNT_OF(names); i++) {
        fprintf(stderr, "measuring %s\n", names[i]);
        if (!peers_measure(&scale->peers, names[i], SIZE_COMPARED, scale->peer_seconds))
            fprintf(stderr, "%s is not told: see peer.log in %s\n", names[i], scale->scratch);
    }
}

/* ---- usage ---- */

static _Noreturn void usage(void)
{
    fputs("usage: scale [--sizes N,N,...] [--rounds N] [--slice DURATION] [--peers SECONDS]\n"
          "             [--figures FILE] [--report FILE] [--chart FILE] PROGRAMS DIR\n",
          stderr);
    exit(2);
}

static void take_sizes(struct scale *scale, const char *text)
{
    struct slice rest = slice_of(text), word;

    for (scale->n_sizes = 0; rest.size; scale->n_sizes++) {
        slice_cut(&rest, ',', &word);
        if (scale->n_sizes == SIZES_MAX)
            usage();
        scale->sizes[scale->n_sizes].n_jobs = number_of_option(
            arena_printf(&scale->arena, "%.*s", (int)word.size, word.at), SIZE_MIN, SIZE_LIMIT);
    }
}

static void take_slice(struct scale *scale, const char *text)
{
    if (!duration_parse(slice_of(text), &scale->slice_us) || scale->slice_us <= 0)
        usage();
}

static const struct option options[] = {
    {"sizes", required_argument, NULL, 's'},   {"rounds", required_argument, NULL, 'r'},
    {"slice", required_argument, NULL, 't'},   {"peers", required_argument, NULL, 'p'},
    {"figures", required_argument, NULL, 'f'}, {"report", required_argument, NULL, 'j'},
    {"chart", required_argument, NULL, 'c'},   {0},
};

static void take_option(struct scale *scale, struct scale_report *report, int option)
{
    switch (option) {
    case 's':
        take_sizes(scale, optarg);
        break;
    case 'r':
        scale->n_rounds = (unsigned)number_of_option(optarg, 1, SAMPLES_MAX);
        break;
    case 't':
        take_slice(scale, optarg);
        break;
    case 'p':
        scale->peer_seconds = (unsigned)number_of_option(optarg, 0, PEER_SECONDS_MAX);
        break;
    case 'f':
        report->one = optarg;
        break;
    case 'j':
        report->json = optarg;
        break;
    case 'c':
        report->chart = optarg;
        break;
    default:
        usage();
    }
}

/* Programs are given their directory as their own, wherever the bench was called. */
static const char *absolute(const char *dir)
{
    char *path = realpath(dir, NULL);

    if (!path)
        give_up(dir, strerror(errno));
    return path;
}

static void set_places(struct scale *scale, const char *programs, const char *dir)
{
    struct arena *arena = &scale->arena;

    scale->programs = absolute(programs);
    scale->dir = absolute(dir);
    scale->scratch = arena_printf(arena, "%s/scratch", scale->dir);
    scale->log = arena_printf(arena, "%s/log", scale->scratch);
    scale->peers.scratch = scale->scratch;
    scale->peers.scripts = arena_printf(arena, "%s/../bench/peers", scale->programs);
    int r = dir_make(scale->scratch, 0700);
    if (r)
        give_up(scale->scratch, strerror(-r));
    for (size_t i = 0; i < scale->n_sizes; i++) {
        struct size *size = &scale->sizes[i];
        size->state = arena_printf(arena, "%s/ledgers/%" PRIu64, scale->dir, size->n_jobs);
        if (size->n_jobs == SIZE_COMPARED)
            scale->compared = size;
    }
}

int main(int argc, char **argv)
{
    static struct scale scale = {
        .n_rounds = ROUNDS_DEFAULT, .slice_us = SLICE_US, .peer_seconds = PEERS_DEFAULT};
    struct scale_report report = {.json = NULL};
    int option;

    take_sizes(&scale, SIZES_DEFAULT);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        take_option(&scale, &report, option);
    if (argc - optind != 2)
        usage();
    set_places(&scale, argv[optind], argv[optind + 1]);
    scale_measure_lists(&scale);
    scale_measure_changing(&scale);
    scale_measure_submitting(&scale);
    measure_peers(&scale);
    scale_report(&scale, &report);
    return EXIT_SUCCESS;
}
