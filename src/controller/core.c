/* SPDX-License-Identifier: MIT */
/*
 * The core's thread: what it waits for, and the order of a turn.
 *
 * Nothing here makes a record; commands (command.c) and sessions (session.c) do, in the batch
 * (batch.c).
 */
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "controller/inside.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define HEARTBEAT_US   US_PER_S /* a turn at least so often */
#define SPACE_CHECK_US US_PER_S
#define CHECKPOINT_US  (10 * US_PER_S)
/* Between two turns a clock that is only steered moves by less; an agent that does not know of a
   change of this size is wrong by less than the slack after a deadline. */
#define CLOCK_SET_US      (500 * US_PER_MS)
#define CHECKPOINT_BLOCKS 16

void pointers_add(struct pointers *pointers, void *pointer)
{
    if (pointers->n == pointers->room) {
        pointers->room = pointers->room ? pointers->room * 2 : 64;
        pointers->v = mem_realloc(pointers->v, pointers->room * sizeof(void *));
    }
    pointers->v[pointers->n++] = pointer;
}

/* ---- figures, room ---- */

static void update_figures(struct core *core)
{
    struct core_figures figures = {
        .open_runs = dispatch_runs(core->dispatch),
        .active_runs = dispatch_active(core->dispatch),
        .agents = core->fleet.n,
        .free_bytes = core->free_bytes,
    };

    for (uint32_t i = 0; i < core->fleet.n; i++)
        figures.agents_ready += agent_is_ready(core->fleet.by_host[i], core->boot_us);
    pthread_mutex_lock(&core->lock);
    core->figures = figures;
    pthread_mutex_unlock(&core->lock);
}

static int check_space(struct core *core)
{
    if (core->free_boot_us && core->boot_us < core->free_boot_us + SPACE_CHECK_US)
        return 0;
    int r = ledger_free_space(core->ledger, &core->free_bytes);
    if (r)
        return r;
    core->free_boot_us = core->boot_us;
    uint64_t wanted = CORE_SPACE_RESERVE + CORE_SPACE_PER_RUN * dispatch_active(core->dispatch);
    atomic_store(&core->is_full, core->free_bytes < wanted);
    update_figures(core);
    return 0;
}

int core_room(struct core *core, uint32_t n_runs, struct refusal *why)
{
    if (atomic_load(&core->is_full))
        return refuse(
            why, OUTCOME_NO_SPACE, NULL,
            "the state disk has %llu MiB left, which is kept for the outcomes of what runs",
            (unsigned long long)(core->free_bytes >> 20));
    if (dispatch_runs(core->dispatch) + n_runs > CORE_RUNS_MAX)
        return refuse(why, OUTCOME_BUSY, NULL, "more than %d runs would be open", CORE_RUNS_MAX);
    return 0;
}

/* ---- the turn ---- */

static int run_commands(struct core *core)
{
    struct pointers taken;

    pthread_mutex_lock(&core->lock);
    taken = core->queue;
    core->queue = core->taken;
    pthread_mutex_unlock(&core->lock);
    core->taken = taken;
    for (size_t i = 0; i < taken.n; i++) {
        int r = command_run(core, taken.v[i]);
        if (r)
            return r;
    }
    core->taken.n = 0;
    return 0;
}

/* Queries whose outcome did not come in time to share their commit; at the end of the program,
   all. */
static int record_held(struct core *core, bool all)
{
    while (core->first_held &&
           (all || core->first_held->submit.hold_until_boot_us <= core->boot_us)) {
        struct call *call = core->first_held;
        struct open_job *job = dispatch_find_job(core->dispatch, &call->id);
        core->first_held = call->submit.next_held;
        int r = job ? core_record(core, job) : 0;
        call_unref(call);
        if (r)
            return r;
    }
    return 0;
}

/* A disk that takes nothing takes it later: start-up does without. */
static int checkpoint(struct core *core)
{
    if (!core->is_dirty || core->boot_us < core->checkpoint_boot_us + CHECKPOINT_US)
        return 0;
    core->checkpoint_boot_us = core->boot_us;
    int r = ledger_checkpoint(core->ledger, CHECKPOINT_BLOCKS);
    core->is_dirty = ledger_is_behind(core->ledger);
    return r < 0 ? r : 0;
}

/* A supervisor that is gone takes the agents with it, and this program too: the kernel sends the
   SIGTERM that ends it in good order. */
static int hear_agents(struct core *core)
{
    if (!core->bus)
        return 0;
    int r = bus_dispatch(core->bus, core->boot_us);
    if (r == -EPIPE) {
        log_event(LOG_NOTICE, "core.alone", LOG_TEXT("why", "the supervisor is gone"));
        bus_drop_all(core->bus, "the supervisor is gone");
        bus_close(core->bus);
        core->bus = NULL;
        return 0;
    }
    return r ? r : core->fault;
}

/* While the disk refuses, what is due is left alone: to end runs is to write. */
static int take_in(struct core *core, bool last)
{
    int r = run_commands(core);
    if (r)
        return r;
    r = hear_agents(core);
    if (r)
        return r;
    if (atomic_load(&core->is_refused))
        return 0;
    r = record_held(core, last);
    if (!r)
        dispatch_tick(core->dispatch, core->now_us, &core->decisions);
    return r;
}

/* Somebody set the clock. Deadlines go with it, and agents must not measure theirs against what it
   was: they say hello anew, and are told the time before anything else. */
static void follow_clock(struct core *core, int64_t by_us)
{
    log_event(LOG_WARNING, "core.clock_set", LOG_NUMBER("by_ms", by_us / US_PER_MS));
    dispatch_shift(core->dispatch, by_us);
    if (core->bus)
        bus_drop_all(core->bus, "the controller's clock was set");
}

static void read_clocks(struct core *core)
{
    int64_t was_us = core->now_us, was_boot_us = core->boot_us;

    core->now_us = clock_now_us();
    core->boot_us = clock_boot_us();
    int64_t by_us = core->now_us - was_us - (core->boot_us - was_boot_us);
    if (by_us >= CLOCK_SET_US || by_us <= -CLOCK_SET_US)
        follow_clock(core, by_us);
}

static int turn(struct core *core, bool last)
{
    read_clocks(core);
    atomic_store(&core->turn_boot_us, core->boot_us);
    int r = check_space(core);
    if (!r && atomic_load(&core->is_refused))
        r = core_try_again(core);
    if (r)
        return r;
    r = take_in(core, last);
    if (!r)
        r = errands_run(core);
    if (r)
        return r;
    r = batch_commit(core);
    errands_answer(core, r);
    if (r)
        return r == OUTCOME_NO_SPACE ? core_lose_batch(core) : r;
    r = batch_effects(core);
    if (r)
        return r;
    return checkpoint(core);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long nothing is due. */
static int64_t pause_us(const struct core *core)
{
    int64_t boot_us = clock_boot_us();
    int64_t pause = HEARTBEAT_US;

    if (core->first_held)
        pause = earlier(pause, core->first_held->submit.hold_until_boot_us - boot_us);
    if (core->bus)
        pause = earlier(pause, bus_deadline_us(core->bus) - boot_us);
    int64_t due_us = dispatch_due_us(core->dispatch);
    if (due_us != INT64_MAX && !atomic_load(&core->is_refused))
        pause = earlier(pause, due_us - clock_now_us());
    return pause > 0 ? pause : 0;
}

static int wait_for_work(struct core *core)
{
    struct epoll_event events[2];
    uint64_t count;
    int pause_ms = (int)((pause_us(core) + US_PER_MS - 1) / US_PER_MS);

    int n = epoll_wait(core->epoll_fd, events, COUNT_OF(events), pause_ms);
    if (n < 0 && errno != EINTR)
        return FAULT(-errno);
    if (read(core->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return FAULT(-errno);
    return 0;
}

static void *core_thread(void *argument)
{
    struct core *core = argument;
    int r = 0;

    pthread_setname_np(pthread_self(), "core");
    for (bool last = false; !r && !last;) {
        r = wait_for_work(core);
        last = atomic_load(&core->stopping);
        if (!r)
            r = turn(core, last);
    }
    core->fault = r;
    errands_end(core);
    if (r) {
        log_event(LOG_ERROR, "core.fault", LOG_TEXT("fault", fault_text()));
        eventfd_write(core->ended_fd, 1);
    }
    return NULL;
}

/* ---- any thread ---- */

void core_send(struct core *core, struct call *call)
{
    uint64_t one = 1;

    pthread_mutex_lock(&core->lock);
    size_t n = core->queue.n;
    if (n < CORE_QUEUE_MAX)
        pointers_add(&core->queue, call);
    pthread_mutex_unlock(&core->lock);
    if (n >= CORE_QUEUE_MAX) {
        refuse(call_why(call), OUTCOME_BUSY, NULL, "more than %d requests wait for the core",
               CORE_QUEUE_MAX);
        call_answer(call, core->server, OUTCOME_BUSY);
    } else if (n == 0 && write(core->wake_fd, &one, sizeof(one)) < 0) {
        assert(errno == EAGAIN); /* it is readable already */
    }
}

bool core_turns(const struct core *core, int64_t boot_us)
{
    return boot_us <= atomic_load(&core->turn_boot_us) + CORE_SILENT_US;
}

const char *core_not_ready(const struct core *core, int64_t boot_us)
{
    if (!core_turns(core, boot_us))
        return "the core does not answer";
    if (atomic_load(&core->is_refused))
        return "the state disk takes nothing: it is full, over its quota or read-only";
    if (atomic_load(&core->is_full))
        return "the state disk is full: nothing new is taken";
    return NULL;
}

struct core_figures core_figures(struct core *core)
{
    pthread_mutex_lock(&core->lock);
    struct core_figures figures = core->figures;
    figures.queued = (uint32_t)core->queue.n;
    pthread_mutex_unlock(&core->lock);
    return figures;
}

struct metrics *core_metrics(const struct core *core)
{
    return core->metrics;
}

struct ledger *core_ledger(const struct core *core)
{
    return core->ledger;
}

int core_ended_fd(const struct core *core)
{
    return core->ended_fd;
}

int core_start(struct core *core, struct http_server *server)
{
    core->server = server;
    atomic_store(&core->turn_boot_us, clock_boot_us());
    int error =
        FAULT_POINT("core.thread") ? errno : pthread_create(&core->thread, NULL, core_thread, core);
    if (error)
        return FAULT(-error);
    core->is_running = true;
    return 0;
}

int core_stop(struct core *core)
{
    if (!core->is_running)
        return 0;
    atomic_store(&core->stopping, true);
    eventfd_write(core->wake_fd, 1);
    pthread_join(core->thread, NULL);
    core->is_running = false;
    return core->fault;
}

/* ---- open, close ---- */

static int open_bus(struct core *core, const char *address, struct refusal *why)
{
    struct bus_options options = {
        .role = BUS_CONTROLLER,
        .address = address,
        .callbacks = &session_callbacks,
        .owner = core,
    };
    struct epoll_event event = {.events = EPOLLIN};

    int r = bus_open(&options, &core->bus, why);
    if (r)
        return r;
    if (epoll_ctl(core->epoll_fd, EPOLL_CTL_ADD, bus_fd(core->bus), &event) < 0)
        return FAULT(-errno);
    return 0;
}

static int core_fill(struct core *core, const char *bus_address, struct refusal *why)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (core->epoll_fd < 0 || core->wake_fd < 0 || core->ended_fd < 0)
        return FAULT(-errno);
    if (epoll_ctl(core->epoll_fd, EPOLL_CTL_ADD, core->wake_fd, &event) < 0)
        return FAULT(-errno);
    int r = ledger_reader_open(core->ledger, &core->reader);
    if (r)
        return r;
    r = core_restore(core, why);
    if (r)
        return r;
    core->is_dirty = ledger_is_behind(core->ledger); /* by what the start had to make again */
    return bus_address ? open_bus(core, bus_address, why) : 0;
}

int core_open(struct ledger *ledger, const struct seal_key *key, const char *bus_address,
              struct core **ret, struct refusal *why)
{
    struct core *core = mem_alloc(sizeof(*core));

    core->ledger = ledger;
    core->seal_key = *key;
    core->metrics = metrics_new();
    core->now_us = clock_now_us();
    core->boot_us = clock_boot_us();
    core->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    core->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    core->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&core->lock, NULL);
    pthread_cond_init(&core->errand_done, NULL);
    arena_init_secret(&core->arena);
    int r = core_fill(core, bus_address, why);
    if (r) {
        core_close(core);
        return r;
    }
    *ret = core;
    return 0;
}

static void drop_owner(void *core, struct open_job *job)
{
    (void)core;
    job->owner = call_unref(job->owner);
}

void core_close(struct core *core)
{
    if (!core)
        return;
    assert(!core->is_running);
    bus_close(core->bus);
    if (core->dispatch) {
        dispatch_each_job(core->dispatch, drop_owner, core);
        dispatch_free(core->dispatch);
    }
    fleet_release(&core->fleet);
    ledger_reader_close(core->reader);
    decisions_release(&core->decisions);
    decisions_release(&core->at_once);
    mem_free(core->recorded.v);
    mem_free(core->done.v);
    mem_free(core->touched.v);
    mem_free(core->queue.v);
    mem_free(core->taken.v);
    mem_free(core->errands.v);
    mem_free(core->applied.v);
    arena_release(&core->arena);
    fd_closep(&core->epoll_fd);
    fd_closep(&core->wake_fd);
    fd_closep(&core->ended_fd);
    pthread_cond_destroy(&core->errand_done);
    pthread_mutex_destroy(&core->lock);
    metrics_free(core->metrics);
    explicit_bzero(core, sizeof(*core));
    mem_free(core);
}
