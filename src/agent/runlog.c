/* SPDX-License-Identifier: MIT */
/*
 * The runlog: what records mean, and which of them are still needed.
 *
 * Memory follows the file: a change is appended first, then made here.
 */
#include "agent/runlog.h"
#include "agent/runlog_file.h"
#include "base/file.h"
#include "base/mem.h"
#include "job/job.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "runlog"
#define NEW_NAME  "runlog.new"
/* A smaller file is not worth writing anew. */
#define DEAD_WORTH ((int64_t)1 << 20)

/* A report that is not confirmed. */
struct report_ref {
    int64_t offset;
    size_t size; /* of its record */
    struct run_key run;
    bool final;
};

struct runlog {
    int dir_fd; /* locked */
    struct log_file file;
    struct uuid boot;
    int64_t epoch;
    int64_t confirmed; /* last number that is */
    struct run_table runs;
    struct report_ref *reports; /* numbers confirmed + 1 …; the first n_gone are confirmed by now */
    size_t n_reports, n_gone, room;
    int64_t live;          /* bytes of records still needed, about */
    bool durable_unsynced; /* something of a durable run is not yet on disk for good */
    char *set_aside;
};

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

static void settle(struct runlog *log, int64_t number)
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

    if (entry->known == RUNLOG_TAKEN)
        entry->known = RUNLOG_STARTED;
}

/* ---- reading the file ---- */

struct reading {
    int64_t end;      /* of the last whole record */
    bool torn;        /* what follows is no record */
    bool damaged;     /* something within is no record, or is not where it belongs */
    bool other;       /* not a runlog of this version */
    bool closed;      /* in good order */
    struct uuid boot; /* in which it was opened last */
};

static void read_record(struct runlog *log, const struct log_record *record, int64_t offset,
                        struct reading *reading)
{
    reading->closed = record->type == LOGGED_CLOSED;
    switch (record->type) {
    case LOGGED_FILE:
        log->epoch = record->number;
        reading->other |= record->run != RUNLOG_VERSION || record->number < 1;
        reading->damaged |= offset != 0;
        break;
    case LOGGED_OPENED:
        reading->boot = record->id;
        break;
    case LOGGED_TAKEN:
        entry_of(log, record);
        break;
    case LOGGED_STARTED:
        apply_started(log, record);
        break;
    case LOGGED_REPORT:
        reading->damaged |= record->number != runlog_last(log) + 1;
        apply_report(log, record, offset);
        break;
    case LOGGED_CONFIRMED:
        settle(log, record->number);
        if (log->n_reports == log->n_gone && record->number > log->confirmed)
            log->confirmed = record->number;
        break;
    case LOGGED_SETTLED:
        entry_finish(entry_of(log, record), RUNLOG_SETTLED, record);
        break;
    case LOGGED_CLOSED:
    case LOGGED_END:
        break;
    }
}

/* A record after bytes that are none is damage; without one, the bytes are a tail that a crash
   tore. What can be read after damage is read: each record is complete in itself. */
static void read_all(struct runlog *log, struct slice bytes, struct reading *ret)
{
    size_t at = 0;

    *ret = (struct reading){0};
    while (at < bytes.size && !ret->other) {
        struct slice rest = {.at = bytes.at + at, .size = bytes.size - at};
        struct log_record record;
        size_t size;

        if (!log_record_parse(rest, &record, &size)) {
            ret->torn = true;
            at++;
            continue;
        }
        ret->damaged |= ret->torn || (at == 0 && record.type != LOGGED_FILE);
        read_record(log, &record, (int64_t)at, ret);
        at += size;
        ret->end = (int64_t)at;
        ret->torn = false;
    }
    ret->other |= log->epoch == 0;
}

static int read_file(struct runlog *log, struct reading *ret)
{
    struct stat st;

    if (fstat(log->file.fd, &st) < 0)
        return FAULT(-errno);
    *ret = (struct reading){.other = true};
    if (st.st_size == 0)
        return 0;
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, log->file.fd, 0);
    if (bytes == MAP_FAILED)
        return FAULT(-errno);
    read_all(log, (struct slice){.at = bytes, .size = (size_t)st.st_size}, ret);
    munmap(bytes, (size_t)st.st_size);
    log->file.size = ret->end;
    return 0;
}

/* ---- writing it anew ---- */

static int64_t epoch_make(void)
{
    return (int64_t)(random_u64() >> 2) + 1;
}

static int write_entry(struct log_file *to, const struct known_run *entry)
{
    struct log_record record = {
        .type = entry->known == RUNLOG_SETTLED ? LOGGED_SETTLED
                : entry->known == RUNLOG_TAKEN ? LOGGED_TAKEN
                                               : LOGGED_STARTED,
        .durable = entry->durable,
        .state = (enum run_state)entry->state,
        .code = (enum run_code)entry->code,
        .run = entry->key.run,
        .id = entry->key.job,
        .start_by_us = entry->start_by_us,
    };

    return log_file_append(to, &record, NULL);
}

static int write_head(const struct runlog *log, struct log_file *to, int64_t epoch,
                      int64_t confirmed)
{
    const struct log_record head[] = {
        {.type = LOGGED_FILE, .number = epoch, .run = RUNLOG_VERSION},
        {.type = LOGGED_OPENED, .id = log->boot},
        {.type = LOGGED_CONFIRMED, .number = confirmed},
    };
    struct known_run *entry;
    size_t at = 0;
    int r = 0;

    for (size_t i = 0; i < COUNT_OF(head) && !r; i++)
        r = log_file_append(to, &head[i], NULL);
    while (!r && (entry = run_table_next(&log->runs, &at)))
        r = write_entry(to, entry);
    return r;
}

/* One at a time in memory. */
static int copy_report(const struct runlog *log, int64_t offset, int64_t number,
                       struct log_file *to, int64_t *ret_offset)
{
    struct arena arena;
    struct log_record record;

    arena_init(&arena);
    int r = log_file_read(&log->file, offset, &arena, &record);
    record.number = number;
    if (!r)
        r = log_file_append(to, &record, ret_offset);
    arena_release(&arena);
    return r;
}

static int write_new(struct runlog *log, struct log_file *to, int64_t epoch, int64_t confirmed,
                     int64_t *offsets)
{
    size_t n = log->n_reports - log->n_gone;
    int r = write_head(log, to, epoch, confirmed);

    for (size_t i = 0; i < n && !r; i++)
        r = copy_report(log, log->reports[log->n_gone + i].offset, confirmed + 1 + (int64_t)i, to,
                        &offsets[i]);
    if (!r)
        r = log_file_sync(to);
    if (!r && renameat(log->dir_fd, NEW_NAME, log->dir_fd, FILE_NAME) < 0)
        r = FAULT(-errno);
    if (!r && fsync(log->dir_fd) < 0)
        r = FAULT(-errno);
    return r;
}

/* Numbers go on within an epoch and begin at 1 in a new one. */
static int write_anew(struct runlog *log, int64_t epoch)
{
    struct log_file to = {
        .fd = openat(log->dir_fd, NEW_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                     0600),
    };
    size_t n = log->n_reports - log->n_gone;
    int64_t confirmed = epoch == log->epoch ? log->confirmed : 0;

    if (to.fd < 0)
        return FAULT(-errno);
    int64_t *offsets = mem_alloc((n + 1) * sizeof(*offsets));
    int r = write_new(log, &to, epoch, confirmed, offsets);
    if (r) {
        close(to.fd);
    } else {
        for (size_t i = 0; i < n; i++)
            log->reports[log->n_gone + i].offset = offsets[i];
        fd_closep(&log->file.fd);
        log->file = to;
        log->epoch = epoch;
        log->confirmed = confirmed;
        log->durable_unsynced = false;
    }
    mem_free(offsets);
    return r;
}

/* ---- open ---- */

static int directory_lock(struct runlog *log, const char *directory, struct refusal *why)
{
    int r = dir_make(directory, 0700);
    if (r)
        return r;
    log->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->dir_fd < 0)
        return FAULT(-errno);
    if (flock(log->dir_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return FAULT(-errno);
    return refuse(why, OUTCOME_UNAVAILABLE, "state", "%s: another agent uses it", directory);
}

static int put_aside(struct runlog *log, int64_t wall_us)
{
    struct buf name;

    buf_init(&name, 64);
    buf_printf(&name, FILE_NAME ".damaged-%lld", (long long)(wall_us / US_PER_S));
    log->set_aside = mem_strdup(buf_text(&name));
    buf_release(&name);
    if (renameat(log->dir_fd, FILE_NAME, log->dir_fd, log->set_aside) < 0)
        return FAULT(-errno);
    return 0;
}

/* Sent numbers must not be given out again: only a file that surely has them all goes on with them.
 */
static int continue_file(struct runlog *log, const struct reading *reading)
{
    if (reading->torn && ftruncate(log->file.fd, reading->end) < 0)
        return FAULT(-errno);
    if (!reading->closed && !uuid_equal(&reading->boot, &log->boot))
        return write_anew(log, epoch_make());
    int r = log_file_append(&log->file,
                            &(struct log_record){.type = LOGGED_OPENED, .id = log->boot}, NULL);
    if (r)
        return r;
    return log_file_sync(&log->file);
}

static int open_file(struct runlog *log, int64_t wall_us)
{
    struct reading reading;

    log->file.fd = openat(log->dir_fd, FILE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (log->file.fd < 0 && errno == ENOENT)
        return write_anew(log, epoch_make());
    if (log->file.fd < 0)
        return FAULT(-errno);
    int r = read_file(log, &reading);
    if (r)
        return r;
    if (!reading.other && !reading.damaged)
        return continue_file(log, &reading);
    r = put_aside(log, wall_us);
    if (r)
        return r;
    return write_anew(log, epoch_make());
}

static int interrupt(struct runlog *log, const struct known_run *entry)
{
    struct arena arena;
    struct bus_report report = {.row_ = {0}};

    arena_init(&arena);
    SET(&report, run, run_key_ref(&entry->key, &arena));
    SET(&report, state, run_state_FAILED);
    SET(&report, code, run_code_INTERRUPTED);
    SET(&report, error,
        entry->known == RUNLOG_STARTED ? "the agent ended while it ran; the outcome is unknown"
                                       : "the agent ended before it began");
    int r = runlog_report(log, &report);
    arena_release(&arena);
    return r;
}

static int interrupt_all(struct runlog *log)
{
    struct known_run *entry;
    size_t at = 0;

    while ((entry = run_table_next(&log->runs, &at))) {
        if (entry->known >= RUNLOG_FINISHED)
            continue;
        int r = interrupt(log, entry);
        if (r)
            return r;
    }
    return 0;
}

static void runlog_free(struct runlog *log)
{
    fd_closep(&log->file.fd);
    fd_closep(&log->dir_fd);
    run_table_release(&log->runs);
    mem_free(log->reports);
    mem_free(log->set_aside);
    mem_free(log);
}

int runlog_open(const struct runlog_options *options, struct runlog **ret, struct refusal *why)
{
    struct runlog *log = mem_alloc(sizeof(*log));

    *log = (struct runlog){.dir_fd = -1, .file.fd = -1, .boot = options->boot};
    int r = directory_lock(log, options->directory, why);
    if (!r)
        r = open_file(log, options->wall_us);
    if (!r)
        r = interrupt_all(log);
    if (r) {
        runlog_free(log);
        return r;
    }
    *ret = log;
    return 0;
}

int runlog_close(struct runlog *log)
{
    if (!log)
        return 0;
    int r = log_file_append(&log->file, &(struct log_record){.type = LOGGED_CLOSED}, NULL);
    if (!r)
        r = log_file_sync(&log->file);
    runlog_free(log);
    return r;
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

static int append_of(struct runlog *log, const struct known_run *entry, enum logged type)
{
    struct log_record record = {
        .type = type,
        .durable = entry->durable,
        .run = entry->key.run,
        .id = entry->key.job,
        .start_by_us = entry->start_by_us,
    };

    return log_file_append(&log->file, &record, NULL);
}

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

int runlog_start(struct runlog *log, const struct run_key *key)
{
    struct known_run *entry = run_table_find(&log->runs, key);

    assert(entry && entry->known == RUNLOG_TAKEN);
    int r = append_of(log, entry, LOGGED_STARTED);
    if (r)
        return r;
    entry->known = RUNLOG_STARTED;
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
static void report_of_head(const struct log_record *record, struct arena *arena, struct bus_report *ret)
{
    const struct run_key key = {.job = record->id, .run = record->run};
    bool final = run_state_is_final(record->state);

    *ret = (struct bus_report){.has_run = true, .run = run_key_ref(&key, arena)};
    SET(ret, state, final ? run_state_FAILED : record->state);
    SET(ret, code, final ? run_code_ERROR : record->code);
    SET(ret, error, "what the agent noted about this run can't be read any more");
}

int runlog_read(const struct runlog *log, int64_t number, struct arena *arena, struct bus_report *ret)
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

int runlog_confirm(struct runlog *log, int64_t number)
{
    if (number <= log->confirmed)
        return 0;
    if (number > runlog_last(log))
        return OUTCOME_CONFLICT;
    int r = log_file_append(&log->file,
                            &(struct log_record){.type = LOGGED_CONFIRMED, .number = number}, NULL);
    if (r)
        return r;
    settle(log, number);
    return 0;
}

int runlog_renew(struct runlog *log)
{
    return write_anew(log, epoch_make());
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

int runlog_tidy(struct runlog *log, int64_t now_us)
{
    int64_t kept_us = log->runs.n > RUNLOG_RUNS_ROOM / 2 ? RUNLOG_PRESSED_US : RUNLOG_KEPT_US;
    struct horizon horizon = {.known = now_us != RUNLOG_TIME_UNKNOWN};
    size_t n_before = log->runs.n;

    if (horizon.known)
        horizon.start_by_us = now_us - kept_us;
    run_table_keep(&log->runs, is_kept, &horizon);
    log->live -= (int64_t)((n_before - log->runs.n) * log_record_size(0));
    if (log->file.size < DEAD_WORTH || log->file.size < 2 * log->live)
        return 0;
    return write_anew(log, log->epoch);
}
