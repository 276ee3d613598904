/* SPDX-License-Identifier: MIT */
/*
 * A binary heap that starts at place 1: the children of n are 2n and 2n + 1.
 */
#include "controller/timers.h"

#include "base/mem.h"

void timers_release(struct timers *timers)
{
    mem_free(timers->v);
    *timers = (struct timers){0};
}

static void put(struct timers *timers, struct timer *timer, size_t place)
{
    timers->v[place] = timer;
    timer->place = place;
}

static void rise(struct timers *timers, struct timer *timer)
{
    size_t at = timer->place;

    while (at > 1 && timers->v[at / 2]->due_us > timer->due_us) {
        put(timers, timers->v[at / 2], at);
        at /= 2;
    }
    put(timers, timer, at);
}

static void sink(struct timers *timers, struct timer *timer)
{
    size_t at = timer->place;

    while (2 * at <= timers->n) {
        size_t child = 2 * at;
        if (child < timers->n && timers->v[child + 1]->due_us < timers->v[child]->due_us)
            child++;
        if (timers->v[child]->due_us >= timer->due_us)
            break;
        put(timers, timers->v[child], at);
        at = child;
    }
    put(timers, timer, at);
}

static void settle(struct timers *timers, struct timer *timer)
{
    rise(timers, timer);
    sink(timers, timer);
}

void timers_set(struct timers *timers, struct timer *timer, int64_t due_us)
{
    timer->due_us = due_us;
    if (timer->place == 0) {
        if (timers->n + 2 > timers->room) {
            timers->room = timers->room ? timers->room * 2 : 64;
            timers->v = mem_realloc(timers->v, timers->room * sizeof(struct timer *));
        }
        put(timers, timer, ++timers->n);
    }
    settle(timers, timer);
}

void timers_clear(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;

    if (place == 0)
        return;
    struct timer *last = timers->v[timers->n--];
    timer->place = 0;
    if (last == timer)
        return;
    put(timers, last, place);
    settle(timers, last);
}

/* Their order is what it was. */
struct timer *timers_first(const struct timers *timers)
{
    return timers->n ? timers->v[1] : NULL;
}
