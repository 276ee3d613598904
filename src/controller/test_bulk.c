/* SPDX-License-Identifier: MIT */
/*
 * Plans of bulk actions on a real ledger, and what the core makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "controller/bulk_plan.h"

#include <ftw.h>

#define HOSTS 101

struct scene {
    char dir[64];
    struct ledger *ledger;
    struct ledger_reader *reader;
    struct call *call;
    struct bulk_plan plan;
    int64_t now_us;
};

static void apply(struct scene *scene, struct record record, uint64_t *ret_seq)
{
    struct ledger_effect effect;

    record.time_us = scene->now_us++;
    assert_int_equal(ledger_apply(scene->ledger, &record, &effect), 0);
    if (ret_seq)
        *ret_seq = effect.seq;
}

static void add_host(struct scene *scene, host_number host)
{
    char machine_id[40], hostname[40];

    snprintf(machine_id, sizeof(machine_id), "%032x", (unsigned)host);
    snprintf(hostname, sizeof(hostname), "web-%u", (unsigned)host);
    apply(scene,
          (struct record){.kind = RECORD_AGENT,
                          .agent = {.host = host,
                                    .machine_id = machine_id,
                                    .hostname = hostname,
                                    .labels = SLICE("{}"),
                                    .epoch = 1}},
          NULL);
}

static int set_up(void **state)
{
    static struct scene scene;
    struct refusal why;

    scene = (struct scene){.dir = "/tmp/reeve-bulk-XXXXXX", .now_us = clock_now_us()};
    assert_non_null(mkdtemp(scene.dir));
    assert_int_equal(ledger_open(scene.dir, &scene.ledger, &why), 0);
    assert_int_equal(ledger_reader_open(scene.ledger, &scene.reader), 0);
    assert_int_equal(ledger_begin(scene.ledger), 0);
    for (host_number host = 1; host <= HOSTS; host++)
        add_host(&scene, host);
    assert_int_equal(ledger_commit(scene.ledger), 0);
    *state = &scene;
    return 0;
}

static int remove_entry(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
    (void)stat;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    bulk_plan_release(&scene->plan);
    call_unref(scene->call);
    ledger_reader_close(scene->reader);
    ledger_close(scene->ledger);
    return nftw(scene->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- jobs ---- */

struct asked {
    const char *operation, *data, *target;
    bool sensitive, sealed;
};

static const struct asked query = {
    .operation = "node.hostname.get", .data = "{}", .target = "web-1"};

/* On host 1, whatever the target is. */
static uint64_t submit(struct scene *scene, const struct asked *asked)
{
    static const host_number hosts[] = {1};
    static const struct slice sealed[] = {{.at = "sealed", .size = 6}};
    struct record record = {
        .kind = RECORD_SUBMITTED,
        .submitted =
            {
                .id = uuid_make(scene->now_us),
                .op = op_by_type(asked->operation),
                .data = slice_of(asked->data),
                .sensitive = asked->sensitive,
                .sealed = asked->sealed ? sealed : NULL,
                .user = "ann",
                .limit_us = 60 * US_PER_S,
                .start_by_us = scene->now_us + 3600 * US_PER_S,
                .hosts = hosts,
                .n_hosts = 1,
            },
    };
    uint64_t seq;

    assert_int_equal(target_parse(slice_of(asked->target), &record.submitted.target, NULL), 0);
    apply(scene, record, &seq);
    return seq;
}

static uint64_t submit_many(struct scene *scene, unsigned n, const struct asked *asked)
{
    uint64_t seq = 0;

    assert_int_equal(ledger_begin(scene->ledger), 0);
    for (unsigned i = 0; i < n; i++)
        seq = submit(scene, asked);
    assert_int_equal(ledger_commit(scene->ledger), 0);
    return seq;
}

/* ---- plans ---- */

static int plan_from(struct scene *scene, enum bulk_action action, unsigned limit,
                     uint64_t older_than, uint32_t n_agents)
{
    struct call *call = call_new(CALL_BULK);

    bulk_plan_release(&scene->plan);
    call_unref(scene->call);
    scene->call = call;
    call->id = uuid_make(scene->now_us);
    call->bulk.action = action;
    call->bulk.limit = limit;
    call->bulk.older_than = older_than;
    call->bulk.token = arena_alloc(&call->arena, sizeof(*call->bulk.token));
    call->bulk.token->permissions = role_permissions(ROLE_WRITE);
    snprintf(call->bulk.token->subject, sizeof(call->bulk.token->subject), "bob");
    bulk_plan_init(&scene->plan, call, n_agents);
    return bulk_plan_make(&scene->plan, scene->reader);
}

static int plan(struct scene *scene, enum bulk_action action)
{
    return plan_from(scene, action, 10000, UINT64_MAX, 1);
}

static void jobs_are_found_newest_first_and_up_to_the_limit(void **state)
{
    struct scene *scene = *state;
    uint64_t newest = submit_many(scene, 250, &query);

    assert_int_equal(plan_from(scene, BULK_DELETE, 120, UINT64_MAX, 1), 0);
    assert_int_equal(scene->plan.n, 120);
    for (unsigned i = 0; i < 120; i++)
        assert_int_equal(scene->plan.jobs[i].seq, newest - i);
    assert_int_equal(scene->call->bulk.matched, 250);
    assert_int_equal(scene->call->bulk.next, newest - 119);
    assert_int_equal(plan_from(scene, BULK_DELETE, 200, newest - 119, 1), 0);
    assert_int_equal(scene->plan.n, 130);
    assert_int_equal(scene->plan.jobs[0].seq, newest - 120);
    assert_int_equal(scene->call->bulk.next, 0);
}

static void what_cant_be_submitted_again_is_left_out(void **state)
{
    static const struct asked others[] = {
        {"node.hostname.get", "\"***\"", "web-1", .sensitive = true},
        {"node.hostname.get", "{}", "web-1", .sealed = true},
        {"node.hostname.get", "{\"colour\":1}", "web-1", .sealed = false},
    };
    struct scene *scene = *state;
    uint64_t seq = submit_many(scene, 1, &query);

    for (size_t i = 0; i < COUNT_OF(others); i++)
        submit_many(scene, 1, &others[i]);
    assert_int_equal(plan(scene, BULK_RETRY), 0);
    assert_int_equal(scene->plan.n, 1);
    assert_int_equal(scene->plan.jobs[0].seq, seq);
    assert_int_equal(scene->call->bulk.matched, 1 + COUNT_OF(others));
    assert_int_equal(plan(scene, BULK_DELETE), 0);
    assert_int_equal(scene->plan.n, 1 + COUNT_OF(others));
}

static void a_permission_that_is_missing_refuses_the_whole(void **state)
{
    static const struct asked command = {
        .operation = "command.shell.execute", .data = "{\"command\":\"true\"}", .target = "web-1"};
    struct scene *scene = *state;

    submit_many(scene, 3, &query);
    assert_int_equal(plan(scene, BULK_CANCEL), 0);
    submit_many(scene, 1, &command);
    for (enum bulk_action action = 0; action < BULK_ACTION_COUNT; action++) {
        assert_int_equal(plan(scene, action), OUTCOME_FORBIDDEN);
        assert_non_null(strstr(scene->plan.errand.why.text, "command:execute"));
    }
}

static void a_plan_ends_with_so_many_labels(void **state)
{
    struct scene *scene = *state;
    char label[32];
    struct asked asked = query;

    asked.target = label;
    for (unsigned i = 0; i <= BULK_SHARED_MAX; i++) {
        snprintf(label, sizeof(label), "group:g%u", i);
        submit_many(scene, 2, &asked);
    }
    assert_int_equal(plan(scene, BULK_RETRY), 0);
    assert_int_equal(scene->plan.n_shared, BULK_SHARED_MAX);
    assert_int_equal(scene->plan.n, 2 * BULK_SHARED_MAX - 1);
    assert_int_equal(plan_from(scene, BULK_RETRY, 10000, scene->call->bulk.next, 1), 0);
    assert_int_equal(scene->plan.n, 3);
    assert_int_equal(scene->plan.n_shared, 2);
    assert_int_equal(scene->call->bulk.next, 0);
}

static void choosing_for_any_in_a_large_fleet_is_bounded(void **state)
{
    struct scene *scene = *state;
    struct asked asked = query;

    asked.target = "_any";
    submit_many(scene, 20, &asked);
    assert_int_equal(plan_from(scene, BULK_RETRY, 10000, UINT64_MAX, BULK_CHOICES_MAX / 10), 0);
    assert_int_equal(scene->plan.n, 10);
    assert_int_not_equal(scene->call->bulk.next, 0);
}

static void payloads_are_bounded_together(void **state)
{
    struct scene *scene = *state;
    size_t size = 60000, n = BULK_BYTES_MAX / size + 10;
    struct asked asked = {.operation = "command.shell.execute", .target = "web-1"};
    CLEANUP(buf_release) struct buf data;

    buf_init(&data, 2 * size);
    buf_printf(&data, "{\"command\":\"%0*d\"}", (int)size, 1);
    asked.data = buf_text(&data);
    submit_many(scene, (unsigned)n, &asked);
    plan(scene, BULK_CANCEL); /* makes the call */
    scene->call->bulk.action = BULK_RETRY;
    scene->call->bulk.older_than = UINT64_MAX;
    scene->call->bulk.token->permissions = role_permissions(ROLE_ADMIN);
    bulk_plan_release(&scene->plan);
    bulk_plan_init(&scene->plan, scene->call, 1);
    assert_int_equal(bulk_plan_make(&scene->plan, scene->reader), 0);
    assert_in_range(scene->plan.arena.allocated, BULK_BYTES_MAX, BULK_BYTES_MAX + 4 * size);
    assert_in_range(scene->plan.n, n - 100, n - 1);
    assert_int_not_equal(scene->call->bulk.next, 0);
}

/* ---- in the core ---- */

static struct core *open_core(struct scene *scene)
{
    static const struct seal_key key;
    struct refusal why;
    struct core *core;

    assert_int_equal(core_open(scene->ledger, &key, NULL, &core, &why), 0);
    return core;
}

static int run(struct scene *scene, struct core *core)
{
    assert_int_equal(core_start(core, NULL), 0);
    int r = core_do(core, &scene->plan.errand);
    assert_int_equal(core_stop(core), 0);
    core_close(core);
    return r;
}

static uint64_t total(struct scene *scene)
{
    struct ledger_page page;

    assert_int_equal(ledger_counts(scene->reader, &page), 0);
    return page.total;
}

static void jobs_that_have_changed_are_left_alone(void **state)
{
    for (enum bulk_action action = 0; action < BULK_ACTION_COUNT; action++) {
        struct scene *scene = *state;
        uint64_t seq = submit_many(scene, 3, &query);
        struct core *core = open_core(scene);

        assert_int_equal(plan_from(scene, action, 3, UINT64_MAX, 1), 0);
        assert_int_equal(ledger_begin(scene->ledger), 0);
        apply(
            scene,
            (struct record){
                .kind = RECORD_ACKNOWLEDGED,
                .run = {.seq = seq - 1, .to = {.state = run_state_ACKNOWLEDGED}, .by_agent = true}},
            NULL);
        assert_int_equal(ledger_commit(scene->ledger), 0);
        assert_int_equal(run(scene, core), 0);
        assert_int_equal(scene->plan.n, 3);
        assert_int_equal(scene->plan.n_taken, 2);
    }
}

static void new_jobs_have_the_order_of_the_old(void **state)
{
    struct scene *scene = *state;
    struct asked asked = query;
    struct ledger_job job;
    CLEANUP(arena_release) struct arena arena = {0};
    char target[16];

    asked.target = target;
    for (unsigned i = 1; i <= 3; i++) {
        snprintf(target, sizeof(target), "web-%u", i);
        submit_many(scene, 1, &asked);
    }
    assert_int_equal(plan(scene, BULK_RETRY), 0);
    assert_int_equal(run(scene, open_core(scene)), 0);
    assert_int_equal(scene->plan.n_taken, 3);
    assert_int_equal(plan(scene, BULK_CANCEL), 0);
    assert_int_equal(scene->plan.n, 6);
    for (unsigned i = 0; i < 6; i++) {
        snprintf(target, sizeof(target), "web-%u", 3 - i % 3);
        assert_int_equal(ledger_job(scene->reader, &scene->plan.jobs[i].id, &arena, &job), 0);
        assert_string_equal(job.target, target);
        assert_string_equal(job.user, i < 3 ? "bob" : "ann");
    }
}

static void what_there_is_no_room_for_changes_nothing(void **state)
{
    struct scene *scene = *state;
    struct asked asked = query;

    asked.target = "_all"; /* of which there are more now than when they were submitted */
    submit_many(scene, CORE_RUNS_MAX / HOSTS + 1, &asked);
    uint64_t before = total(scene);
    assert_int_equal(plan(scene, BULK_RETRY), 0);
    assert_int_equal(run(scene, open_core(scene)), OUTCOME_BUSY);
    assert_int_equal(total(scene), before);
    assert_int_equal(plan_from(scene, BULK_RETRY, 10, UINT64_MAX, 1), 0);
    assert_int_equal(run(scene, open_core(scene)), 0);
    assert_int_equal(total(scene), before + 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(jobs_are_found_newest_first_and_up_to_the_limit),
        TEST(what_cant_be_submitted_again_is_left_out),
        TEST(a_permission_that_is_missing_refuses_the_whole),
        TEST(a_plan_ends_with_so_many_labels),
        TEST(choosing_for_any_in_a_large_fleet_is_bounded),
        TEST(payloads_are_bounded_together),
        TEST(jobs_that_have_changed_are_left_alone),
        TEST(new_jobs_have_the_order_of_the_old),
        TEST(what_there_is_no_room_for_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
