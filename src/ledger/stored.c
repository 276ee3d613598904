/* SPDX-License-Identifier: MIT */
/*
 * Rows to bytes and back.
 *
 * LMDB aligns values to 2 bytes: fixed parts are copied out, never cast. Texts follow the fixed
 * part in the order of their sizes in it.
 */
#include "ledger/stored.h"

#include "base/json.h"
#include "ledger/pack.h"

#include <assert.h>
#include <errno.h>

#define DAMAGED FAULT(-EUCLEAN)

#define JOB_ROW_FORMAT    1
#define RUN_ROW_FORMAT    1
#define EVENTS_ROW_FORMAT 1
#define AGENT_ROW_FORMAT  1

struct head_disk_v1 {
    uint8_t bytes[offsetof(struct head, target)]; /* what came later was added behind it */
};
_Static_assert(sizeof(struct head_disk_v1) == 64, "on disk");

struct job_row_disk {
    int64_t limit_us, start_by_us;
    uint32_t fragment_size, type_size, data_size, target_size, user_size;
    uint8_t format;
    uint8_t pad[3];
};
_Static_assert(sizeof(struct job_row_disk) == 40, "on disk");

struct run_row_disk {
    int64_t acknowledged_us, started_us, finished_us;
    uint32_t error_size, data_size;
    uint8_t state, code;
    uint8_t flags; /* enum run_flag */
    uint8_t format;
    uint8_t pad[4];
};
_Static_assert(sizeof(struct run_row_disk) == 40, "on disk");

enum run_flag {
    RUN_PRESUMED = 1 << 0,
    RUN_HAS_CHANGED = 1 << 1,
    RUN_CHANGED = 1 << 2,
    RUN_PACKED = 1 << 3,
};

struct events_row_disk {
    uint32_t n;
    uint8_t format;
    uint8_t pad[3];
};
_Static_assert(sizeof(struct events_row_disk) == 8, "on disk");

struct event_disk {
    int64_t time_us;
    struct uuid id;
    uint32_t host;
    uint16_t text_size;
    uint8_t kind, code;
};
_Static_assert(sizeof(struct event_disk) == 32, "on disk");

struct agent_row_disk {
    int64_t first_seen_us, changed_us, epoch, reported;
    uint32_t machine_id_size, hostname_size, labels_size;
    uint8_t format;
    uint8_t pad[3];
};
_Static_assert(sizeof(struct agent_row_disk) == 48, "on disk");

/* Takes `size` bytes off the front of *bytes; false when there are fewer. */
static bool take(struct slice *bytes, size_t size, struct slice *ret)
{
    if (bytes->size < size)
        return false;
    *ret = (struct slice){.at = bytes->at, .size = size};
    bytes->at += size;
    bytes->size -= size;
    return true;
}

static bool take_fixed(struct slice *bytes, void *ret, size_t size)
{
    struct slice fixed;

    if (!take(bytes, size, &fixed))
        return false;
    memcpy(ret, fixed.at, size);
    return true;
}

/* ---- meta ---- */

int meta_row_decode(struct slice bytes, struct meta_row *ret)
{
    struct meta_row meta;

    if (!take_fixed(&bytes, &meta, sizeof(meta)) || bytes.size != 0)
        return DAMAGED;
    if (meta.format == 0 || meta.next_seq == 0)
        return DAMAGED;
    *ret = meta;
    return 0;
}

/* ---- heads ---- */

bool head_is_old(struct slice bytes)
{
    return bytes.size == sizeof(struct head_disk_v1);
}

int head_decode(struct slice bytes, struct head *ret)
{
    bool is_old = head_is_old(bytes);
    struct head head = {0};

    if (!take_fixed(&bytes, &head, is_old ? sizeof(struct head_disk_v1) : sizeof(head)) ||
        bytes.size != 0 || head.format != (is_old ? 1 : HEAD_FORMAT))
        return DAMAGED;
    head.format = HEAD_FORMAT;
    const struct run_counts *counts = &head.counts;
    uint64_t known =
        (uint64_t)counts->active + counts->completed + counts->failed + counts->skipped;
    if (head.target_kind >= TARGET_KIND_COUNT || (head.target && head.target_kind != TARGET_LABEL))
        return DAMAGED;
    if (counts->total == 0 || known > counts->total || (head.codes & 1u << run_code_NONE))
        return DAMAGED;
    *ret = head;
    return 0;
}

enum job_status head_status(const struct head *head)
{
    return job_status_of(&head->counts);
}

enum job_changed head_changed(const struct head *head)
{
    enum job_status status = head_status(head);

    if (status != job_status_COMPLETED && status != job_status_PARTIAL_FAILURE)
        return JOB_CHANGED_NULL;
    return head->flags & HEAD_CHANGED ? JOB_CHANGED_TRUE : JOB_CHANGED_FALSE;
}

/* ---- jobs ---- */

/* Types are words and dots and need no escapes, so type and data stand at known places of the
   fragment. */
static const struct slice fragment_type = {.at = "\"operation\":{\"type\":\"", .size = 21};
static const struct slice fragment_data = {.at = "\",\"data\":", .size = 9};

static void fragment_write(const struct record_submitted *submitted, struct slice data,
                           struct buf *to)
{
    buf_add_slice(to, fragment_type);
    buf_add_text(to, submitted->op->type);
    buf_add_slice(to, fragment_data);
    buf_add_slice(to, data);
    buf_add_text(to, "},\"target\":");
    json_quote(to, submitted->target.text);
    buf_add_text(to, ",\"user\":");
    json_quote(to, slice_of(submitted->user));
}

void job_row_encode(const struct record_submitted *submitted, struct buf *to)
{
    struct slice data = submitted->data.size ? submitted->data : SLICE("{}");
    struct job_row_disk disk = {
        .limit_us = submitted->limit_us,
        .start_by_us = submitted->start_by_us,
        .type_size = (uint32_t)strlen(submitted->op->type),
        .data_size = (uint32_t)data.size,
        .target_size = (uint32_t)submitted->target.text.size,
        .user_size = (uint32_t)strlen(submitted->user),
        .format = JOB_ROW_FORMAT,
    };
    size_t start = to->size;

    buf_add(to, &disk, sizeof(disk));
    fragment_write(submitted, data, to);
    if (buf_overflowed(to))
        return;
    disk.fragment_size = (uint32_t)(to->size - start - sizeof(disk));
    memcpy(to->at + start, &disk, sizeof(disk));
    buf_add_slice(to, submitted->target.text);
    buf_add_text(to, submitted->user);
}

static bool fragment_split(struct slice fragment, const struct job_row_disk *disk,
                           struct job_row *job)
{
    struct slice words;

    return take(&fragment, fragment_type.size, &words) && slice_equal(words, fragment_type) &&
           take(&fragment, disk->type_size, &job->type) &&
           take(&fragment, fragment_data.size, &words) && slice_equal(words, fragment_data) &&
           take(&fragment, disk->data_size, &job->data);
}

int job_row_decode(struct slice bytes, struct job_row *ret)
{
    struct job_row_disk disk;

    if (!take_fixed(&bytes, &disk, sizeof(disk)) || disk.format != JOB_ROW_FORMAT)
        return DAMAGED;
    struct job_row job = {.limit_us = disk.limit_us, .start_by_us = disk.start_by_us};
    if (!take(&bytes, disk.fragment_size, &job.fragment) ||
        !take(&bytes, disk.target_size, &job.target) || !take(&bytes, disk.user_size, &job.user) ||
        bytes.size != 0 || !fragment_split(job.fragment, &disk, &job))
        return DAMAGED;
    *ret = job;
    return 0;
}

/* ---- hosts ---- */

int hosts_row_decode(struct slice bytes, uint32_t n_hosts)
{
    return bytes.size == (uint64_t)n_hosts * sizeof(host_number) ? 0 : DAMAGED;
}

host_number hosts_row_at(struct slice bytes, uint32_t run)
{
    host_number host;

    memcpy(&host, bytes.at + (size_t)run * sizeof(host), sizeof(host));
    return host;
}

/* ---- runs ---- */

void run_row_encode(const struct run_row *run, struct buf *to)
{
    struct run_row_disk disk = {
        .acknowledged_us = run->acknowledged_us,
        .started_us = run->started_us,
        .finished_us = run->finished_us,
        .error_size = (uint32_t)run->error.size,
        .data_size = (uint32_t)run->data.size,
        .state = (uint8_t)run->at.state,
        .code = (uint8_t)run->at.code,
        .flags = (uint8_t)((run->at.presumed ? RUN_PRESUMED : 0) |
                           (run->has_changed ? RUN_HAS_CHANGED : 0) |
                           (run->changed ? RUN_CHANGED : 0) | (run->is_packed ? RUN_PACKED : 0)),
        .format = RUN_ROW_FORMAT,
    };

    buf_add(to, &disk, sizeof(disk));
    buf_add_slice(to, run->error);
    buf_add_slice(to, run->data);
}

int run_row_decode(struct slice bytes, struct run_row *ret)
{
    struct run_row_disk disk;

    if (!take_fixed(&bytes, &disk, sizeof(disk)) || disk.format != RUN_ROW_FORMAT)
        return DAMAGED;
    if (disk.state >= run_state_COUNT || disk.code >= run_code_COUNT)
        return DAMAGED;
    if ((disk.state == run_state_FAILED) != (disk.code != run_code_NONE))
        return DAMAGED;
    struct run_row run = {
        .at = {.state = disk.state, .code = disk.code, .presumed = disk.flags & RUN_PRESUMED},
        .has_changed = disk.flags & RUN_HAS_CHANGED,
        .changed = disk.flags & RUN_CHANGED,
        .is_packed = disk.flags & RUN_PACKED,
        .data_size = disk.data_size,
        .acknowledged_us = disk.acknowledged_us,
        .started_us = disk.started_us,
        .finished_us = disk.finished_us,
    };
    if (!take(&bytes, disk.error_size, &run.error) || !take(&bytes, disk.data_size, &run.data) ||
        bytes.size != 0)
        return DAMAGED;
    if (run.is_packed && !packed_size(run.data, &run.data_size))
        return DAMAGED;
    *ret = run;
    return 0;
}

struct run_key run_key(uint64_t seq, uint32_t run)
{
    struct run_key key;

    for (int i = 0; i < 8; i++)
        key.bytes[i] = (uint8_t)(seq >> (56 - 8 * i));
    for (int i = 0; i < 4; i++)
        key.bytes[8 + i] = (uint8_t)(run >> (24 - 8 * i));
    return key;
}

struct slice run_key_slice(const struct run_key *key)
{
    return (struct slice){.at = (const char *)key->bytes, .size = sizeof(key->bytes)};
}

static uint64_t big_endian_at(const char *at, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++)
        number = number << 8 | (uint8_t)at[i];
    return number;
}

bool run_key_decode(struct slice key, uint64_t *ret_seq, uint32_t *ret_run)
{
    if (key.size != sizeof(struct run_key))
        return false;
    *ret_seq = big_endian_at(key.at, 8);
    *ret_run = (uint32_t)big_endian_at(key.at + 8, 4);
    return true;
}

bool run_key_is_of(struct slice key, uint64_t seq, uint32_t *ret_run)
{
    uint64_t key_seq;
    uint32_t run;

    if (!run_key_decode(key, &key_seq, &run) || key_seq != seq)
        return false;
    *ret_run = run;
    return true;
}

/* ---- events ---- */

void job_events_encode(const struct job_events *events, struct buf *to)
{
    struct events_row_disk disk = {.n = events->n, .format = EVENTS_ROW_FORMAT};

    buf_add(to, &disk, sizeof(disk));
    for (unsigned i = 0; i < events->n; i++) {
        const struct job_event_row *event = &events->v[i];
        struct slice text = slice_cut_at_character(event->text, JOB_EVENT_TEXT_MAX);
        struct event_disk event_disk = {
            .time_us = event->time_us,
            .id = event->id,
            .host = event->host,
            .text_size = (uint16_t)text.size,
            .kind = (uint8_t)event->kind,
            .code = (uint8_t)event->code,
        };
        buf_add(to, &event_disk, sizeof(event_disk));
        buf_add_slice(to, text);
    }
}

static int event_decode(struct slice *bytes, struct job_event_row *ret)
{
    struct event_disk disk;

    if (!take_fixed(bytes, &disk, sizeof(disk)))
        return DAMAGED;
    if (disk.kind < JOB_EVENT_RETRIED || disk.kind > JOB_EVENT_MOVED ||
        disk.code >= run_code_COUNT || disk.text_size > JOB_EVENT_TEXT_MAX)
        return DAMAGED;
    *ret = (struct job_event_row){
        .kind = disk.kind,
        .time_us = disk.time_us,
        .host = disk.host,
        .code = disk.code,
        .id = disk.id,
    };
    return take(bytes, disk.text_size, &ret->text) ? 0 : DAMAGED;
}

int job_events_decode(struct slice bytes, struct job_events *ret)
{
    struct events_row_disk disk;

    if (!take_fixed(&bytes, &disk, sizeof(disk)) || disk.format != EVENTS_ROW_FORMAT ||
        disk.n > JOB_EVENTS_MAX)
        return DAMAGED;
    for (ret->n = 0; ret->n < disk.n; ret->n++) {
        int r = event_decode(&bytes, &ret->v[ret->n]);
        if (r)
            return r;
    }
    return bytes.size == 0 ? 0 : DAMAGED;
}

/* ---- agents ---- */

void agent_row_encode(const struct agent_row *agent, struct buf *to)
{
    struct agent_row_disk disk = {
        .first_seen_us = agent->first_seen_us,
        .changed_us = agent->changed_us,
        .epoch = agent->epoch,
        .reported = agent->reported,
        .machine_id_size = (uint32_t)agent->machine_id.size,
        .hostname_size = (uint32_t)agent->hostname.size,
        .labels_size = (uint32_t)agent->labels.size,
        .format = AGENT_ROW_FORMAT,
    };

    buf_add(to, &disk, sizeof(disk));
    buf_add_slice(to, agent->machine_id);
    buf_add_slice(to, agent->hostname);
    buf_add_slice(to, agent->labels);
}

int agent_row_decode(struct slice bytes, struct agent_row *ret)
{
    struct agent_row_disk disk;

    if (!take_fixed(&bytes, &disk, sizeof(disk)) || disk.format != AGENT_ROW_FORMAT)
        return DAMAGED;
    struct agent_row agent = {
        .first_seen_us = disk.first_seen_us,
        .changed_us = disk.changed_us,
        .epoch = disk.epoch,
        .reported = disk.reported,
    };
    if (!take(&bytes, disk.machine_id_size, &agent.machine_id) ||
        !take(&bytes, disk.hostname_size, &agent.hostname) ||
        !take(&bytes, disk.labels_size, &agent.labels) || bytes.size != 0)
        return DAMAGED;
    *ret = agent;
    return 0;
}

/* ---- one number ---- */

struct slice u64_slice(const uint64_t *number)
{
    return (struct slice){.at = (const char *)number, .size = sizeof(*number)};
}

int u64_decode(struct slice bytes, uint64_t *ret)
{
    return take_fixed(&bytes, ret, sizeof(*ret)) && bytes.size == 0 ? 0 : DAMAGED;
}
