/* SPDX-License-Identifier: MIT */
/*
 * Shares are rows of tables; one number drawn at random picks the row.
 */
#include "mix_inside.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>

/* Of 1,000 jobs. Only broadcasts can fail in part. */
#define FAILED_OF_MILLE     20
#define BROADCASTS_OF_MILLE 10
#define PARTIAL_OF_MILLE    5
#define BY_HOST_OF_MILLE    500 /* of the others; the rest goes to _any */

#define HOSTS_A_RACK   100u
#define TEXT_CAP       ((size_t)64 << 10)
#define LIMIT_QUERY_US (60 * US_PER_S)
#define LIMIT_EXEC_US  (30 * US_PER_S)
#define START_BY_US    (30 * US_PER_S)
#define OPEN_UNTIL_US  (24 * 3600 * US_PER_S)

/* ---- operations, users, failures ---- */

static const struct mix_operation *draw_operation(struct mix *mix,
                                                  const struct mix_operation *among)
{
    uint32_t left = mix_draw_below(mix, MILLE);

    while (left >= among->of_mille)
        left -= (among++)->of_mille;
    return among;
}

static const struct {
    const char *name;
    unsigned of_mille;
} users[] = {
    {"ci", 300},   {"alice", 200}, {"monitoring", 200}, {"bob", 100},  {"deploy", 80},
    {"carol", 50}, {"dave", 30},   {"erin", 20},        {"frank", 10}, {"admin", 10},
};

static const char *draw_user(struct mix *mix)
{
    uint32_t left = mix_draw_below(mix, MILLE);
    size_t i = 0;

    while (left >= users[i].of_mille)
        left -= users[i++].of_mille;
    return users[i].name;
}

struct failure {
    enum run_code code;
    unsigned of_mille;
    bool presumed, started;
    const char *error;
};

static const struct failure failures[] = {
    {run_code_ERROR, 640, false, true, "the program ended with exit status 1"},
    {run_code_TIMEOUT, 120, false, true, "its time was up: killed after 30 s"},
    {run_code_EXPIRED, 100, true, false, "not started before its deadline"},
    {run_code_INTERRUPTED, 50, false, true, "the agent ended while this ran"},
    {run_code_LOST, 30, true, true, "the host went silent while this ran"},
    {run_code_CANCELLED, 20, false, false, "cancelled"},
    {run_code_REFUSED, 40, false, false, "the host's own policy forbids this operation"},
};

static enum run_code draw_code(struct mix *mix)
{
    uint32_t left = mix_draw_below(mix, MILLE);
    size_t i = 0;

    while (left >= failures[i].of_mille)
        left -= failures[i++].of_mille;
    return failures[i].code;
}

static const struct failure *failure_of(enum run_code code)
{
    size_t i = 0;

    while (failures[i].code != code)
        i++;
    return &failures[i];
}

/* ---- agents ---- */

void mix_hostname(host_number host, char ret[MIX_NAME_SIZE])
{
    snprintf(ret, MIX_NAME_SIZE, "web-%04u", (unsigned)host);
}

void mix_machine_id(host_number host, char ret[MIX_MACHINE_ID_SIZE])
{
    snprintf(ret, MIX_MACHINE_ID_SIZE, "%032x", (unsigned)host);
}

static unsigned rack_of(host_number host)
{
    return (host - 1) / HOSTS_A_RACK + 1;
}

struct record mix_agent(struct mix *mix, host_number host)
{
    mix_hostname(host, mix->hostname);
    mix_machine_id(host, mix->machine_id);
    buf_clear(&mix->labels);
    buf_printf(&mix->labels, "{\"group\":\"web.%s\",\"rack\":\"r%03u\"}",
               rack_of(host) % 4 ? "prod" : "dev", rack_of(host));
    return (struct record){
        .kind = RECORD_AGENT,
        .time_us = mix->is.begin_us,
        .agent = {.host = host,
                  .machine_id = mix->machine_id,
                  .hostname = mix->hostname,
                  .labels = buf_slice(&mix->labels),
                  .epoch = 1},
    };
}

/* ---- jobs ---- */

/* RFC 9562 §5.7 with the fraction of the millisecond in rand_a (§6.2, method 3): as the core's ids
   are, but from the seed. */
static struct uuid make_id(struct mix *mix, int64_t created_us)
{
    uint64_t ms = (uint64_t)(created_us / US_PER_MS);
    uint64_t fraction = (uint64_t)(created_us % US_PER_MS) * 4096 / US_PER_MS;
    uint64_t high = ms << 16 | UINT64_C(7) << 12 | fraction;
    uint64_t low = UINT64_C(2) << 62 | mix_draw(mix) >> 2;
    struct uuid id;

    for (unsigned i = 0; i < 8; i++) {
        id.bytes[i] = (uint8_t)(high >> (56 - 8 * i));
        id.bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    return id;
}

/* One drawn host; the target names it, or is _any. */
static void aim_at_one(struct mix *mix, struct record_submitted *submitted)
{
    bool by_name = mix_draw_below(mix, MILLE) < BY_HOST_OF_MILLE;

    mix->hosts[0] = mix_draw_below(mix, mix->is.n_hosts) + 1;
    mix_hostname(mix->hosts[0], mix->target);
    submitted->n_hosts = 1;
    submitted->target.kind = by_name ? TARGET_HOST : TARGET_ANY;
    submitted->target.text = by_name ? slice_of(mix->target) : SLICE("_any");
}

/* A rack, by its label; one in ten is of the time when the fleet was that rack. */
static void aim_at_rack(struct mix *mix, struct record_submitted *submitted)
{
    uint32_t first = mix_draw_below(mix, mix->is.n_hosts) / HOSTS_A_RACK * HOSTS_A_RACK;
    uint32_t n = mix->is.n_hosts - first;
    bool all = mix_draw_below(mix, 10) == 0;

    submitted->n_hosts = n < MIX_BROADCAST_HOSTS ? n : MIX_BROADCAST_HOSTS;
    for (uint32_t i = 0; i < submitted->n_hosts; i++)
        mix->hosts[i] = first + i + 1;
    snprintf(mix->target, sizeof(mix->target), "rack:r%03u", rack_of(first + 1));
    submitted->target.kind = all ? TARGET_ALL : TARGET_LABEL;
    submitted->target.text = all ? SLICE("_all") : slice_of(mix->target);
}

static int64_t draw_created_us(struct mix *mix)
{
    double step_us = (double)mix->is.span_us / (double)mix->is.n_jobs;
    double at = (double)mix->n_made + (double)mix_draw_below(mix, MILLE) / (double)MILLE;

    return mix->is.begin_us + (int64_t)(at * step_us);
}

/* Which of its runs fail: all of a job that failed, some of a broadcast that failed in part. */
static void draw_ends(struct mix *mix, bool broadcast, struct mix_job *job)
{
    uint32_t drawn = mix_draw_below(mix, MILLE);

    job->n_runs = job->submitted.submitted.n_hosts;
    if (drawn < FAILED_OF_MILLE)
        job->n_failed = job->n_runs;
    else if (broadcast && mix_draw_below(mix, BROADCASTS_OF_MILLE) < PARTIAL_OF_MILLE)
        job->n_failed = job->n_runs > 1 ? 1 + mix_draw_below(mix, job->n_runs - 1) / 10 : 0;
    job->code = job->n_failed ? draw_code(mix) : run_code_NONE;
}

/* By how far a job is from the newest: the newest jobs of two ledgers are alike, whatever their
   size, and so are the pages that are compared. */
static void draw_from_here(struct mix *mix)
{
    mix->random = mix->is.seed + (mix->is.n_jobs - mix->n_made) * UINT64_C(0xd1342543de82ef95);
    mix->random = mix_draw(mix);
}

struct mix_job mix_job(struct mix *mix)
{
    draw_from_here(mix);
    int64_t created_us = draw_created_us(mix);
    bool is_open = mix->n_made + mix->is.n_open >= mix->is.n_jobs;
    bool broadcast = mix_draw_below(mix, MILLE) < BROADCASTS_OF_MILLE;
    const struct mix_operation *operation =
        draw_operation(mix, broadcast ? mix_broadcasts : mix_operations);
    const struct op *op = &op_catalog[operation->op];
    struct mix_job job = {
        .operation = operation,
        .submitted = {.kind = RECORD_SUBMITTED, .time_us = created_us},
    };
    struct record_submitted *submitted = &job.submitted.submitted;

    buf_clear(&mix->payload);
    operation->payload(mix, &mix->payload);
    *submitted = (struct record_submitted){
        .id = make_id(mix, created_us),
        .op = op,
        .data = buf_slice(&mix->payload),
        .user = draw_user(mix),
        .limit_us = op->class == CLASS_QUERY ? LIMIT_QUERY_US : LIMIT_EXEC_US,
        .start_by_us = created_us + (is_open ? OPEN_UNTIL_US : START_BY_US),
        .hosts = mix->hosts,
    };
    if (broadcast)
        aim_at_rack(mix, submitted);
    else
        aim_at_one(mix, submitted);
    if (!is_open)
        draw_ends(mix, broadcast, &job);
    mix->n_made++;
    return job;
}

static void outcome_succeed(struct mix *mix, const struct mix_job *job, struct record_run *run)
{
    bool is_query = job->submitted.submitted.op->class == CLASS_QUERY;

    buf_clear(&mix->result);
    job->operation->result(mix, &mix->result);
    run->to = (struct run_point){.state = run_state_COMPLETED};
    run->has_changed = true;
    run->changed = !is_query;
    run->data = buf_slice(&mix->result);
    run->by_agent = true;
}

static void outcome_fail(const struct mix_job *job, struct record_run *run)
{
    const struct failure *failure = failure_of(job->code);

    run->to = (struct run_point){
        .state = run_state_FAILED, .code = job->code, .presumed = failure->presumed};
    run->error = slice_of(failure->error);
    run->by_agent = !failure->presumed;
    if (!failure->started)
        run->started_us = 0;
}

struct record mix_outcome(struct mix *mix, const struct mix_job *job, uint64_t seq, uint32_t run)
{
    int64_t created_us = job->submitted.time_us;
    int64_t began_us = created_us + 200 + mix_draw_below(mix, 800);
    int64_t ended_us = began_us + 500 + mix_draw_below(mix, 5000);
    struct record record = {
        .kind = RECORD_FINISHED,
        .time_us = ended_us + 100,
        .run = {.seq = seq,
                .run = run,
                .acknowledged_us = began_us,
                .started_us = began_us,
                .finished_us = ended_us},
    };

    if (run < job->n_failed)
        outcome_fail(job, &record.run);
    else
        outcome_succeed(mix, job, &record.run);
    return record;
}

/* ---- the mix ---- */

void mix_init(struct mix *mix, const struct mix_options *options)
{
    *mix = (struct mix){.is = *options, .random = options->seed};
    assert(options->n_hosts > 0 && options->n_jobs > 0);
    buf_init(&mix->logs, 2 * MIX_LOGS_SIZE);
    buf_init(&mix->payload, TEXT_CAP);
    buf_init(&mix->result, TEXT_CAP);
    buf_init(&mix->labels, TEXT_CAP);
    mix_write_logs(mix);
}

void mix_release(struct mix *mix)
{
    buf_release(&mix->logs);
    buf_release(&mix->payload);
    buf_release(&mix->result);
    buf_release(&mix->labels);
}
