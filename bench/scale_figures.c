/* SPDX-License-Identifier: MIT */
/*
 * From samples to the rows of the table.
 *
 * Ratios come from the same round; a bound is about ratios where what it bounds is the machine's.
 */
#include "scale.h"

#include "base/mem.h"
#include "figure.h"

#define US_IN_MS   1000.0
#define US_IN_S    1e6
#define MB         1e6
#define GB         1e9
#define SIZE_SMALL 1000
#define SIZE_LARGE 10000000

/* One that was not measured gives figures that are not told. */
static const struct size *size_of(const struct scale *scale, uint64_t n_jobs)
{
    static const struct size none = {
        .disk_size = NOT_TOLD, .anon_new = NOT_TOLD, .anon_used = NOT_TOLD};

    for (size_t i = 0; i < scale->n_sizes; i++) {
        if (scale->sizes[i].n_jobs == n_jobs)
            return &scale->sizes[i];
    }
    return &none;
}

/* ---- pages ---- */

static void add_against_nginx(const struct scale *scale, struct figures *to)
{
    const struct size *compared = size_of(scale, SIZE_COMPARED);
    const struct changing *changing = &scale->changing;
    const struct case_samples *random = &changing->cases[CASE_RANDOM];
    const struct figure figures[] = {
        {.name = "page at 1 M jobs, one loop / nginx, one worker, same bytes",
         .unit = UNIT_TIMES,
         .value = samples_ratio(&compared->cases[CASE_SAME].per_second, &scale->nginx.per_second),
         .must = BOUND_AT_LEAST,
         .bound = 1.0,
         .bound_is = "of its requests/s"},
        {.name = "random offsets while states change / nginx",
         .unit = UNIT_TIMES,
         .value = samples_ratio(&random->per_second, &changing->nginx.per_second),
         .must = BOUND_AT_LEAST,
         .bound = 0.25,
         .bound_is = "of its requests/s"},
        {.name = "random offsets while states change: p99",
         .unit = UNIT_MS,
         .value = samples_median(&random->p99_us) / US_IN_MS,
         .must = BOUND_AT_MOST,
         .bound = 2},
        {.name = "state changes meanwhile",
         .unit = UNIT_PER_S,
         .value = changing->changes_per_second},
    };

    figures_add(to, figures, COUNT_OF(figures));
}

static double p50_ratio(const struct case_samples *a, const struct case_samples *b)
{
    return samples_ratio(&a->p50_us, &b->p50_us);
}

static void add_pages(const struct scale *scale, struct figures *to)
{
    const struct case_samples *small = size_of(scale, SIZE_SMALL)->cases;
    const struct case_samples *large = size_of(scale, SIZE_LARGE)->cases;
    const struct figure figures[] = {
        {.name = "p50 at 10 M / at 1 k jobs: same URL",
         .unit = UNIT_TIMES,
         .value = p50_ratio(&large[CASE_SAME], &small[CASE_SAME]),
         .must = BOUND_AT_MOST,
         .bound = 1.15},
        {.name = "p50 at 10 M / at 1 k jobs: random offsets",
         .unit = UNIT_TIMES,
         .value = p50_ratio(&large[CASE_RANDOM], &small[CASE_RANDOM]),
         .must = BOUND_AT_MOST,
         .bound = 1.15},
        {.name = "p50 of last / of first pages, at 10 M jobs",
         .unit = UNIT_TIMES,
         .value = p50_ratio(&large[CASE_LAST], &large[CASE_FIRST]),
         .must = BOUND_AT_MOST,
         .bound = 1.3},
    };

    figures_add(to, figures, COUNT_OF(figures));
}

static double percentile_ms(const struct latency *latency, unsigned percent)
{
    return latency->n ? latency_percentile_us(latency, percent) / US_IN_MS : NOT_TOLD;
}

static void add_filters(const struct scale *scale, struct figures *to)
{
    const struct case_samples *cases = scale->changing.cases;
    const struct figure figures[] = {
        {.name = "filters in use / unfiltered, while states change: summaries",
         .unit = UNIT_TIMES,
         .value = p50_ratio(&cases[CASE_SUMMARY_FILTERS], &cases[CASE_SUMMARY]),
         .must = BOUND_AT_MOST,
         .bound = 2,
         .bound_is = "of its p50"},
        {.name = "first use of a filter of two terms, at 10 M jobs",
         .unit = UNIT_MS,
         .value = percentile_ms(&size_of(scale, SIZE_LARGE)->new_filters, 50),
         .must = BOUND_AT_MOST,
         .bound = 10,
         .bound_is = "once"},
    };

    figures_add(to, figures, COUNT_OF(figures));
}

/* ---- peers ---- */

static double rate_of(const struct scale *scale, const char *peer, const char *list_case,
                      int64_t clients)
{
    const struct peer_line *line = peers_best(&scale->peers, peer, list_case, clients);

    return line ? line->per_second : NOT_TOLD;
}

static void add_peers(const struct scale *scale, struct figures *to)
{
    double own = samples_median(&size_of(scale, SIZE_COMPARED)->cases[CASE_SAME].per_second);
    const struct figure figures[] = {
        {.name = "page and counts at 1 M jobs, over HTTP / BullMQ on Redis",
         .unit = UNIT_TIMES,
         .value = own / rate_of(scale, "bullmq", "list", 0),
         .must = BOUND_AT_LEAST,
         .bound = 20,
         .bound_is = "of its requests/s"},
        {.name = "page and counts at 1 M jobs / PostgreSQL, without HTTP",
         .unit = UNIT_TIMES,
         .value = own / rate_of(scale, "postgres", "page_first", 0),
         .must = BOUND_AT_LEAST,
         .bound = 20,
         .bound_is = "of its requests/s"},
    };

    figures_add(to, figures, COUNT_OF(figures));
}

/* ---- submissions ---- */

static void add_rates(const struct case_samples *samples, const char *const *names,
                      struct figures *to)
{
    for (unsigned i = 0; i < CLIENT_COUNTS; i++) {
        const struct figure figure = {
            .name = names[i], .unit = UNIT_PER_S, .value = samples_median(&samples[i].per_second)};
        figures_add(to, &figure, 1);
    }
}

static void add_submissions(const struct scale *scale, struct figures *to)
{
    static const char *const names[CLIENT_COUNTS] = {
        "queries to their durable outcome, 1 client", "queries to their durable outcome, 8 clients",
        "queries to their durable outcome, 64 clients"};
    static const char *const command_names[] = {"commands submitted, durable, 1 client",
                                                "commands submitted, durable, 8 clients",
                                                "commands submitted, durable, 64 clients"};
    const struct submitting *from = &scale->submitting;
    double most = samples_median(&from->commands[CLIENT_COUNTS - 1].per_second);
    const struct figure figures[] = {
        {.name = "commands submitted, durable, 64 clients: enough",
         .unit = UNIT_PER_S,
         .value = most,
         .must = BOUND_AT_LEAST,
         .bound = 15000},
        {.name = "commands submitted, durable, 64 clients / BullMQ",
         .unit = UNIT_TIMES,
         .value = most / rate_of(scale, "bullmq", "submit", 64),
         .must = BOUND_AT_LEAST,
         .bound = 3},
    };

    add_rates(from->queries, names, to);
    add_rates(from->commands, command_names, to);
    figures_add(to, figures, COUNT_OF(figures));
}

static void add_commits(struct scale *scale, struct figures *to)
{
    struct submitting *from = &scale->submitting;
    double sync = series_percentile_ms(&from->syncs, 50);
    const struct figure figures[] = {
        {.name = "U again, between batches", .value = series_percentile_ms(&from->commits, 50)},
        {.name = "F again, between batches", .value = sync},
        {.name = "commit of 64 submissions",
         .value = series_percentile_ms(&from->batches, 50),
         .must = BOUND_AT_MOST,
         .bound = 5 * sync,
         .bound_is = "5 F"},
    };

    figures_add(to, figures, COUNT_OF(figures));
}

/* ---- what it takes ---- */

static void add_room(const struct scale *scale, struct figures *to)
{
    const struct size *middle = size_of(scale, SIZE_COMPARED), *large = size_of(scale, SIZE_LARGE);
    const struct figure figures[] = {
        {.name = "controller: memory at 1 M jobs, 10,000 hosts, after pages",
         .unit = UNIT_MB,
         .value = middle->anon_used / MB,
         .must = BOUND_AT_MOST,
         .bound = 16},
        {.name = "controller: memory at 10 M jobs, 10,000 hosts, after pages",
         .unit = UNIT_MB,
         .value = large->anon_used / MB,
         .must = BOUND_AT_MOST,
         .bound = 64},
        {.name = "controller: exec to ready, cold, 1 M jobs",
         .unit = UNIT_S,
         .value = samples_median(&middle->ready_cold_us) / US_IN_S,
         .must = BOUND_AT_MOST,
         .bound = 0.3},
        {.name = "controller: exec to ready, cold, 10 M jobs",
         .unit = UNIT_S,
         .value = samples_median(&large->ready_cold_us) / US_IN_S,
         .must = BOUND_AT_MOST,
         .bound = 1},
        {.name = "disk at 10 M jobs",
         .unit = UNIT_GB,
         .value = large->disk_size / GB,
         .must = BOUND_AT_MOST,
         .bound = 12},
    };

    figures_add(to, figures, COUNT_OF(figures));
}

void scale_figures(struct scale *scale, struct figures *to)
{
    add_against_nginx(scale, to);
    add_pages(scale, to);
    add_filters(scale, to);
    add_peers(scale, to);
    add_submissions(scale, to);
    add_commits(scale, to);
    add_room(scale, to);
}
