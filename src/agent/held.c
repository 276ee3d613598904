/* SPDX-License-Identifier: MIT */
/*
 * A list in the order of report numbers: they are confirmed in that order too.
 */
#include "agent/held.h"

#include "base/mem.h"

struct held_result {
    struct held_result *next;
    int64_t number;
    size_t error_size, data_size;
    char bytes[]; /* error and its NUL, data */
};

void held_init(struct held *held)
{
    *held = (struct held){.end = &held->first};
}

void held_release(struct held *held)
{
    held_forget(held, INT64_MAX);
}

static size_t result_size(const struct held_result *result)
{
    return result->error_size + result->data_size;
}

void held_add(struct held *held, int64_t number, struct slice error, struct slice data)
{
    size_t size = error.size + data.size;

    if (size == 0 || size > HELD_MAX - held->size)
        return;
    struct held_result *result = mem_alloc(sizeof(*result) + size + 1);
    result->number = number;
    result->error_size = error.size;
    result->data_size = data.size;
    if (error.size)
        memcpy(result->bytes, error.at, error.size);
    if (data.size)
        memcpy(result->bytes + error.size + 1, data.at, data.size);
    *held->end = result;
    held->end = &result->next;
    held->size += size;
}

static const struct held_result *held_find(const struct held *held, int64_t number)
{
    for (const struct held_result *result = held->first; result && result->number <= number;
         result = result->next) {
        if (result->number == number)
            return result;
    }
    return NULL;
}

size_t held_size(const struct held *held, int64_t number)
{
    const struct held_result *result = held_find(held, number);

    return result ? result_size(result) : 0;
}

void held_reveal(const struct held *held, struct bus_report *report)
{
    const struct held_result *result = held_find(held, report->number);

    if (!result)
        return;
    if (result->error_size)
        SET(report, error, result->bytes);
    if (result->data_size)
        SET(report, data,
            ((struct slice){.at = result->bytes + result->error_size + 1,
                            .size = result->data_size}));
}

void held_forget(struct held *held, int64_t number)
{
    while (held->first && held->first->number <= number) {
        struct held_result *result = held->first;
        held->first = result->next;
        if (!held->first)
            held->end = &held->first;
        held->size -= result_size(result);
        explicit_bzero(result->bytes, result_size(result) + 1);
        mem_free(result);
    }
}
