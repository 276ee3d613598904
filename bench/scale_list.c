/* SPDX-License-Identifier: MIT */
/*
 * Ledgers that nothing changes: cold, and then all sizes side by side.
 */
#include "scale.h"

#include "base/clock.h"
#include "base/mem.h"
#include "process.h"

#include <inttypes.h>

#define COLD_ROUNDS 3
#define COLD_PAGES  50 /* asked of a controller that has just started on a cold ledger */
#define ONE_LOOP    1  /* as many as nginx has workers */
#define FOR_US      (60 * US_PER_S) /* more than so many take */

static const char *ledger_file(struct scale *scale, const struct size *size)
{
    return arena_printf(&scale->arena, "%s/ledger/data.mdb", size->state);
}

static void start(const struct scale *scale, struct size *size)
{
    controller_start(&size->controller, &(struct controller_options){.programs = scale->programs,
                                                                     .state = size->state,
                                                                     .log = scale->log,
                                                                     .loops = ONE_LOOP});
    size->asked = scale_asked(&size->controller, size->n_jobs);
}

/* One client: so many pages in turn. */
static void ask_in_turn(struct size *size, enum list_case list_case, uint64_t n_pages,
                        struct load_result *ret)
{
    const struct load load = {
        .port = size->controller.port,
        .n_connections = 1,
        .for_us = FOR_US,
        .n_max = n_pages,
        .request = case_request,
        .owner = &size->asked,
    };

    size->asked.list_case = list_case;
    load_run(&load, ret);
}

static void measure_cold(struct scale *scale, struct size *size)
{
    static struct load_result pages;

    for (unsigned i = 0; i < COLD_ROUNDS; i++) {
        file_make_cold(ledger_file(scale, size));
        start(scale, size);
        samples_add(&size->ready_cold_us, (double)size->controller.start_us);
        ask_in_turn(size, CASE_RANDOM, COLD_PAGES, &pages);
        samples_add(&size->page_cold_p50_us, latency_percentile_us(&pages.latency, 50));
        samples_add(&size->page_cold_p99_us, latency_percentile_us(&pages.latency, 99));
        controller_stop(&size->controller);
    }
}

static void measure_new_filters(struct size *size)
{
    static struct load_result pages;

    ask_in_turn(size, CASE_NEW_FILTERS, CASE_NEW_FILTERS_N, &pages);
    size->new_filters = pages.latency;
}

static void start_warm(struct scale *scale, struct size *size)
{
    file_make_warm(ledger_file(scale, size));
    start(scale, size);
    size->anon_new = process_anon_size(size->controller.pid);
    measure_new_filters(size);
    scale_warm_up(&size->controller, &size->asked);
    scale_read_page(&size->controller, &size->asked, NULL);
}

static void start_nginx(struct scale *scale)
{
    const char *page = arena_printf(&scale->arena, "%s/page.json", scale->scratch);

    if (!scale->compared)
        return;
    scale_read_page(&scale->compared->controller, &scale->compared->asked, page);
    scale->has_nginx = peers_start_nginx(&scale->peers, page, &scale->nginx_port);
    if (!scale->has_nginx)
        fprintf(stderr, "nginx is not told: see peer.log in %s\n", scale->scratch);
}

static void ask_all(struct scale *scale, enum list_case list_case)
{
    for (size_t i = 0; i < scale->n_sizes; i++) {
        struct size *size = &scale->sizes[i];
        if (size == scale->compared && list_case == CASE_SAME)
            scale_ask_nginx(scale, &scale->nginx);
        scale_ask(scale, &size->controller, &size->asked, list_case, &size->cases[list_case]);
    }
}

void scale_measure_lists(struct scale *scale)
{
    for (size_t i = 0; i < scale->n_sizes; i++) {
        struct size *size = &scale->sizes[i];
        scale_fill(scale, size->state, size->n_jobs);
        size->disk_size = (double)file_disk_size(ledger_file(scale, size));
        fprintf(stderr, "%" PRIu64 " jobs, cold\n", size->n_jobs);
        measure_cold(scale, size);
    }
    for (size_t i = 0; i < scale->n_sizes; i++)
        start_warm(scale, &scale->sizes[i]);
    start_nginx(scale);
    for (unsigned round = 0; round < scale->n_rounds; round++) {
        fprintf(stderr, "lists: round %u of %u\n", round + 1, scale->n_rounds);
        for (enum list_case list_case = 0; list_case < CASE_COUNT; list_case++)
            ask_all(scale, list_case);
    }
    for (size_t i = 0; i < scale->n_sizes; i++) {
        struct size *size = &scale->sizes[i];
        size->anon_used = process_anon_size(size->controller.pid);
        controller_stop(&size->controller);
    }
}
