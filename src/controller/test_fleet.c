/* SPDX-License-Identifier: MIT */
/*
 * Whom a target means, and whose hello is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/bus.h"
#include "controller/fleet.h"

#define NOW_US  (1000 * US_PER_S)
#define BOOT_US (500 * US_PER_S)

/* web-01 (1), db (2), web-02 (3): labels role web.front, role db, role web; all connected and just
   heard. */
struct fixture {
    struct fleet fleet;
    struct dispatch *dispatch;
    struct decisions decisions;
    struct arena arena;
    struct refusal why;
    struct str_entry labels[3];
};

static const char *const machines[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                       "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                                       "cccccccccccccccccccccccccccccccc"};
static const char *const names[] = {"web-01", "db", "web-02"};
static const char *const roles[] = {"web.front", "db", "web"};

/* Any address serves: the fleet only asks whether there is a connection. */
static struct bus_peer *some_peer(struct fixture *f)
{
    return (struct bus_peer *)(void *)f;
}

static struct bus_hello hello_of(struct fixture *f, unsigned i)
{
    struct bus_hello hello = {
        .machine_id = machines[i],
        .hostname = names[i],
        .version = "0.1.0",
        .epoch = 7,
        .next = 1,
        .max_jobs = 10,
        .has_labels = true,
        .labels = {.v = &f->labels[i], .n = 1},
    };

    f->labels[i] = (struct str_entry){.key = "role", .val = roles[i]};
    SET(&hello.vitals, uptime_s, 1);
    return hello;
}

static struct agent *greet(struct fixture *f, const struct bus_hello *hello, bool *ret_changed)
{
    struct agent *known;

    assert_int_equal(fleet_recognise(&f->fleet, hello, &known, &f->why), 0);
    struct agent *agent = fleet_greet(&f->fleet, known, hello, NOW_US, ret_changed);
    agent->peer = some_peer(f);
    agent_heard(agent, NOW_US, BOOT_US);
    return agent;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    bool changed;

    fixture = (struct fixture){.dispatch = dispatch_new()};
    for (unsigned i = 0; i < 3; i++) {
        struct bus_hello hello = hello_of(&fixture, i);
        assert_int_equal(greet(&fixture, &hello, &changed)->host, i + 1);
        assert_true(changed);
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fleet_release(&f->fleet);
    dispatch_free(f->dispatch);
    decisions_release(&f->decisions);
    arena_release(&f->arena);
    return 0;
}

static int resolve(struct fixture *f, const char *text, struct host_list *ret)
{
    struct target target;
    struct target_question question = {
        .target = &target, .field = "hostname", .dispatch = f->dispatch, .boot_us = BOOT_US};

    assert_int_equal(target_parse(slice_of(text), &target, &f->why), 0);
    return fleet_resolve(&f->fleet, &question, &f->arena, ret, &f->why);
}

/* `hosts`: digits of the expected numbers. */
static void expect(struct fixture *f, const char *text, const char *hosts)
{
    struct host_list list;

    assert_int_equal(resolve(f, text, &list), 0);
    assert_int_equal(list.n, strlen(hosts));
    for (uint32_t i = 0; i < list.n; i++)
        assert_int_equal(list.v[i], hosts[i] - '0');
}

/* Open runs at a host. */
static void load(struct fixture *f, host_number host, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct job_terms terms = {.id = uuid_make(NOW_US), .start_by_us = NOW_US, .n_runs = 1};
        dispatch_submit(f->dispatch, &terms, &host, &f->decisions);
    }
}

static void a_host_is_meant_by_its_name_or_its_machine_id(void **state)
{
    expect(*state, "db", "2");
    expect(*state, machines[2], "3");
}

static void all_means_silent_hosts_too(void **state)
{
    struct fixture *f = *state;

    f->fleet.by_host[1]->peer = NULL;
    expect(f, "_all", "123");
}

static void a_label_means_what_is_beneath_it(void **state)
{
    expect(*state, "role:web", "13");
    expect(*state, "role:web.front", "1");
    expect(*state, "role:db", "2");
}

static void an_unknown_host_is_refused_with_what_exists(void **state)
{
    struct fixture *f = *state;
    struct host_list list;

    assert_int_equal(resolve(f, "web-03", &list), OUTCOME_INVALID);
    assert_string_equal(f->why.field, "hostname");
    assert_non_null(strstr(f->why.text, "web-03"));
    assert_non_null(strstr(f->why.text, "db, web-01, web-02"));
}

static void an_unknown_label_is_refused(void **state)
{
    struct fixture *f = *state;
    struct host_list list;

    assert_int_equal(resolve(f, "role:we", &list), OUTCOME_INVALID);
    assert_int_equal(resolve(f, "zone:web", &list), OUTCOME_INVALID);
    assert_string_equal(f->why.field, "hostname");
}

static void a_refusal_names_ten_hosts_at_most(void **state)
{
    struct fixture *f = *state;
    struct host_list list;
    char machine[33], name[16];
    bool changed;

    for (unsigned i = 0; i < 20; i++) {
        snprintf(machine, sizeof(machine), "%032x", i);
        snprintf(name, sizeof(name), "n%02u", i);
        struct bus_hello hello = hello_of(f, 0);
        hello.machine_id = machine;
        hello.hostname = name;
        greet(f, &hello, &changed);
    }
    assert_int_equal(resolve(f, "nobody", &list), OUTCOME_INVALID);
    assert_non_null(strstr(f->why.text, "n08 and 13 more"));
    assert_null(strstr(f->why.text, "n09"));
}

static void an_empty_fleet_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct host_list list;

    fleet_release(&f->fleet);
    assert_int_equal(resolve(f, "_any", &list), OUTCOME_UNAVAILABLE);
    assert_int_equal(resolve(f, "db", &list), OUTCOME_UNAVAILABLE);
}

static void any_is_the_ready_host_with_the_fewest_runs(void **state)
{
    struct fixture *f = *state;

    expect(f, "_any", "1"); /* the lowest number of equals */
    load(f, 1, 2);
    load(f, 2, 1);
    expect(f, "_any", "3");
    load(f, 3, 2);
    expect(f, "_any", "2");
}

static void any_is_never_a_silent_host_while_one_is_ready(void **state)
{
    struct fixture *f = *state;

    load(f, 3, 5);
    f->fleet.by_host[0]->peer = NULL;
    f->fleet.by_host[1]->heard_boot_us = BOOT_US - BUS_SILENT_US - 1;
    expect(f, "_any", "3");
}

static void any_is_the_host_heard_last_when_nobody_is_ready(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 3; i++)
        f->fleet.by_host[i]->peer = NULL;
    f->fleet.by_host[1]->heard_us = NOW_US + 1;
    expect(f, "_any", "2");
}

static void a_machine_in_a_second_connection_is_refused(void **state)
{
    struct fixture *f = *state;
    struct bus_hello hello = hello_of(f, 1);
    struct agent *known;

    assert_int_equal(fleet_recognise(&f->fleet, &hello, &known, &f->why), OUTCOME_CONFLICT);
    assert_string_equal(f->why.field, "machine_id");
}

static void a_second_machine_with_a_name_in_use_is_refused(void **state)
{
    struct fixture *f = *state;
    struct bus_hello hello = hello_of(f, 1);
    struct agent *known;

    hello.machine_id = "dddddddddddddddddddddddddddddddd";
    f->fleet.by_host[1]->peer = NULL; /* a name stays with its machine also while that is silent */
    assert_int_equal(fleet_recognise(&f->fleet, &hello, &known, &f->why), OUTCOME_CONFLICT);
    assert_string_equal(f->why.field, "hostname");
}

static void a_name_that_is_the_id_of_another_machine_is_refused(void **state)
{
    struct fixture *f = *state;
    struct bus_hello hello = hello_of(f, 1);
    struct agent *known;

    f->fleet.by_host[1]->peer = NULL;
    hello.hostname = machines[0];
    assert_int_equal(fleet_recognise(&f->fleet, &hello, &known, &f->why), OUTCOME_CONFLICT);
    assert_string_equal(f->why.field, "hostname");
}

static void an_agent_that_returns_unchanged_is_no_news(void **state)
{
    struct fixture *f = *state;
    struct bus_hello hello = hello_of(f, 1);
    bool changed;

    f->fleet.by_host[1]->peer = NULL;
    f->fleet.by_host[1]->reported = 5;
    assert_int_equal(greet(f, &hello, &changed)->host, 2);
    assert_false(changed);
    assert_int_equal(f->fleet.by_host[1]->reported, 5);
}

static void a_new_runlog_is_news_and_counts_from_the_beginning(void **state)
{
    struct fixture *f = *state;
    struct bus_hello hello = hello_of(f, 1);
    bool changed;

    f->fleet.by_host[1]->peer = NULL;
    f->fleet.by_host[1]->reported = 5;
    hello.epoch = 8;
    greet(f, &hello, &changed);
    assert_true(changed);
    assert_int_equal(f->fleet.by_host[1]->reported, 0);
}

static void a_renamed_host_is_found_by_its_new_name_only(void **state)
{
    struct fixture *f = *state;
    struct bus_hello hello = hello_of(f, 1);
    struct host_list list;
    bool changed;

    f->fleet.by_host[1]->peer = NULL;
    hello.hostname = "zdb";
    greet(f, &hello, &changed);
    assert_true(changed);
    expect(f, "zdb", "2");
    assert_int_equal(resolve(f, "db", &list), OUTCOME_INVALID);
    expect(f, "_all", "123");
}

static void a_condition_keeps_the_time_of_its_last_change(void **state)
{
    struct fixture *f = *state;
    struct agent *agent = f->fleet.by_host[0];
    struct condition *memory = &agent->conditions[condition_type_MEMORY_PRESSURE];
    char reason[CONDITION_REASON_SIZE];
    struct bus_beat beat = {0};

    SET(&beat.vitals, uptime_s, 2);
    SET(&beat.vitals.memory, total, INT64_C(16) << 30);
    SET(&beat.vitals.memory, used, INT64_C(15) << 30);
    SET(&beat.vitals.memory, free, INT64_C(1) << 30);
    beat.vitals.has_memory = beat.has_vitals = true;
    assert_false(memory->status);
    agent_beat(agent, &beat, NOW_US + 1);
    assert_true(memory->status);
    assert_int_equal(memory->since_us, NOW_US + 1);
    assert_true(condition_judge(condition_type_MEMORY_PRESSURE, agent->facts->object,
                                agent->vitals->object, reason));
    assert_string_equal(reason, "memory 94% used (15.0/16.0 GB)");
    agent_beat(agent, &beat, NOW_US + 2);
    assert_int_equal(memory->since_us, NOW_US + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_host_is_meant_by_its_name_or_its_machine_id),
        TEST(all_means_silent_hosts_too),
        TEST(a_label_means_what_is_beneath_it),
        TEST(an_unknown_host_is_refused_with_what_exists),
        TEST(an_unknown_label_is_refused),
        TEST(a_refusal_names_ten_hosts_at_most),
        TEST(an_empty_fleet_is_unavailable),
        TEST(any_is_the_ready_host_with_the_fewest_runs),
        TEST(any_is_never_a_silent_host_while_one_is_ready),
        TEST(any_is_the_host_heard_last_when_nobody_is_ready),
        TEST(a_machine_in_a_second_connection_is_refused),
        TEST(a_second_machine_with_a_name_in_use_is_refused),
        TEST(a_name_that_is_the_id_of_another_machine_is_refused),
        TEST(an_agent_that_returns_unchanged_is_no_news),
        TEST(a_new_runlog_is_news_and_counts_from_the_beginning),
        TEST(a_renamed_host_is_found_by_its_new_name_only),
        TEST(a_condition_keeps_the_time_of_its_last_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
