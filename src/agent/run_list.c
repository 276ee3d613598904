/* SPDX-License-Identifier: MIT */
/*
 * Singly linked lists in order of arrival.
 */
#include "agent/run_list.h"

#include "base/mem.h"

#include <assert.h>

void run_list_init(struct run_list *list)
{
    *list = (struct run_list){.end = &list->first};
}

void run_list_add(struct run_list *list, struct run *run)
{
    run->next = NULL;
    *list->end = run;
    list->end = &run->next;
    list->n++;
}

void run_list_put_first(struct run_list *list, struct run *run)
{
    run->next = list->first;
    if (!list->first)
        list->end = &run->next;
    list->first = run;
    list->n++;
}

struct run *run_list_take(struct run_list *list, struct run **at)
{
    assert(at);
    struct run *run = *at;
    *at = run->next;
    if (list->end == &run->next)
        list->end = at;
    list->n--;
    return run;
}

struct run **run_list_find(struct run_list *list, const struct run_key *key)
{
    for (struct run **at = &list->first; *at; at = &(*at)->next) {
        if (run_key_equal(&(*at)->key, key))
            return at;
    }
    return NULL;
}

void run_drop_data(struct run *run)
{
    void *bytes = (void *)(uintptr_t)run->data.at;

    if (bytes)
        explicit_bzero(bytes, run->data.size);
    run->data.at = mem_free(bytes);
}

void run_free(struct run *run)
{
    run_drop_data(run);
    mem_free(run->user);
    work_free(run->work);
    mem_free((void *)(uintptr_t)run->ending.error);
    mem_free(run);
}
