/* SPDX-License-Identifier: MIT */
/*
 * Reports are numbered in an epoch of this process, and none is ever sent twice: the controller it
 * speaks to lives as long as the measurement.
 */
#include "echo.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "base/version.h"
#include "bus/bus.h"
#include "measure.h"
#include "mix.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define HOST     1
#define MAX_JOBS 1000 /* at once; the bus carries no more to any agent */

struct echo {
    struct bus *bus;
    struct bus_peer *peer; /* NULL: not connected */
    int64_t epoch, number; /* of the last report */
    int64_t beat_at_us;
};

/* Every operation that the bench asks for. */
static const struct {
    enum op_id op;
    const char *result;
} results[] = {
    {OP_node_hostname, "{}"},
    {OP_command_exec, "{\"stdout\":\"\",\"stderr\":\"\",\"exit_code\":0,\"duration_ms\":1}"},
};

static struct slice result_of(const char *operation)
{
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        if (strcmp(op_catalog[results[i].op].type, operation) == 0)
            return slice_of(results[i].result);
    }
    give_up(operation, "is nothing that the bench asks for");
}

/* ---- what it says ---- */

static struct agent_vitals vitals(void)
{
    struct agent_vitals vitals = {.row_ = {0}};

    SET(&vitals, uptime_s, clock_boot_us() / US_PER_S);
    return vitals;
}

static void say_hello(struct echo *echo)
{
    char hostname[MIX_NAME_SIZE], machine_id[MIX_MACHINE_ID_SIZE];
    struct str_entry labels[] = {{.key = "group", .val = "web.dev"},
                                 {.key = "rack", .val = "r001"}};
    struct bus_hello hello = {.row_ = {0}, .has_facts = true, .has_runs = true};

    mix_hostname(HOST, hostname);
    mix_machine_id(HOST, machine_id);
    SET(&hello, hostname, hostname);
    SET(&hello, machine_id, machine_id);
    hello.labels.v = labels;
    hello.labels.n = COUNT_OF(labels);
    hello.has_labels = true;
    SET(&hello, version, version_text());
    SET(&hello, epoch, echo->epoch);
    SET(&hello, next, 1);
    SET(&hello, max_jobs, MAX_JOBS);
    SET(&hello, sent_boot_us, clock_boot_us());
    SET(&hello, up_us, 0);
    SET(&hello, vitals, vitals());
    bus_send(echo->bus, echo->peer, BUS_HELLO, &hello);
}

static void say_beat(struct echo *echo)
{
    struct bus_beat beat = {.row_ = {0}};

    SET(&beat, sent_boot_us, clock_boot_us());
    SET(&beat, vitals, vitals());
    bus_send(echo->bus, echo->peer, BUS_BEAT, &beat);
}

static void answer(struct echo *echo, const struct bus_task *task)
{
    int64_t now_us = clock_now_us();
    struct bus_report report = {.row_ = {0}};

    SET(&report, number, ++echo->number);
    SET(&report, run, task->run);
    SET(&report, state, run_state_COMPLETED);
    SET(&report, code, run_code_NONE);
    SET(&report, changed, true);
    SET(&report, data, result_of(task->operation));
    SET(&report, started_us, now_us);
    SET(&report, finished_us, now_us);
    bus_send(echo->bus, echo->peer, BUS_REPORT, &report);
}

/* ---- what it hears ---- */

static void on_connected(void *owner, struct bus_peer *peer)
{
    struct echo *echo = owner;

    echo->peer = peer;
    echo->epoch = (int64_t)(random_u64() >> 2) + 1;
    echo->number = 0;
    echo->beat_at_us = clock_boot_us() + BUS_BEAT_US;
    say_hello(echo);
}

static void on_message(void *owner, struct bus_peer *peer, enum bus_message message,
                       const void *body)
{
    (void)peer;
    if (message == BUS_TASK)
        answer(owner, body);
}

static void on_gone(void *owner, struct bus_peer *peer, const char *why)
{
    struct echo *echo = owner;

    (void)peer;
    (void)why;
    echo->peer = NULL;
}

/* ---- its process ---- */

static int64_t deadline_us(const struct echo *echo)
{
    int64_t bus_us = bus_deadline_us(echo->bus);

    return echo->peer && echo->beat_at_us < bus_us ? echo->beat_at_us : bus_us;
}

static int wait_ms(int64_t until_us, int64_t now_us)
{
    if (until_us <= now_us)
        return 0;
    int64_t ms = (until_us - now_us) / US_PER_MS + 1;
    return ms < BUS_BEAT_US / US_PER_MS ? (int)ms : (int)(BUS_BEAT_US / US_PER_MS);
}

static _Noreturn void serve(struct echo *echo)
{
    for (;;) {
        struct pollfd wait = {.fd = bus_fd(echo->bus), .events = POLLIN};
        if (poll(&wait, 1, wait_ms(deadline_us(echo), clock_boot_us())) < 0 && errno != EINTR)
            give_up("poll", strerror(errno));
        if (bus_dispatch(echo->bus, clock_boot_us()))
            give_up("the bus", fault_text());
        if (echo->peer && clock_boot_us() >= echo->beat_at_us) {
            say_beat(echo);
            echo->beat_at_us += BUS_BEAT_US;
        }
    }
}

pid_t echo_start(const char *address)
{
    static const struct bus_callbacks callbacks = {
        .connected = on_connected, .message = on_message, .gone = on_gone};
    struct echo echo = {.bus = NULL};
    struct refusal why = {.text = ""};
    const struct bus_options options = {
        .role = BUS_AGENT,
        .address = address,
        .peer_uid = geteuid(),
        .callbacks = &callbacks,
        .owner = &echo,
    };

    if (bus_open(&options, &echo.bus, &why))
        give_up(address, why.text);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        give_up("fork", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        serve(&echo);
    }
    bus_close(echo.bus);
    return pid;
}
