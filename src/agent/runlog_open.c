/* SPDX-License-Identifier: MIT */
/*
 * Opening a runlog: reading the file there is, and writing it anew.
 *
 * A new file replaces the old one when it is whole and on disk; until then the old one is the
 * truth.
 */
#include "agent/runlog_inside.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "runlog"
#define NEW_NAME  "runlog.new"
/* Of epochs and reports: far from where arithmetic would end. */
#define NUMBER_MAX (INT64_MAX / 2)

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
    if (record->number < 0 || record->number > NUMBER_MAX) {
        reading->damaged = true;
        return;
    }
    switch (record->type) {
    case LOGGED_FILE:
        log->epoch = record->number;
        reading->other |= record->run != RUNLOG_VERSION || record->number < 1;
        reading->damaged |= offset != 0;
        break;
    case LOGGED_OPENED:
        reading->boot = record->id;
        break;
    case LOGGED_REPORT:
        reading->damaged |= record->number != runlog_last(log) + 1;
        runlog_apply(log, record, offset);
        break;
    case LOGGED_TAKEN:
    case LOGGED_STARTED:
    case LOGGED_CONFIRMED:
    case LOGGED_SETTLED:
        runlog_apply(log, record, offset);
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

int64_t runlog_epoch_make(void)
{
    return (int64_t)(random_u64() >> 2 | 1);
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

    if (record.type == LOGGED_STARTED)
        record.number = entry->started_us;
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
    if (!r && (FAULT_POINT("runlog.rename") ||
               renameat(log->dir_fd, NEW_NAME, log->dir_fd, FILE_NAME) < 0))
        r = log_file_failed(errno);
    if (!r && (FAULT_POINT("runlog.renamed") || fsync(log->dir_fd) < 0))
        r = FAULT(-errno);
    return r;
}

int runlog_write_anew(struct runlog *log, int64_t epoch)
{
    struct log_file to = {
        .fd = FAULT_POINT("runlog.make")
                  ? -1
                  : openat(log->dir_fd, NEW_NAME,
                           O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600),
    };
    size_t n = log->n_reports - log->n_gone;
    int64_t confirmed = epoch == log->epoch ? log->confirmed : 0;

    if (to.fd < 0)
        return log_file_failed(errno);
    int64_t *offsets = mem_alloc((n + 1) * sizeof(*offsets));
    int r = write_new(log, &to, epoch, confirmed, offsets);
    if (r) {
        close(to.fd);
        unlinkat(log->dir_fd, NEW_NAME, 0);
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

/* Sent numbers must not be given out again: only a file that surely has them all goes on with
   them. */
static int continue_file(struct runlog *log, const struct reading *reading)
{
    if (reading->torn && ftruncate(log->file.fd, reading->end) < 0)
        return FAULT(-errno);
    if (!reading->closed && !uuid_equal(&reading->boot, &log->boot))
        return runlog_write_anew(log, runlog_epoch_make());
    int r = log_file_append(&log->file,
                            &(struct log_record){.type = LOGGED_OPENED, .id = log->boot}, NULL);
    if (r)
        return r;
    return log_file_sync(&log->file);
}

static int open_file(struct runlog *log, int64_t wall_us)
{
    struct reading reading;

    log->file.fd = FAULT_POINT("runlog.open")
                       ? -1
                       : openat(log->dir_fd, FILE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (log->file.fd < 0 && errno == ENOENT)
        return runlog_write_anew(log, runlog_epoch_make());
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
    return runlog_write_anew(log, runlog_epoch_make());
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
    if (entry->started_us)
        SET(&report, started_us, entry->started_us);
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

int runlog_open(const struct runlog_options *options, struct runlog **ret, struct refusal *why)
{
    struct runlog *log = mem_alloc(sizeof(*log));

    *log = (struct runlog){.dir_fd = -1, .file.fd = -1, .boot = options->boot};
    int r = directory_lock(log, options->directory, why);
    if (!r)
        r = open_file(log, options->wall_us);
    if (!r)
        r = interrupt_all(log);
    if (r == OUTCOME_NO_SPACE)
        r = refuse(why, OUTCOME_UNAVAILABLE, "state",
                   "%s: the disk is full, over its quota or read-only", options->directory);
    if (r) {
        runlog_free(log);
        return r;
    }
    *ret = log;
    return 0;
}
