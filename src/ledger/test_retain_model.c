/* SPDX-License-Identifier: MIT */
/*
 * All rules of retention at once, on random jobs, against rules that are followed by hand.
 *
 * REEVE_STEPS=<number> of records; repeat a failure with REEVE_SEED=<printed number>.
 */
#include "ledger/fixture_retain.h"

#include "base/mem.h"

#define MODEL_JOBS 700

struct model_job {
    uint64_t seq;
    enum job_status status;
    bool is_query, is_gone;
    int64_t end_us;
};

struct model {
    struct model_job jobs[MODEL_JOBS];
    unsigned n;
    int64_t now_us;
    uint32_t n_records;
};

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % n);
}

static const struct config_retention_rule *rule_of(const struct config_retention *rules,
                                                   enum job_status status)
{
    static const struct config_retention_rule none;

    if (status == job_status_COMPLETED && rules->has_completed)
        return &rules->completed;
    if (status == job_status_FAILED && rules->has_failed)
        return &rules->failed;
    if (status == job_status_PARTIAL_FAILURE && rules->has_partial_failure)
        return &rules->partial_failure;
    if (status == job_status_SKIPPED && rules->has_skipped)
        return &rules->skipped;
    return &none;
}

static void model_age(struct model *model, const struct config_retention *rules)
{
    for (unsigned i = 0; i < model->n; i++) {
        struct model_job *job = &model->jobs[i];
        const struct config_retention_rule *rule = rule_of(rules, job->status);
        int64_t age_us = model->now_us - job->end_us;
        if (!job_status_is_final(job->status))
            continue;
        if ((job->is_query && rules->has_queries && age_us >= rules->queries) ||
            (!job->is_query && rules->has_modifies && age_us >= rules->modifies) ||
            (rule->has_age && age_us >= rule->age))
            job->is_gone = true;
    }
}

/* status COUNT: of all; those that are not final count, and stay. */
static void model_number(struct model *model, enum job_status status, uint64_t limit)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < model->n; i++)
        n += !model->jobs[i].is_gone &&
             (status == job_status_COUNT || model->jobs[i].status == status);
    for (unsigned i = 0; i < model->n && n > limit; i++) {
        struct model_job *job = &model->jobs[i];
        if (job->is_gone || !job_status_is_final(job->status) ||
            (status != job_status_COUNT && job->status != status) ||
            job->end_us > model->now_us - RETAIN_REST_US)
            continue;
        job->is_gone = true;
        n--;
    }
}

static void model_clean(struct model *model, const struct config_retention *rules)
{
    unsigned kept = 0;

    model_age(model, rules);
    if (rules->has_jobs)
        model_number(model, job_status_COUNT, (uint64_t)rules->jobs);
    for (enum job_status status = 0; status < job_status_COUNT; status++) {
        if (rule_of(rules, status)->has_jobs)
            model_number(model, status, (uint64_t)rule_of(rules, status)->jobs);
    }
    for (unsigned i = 0; i < model->n; i++) {
        if (!model->jobs[i].is_gone)
            model->jobs[kept++] = model->jobs[i];
    }
    model->n = kept;
}

static struct config_retention_rule random_rule(void)
{
    return (struct config_retention_rule){
        .age = US_PER_S * (1 + random_below(2000)),
        .has_age = random_below(2),
        .jobs = random_below(60),
        .has_jobs = random_below(2),
    };
}

static struct config_retention random_rules(void)
{
    return (struct config_retention){
        .queries = US_PER_S * (1 + random_below(3000)),
        .has_queries = random_below(2),
        .modifies = US_PER_S * (1 + random_below(3000)),
        .has_modifies = random_below(2),
        .jobs = 20 + random_below(300),
        .has_jobs = random_below(2),
        .completed = random_rule(),
        .has_completed = random_below(2),
        .failed = random_rule(),
        .has_failed = random_below(2),
        .partial_failure = random_rule(),
        .has_partial_failure = random_below(2),
        .skipped = random_rule(),
        .has_skipped = random_below(2),
    };
}

static void random_job(struct world *world, struct model *model)
{
    static const enum job_status statuses[] = {job_status_COMPLETED, job_status_COMPLETED,
                                               job_status_FAILED,    job_status_PARTIAL_FAILURE,
                                               job_status_SKIPPED,   job_status_SUBMITTED};
    const struct op *ops[] = {op_by_type("node.disk.get"), op_by_type("command.shell.execute"),
                              &unknown_op};
    struct made made = {.op = ops[random_below(3)], .status = statuses[random_below(6)]};
    struct model_job *job = &model->jobs[model->n++];
    struct head head;

    made.n_hosts = made.status == job_status_PARTIAL_FAILURE ? 2 + random_below(2) : 1;
    world->fixture.now_us += random_below(10 * US_PER_S);
    *job = (struct model_job){.status = made.status, .is_query = made.op == ops[0]};
    job->seq = world_add(world, made);
    assert_true(world_head(world, job->seq, &head));
    job->end_us = head.updated_us;
    model->n_records++;
}

static void end_one(struct world *world, struct model *model)
{
    struct made made = {.status = job_status_COMPLETED};
    struct model_job *job = &model->jobs[random_below(model->n)];
    struct head head;

    if (job_status_is_final(job->status))
        return;
    fixture_apply(&world->fixture, record_end(job->seq, 0, &made));
    assert_true(world_head(world, job->seq, &head));
    job->status = job_status_COMPLETED;
    job->end_us = head.updated_us;
    model->n_records++;
}

static void check_survivors(struct world *world, const struct model *model)
{
    struct ledger_page page = world_count(world);
    uint64_t counts[job_status_COUNT] = {0};

    for (unsigned i = 0; i < model->n; i++) {
        assert_true(world_has(world, model->jobs[i].seq));
        counts[model->jobs[i].status]++;
    }
    assert_int_equal(page.total, model->n);
    for (unsigned status = 0; status < job_status_COUNT; status++)
        assert_int_equal(page.counts[status], counts[status]);
}

static void what_stays_is_what_the_rules_say(void **state)
{
    struct world *world = *state;
    struct model *model = mem_alloc(sizeof(*model));
    struct config_retention rules;
    uint32_t n_steps = fixture_steps();
    uint64_t n_dropped = 0;

    random_state = fixture_seed();
    /* The first jobs end one block, the others begin the next. */
    world->fixture.ledger->meta.next_seq = BLOCK_JOBS - 300;
    for (unsigned round = 0; model->n_records < n_steps; round++) {
        if (round % 5 == 0) {
            rules = random_rules();
            retain_rule(world->retain, &rules);
        }
        for (unsigned n = random_below(40); n > 0 && model->n < MODEL_JOBS; n--)
            random_job(world, model);
        for (unsigned n = random_below(10); n > 0 && model->n > 0; n--)
            end_one(world, model);
        model->now_us = world->fixture.now_us += random_below(600 * US_PER_S);
        model_clean(model, &rules);
        n_dropped += world_clean(world);
        check_survivors(world, model);
        if (random_below(20) == 0) {
            world_reopen(world, random_below(2));
            fixture_expect_sound(&world->fixture);
            retain_rule(world->retain, &rules);
            fixture_expect_sound(&world->fixture);
        }
    }
    assert_true(n_dropped > n_steps / 2);
    mem_free(model);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_stays_is_what_the_rules_say, world_setup,
                                        world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
