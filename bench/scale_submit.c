/* SPDX-License-Identifier: MIT */
/*
 * A ledger that changes: pages of it meanwhile, and how fast it takes jobs.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "changes.h"
#include "client.h"
#include "durable.h"
#include "echo.h"
#include "ledger/ledger.h"
#include "mix.h"
#include "process.h"
#include "scale.h"

#include <inttypes.h>
#include <unistd.h>

#define COMMANDS_PER_SECOND 500 /* 1,000 state changes */
#define READY_US            (20 * US_PER_S)
#define PAUSE_US            (20 * US_PER_MS)
#define SETTLE_US           (200 * US_PER_MS) /* until what was submitted is done */
#define SUBMIT_SLICE_US     US_PER_S
#define BATCH_TURNS         200
#define BATCH_LEDGER_JOBS   100000

/* ---- the changing ledger ---- */

static void wait_for_agent(const struct controller *controller)
{
    static struct client client;
    int64_t until_us = clock_boot_us() + READY_US;

    client_open(&client, controller->url, controller->token);
    while (client_ask(&client, "GET", "/agent/web-0001", NULL) != 200 ||
           !strstr(client.body.at, "\"Ready\"")) {
        if (clock_boot_us() > until_us)
            give_up("the agent does not become ready", controller->url);
        usleep(PAUSE_US);
    }
    client_close(&client);
}

static uint64_t count_jobs(const struct controller *controller)
{
    static const char member[] = "\"total_items\":";
    static struct client client;

    client_open(&client, controller->url, controller->token);
    if (client_ask(&client, "GET", "/job?limit=1", NULL) != 200)
        give_up("the newest page", client.body.at);
    const char *at = strstr(client.body.at, member);
    if (!at)
        give_up("the newest page", "has no total");
    uint64_t n = strtoull(at + strlen(member), NULL, 10);
    client_close(&client);
    return n;
}

struct served {
    struct controller controller;
    pid_t echo;
};

/* On a ledger of the compared size of its own, `name` in the scratch directory, with an agent. */
static void serve(struct scale *scale, const char *name, unsigned loops, struct served *ret)
{
    const char *bus = arena_printf(&scale->arena, "%s/bus", scale->scratch);
    const char *address = arena_printf(&scale->arena, "unix:%s/%s", bus, name);
    const char *state = arena_printf(&scale->arena, "%s/%s", scale->scratch, name);

    scale_fill(scale, state, SIZE_COMPARED);
    int r = dir_make(bus, 0700);
    if (r)
        give_up(bus, strerror(-r));
    file_make_warm(arena_printf(&scale->arena, "%s/ledger/data.mdb", state));
    ret->echo = echo_start(address);
    controller_start(&ret->controller, &(struct controller_options){.programs = scale->programs,
                                                                    .state = state,
                                                                    .log = scale->log,
                                                                    .bus = address,
                                                                    .loops = loops});
    wait_for_agent(&ret->controller);
}

static void serve_end(const struct served *served)
{
    controller_stop(&served->controller);
    process_stop(served->echo);
}

/* ---- pages while it changes ---- */

static const enum list_case changing_cases[] = {CASE_RANDOM, CASE_SAME, CASE_FILTERS, CASE_SUMMARY,
                                                CASE_SUMMARY_FILTERS};

/* The peer's page is asked for while nothing changes. */
static int64_t measure_changing_round(struct scale *scale, const struct served *served,
                                      struct asked *asked, pid_t changes)
{
    changes_pause(changes);
    usleep(SETTLE_US);
    scale_ask_nginx(scale, &scale->changing.nginx);
    changes_resume(changes);
    int64_t began_us = clock_boot_us();
    for (size_t i = 0; i < COUNT_OF(changing_cases); i++) {
        enum list_case list_case = changing_cases[i];
        scale_ask(scale, &served->controller, asked, list_case, &scale->changing.cases[list_case]);
    }
    return clock_boot_us() - began_us;
}

void scale_measure_changing(struct scale *scale)
{
    struct served served;
    int64_t took_us = 0;

    serve(scale, "changing", 1, &served);
    struct asked asked = scale_asked(&served.controller, SIZE_COMPARED);
    scale_warm_up(&served.controller, &asked);
    pid_t changes = changes_start(&served.controller, COMMANDS_PER_SECOND);
    uint64_t n_before = count_jobs(&served.controller);
    for (unsigned round = 0; round < scale->n_rounds; round++) {
        fprintf(stderr, "lists under changes: round %u of %u\n", round + 1, scale->n_rounds);
        took_us += measure_changing_round(scale, &served, &asked, changes);
    }
    uint64_t n_made = count_jobs(&served.controller) - n_before;
    scale->changing.changes_per_second =
        (double)(n_made * CHANGES_A_COMMAND) * (double)US_PER_S / (double)took_us;
    process_stop(changes);
    serve_end(&served);
    if (scale->has_nginx)
        peers_stop_nginx(&scale->peers);
}

/* ---- submissions ---- */

static void submit(const struct served *served, load_request *request, unsigned n_clients,
                   struct case_samples *to)
{
    struct controller controller = served->controller;
    const struct load load = {
        .port = controller.port,
        .n_connections = n_clients,
        .for_us = SUBMIT_SLICE_US,
        .request = request,
        .owner = &controller,
    };

    scale_sample(&load, to);
    usleep(SETTLE_US);
}

/* ---- commits, in this process ---- */

struct batcher {
    struct ledger *ledger;
    struct mix mix;
};

static void batcher_open(struct scale *scale, struct batcher *batcher)
{
    const char *state = arena_printf(&scale->arena, "%s/batches", scale->scratch);
    struct refusal why = {.text = ""};
    const struct mix_options options = {
        .seed = 2,
        .n_jobs = (uint64_t)BATCH_JOBS * BATCH_TURNS,
        .n_hosts = 1000,
        .begin_us = clock_now_us(),
        .span_us = US_PER_S,
    };

    scale_fill(scale, state, BATCH_LEDGER_JOBS);
    if (ledger_open(arena_printf(&scale->arena, "%s/ledger", state), &batcher->ledger, &why))
        give_up(state, why.text);
    mix_init(&batcher->mix, &options);
}

static void batcher_close(struct batcher *batcher)
{
    mix_release(&batcher->mix);
    ledger_close(batcher->ledger);
}

static void commit_batch(struct batcher *batcher)
{
    struct ledger_effect effect;
    int r = ledger_begin(batcher->ledger);

    for (unsigned i = 0; !r && i < BATCH_JOBS; i++) {
        struct mix_job job = mix_job(&batcher->mix);
        r = ledger_apply(batcher->ledger, &job.submitted, &effect);
    }
    if (!r)
        r = ledger_commit(batcher->ledger);
    if (r)
        give_up("a batch", r < 0 ? fault_text() : outcome_sentence((enum outcome)r));
}

static void measure_commits(struct scale *scale)
{
    struct submitting *to = &scale->submitting;
    struct durable durable;
    struct batcher batcher;

    durable_open(&durable, scale->scratch);
    batcher_open(scale, &batcher);
    for (unsigned i = 0; i < BATCH_TURNS; i++) {
        int64_t began_us = clock_boot_us();
        durable_append(&durable);
        series_add(&to->syncs, began_us);
        began_us = clock_boot_us();
        commit_batch(&batcher);
        series_add(&to->batches, began_us);
        began_us = clock_boot_us();
        durable_commit(&durable, 1);
        series_add(&to->commits, began_us);
    }
    batcher_close(&batcher);
    durable_remove(&durable);
}

void scale_measure_submitting(struct scale *scale)
{
    struct submitting *to = &scale->submitting;
    struct served served;

    serve(scale, "submitting", 0, &served);
    for (unsigned round = 0; round < scale->n_rounds; round++) {
        fprintf(stderr, "submissions: round %u of %u\n", round + 1, scale->n_rounds);
        for (unsigned i = 0; i < CLIENT_COUNTS; i++) {
            submit(&served, changes_request, scale_client_counts[i], &to->commands[i]);
            submit(&served, changes_query, scale_client_counts[i], &to->queries[i]);
        }
    }
    serve_end(&served);
    measure_commits(scale);
}
