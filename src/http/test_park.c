/* SPDX-License-Identifier: MIT */
/*
 * The park table against the simplest thing that could be right: an array that is searched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/uuid.h"
#include "http/park.h"

#include <stdlib.h>

#define PARKED_MAX 300
#define STEPS      100000

struct exchange { /* the table only hands on what it was given */
    uint64_t number;
    int64_t until_us;
    bool waits;
    unsigned woken; /* order of its wake; 0: not woken */
};

struct model {
    struct park_table table;
    struct exchange all[PARKED_MAX];
    uint64_t old_number; /* of somebody who is gone */
    unsigned n_wakes;
    int64_t now_us;
};

static void leave(struct model *model, struct exchange *exchange)
{
    model->old_number = exchange->number;
    *exchange = (struct exchange){.number = 0};
}

static void step_add(struct model *model, struct exchange *exchange)
{
    if (exchange->waits)
        return;
    exchange->waits = true;
    exchange->until_us = model->now_us + rand() % 1000;
    exchange->number = park_add(&model->table, exchange, exchange->until_us);
    assert_true(exchange->number != 0 && exchange->number != model->old_number);
}

static void step_remove(struct model *model, struct exchange *exchange)
{
    if (!exchange->waits)
        return;
    park_remove(&model->table, exchange->number);
    leave(model, exchange);
}

static void step_wake(struct model *model, struct exchange *exchange)
{
    park_wake(&model->table, model->old_number);
    park_wake(&model->table, exchange->number);
    if (exchange->waits && !exchange->woken)
        exchange->woken = ++model->n_wakes;
}

static struct exchange *first_woken(struct model *model)
{
    struct exchange *first = NULL;

    for (size_t i = 0; i < PARKED_MAX; i++)
        if (model->all[i].woken && (!first || model->all[i].woken < first->woken))
            first = &model->all[i];
    return first;
}

static int64_t first_time(const struct model *model)
{
    int64_t first_us = INT64_MAX;

    for (size_t i = 0; i < PARKED_MAX; i++)
        if (model->all[i].waits && model->all[i].until_us < first_us)
            first_us = model->all[i].until_us;
    return first_us;
}

static void step_take(struct model *model)
{
    struct exchange *exchange = park_take_woken(&model->table);

    assert_ptr_equal(exchange, first_woken(model));
    if (exchange)
        leave(model, exchange);
    int64_t first_us = first_time(model);
    assert_true(park_next_us(&model->table) == first_us);
    exchange = park_take_late(&model->table, model->now_us);
    assert_int_equal(exchange != NULL, first_us <= model->now_us);
    if (!exchange)
        return;
    assert_true(exchange->waits && exchange->until_us == first_us);
    leave(model, exchange);
}

static void the_table_does_what_an_array_would(void **state)
{
    (void)state;
    struct model *model = mem_alloc(sizeof(*model));
    unsigned seed = (unsigned)random_u64();

    print_message("seed %u\n", seed);
    srand(seed);
    park_table_init(&model->table);
    for (int i = 0; i < STEPS; i++) {
        struct exchange *exchange = &model->all[rand() % PARKED_MAX];
        model->now_us += rand() % 5;
        switch (rand() % 6) {
        case 0:
        case 1:
            step_add(model, exchange);
            break;
        case 2:
            step_remove(model, exchange);
            break;
        case 3:
            step_wake(model, exchange);
            break;
        default:
            step_take(model);
        }
    }
    park_table_release(&model->table);
    mem_free(model);
}

static void the_loop_is_told_once_until_it_has_looked(void **state)
{
    (void)state;
    struct exchange a, b;
    struct park_table table;

    park_table_init(&table);
    uint64_t number_a = park_add(&table, &a, 1), number_b = park_add(&table, &b, 2);
    assert_true(park_wake(&table, number_a));
    assert_false(park_wake(&table, number_a));
    assert_false(park_wake(&table, number_b));
    assert_ptr_equal(park_take_woken(&table), &a);
    assert_ptr_equal(park_take_woken(&table), &b);
    assert_null(park_take_woken(&table));
    assert_false(park_wake(&table, number_a));
    number_a = park_add(&table, &a, 1);
    assert_true(park_wake(&table, number_a));
    park_table_release(&table);
}

static void numbers_that_were_never_given_wake_nobody(void **state)
{
    (void)state;
    struct exchange a;
    struct park_table table;

    park_table_init(&table);
    uint64_t number = park_add(&table, &a, 1);
    assert_false(park_wake(&table, 0));
    assert_false(park_wake(&table, number + 1));
    assert_false(park_wake(&table, number + (UINT64_C(1) << 32)));
    assert_false(park_wake(&table, UINT64_MAX));
    assert_null(park_take_woken(&table));
    park_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_does_what_an_array_would),
        cmocka_unit_test(the_loop_is_told_once_until_it_has_looked),
        cmocka_unit_test(numbers_that_were_never_given_wake_nobody),
    };

    return cmocka_run_group_tests_name("http/park", tests, NULL, NULL);
}
