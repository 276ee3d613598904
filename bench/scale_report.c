/* SPDX-License-Identifier: MIT */
/*
 * What was measured, for people, for programs and for the eye: the tables, report.json, the chart.
 *
 * All three show medians of the rounds.
 */
#include "scale.h"

#include "base/file.h"
#include "base/mem.h"
#include "chart.h"
#include "figure.h"

#include <inttypes.h>

#define REPORT_CAP    ((size_t)4 << 20)
#define REPORT_VALUES 20000
#define US_IN_MS      1000.0
#define MS_IN_S       1000.0
#define US_IN_S       1e6
#define MB            1e6

/* ---- the matrix of pages ---- */

#define CELL_SIZE 48

static void format_cell(const struct case_samples *samples, char ret[CELL_SIZE])
{
    ret[0] = '\0';
    if (samples->per_second.n)
        snprintf(ret, CELL_SIZE, "%7.0f/s %6.2f %6.2f", samples_median(&samples->per_second),
                 samples_median(&samples->p50_us) / US_IN_MS,
                 samples_median(&samples->p99_us) / US_IN_MS);
}

static void print_row(const char *name, const struct case_samples *const *cells, size_t n)
{
    printf("%-32s", name);
    for (size_t i = 0; i < n; i++) {
        char cell[CELL_SIZE];
        format_cell(cells[i], cell);
        printf("  %23s", cell);
    }
    printf("\n");
}

static void print_matrix(const struct scale *scale)
{
    const struct case_samples *cells[SIZES_MAX + 1];
    size_t n = scale->n_sizes;

    printf("\nPages of 10 jobs, %u clients: requests/s, p50 and p99 in ms\n%-32s", CLIENTS, "jobs");
    for (size_t i = 0; i < n; i++)
        printf("  %23" PRIu64, scale->sizes[i].n_jobs);
    printf("  %23s\n", "1 M, changing");
    for (enum list_case list_case = 0; list_case < CASE_COUNT; list_case++) {
        for (size_t i = 0; i < n; i++)
            cells[i] = &scale->sizes[i].cases[list_case];
        cells[n] = &scale->changing.cases[list_case];
        print_row(case_name(list_case), cells, n + 1);
    }
    cells[0] = &scale->nginx;
    print_row("nginx, one file", cells, 1);
}

static void print_sizes(const struct scale *scale)
{
    printf("\n%10s  %10s  %11s  %14s  %14s  %12s  %12s\n", "jobs", "disk MB", "ready cold s",
           "page cold p50", "first filter", "memory new", "memory used");
    for (size_t i = 0; i < scale->n_sizes; i++) {
        const struct size *size = &scale->sizes[i];
        printf("%10" PRIu64 "  %10.1f  %11.3f  %11.3f ms  %11.3f ms  %9.1f MB  %9.1f MB\n",
               size->n_jobs, size->disk_size / MB, samples_median(&size->ready_cold_us) / US_IN_S,
               samples_median(&size->page_cold_p50_us) / US_IN_MS,
               latency_percentile_us(&size->new_filters, 50) / US_IN_MS, size->anon_new / MB,
               size->anon_used / MB);
    }
}

static void print_peers(const struct peers *peers)
{
    if (peers->n)
        printf("\n%-10s %-12s %8s %12s %10s %10s\n", "peer", "case", "clients", "per second",
               "p50 ms", "p99 ms");
    for (unsigned i = 0; i < peers->n; i++) {
        const struct peer_line *line = &peers->lines[i];
        if (line->per_second > 0)
            printf("%-10s %-12s %8" PRId64 " %12.1f %10.3f %10.3f\n", line->peer, line->list_case,
                   line->clients, line->per_second, line->p50_ms, line->p99_ms);
    }
}

/* ---- report.json ---- */

static void write_number(struct json_writer *to, const char *name, double value)
{
    json_key(to, name);
    json_double(to, value);
}

static void write_case(struct json_writer *to, const char *name, const struct case_samples *samples)
{
    json_key(to, name);
    json_begin_object(to);
    write_number(to, "per_second", samples_median(&samples->per_second));
    write_number(to, "p50_us", samples_median(&samples->p50_us));
    write_number(to, "p99_us", samples_median(&samples->p99_us));
    json_end_object(to);
}

static void write_size(struct json_writer *to, const struct size *size)
{
    json_begin_object(to);
    json_key(to, "jobs");
    json_int(to, (int64_t)size->n_jobs);
    write_number(to, "disk_bytes", size->disk_size);
    write_number(to, "ready_cold_us", samples_median(&size->ready_cold_us));
    write_number(to, "page_cold_p50_us", samples_median(&size->page_cold_p50_us));
    write_number(to, "page_cold_p99_us", samples_median(&size->page_cold_p99_us));
    write_number(to, "new_filter_p50_us", latency_percentile_us(&size->new_filters, 50));
    write_number(to, "new_filter_p99_us", latency_percentile_us(&size->new_filters, 99));
    write_number(to, "memory_new_bytes", size->anon_new);
    write_number(to, "memory_used_bytes", size->anon_used);
    for (enum list_case list_case = 0; list_case < CASE_COUNT; list_case++)
        write_case(to, case_name(list_case), &size->cases[list_case]);
    json_end_object(to);
}

static void write_changing(struct json_writer *to, const struct changing *changing)
{
    json_begin_object(to);
    write_number(to, "changes_per_second", changing->changes_per_second);
    write_case(to, "nginx, nothing changing", &changing->nginx);
    for (enum list_case list_case = 0; list_case < CASE_COUNT; list_case++) {
        if (changing->cases[list_case].per_second.n)
            write_case(to, case_name(list_case), &changing->cases[list_case]);
    }
    json_end_object(to);
}

static void write_peers(struct json_writer *to, const struct peers *peers)
{
    json_begin_array(to);
    for (unsigned i = 0; i < peers->n; i++) {
        const struct peer_line *line = &peers->lines[i];
        json_begin_object(to);
        json_key(to, "peer");
        json_text(to, line->peer);
        json_key(to, "case");
        json_text(to, line->list_case);
        json_key(to, "clients");
        json_int(to, line->clients);
        write_number(to, "per_second", line->per_second);
        write_number(to, "p50_ms", line->p50_ms);
        write_number(to, "p99_ms", line->p99_ms);
        json_end_object(to);
    }
    json_end_array(to);
}

static void write_report(const struct scale *scale, const struct figures *figures, struct buf *text)
{
    struct json_writer to = json_writer(text);

    json_begin_object(&to);
    json_key(&to, "figures");
    figures_encode(figures, &to);
    json_key(&to, "sizes");
    json_begin_array(&to);
    for (size_t i = 0; i < scale->n_sizes; i++)
        write_size(&to, &scale->sizes[i]);
    json_end_array(&to);
    write_case(&to, "nginx", &scale->nginx);
    json_key(&to, "changing");
    write_changing(&to, &scale->changing);
    json_key(&to, "peers");
    write_peers(&to, &scale->peers);
    json_end_object(&to);
}

/* ---- the chart ---- */

#define CHART_LINES 3
#define CHART_PEERS 3

/* What a page costs whoever answers as many as they can: clients that wait in line cost nothing. */
static double cost_ms(double per_second)
{
    return MS_IN_S / per_second;
}

static void add_line(const struct scale *scale, enum list_case list_case, const char *name,
                     struct chart_series *ret)
{
    *ret = (struct chart_series){.name = name, .n = scale->n_sizes};
    for (size_t i = 0; i < scale->n_sizes; i++)
        ret->points[i] = (struct chart_point){
            .x = (double)scale->sizes[i].n_jobs,
            .y = cost_ms(samples_median(&scale->sizes[i].cases[list_case].per_second))};
}

static void write_chart(const struct scale *scale, struct buf *to)
{
    static const struct {
        const char *peer, *list_case, *name;
    } peers[CHART_PEERS] = {
        {"bullmq", "list", "BullMQ on Redis"},
        {"postgres", "page_first", "PostgreSQL, first page"},
        {"postgres", "page_offset", "PostgreSQL, random offset"},
    };
    struct chart_series series[CHART_LINES + CHART_PEERS];
    struct chart chart = {
        .title = "What a page of 10 jobs with exact counts costs: 1 / (requests a second)",
        .x_name = "jobs",
        .y_name = "ms",
        .series = series,
        .n = CHART_LINES,
    };

    add_line(scale, CASE_SAME, "Reeve, newest page", &series[0]);
    add_line(scale, CASE_RANDOM, "Reeve, random offset", &series[1]);
    add_line(scale, CASE_SUMMARY_FILTERS, "Reeve, filters, summary", &series[2]);
    for (size_t i = 0; i < CHART_PEERS; i++) {
        const struct peer_line *line =
            peers_best(&scale->peers, peers[i].peer, peers[i].list_case, 0);
        if (line)
            series[chart.n++] =
                (struct chart_series){.name = peers[i].name,
                                      .points = {{SIZE_COMPARED, cost_ms(line->per_second)}},
                                      .n = 1};
    }
    chart_write(&chart, to);
}

/* ---- all of it ---- */

static void write_file(const char *path, const struct buf *text)
{
    int r = file_write(path, buf_slice(text), 0644);

    if (r)
        give_up(path, strerror(-r));
}

/* The rows that `one` measured come first in the table. */
static void add_one(struct scale *scale, const char *path, struct figures *to)
{
    struct refusal why;
    struct slice text;
    struct json array;

    if (!path)
        return;
    int r = file_read(path, REPORT_CAP, &scale->arena, &text);
    if (r)
        give_up(path, strerror(-r));
    if (json_check(text, REPORT_VALUES, &array, &why) || array.kind != JSON_ARRAY)
        give_up(path, "is no file of figures");
    figures_decode(array, &scale->arena, to);
}

void scale_report(struct scale *scale, const struct scale_report *report)
{
    struct figures figures = {.n = 0};
    CLEANUP(buf_release) struct buf text;

    add_one(scale, report->one, &figures);
    scale_figures(scale, &figures);
    figures_print(&figures);
    print_matrix(scale);
    print_sizes(scale);
    print_peers(&scale->peers);
    buf_init(&text, REPORT_CAP);
    if (report->json) {
        write_report(scale, &figures, &text);
        write_file(report->json, &text);
    }
    buf_clear(&text);
    if (report->chart) {
        write_chart(scale, &text);
        write_file(report->chart, &text);
    }
}
