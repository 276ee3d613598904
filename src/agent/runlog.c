/* SPDX-License-Identifier: MIT */
/*
 * The runlog: what records mean, and which of them are still needed.
 *
 * Memory follows the file: a change is appended first, then made here.
 */
#include "agent/runlog_inside.h"
#include "base/mem.h"
#include "job/job.h"

#include <assert.h>
#include <errno.h>
#include <sys/statvfs.h>

/* A smaller file is not worth writing anew. */
#define DEAD_WORTH ((int64_t)1 << 20)

/* ---- reports ---- */

static struct report_ref *report_at(const struct runlog *log, int64_t number)
{
    int64_t i = number - log->confirmed - 1;

    assert(i >= 0 && (size_t)i < log->n_reports - log->n_gone);
    return &log->reports[log->n_gone + (size_t)i];
}

static void report_push(struct runlog *log, const struct report_ref *report)
{
    if (log->n_reports == log->room) {
        log->room = log->room ? 2 * log->room : 16;
        log->reports = mem_realloc(log->reports, log->room * sizeof(*log->reports));
    }
    log->reports[log->n_reports++] = *report;
    log->live += (int64_t)report->size;
}

/* Gives the front of the array back when half of it is gone, and all of it when nothing is left. */
static void reports_shrink(struct runlog *log)
{
    if (2 * log->n_gone < log->n_reports)
        return;
    log->n_reports -= log->n_gone;
    if (log->n_reports) {
        memmove(log->reports, log->reports + log->n_gone, log->n_reports * sizeof(*log->reports));
    } else {
        log->reports = mem_free(log->reports);
        log->room = 0;
    }
    log->n_gone = 0;
}

/* At the beginning of a file, the number stands for reports that are no longer in it. */
static void apply_confirmed(struct runlog *log, int64_t number)
{
    while (log->confirmed < number && log->n_gone < log->n_reports) {
        const struct report_ref *report = &log->reports[log->n_gone];

        if (report->final)
            run_table_find(&log->runs, &report->run)->known = RUNLOG_SETTLED;
        log->live -= (int64_t)report->size;
        log->n_gone++;
        log->confirmed++;
    }
    reports_shrink(log);
    if (log->n_reports == 0 && log->confirmed < number)
        log->confirmed = number;
}

/* ---- what records mean ---- */

static struct known_run *entry_of(struct runlog *log, const struct log_record *record)
{
    struct run_key key = {.job = record->id, .run = record->run};
    struct known_run *entry = run_table_find(&log->runs, &key);

    if (!entry) {
        entry = run_table_add(&log->runs, &key);
        entry->known = RUNLOG_TAKEN;
        entry->durable = record->durable;
        entry->start_by_us = record->start_by_us;
        log->live += (int64_t)log_record_size(0);
    }
    return entry;
}

static void entry_finish(struct known_run *entry, enum runlog_state known,
                         const struct log_record *record)
{
    entry->known = (unsigned char)known;
    entry->state = (unsigned char)record->state;
    entry->code = (unsigned char)record->code;
}

static void apply_report(struct runlog *log, const struct log_record *record, int64_t offset)
{
    struct known_run *entry = entry_of(log, record);
    bool final = run_state_is_final(record->state) && entry->known < RUNLOG_FINISHED;

    if (final)
        entry_finish(entry, RUNLOG_FINISHED, record);
    report_push(log, &(struct report_ref){
                         .offset = offset,
                         .size = log_record_size(record->json.size),
                         .run = entry->key,
                         .final = final,
                     });
}

static void apply_started(struct runlog *log, const struct log_record *record)
{
    struct known_run *entry = entry_of(log, record);

    if (entry->known != RUNLOG_TAKEN)
        return;
    entry->known = RUNLOG_STARTED;
    entry->started_us = record->number;
}

void runlog_apply(struct runlog *log, const struct log_record *record, int64_t offset)
{
    switch (record->type) {
    case LOGGED_TAKEN:
        entry_of(log, record);
        break;
    case LOGGED_STARTED:
        apply_started(log, record);
        break;
    case LOGGED_REPORT:
        apply_report(log, record, offset);
        break;
    case LOGGED_CONFIRMED:
        apply_confirmed(log, record->number);
        break;
    case LOGGED_SETTLED:
        entry_finish(entry_of(log, record), RUNLOG_SETTLED, record);
        break;
    case LOGGED_FILE:
    case LOGGED_OPENED:
    case LOGGED_CLOSED:
    case LOGGED_END:
        break; /* of the file, not of runs */
    }
}

/* ---- questions ---- */

int64_t runlog_epoch(const struct runlog *log)
{
    return log->epoch;
}

int64_t runlog_first_unconfirmed(const struct runlog *log)
{
    return log->confirmed + 1;
}

int64_t runlog_last(const struct runlog *log)
{
    return log->confirmed + (int64_t)(log->n_reports - log->n_gone);
}

const char *runlog_set_aside(const struct runlog *log)
{
    return log->set_aside;
}

enum runlog_state runlog_find(const struct runlog *log, const struct run_key *key,
                              enum run_state *ret_state, enum run_code *ret_code)
{
    const struct known_run *entry = run_table_find(&log->runs, key);

    if (!entry)
        return RUNLOG_UNKNOWN;
    if (ret_state && entry->known >= RUNLOG_FINISHED)
        *ret_state = (enum run_state)entry->state;
    if (ret_code && entry->known >= RUNLOG_FINISHED)
        *ret_code = (enum run_code)entry->code;
    return (enum runlog_state)entry->known;
}

struct bus_run_ref_list runlog_unconfirmed(const struct runlog *log, struct arena *arena)
{
    struct bus_run_ref_list list = {.v = arena_alloc(arena, (log->runs.n + 1) * sizeof(*list.v))};
    struct known_run *entry;
    size_t at = 0;

    while ((entry = run_table_next(&log->runs, &at))) {
        if (entry->known != RUNLOG_SETTLED)
            list.v[list.n++] = run_key_ref(&entry->key, arena);
    }
    return list;
}

bool runlog_has_room(const struct runlog *log)
{
    return log->runs.n < RUNLOG_RUNS_ROOM && log->live < RUNLOG_SIZE_ROOM;
}

bool runlog_is_full(const struct runlog *log)
{
    return log->runs.n >= RUNLOG_RUNS_MAX;
}

/* ---- changes ---- */

int runlog_take(struct runlog *log, const struct run_key *key, bool durable, int64_t start_by_us)
{
    struct log_record record = {
        .type = LOGGED_TAKEN,
        .durable = durable,
        .run = key->run,
        .id = key->job,
        .start_by_us = start_by_us,
    };

    assert(!run_table_find(&log->runs, key));
    int r = log_file_append(&log->file, &record, NULL);
    if (r)
        return r;
    entry_of(log, &record);
    return 0;
}

int runlog_start(struct runlog *log, const struct run_key *key, int64_t started_us)
{
    const struct known_run *entry = run_table_find(&log->runs, key);

    assert(entry && entry->known == RUNLOG_TAKEN);
    struct log_record record = {
        .type = LOGGED_STARTED,
        .durable = entry->durable,
        .run = key->run,
        .id = key->job,
        .start_by_us = entry->start_by_us,
        .number = started_us,
    };
    int r = log_file_append(&log->file, &record, NULL);
    if (r)
        return r;
    apply_started(log, &record);
    log->durable_unsynced |= entry->durable;
    return 0;
}

int runlog_report(struct runlog *log, struct bus_report *report)
{
    struct run_key key = run_key_of(&report->run);
    const struct known_run *entry = run_table_find(&log->runs, &key);
    struct buf json;
    int64_t offset;

    assert(entry);
    SET(report, number, runlog_last(log) + 1);
    buf_init(&json, BUS_MESSAGE_MAX);
    schema_encode(&bus_report_schema, report, &json);
    assert(!buf_overflowed(&json));

    struct log_record record = {
        .type = LOGGED_REPORT,
        .durable = entry->durable,
        .state = report->state,
        .code = report->code,
        .run = key.run,
        .id = key.job,
        .start_by_us = entry->start_by_us,
        .number = report->number,
        .json = buf_slice(&json),
    };
    int r = log_file_append(&log->file, &record, &offset);
    if (!r) {
        apply_report(log, &record, offset);
        log->durable_unsynced |= entry->durable;
    }
    buf_release(&json);
    return r;
}

int runlog_sync(struct runlog *log)
{
    if (!log->durable_unsynced)
        return 0;
    int r = log_file_sync(&log->file);
    if (r)
        return r;
    log->durable_unsynced = false;
    return 0;
}

/* A report that this version can't read (another one wrote it) must not stop those after it. */
static void report_of_head(const struct log_record *record, struct arena *arena,
                           struct bus_report *ret)
{
    const struct run_key key = {.job = record->id, .run = record->run};
    bool final = run_state_is_final(record->state);

    *ret = (struct bus_report){.has_run = true, .run = run_key_ref(&key, arena)};
    SET(ret, state, final ? run_state_FAILED : record->state);
    SET(ret, code, final ? run_code_ERROR : record->code);
    SET(ret, error, "what the agent noted about this run can't be read any more");
}

int runlog_read(const struct runlog *log, int64_t number, struct arena *arena,
                struct bus_report *ret)
{
    struct log_record record;
    int r = log_file_read(&log->file, report_at(log, number)->offset, arena, &record);

    if (r)
        return r;
    if (schema_decode(&bus_report_schema, record.json, BUS_VALUES_MAX, arena, ret, NULL))
        report_of_head(&record, arena, ret);
    SET(ret, number, record.number); /* it may have been numbered anew */
    return 0;
}

size_t runlog_report_size(const struct runlog *log, int64_t number)
{
    return report_at(log, number)->size;
}

static int append_confirmed(struct runlog *log, int64_t number)
{
    return log_file_append(&log->file,
                           &(struct log_record){.type = LOGGED_CONFIRMED, .number = number}, NULL);
}

int runlog_try(struct runlog *log)
{
    return append_confirmed(log, log->confirmed);
}

/* Memory may be ahead of the file here: who does not know any more that a report was confirmed
   sends it again, and it is confirmed again. */
int runlog_confirm(struct runlog *log, int64_t number)
{
    if (number <= log->confirmed)
        return 0;
    if (number > runlog_last(log))
        return OUTCOME_CONFLICT;
    int r = append_confirmed(log, number);
    if (r < 0)
        return r;
    apply_confirmed(log, number);
    return 0;
}

int runlog_renew(struct runlog *log)
{
    int r = runlog_write_anew(log, runlog_epoch_make());
    return r > 0 ? FAULT(-ENOSPC) : r; /* without it there is nothing to say */
}

/* ---- forgetting ---- */

struct horizon {
    bool known;
    int64_t start_by_us; /* durable runs that had to start before this are forgotten */
};

static bool is_kept(const struct known_run *entry, const void *argument)
{
    const struct horizon *horizon = argument;

    if (entry->known != RUNLOG_SETTLED)
        return true;
    return entry->durable && !(horizon->known && entry->start_by_us < horizon->start_by_us);
}

/* For a second file beside this one; on a full disk the one there is has to do. */
static bool disk_has_room(const struct runlog *log)
{
    struct statvfs fs;

    return fstatvfs(log->dir_fd, &fs) == 0 &&
           fs.f_bavail * fs.f_frsize > 2 * (uint64_t)(log->live + DEAD_WORTH);
}

int runlog_tidy(struct runlog *log, int64_t now_us)
{
    int64_t kept_us = log->runs.n > RUNLOG_RUNS_ROOM / 2 ? RUNLOG_PRESSED_US : RUNLOG_KEPT_US;
    struct horizon horizon = {.known = now_us != RUNLOG_TIME_UNKNOWN};
    size_t n_before = log->runs.n;

    if (horizon.known)
        horizon.start_by_us = now_us - kept_us;
    run_table_keep(&log->runs, is_kept, &horizon);
    log->live -= (int64_t)((n_before - log->runs.n) * log_record_size(0));
    if (log->file.size < DEAD_WORTH || log->file.size < 2 * log->live || !disk_has_room(log))
        return 0;
    int r = runlog_write_anew(log, log->epoch);
    return r < 0 ? r : 0; /* the file there is has to do */
}

/* ---- end ---- */

void runlog_free(struct runlog *log)
{
    if (!log)
        return;
    fd_closep(&log->file.fd);
    fd_closep(&log->dir_fd);
    run_table_release(&log->runs);
    mem_free(log->reports);
    mem_free(log->set_aside);
    mem_free(log);
}

int runlog_close(struct runlog *log)
{
    if (!log)
        return 0;
    int r = log_file_append(&log->file, &(struct log_record){.type = LOGGED_CLOSED}, NULL);
    if (!r)
        r = log_file_sync(&log->file);
    runlog_free(log);
    return r < 0 ? r : 0; /* the next start finds out by itself */
}
