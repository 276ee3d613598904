/* SPDX-License-Identifier: MIT */
/*
 * The tests' ledger.
 */
#include "ledger/fixture.h"

#include "base/json.h"
#include "base/mem.h"
#include "ledger/verify.h"

#include <ftw.h>
#include <inttypes.h>
#include <unistd.h>

#define N_STEPS 100000u

static const struct ledger_options no_sync = {.no_sync = true};

void fixture_make_dir(struct fixture *fixture)
{
    const char *parent = getenv("TMPDIR");

    snprintf(fixture->dir, sizeof(fixture->dir), "%s/reeve-ledger-XXXXXX",
             parent ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture->dir));
}

static int remove_entry(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
    (void)stat;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void fixture_remove_dir(struct fixture *fixture)
{
    assert_int_equal(nftw(fixture->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void fixture_open(struct fixture *fixture)
{
    struct refusal why;
    int r = ledger_open_with(fixture->dir, &no_sync, &fixture->ledger, &why);

    if (r)
        fail_msg("%s", why.text);
    assert_int_equal(ledger_reader_open(fixture->ledger, &fixture->reader), 0);
}

void fixture_make(struct fixture *fixture)
{
    *fixture = (struct fixture){.now_us = FIXTURE_START_US};
    buf_init(&fixture->text, (size_t)64 << 20);
    fixture_make_dir(fixture);
    fixture_open(fixture);
}

void fixture_release(struct fixture *fixture)
{
    ledger_reader_close(fixture->reader);
    ledger_close(fixture->ledger);
    buf_release(&fixture->text);
    fixture_remove_dir(fixture);
}

void fixture_reopen(struct fixture *fixture, bool orderly)
{
    ledger_reader_close(fixture->reader);
    if (orderly)
        ledger_close(fixture->ledger);
    else
        ledger_drop(fixture->ledger);
    fixture_open(fixture);
}

uint32_t fixture_steps(void)
{
    const char *text = getenv("REEVE_STEPS");

    return text ? (uint32_t)strtoul(text, NULL, 10) : N_STEPS;
}

uint64_t fixture_seed(void)
{
    const char *text = getenv("REEVE_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : random_u64() | 1;

    print_message("REEVE_SEED=%" PRIu64 "\n", seed);
    fflush(stdout); /* a sanitizer ends a test without it */
    return seed;
}

void fixture_expect_sound(const struct fixture *fixture)
{
    struct verify_report report;
    struct refusal why = {.text = ""};

    if (ledger_verify(fixture->dir, &report, &why))
        fail_msg("%s", why.text);
    if (report.n_findings)
        fail_msg("%u findings, the first: %s", (unsigned)report.n_findings, report.shown[0]);
}

int fixture_try(struct fixture *fixture, struct record *record, struct ledger_effect *ret)
{
    if (record->time_us == 0) {
        record->time_us = fixture->now_us;
        fixture->now_us += US_PER_MS;
    }
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    int r = ledger_apply(fixture->ledger, record, ret);
    assert_int_equal(ledger_commit(fixture->ledger), 0);
    return r;
}

struct ledger_effect fixture_apply(struct fixture *fixture, struct record record)
{
    struct ledger_effect effect;
    int r = fixture_try(fixture, &record, &effect);

    if (r)
        fail_msg("a record of kind %d was refused: %d", (int)record.kind, r);
    return effect;
}

void fixture_add_hosts(struct fixture *fixture, uint32_t n)
{
    for (uint32_t host = 1; host <= n; host++) {
        char machine_id[40], hostname[40];
        snprintf(machine_id, sizeof(machine_id), "%032x", (unsigned)host);
        snprintf(hostname, sizeof(hostname), "web-%02u", (unsigned)host);
        fixture_apply(fixture, (struct record){.kind = RECORD_AGENT,
                                               .agent = {.host = host,
                                                         .machine_id = machine_id,
                                                         .hostname = hostname,
                                                         .labels = SLICE("{}"),
                                                         .epoch = 1}});
    }
}

struct fixture_job fixture_submit(struct fixture *fixture, enum target_kind kind, uint32_t n_hosts)
{
    static const char *const texts[] = {[TARGET_ANY] = "_any",
                                        [TARGET_ALL] = "_all",
                                        [TARGET_HOST] = "web-01",
                                        [TARGET_LABEL] = "group:web"};
    host_number hosts[2000];
    struct fixture_job job = {.id = uuid_make(fixture->now_us)};
    struct record record = {.kind = RECORD_SUBMITTED,
                            .submitted = {.id = job.id,
                                          .op = op_by_type("node.hostname.get"),
                                          .data = SLICE("{\"a\":1}"),
                                          .target = {.kind = kind, .text = slice_of(texts[kind])},
                                          .user = "alice",
                                          .limit_us = 60 * US_PER_S,
                                          .start_by_us = fixture->now_us + 30 * US_PER_S,
                                          .hosts = hosts,
                                          .n_hosts = n_hosts}};

    assert_true(n_hosts <= COUNT_OF(hosts));
    for (uint32_t i = 0; i < n_hosts; i++)
        hosts[i] = i + 1;
    job.seq = fixture_apply(fixture, record).seq;
    return job;
}

struct record record_run(enum record_kind kind, uint64_t seq, uint32_t run)
{
    return (struct record){.kind = kind, .run = {.seq = seq, .run = run, .by_agent = true}};
}

struct record record_finished(uint64_t seq, uint32_t run, enum run_state state, enum run_code code,
                              const char *error, const char *data)
{
    struct record record = record_run(RECORD_FINISHED, seq, run);

    record.run.to = (struct run_point){.state = state, .code = code};
    record.run.error = slice_of(error);
    record.run.data = slice_of(data);
    return record;
}

static void check_item(struct slice item)
{
    struct refusal why;

    if (schema_check(&job_item_schema, item, JSON_VALUES_MAX_RESULT, &why))
        fail_msg("%s: %s in %.*s", why.field, why.text, (int)item.size, item.at);
}

const char *fixture_item(struct fixture *fixture, const struct uuid *id)
{
    buf_clear(&fixture->text);
    assert_int_equal(ledger_item(fixture->reader, id, &fixture->text), 0);
    check_item(buf_slice(&fixture->text));
    return buf_text(&fixture->text);
}

struct ledger_page fixture_list(struct fixture *fixture, const struct ledger_filter *filter,
                                uint64_t offset, unsigned limit, const char **ret_items)
{
    struct ledger_question question = {.at = offset, .limit = limit};
    struct ledger_page page;
    struct refusal why;
    struct json items;
    unsigned n = 0;

    if (filter)
        question.filter = *filter;
    buf_clear(&fixture->text);
    int r = ledger_list(fixture->reader, &question, &page, &fixture->text);
    assert_int_equal(r, 0);
    assert_int_equal(json_check(buf_slice(&fixture->text), JSON_VALUES_MAX_RESULT, &items, &why),
                     0);
    for (struct json_walk walk = json_walk(items); json_next(&walk); n++)
        check_item(walk.value.text);
    assert_int_equal(n, page.n_items);
    if (ret_items)
        *ret_items = buf_text(&fixture->text);
    return page;
}
