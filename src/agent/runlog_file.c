/* SPDX-License-Identifier: MIT */
/*
 * Records of the runlog: bytes, check, append, read.
 *
 * What a record means is runlog.c's affair.
 */
#include "agent/runlog_file.h"
#include "base/fault.h"
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

/* Disk space is taken in steps ahead of the end, so that outcomes can still be written when the
   disk is full. */
#define RESERVE_STEP ((int64_t)1 << 20)

#define CRC32C_POLYNOMIAL 0x82f63b78u /* Castagnoli, reflected */

static uint32_t crc_table[256]; /* one thread owns the runlog */

static void crc_table_make(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;

        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? CRC32C_POLYNOMIAL : 0);
        crc_table[i] = value;
    }
}

static uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    if (!crc_table[1])
        crc_table_make();
    crc = ~crc;
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ crc_table[(crc ^ at[i]) & 0xff];
    return ~crc;
}

static void put(unsigned char *to, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        to[i] = (unsigned char)(value >> 8 * (size - 1 - i));
}

static uint64_t get(const unsigned char *from, int size)
{
    uint64_t value = 0;

    for (int i = 0; i < size; i++)
        value = value << 8 | from[i];
    return value;
}

/* type 1, durable 1, state 1, code 1, run 4, id 16, start_by 8, number 8 */
static void head_write(const struct log_record *record, unsigned char *head)
{
    head[0] = (unsigned char)record->type;
    head[1] = record->durable;
    head[2] = (unsigned char)record->state;
    head[3] = (unsigned char)record->code;
    put(head + 4, record->run, 4);
    memcpy(head + 8, record->id.bytes, sizeof(record->id.bytes));
    put(head + 24, (uint64_t)record->start_by_us, 8);
    put(head + 32, (uint64_t)record->number, 8);
}

static bool head_parse(const unsigned char *head, struct log_record *ret)
{
    if (head[0] < LOGGED_FILE || head[0] >= LOGGED_END || head[1] > 1 ||
        head[2] >= run_state_COUNT || head[3] >= run_code_COUNT)
        return false;
    *ret = (struct log_record){
        .type = (enum logged)head[0],
        .durable = head[1],
        .state = (enum run_state)head[2],
        .code = (enum run_code)head[3],
        .run = (uint32_t)get(head + 4, 4),
        .start_by_us = (int64_t)get(head + 24, 8),
        .number = (int64_t)get(head + 32, 8),
    };
    memcpy(ret->id.bytes, head + 8, sizeof(ret->id.bytes));
    return true;
}

size_t log_record_size(size_t json_size)
{
    return RECORD_FRAME_SIZE + RECORD_HEAD_SIZE + json_size;
}

bool log_record_parse(struct slice bytes, struct log_record *ret, size_t *ret_size)
{
    const unsigned char *at = (const unsigned char *)bytes.at;

    if (bytes.size < RECORD_FRAME_SIZE + RECORD_HEAD_SIZE)
        return false;
    size_t size = get(at, 4);
    if (size < RECORD_HEAD_SIZE || size > RECORD_SIZE_MAX || size > bytes.size - RECORD_FRAME_SIZE)
        return false;
    if (crc32c(0, at + RECORD_FRAME_SIZE, size) != get(at + 4, 4))
        return false;

    struct log_record record;
    if (!head_parse(at + RECORD_FRAME_SIZE, &record))
        return false;
    record.json = (struct slice){
        .at = bytes.at + RECORD_FRAME_SIZE + RECORD_HEAD_SIZE,
        .size = size - RECORD_HEAD_SIZE,
    };
    *ret = record;
    *ret_size = RECORD_FRAME_SIZE + size;
    return true;
}

/* Not every file system can; then writing fails when the disk is full, and not before. */
static void reserve(struct log_file *file, int64_t end)
{
    if (end <= file->reserved - RESERVE_STEP / 2)
        return;
    if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, file->size, end - file->size + RESERVE_STEP) == 0)
        file->reserved = end + RESERVE_STEP;
}

int log_file_failed(int error)
{
    if (error == ENOSPC || error == EDQUOT || error == EROFS)
        return OUTCOME_NO_SPACE;
    return FAULT(-error);
}

int log_file_append(struct log_file *file, const struct log_record *record, int64_t *ret_offset)
{
    unsigned char head[RECORD_FRAME_SIZE + RECORD_HEAD_SIZE];
    size_t size = RECORD_HEAD_SIZE + record->json.size;

    assert(size <= RECORD_SIZE_MAX);
    head_write(record, head + RECORD_FRAME_SIZE);
    uint32_t crc = crc32c(0, head + RECORD_FRAME_SIZE, RECORD_HEAD_SIZE);
    put(head, size, 4);
    put(head + 4, crc32c(crc, record->json.at, record->json.size), 4);
    reserve(file, file->size + (int64_t)(RECORD_FRAME_SIZE + size));

    struct iovec parts[] = {
        {.iov_base = head, .iov_len = sizeof(head)},
        {.iov_base = (void *)(uintptr_t)record->json.at, .iov_len = record->json.size},
    };
    ssize_t written = FAULT_POINT("runlog.append") ? -1 : pwritev(file->fd, parts, 2, file->size);
    if (written != (ssize_t)(RECORD_FRAME_SIZE + size)) {
        int error = written < 0 ? errno : ENOSPC;

        /* Half a record is a torn tail, which the next start cuts off anyway. */
        if (written > 0 && ftruncate(file->fd, file->size) < 0)
            return FAULT(-errno);
        return log_file_failed(error);
    }
    if (ret_offset)
        *ret_offset = file->size;
    file->size += written;
    file->unsynced = true;
    return 0;
}

static int read_exactly(const struct log_file *file, int64_t offset, char *to, size_t size)
{
    while (size > 0) {
        ssize_t n = FAULT_POINT("runlog.read") ? -1 : pread(file->fd, to, size, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FAULT(n < 0 ? -errno : -ENODATA);
        to += n;
        offset += n;
        size -= (size_t)n;
    }
    return 0;
}

int log_file_read(const struct log_file *file, int64_t offset, struct arena *arena,
                  struct log_record *ret)
{
    unsigned char frame[RECORD_FRAME_SIZE];
    int r = read_exactly(file, offset, (char *)frame, sizeof(frame));
    if (r)
        return r;

    size_t size = get(frame, 4);
    if (size > RECORD_SIZE_MAX)
        return FAULT(-EBADMSG);
    size += RECORD_FRAME_SIZE;
    char *bytes = arena_alloc(arena, size);
    r = read_exactly(file, offset, bytes, size);
    if (r)
        return r;
    if (!log_record_parse((struct slice){.at = bytes, .size = size}, ret, &size))
        return FAULT(-EBADMSG);
    return 0;
}

int log_file_sync(struct log_file *file)
{
    if (!file->unsynced)
        return 0;
    if (FAULT_POINT("runlog.sync") || fdatasync(file->fd) < 0)
        return FAULT(-errno);
    file->unsynced = false;
    return 0;
}
