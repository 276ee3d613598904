/* SPDX-License-Identifier: MIT */
/*
 * Deadlines in a binary heap. A timer is a member of what it belongs to and knows its own place, so
 * that it can be moved and cleared without a search.
 */
#ifndef REEVE_CONTROLLER_TIMERS_H
#define REEVE_CONTROLLER_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due_us;
    size_t place; /* 1 is the first; 0: not set */
};

struct timers {
    struct timer **v;
    size_t n, room;
};

/* A zeroed struct timers is empty. Timers that are still set are simply forgotten. */
void timers_release(struct timers *timers);
/* Sets the timer, or moves it when it is set. */
void timers_set(struct timers *timers, struct timer *timer, int64_t due_us);
/* Also when it is not set. */
void timers_clear(struct timers *timers, struct timer *timer);
/* The earliest, still set; NULL when there is none. */
struct timer *timers_first(const struct timers *timers);

#endif
