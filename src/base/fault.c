/* SPDX-License-Identifier: MIT */
/*
 * What the environment asks of a fault point.
 *
 * It is read before main(): later, in a child between fork() and exec(), only async-signal-safe
 * calls are allowed.
 */
#include "base/fault.h"

#ifdef REEVE_FAULT_POINTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define ERRNO_MAX 133 /* EHWPOISON */

static char environment[512]; /* "" when nothing is asked */
static char name[64], note[256];
static unsigned acts_at;
static int acts_with; /* errno; 0: SIGKILL */

#define WAITS_MAX 4
static struct wait {
    char name[32];
    unsigned ms;
} waits[WAITS_MAX];
static unsigned n_waits;

static int errno_of(const char *word)
{
    for (int error = 1; error <= ERRNO_MAX; error++) {
        const char *known = strerrorname_np(error);
        if (known && strcmp(known, word) == 0)
            return error;
    }
    return 0;
}

/* Made by the linker. */
extern const struct fault_point __start_reeve_fault_points[], __stop_reeve_fault_points[];

static _Noreturn void points_print(void)
{
    for (const struct fault_point *point = __start_reeve_fault_points;
         point < __stop_reeve_fault_points; point++)
        puts(point->name);
    fflush(stdout);
    _exit(0);
}

static void waits_read(const char *asked)
{
    int size = 0;

    for (; asked && *asked; asked += size + (asked[size] == ',')) {
        struct wait *wait = &waits[n_waits];

        if (n_waits == WAITS_MAX ||
            sscanf(asked, "%31[^:]:%u%n", wait->name, &wait->ms, &size) != 2) {
            fprintf(stderr, WAIT_ENVIRONMENT ": at most %d of NAME:MS are expected\n", WAITS_MAX);
            abort();
        }
        n_waits++;
    }
}

int64_t fault_wait_us(const char *wait_name, int64_t us)
{
    for (unsigned i = 0; i < n_waits; i++) {
        if (strcmp(waits[i].name, wait_name) == 0)
            return (int64_t)waits[i].ms * 1000;
    }
    return us;
}

__attribute__((constructor)) static void environment_read(void)
{
    const char *asked = getenv(FAULT_ENVIRONMENT);
    char how[32];

    waits_read(getenv(WAIT_ENVIRONMENT));
    if (!asked)
        return;
    if (strcmp(asked, "list") == 0)
        points_print();
    if (sscanf(asked, "%63[^:]:%u:%31[^:]:%255s", name, &acts_at, how, note) != 4) {
        fprintf(stderr, FAULT_ENVIRONMENT "=%s: NAME:N:HOW:NOTE is expected\n", asked);
        abort();
    }
    acts_with = errno_of(how);
    snprintf(environment, sizeof(environment), FAULT_ENVIRONMENT "=%s", asked);
}

char *fault_environment(void)
{
    return environment[0] ? environment : NULL;
}

static bool is_first(void)
{
    int fd = open(note, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool fault_point_acts(struct fault_point *point)
{
    if (!environment[0] || strcmp(point->name, name) != 0)
        return false;
    if (__atomic_add_fetch(&point->n_reached, 1, __ATOMIC_RELAXED) != acts_at || !is_first())
        return false;
    if (acts_with == 0)
        kill(getpid(), SIGKILL);
    errno = acts_with;
    return true;
}

#endif
