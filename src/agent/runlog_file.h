/* SPDX-License-Identifier: MIT */
/*
 * The runlog on disk: records one after another, each of
 *
 *     4 bytes size of what follows the check, 4 bytes CRC-32C of it, RECORD_HEAD_SIZE bytes head,
 * JSON of a report
 *
 * all numbers big-endian. The first record is a LOGGED_FILE. To change the layout or the meaning of
 * a number on disk (states and codes are positions of rows in job.def): raise RUNLOG_VERSION; a
 * file of another version is set aside.
 */
#ifndef REEVE_AGENT_RUNLOG_FILE_H
#define REEVE_AGENT_RUNLOG_FILE_H

#include "base/uuid.h"
#include "bus/bus.h"

#define RUNLOG_VERSION    1
#define RECORD_HEAD_SIZE  ((size_t)40)
#define RECORD_FRAME_SIZE ((size_t)8)
/* A report as JSON, and its record on disk. */
#define RECORD_SIZE_MAX (RECORD_HEAD_SIZE + BUS_MESSAGE_MAX)

enum logged {
    LOGGED_FILE = 1, /* number: epoch; run: RUNLOG_VERSION */
    LOGGED_OPENED,   /* id: of the machine's boot */
    LOGGED_CLOSED,
    LOGGED_TAKEN,     /* id, run, durable, start_by_us */
    LOGGED_STARTED,   /* the same; whether it was taken before or not. number: when, 0: not known */
    LOGGED_REPORT,    /* as taken, with number, state, code and JSON */
    LOGGED_CONFIRMED, /* number: all reports up to it are durable in the ledger */
    LOGGED_SETTLED,   /* a run whose outcome is confirmed: state, code; written when the file is
                         written anew */
    LOGGED_END
};

struct log_record {
    enum logged type;
    bool durable; /* the run changes its host */
    enum run_state state;
    enum run_code code;
    uint32_t run;
    struct uuid id; /* of the job */
    int64_t start_by_us;
    int64_t number;
    struct slice json;
};

/* True with a whole, undamaged record at the front of `bytes`; *ret_size is its size on disk. */
bool log_record_parse(struct slice bytes, struct log_record *ret, size_t *ret_size);

struct log_file {
    int fd;
    int64_t size;     /* end of the last record */
    int64_t reserved; /* disk space is set aside up to here */
    bool unsynced;
};

/* Appends whole or not at all. *ret_offset, if not NULL, is where it stands. 0; OUTCOME_NO_SPACE
   the disk takes nothing now; or a fault. */
int log_file_append(struct log_file *file, const struct log_record *record, int64_t *ret_offset);
/* The record at `offset`, in `arena`. 0 or a fault. */
int log_file_read(const struct log_file *file, int64_t offset, struct arena *arena,
                  struct log_record *ret);
/* Everything appended survives a power cut afterwards. 0 or a fault: what the disk did not take
   then is not known. */
int log_file_sync(struct log_file *file);
/* OUTCOME_NO_SPACE when that is what this errno means (full, over its quota, read-only), or a
   fault. */
int log_file_failed(int error);
/* Size on disk of a record with this much JSON. */
size_t log_record_size(size_t json_size);

#endif
