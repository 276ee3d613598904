/* SPDX-License-Identifier: MIT */
/*
 * Shares are rows of tables; one number drawn at random picks the row.
 */
#include "mix.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>

#define MILLE 1000u

/* Of 1,000 jobs. Only broadcasts can fail in part. */
#define FAILED_OF_MILLE     20
#define BROADCASTS_OF_MILLE 10
#define PARTIAL_OF_MILLE    5
#define BY_HOST_OF_MILLE    500 /* of the others; the rest goes to _any */

#define HOSTS_A_RACK   100u
#define LOGS_SIZE      ((size_t)256 << 10)
#define DOCUMENT_MIN   3000.0
#define DOCUMENT_MAX   12000.0
#define TEXT_CAP       ((size_t)64 << 10)
#define LIMIT_QUERY_US (60 * US_PER_S)
#define LIMIT_EXEC_US  (30 * US_PER_S)
#define START_BY_US    (30 * US_PER_S)
#define OPEN_UNTIL_US  (24 * 3600 * US_PER_S)

/* ---- chance ---- */

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014). */
static uint64_t draw(struct mix *mix)
{
    uint64_t z = mix->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint32_t draw_below(struct mix *mix, uint32_t n)
{
    return (uint32_t)((draw(mix) >> 32) * n >> 32);
}

/* Small ones more often: evenly by their logarithm. */
static uint32_t draw_size(struct mix *mix, double min, double max)
{
    double part = (double)(draw(mix) >> 11) / (double)(UINT64_C(1) << 53);

    return (uint32_t)(min * pow(max / min, part));
}

/* ---- operations ---- */

typedef void write_json(struct mix *mix, struct buf *to);

struct mix_operation {
    enum op_id op;
    unsigned of_mille;
    write_json *payload, *result;
};

static void write_nothing(struct mix *mix, struct buf *to)
{
    (void)mix;
    buf_add_text(to, "{}");
}

static void write_load_average(struct mix *mix, struct buf *to)
{
    buf_printf(to, "\"load_average\":{\"1min\":%u.%02u,\"5min\":0.%02u,\"15min\":0.%02u}",
               draw_below(mix, 4), draw_below(mix, 100), draw_below(mix, 100),
               draw_below(mix, 100));
}

static void write_memory_member(struct mix *mix, struct buf *to)
{
    unsigned used_mb = 1000 + draw_below(mix, 30000);

    buf_printf(to,
               "\"memory\":{\"total\":33554432000,\"free\":%u000000,\"used\":%u000000,"
               "\"available\":%u000000}",
               32000 - used_mb, used_mb, 33000 - used_mb);
}

static void write_disks(struct mix *mix, struct buf *to)
{
    unsigned used_mb = 10000 + draw_below(mix, 90000);

    buf_printf(to,
               "\"disks\":[{\"name\":\"/\",\"total\":107374182400,\"used\":%u000000,"
               "\"free\":%u000000,\"device\":\"/dev/vda1\",\"fstype\":\"ext4\"}]",
               used_mb, 107374 - used_mb);
}

static void write_os(struct mix *mix, struct buf *to)
{
    buf_printf(to, "\"os_info\":{\"distribution\":\"debian\",\"version\":\"%u\"}",
               12 + draw_below(mix, 2));
}

static void write_uptime(struct mix *mix, struct buf *to)
{
    buf_printf(to, "\"uptime\":\"%uh%um%us\"", draw_below(mix, 2000), draw_below(mix, 60),
               draw_below(mix, 60));
}

static void write_object(struct mix *mix, struct buf *to, write_json *member)
{
    buf_add_text(to, "{");
    member(mix, to);
    buf_add_text(to, "}");
}

static void result_load(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_load_average);
}

static void result_memory(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_memory_member);
}

static void result_disk(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_disks);
}

static void result_os(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_os);
}

static void result_uptime(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_uptime);
}

static void result_status(struct mix *mix, struct buf *to)
{
    static write_json *const members[] = {write_load_average, write_memory_member, write_os,
                                          write_disks};

    buf_add_text(to, "{");
    write_uptime(mix, to);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        buf_add_text(to, ",");
        members[i](mix, to);
    }
    buf_add_text(to, "}");
}

static void result_hostname(struct mix *mix, struct buf *to)
{
    buf_printf(to, "{\"labels\":{\"group\":\"web.%s\"}}", draw_below(mix, 4) ? "prod" : "dev");
}

static void payload_exec(struct mix *mix, struct buf *to)
{
    buf_printf(to,
               "{\"command\":\"systemctl\",\"args\":[\"is-active\",\"worker@%u\"],\"timeout\":30}",
               draw_below(mix, 16));
}

static void payload_shell(struct mix *mix, struct buf *to)
{
    buf_printf(to, "{\"command\":\"pgrep -c worker-%u || true\",\"timeout\":30}",
               draw_below(mix, 16));
}

static void payload_document(struct mix *mix, struct buf *to)
{
    buf_printf(to,
               "{\"command\":\"journalctl\",\"args\":[\"-u\",\"worker@%u\",\"-n\",\"100\"],"
               "\"timeout\":30}",
               draw_below(mix, 16));
}

static void write_output(struct mix *mix, struct buf *to, struct slice out)
{
    buf_add_text(to, "{\"stdout\":\"");
    buf_add_slice(to, out);
    buf_printf(to, "\",\"stderr\":\"\",\"exit_code\":0,\"duration_ms\":%u}",
               2 + draw_below(mix, 60));
}

static void result_exec(struct mix *mix, struct buf *to)
{
    write_output(mix, to, SLICE("active\\n"));
}

static void result_shell(struct mix *mix, struct buf *to)
{
    write_output(mix, to, SLICE("4\\n"));
}

static void result_document(struct mix *mix, struct buf *to)
{
    uint32_t size = draw_size(mix, DOCUMENT_MIN, DOCUMENT_MAX);
    uint32_t from = draw_below(mix, (uint32_t)(LOGS_SIZE - (size_t)DOCUMENT_MAX));
    const char *at = mix->logs.at + from;

    /* Never inside an escape: those stand at the ends of lines, as \n. */
    while (at[-1] == '\\' || at[size - 1] == '\\')
        at++;
    write_output(mix, to, (struct slice){.at = at, .size = size});
}

static const struct mix_operation operations[] = {
    {OP_node_status, 150, write_nothing, result_status},
    {OP_node_hostname, 150, write_nothing, result_hostname},
    {OP_node_uptime, 150, write_nothing, result_uptime},
    {OP_node_load, 130, write_nothing, result_load},
    {OP_node_memory, 110, write_nothing, result_memory},
    {OP_node_disk, 80, write_nothing, result_disk},
    {OP_node_os, 60, write_nothing, result_os},
    {OP_command_exec, 100, payload_document, result_document},
    {OP_command_exec, 50, payload_exec, result_exec},
    {OP_command_shell, 20, payload_shell, result_shell},
};

/* Broadcasts ask for little, or the ledger would be made of them. */
static const struct mix_operation broadcasts[] = {
    {OP_node_uptime, 600, write_nothing, result_uptime},
    {OP_command_shell, 400, payload_shell, result_shell},
};

static const struct mix_operation *draw_operation(struct mix *mix,
                                                  const struct mix_operation *among)
{
    uint32_t left = draw_below(mix, MILLE);

    while (left >= among->of_mille)
        left -= (among++)->of_mille;
    return among;
}

/* ---- users, failures ---- */

static const struct {
    const char *name;
    unsigned of_mille;
} users[] = {
    {"ci", 300},   {"alice", 200}, {"monitoring", 200}, {"bob", 100},  {"deploy", 80},
    {"carol", 50}, {"dave", 30},   {"erin", 20},        {"frank", 10}, {"admin", 10},
};

static const char *draw_user(struct mix *mix)
{
    uint32_t left = draw_below(mix, MILLE);
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
    uint32_t left = draw_below(mix, MILLE);
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
    uint64_t low = UINT64_C(2) << 62 | draw(mix) >> 2;
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
    bool by_name = draw_below(mix, MILLE) < BY_HOST_OF_MILLE;

    mix->hosts[0] = draw_below(mix, mix->is.n_hosts) + 1;
    mix_hostname(mix->hosts[0], mix->target);
    submitted->n_hosts = 1;
    submitted->target.kind = by_name ? TARGET_HOST : TARGET_ANY;
    submitted->target.text = by_name ? slice_of(mix->target) : SLICE("_any");
}

/* A rack, by its label; one in ten is of the time when the fleet was that rack. */
static void aim_at_rack(struct mix *mix, struct record_submitted *submitted)
{
    uint32_t first = draw_below(mix, mix->is.n_hosts) / HOSTS_A_RACK * HOSTS_A_RACK;
    uint32_t n = mix->is.n_hosts - first;
    bool all = draw_below(mix, 10) == 0;

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
    double at = (double)mix->n_made + (double)draw_below(mix, MILLE) / (double)MILLE;

    return mix->is.begin_us + (int64_t)(at * step_us);
}

/* Which of its runs fail: all of a job that failed, some of a broadcast that failed in part. */
static void draw_ends(struct mix *mix, bool broadcast, struct mix_job *job)
{
    uint32_t drawn = draw_below(mix, MILLE);

    job->n_runs = job->submitted.submitted.n_hosts;
    if (drawn < FAILED_OF_MILLE)
        job->n_failed = job->n_runs;
    else if (broadcast && draw_below(mix, BROADCASTS_OF_MILLE) < PARTIAL_OF_MILLE)
        job->n_failed = job->n_runs > 1 ? 1 + draw_below(mix, job->n_runs - 1) / 10 : 0;
    job->code = job->n_failed ? draw_code(mix) : run_code_NONE;
}

struct mix_job mix_job(struct mix *mix)
{
    int64_t created_us = draw_created_us(mix);
    bool is_open = mix->n_made + mix->is.n_open >= mix->is.n_jobs;
    bool broadcast = draw_below(mix, MILLE) < BROADCASTS_OF_MILLE;
    const struct mix_operation *operation =
        draw_operation(mix, broadcast ? broadcasts : operations);
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
    int64_t began_us = created_us + 200 + draw_below(mix, 800);
    int64_t ended_us = began_us + 500 + draw_below(mix, 5000);
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

static void write_logs(struct mix *mix)
{
    while (mix->logs.size < LOGS_SIZE + (size_t)DOCUMENT_MAX)
        buf_printf(
            &mix->logs,
            "Nov 24 %02u:%02u:%02u web worker[%u]: request %08x served in %u ms, %u bytes\\n",
            draw_below(mix, 24), draw_below(mix, 60), draw_below(mix, 60),
            300 + draw_below(mix, 30000), (unsigned)draw(mix), draw_below(mix, 900),
            draw_below(mix, 90000));
}

void mix_init(struct mix *mix, const struct mix_options *options)
{
    *mix = (struct mix){.is = *options, .random = options->seed};
    assert(options->n_hosts > 0 && options->n_jobs > 0);
    buf_init(&mix->logs, 2 * LOGS_SIZE);
    buf_init(&mix->payload, TEXT_CAP);
    buf_init(&mix->result, TEXT_CAP);
    buf_init(&mix->labels, TEXT_CAP);
    buf_add_text(&mix->logs, "-- Journal --\\n");
    write_logs(mix);
}

void mix_release(struct mix *mix)
{
    buf_release(&mix->logs);
    buf_release(&mix->payload);
    buf_release(&mix->result);
    buf_release(&mix->labels);
}
