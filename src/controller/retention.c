/* SPDX-License-Identifier: MIT */
/*
 * One slice after the other: find, archive, drop, rest.
 *
 * This thread reads the ledger and writes the archive; records are the core's (drop.c).
 */
#include "controller/retention.h"

#include "archive/archive.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "controller/inside.h"
#include "ledger/retain.h"

#include <errno.h>
#include <sys/eventfd.h>

struct retention {
    struct core *core;
    struct retain *retain;
    struct archive *archive;
    struct retain_slice slice;
    bool is_taken;      /* the slice: it is archived, if the rules ask for that, and not dropped */
    bool archives;      /* the rules ask for it */
    bool has_failed;    /* archive or disk, the last time: that is said once */
    struct refusal why; /* of the archive */
    pthread_t thread;
    int fault; /* that ended the thread */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool is_stopping, has_rules;
    struct config_retention rules; /* to be taken over */
};

/* ---- a slice ---- */

static void say_failed(struct retention *retention, const char *why)
{
    if (!retention->has_failed)
        log_event(LOG_ERROR, "retention.failed", LOG_TEXT("why", why),
                  LOG_TEXT("until_then", "nothing is dropped"));
    retention->has_failed = true;
}

static int archive_piece(void *owner, struct slice piece)
{
    struct retention *retention = owner;

    return archive_add(retention->archive, piece, &retention->why);
}

/* 0: durable in the archive. */
static int archive_slice(struct retention *retention, int64_t now_us)
{
    struct ledger_sink sink = {.take = archive_piece, .owner = retention};
    int r = archive_begin(retention->archive, now_us, &retention->why);

    if (!r)
        r = retain_write(retention->retain, &retention->slice, &sink);
    if (!r)
        r = archive_end(retention->archive, &retention->why);
    if (r > 0)
        say_failed(retention, retention->why.text);
    return r;
}

/* What the disk did not let go is not archived once more: that could fill it for good. */
static int take_slice(struct retention *retention)
{
    int64_t now_us = clock_now_us();

    if (retention->is_taken)
        return 0;
    int r = retain_next(retention->retain, now_us, &retention->slice);
    if (!r && retention->slice.n > 0 && retention->archives)
        r = archive_slice(retention, now_us);
    retention->is_taken = !r && retention->slice.n > 0;
    return r;
}

static int drop_slice(struct retention *retention)
{
    const struct retain_slice *slice = &retention->slice;
    struct record_dropped record = {.jobs = slice->jobs, .n = slice->n};
    uint32_t n;
    int r = core_drop(retention->core, &record, &n);

    if (r == OUTCOME_NO_SPACE)
        say_failed(retention, "the state disk takes nothing");
    if (r)
        return r;
    if (retention->has_failed)
        log_event(LOG_NOTICE, "retention.works_again", LOG_NUMBER("jobs", n));
    retention->has_failed = retention->is_taken = false;
    metrics_dropped(retention->core->metrics, n);
    if (n == 0) /* all of them have changed meanwhile */
        return 0;
    log_event(LOG_NOTICE, "retention.dropped", LOG_NUMBER("jobs", n),
              LOG_TEXT("reason", retain_word(slice->reason)),
              LOG_NUMBER("archived", retention->archives));
    return 0;
}

/* What the slice took of the core's time is given back to others. */
static int64_t rest_us(struct retention *retention, int64_t took_us)
{
    return core_figures(retention->core).queued > 0 ? RETENTION_BUSY_TIMES * took_us : took_us;
}

/* *ret_pause_us: until the next. 0, or a fault. */
static int do_slice(struct retention *retention, int64_t *ret_pause_us)
{
    int r = take_slice(retention);

    *ret_pause_us = retention->slice.more ? 0 : RETENTION_LOOK_US;
    if (!r && !retention->is_taken)
        return 0;
    if (!r && FAULT_POINT("retention.archived"))
        r = FAULT(-errno);
    int64_t begun_us = clock_boot_us();
    if (!r)
        r = drop_slice(retention);
    *ret_pause_us = r ? RETENTION_FAILED_US : rest_us(retention, clock_boot_us() - begun_us);
    return r < 0 ? r : 0;
}

/* ---- the thread ---- */

/* Sleeps, unless it is to stop or has other rules. False: it is to stop. */
static bool rest(struct retention *retention, int64_t pause_us)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += pause_us / US_PER_S;
    until.tv_nsec += pause_us % US_PER_S * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&retention->lock);
    while (!retention->is_stopping && !retention->has_rules &&
           pthread_cond_timedwait(&retention->wake, &retention->lock, &until) == 0)
        ;
    if (retention->has_rules) {
        retain_rule(retention->retain, &retention->rules);
        retention->archives = retention->rules.archive;
        retention->has_rules = retention->is_taken = false;
    }
    bool goes_on = !retention->is_stopping;
    pthread_mutex_unlock(&retention->lock);
    return goes_on;
}

static void mend_archive(struct retention *retention)
{
    uint64_t bytes;

    if (archive_mend(retention->archive, &bytes, &retention->why))
        say_failed(retention, retention->why.text);
    else if (bytes > 0)
        log_event(LOG_NOTICE, "retention.archive_cut", LOG_NUMBER("bytes", bytes));
}

static void *retention_thread(void *argument)
{
    struct retention *retention = argument;
    int64_t pause_us = 0;
    int r = 0;

    pthread_setname_np(pthread_self(), "retention");
    mend_archive(retention);
    while (!r && rest(retention, pause_us))
        r = do_slice(retention, &pause_us);
    retention->fault = r;
    if (r) {
        log_event(LOG_ERROR, "retention.fault", LOG_TEXT("fault", fault_text()));
        eventfd_write(retention->core->ended_fd, 1);
    }
    return NULL;
}

/* ---- any thread ---- */

static void retention_free(struct retention *retention)
{
    archive_free(retention->archive);
    retain_close(retention->retain);
    pthread_cond_destroy(&retention->wake);
    pthread_mutex_destroy(&retention->lock);
    mem_free(retention);
}

static void init_wake(pthread_cond_t *wake)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

int retention_start(struct core *core, const char *archive, struct retention **ret)
{
    struct retention *retention = mem_alloc(sizeof(*retention));

    retention->core = core;
    retention->archive = archive_new(archive);
    pthread_mutex_init(&retention->lock, NULL);
    init_wake(&retention->wake);
    int r = retain_open(core->ledger, &retention->retain);
    if (!r)
        r = -pthread_create(&retention->thread, NULL, retention_thread, retention);
    if (r) {
        retention_free(retention);
        return FAULT(r);
    }
    *ret = retention;
    return 0;
}

void retention_follow(struct retention *retention, const struct config_retention *rules)
{
    pthread_mutex_lock(&retention->lock);
    retention->rules = *rules;
    retention->has_rules = true;
    pthread_cond_signal(&retention->wake);
    pthread_mutex_unlock(&retention->lock);
}

int retention_stop(struct retention *retention)
{
    if (!retention)
        return 0;
    pthread_mutex_lock(&retention->lock);
    retention->is_stopping = true;
    pthread_cond_signal(&retention->wake);
    pthread_mutex_unlock(&retention->lock);
    pthread_join(retention->thread, NULL);
    int r = retention->fault;
    retention_free(retention);
    return r;
}
