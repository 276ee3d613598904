/* SPDX-License-Identifier: MIT */
/*
 * Fault points: places where a test build can be told to fail or to die.
 *
 *     if (FAULT_POINT("file.fsync") || fsync(fd) < 0)
 *         return FAULT(-errno);
 *
 * True, with errno set, means that the call which follows has failed. In ordinary builds a point is
 * the constant false; the sanitizer builds have them (REEVE_FAULT_POINTS). There the environment
 * says which one acts, and how:
 *
 *     REEVE_FAULT=NAME:N:HOW:NOTE
 *
 * the Nth time that the point is reached in a process, HOW is the name of an errno (ENOSPC), or
 * "kill": SIGKILL, right there. It happens once for all processes together: whoever makes the file
 * NOTE does it. REEVE_FAULT=list prints a program's points instead. Each name is used in one place;
 * `tests/faults` makes every one of them act.
 *
 * A wait that no test has the time for can be shortened in the same builds:
 *
 *     REEVE_WAIT=NAME:MS[,NAME:MS…]
 *
 * Ordinary builds know the constant alone.
 */
#ifndef REEVE_BASE_FAULT_H
#define REEVE_BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_ENVIRONMENT "REEVE_FAULT"
#define WAIT_ENVIRONMENT  "REEVE_WAIT"

#ifdef REEVE_FAULT_POINTS

/* Aligned to its size, so that the section is an array. */
struct fault_point {
    const char *name;
    unsigned n_reached;
} __attribute__((aligned(16)));

#define FAULT_POINT(name_)                                                                         \
    __extension__({                                                                                \
        static struct fault_point point_                                                           \
            __attribute__((used, section("reeve_fault_points"))) = {.name = (name_)};              \
        fault_point_acts(&point_);                                                                 \
    })

/* Also between fork() and exec(). */
bool fault_point_acts(struct fault_point *point);
/* What is asked of the wait of this name, or `us`. */
#define WAIT_US(name_, us_) fault_wait_us((name_), (us_))
int64_t fault_wait_us(const char *name, int64_t us);
/* "REEVE_FAULT=…" as this process got it, for the environment of one that it starts; or NULL. */
char *fault_environment(void);

#else

#define FAULT_POINT(name_)  false
#define WAIT_US(name_, us_) (us_)
static inline char *fault_environment(void)
{
    return (char *)0;
}

#endif
#endif
