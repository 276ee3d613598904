/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the runlog: a file of any bytes opens, and afterwards is one that opens again and says the
 * same.
 *
 * With a first byte that is odd, checks of records are made right before, so that inputs get past
 * them.
 */
#include "agent/runlog.h"
#include "agent/runlog_file.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)64 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *directory(void)
{
    static char path[] = "/dev/shm/reeve-fuzz-runlog-XXXXXX";
    static bool made;

    if (!made && !mkdtemp(path))
        abort();
    made = true;
    return path;
}

static void directory_empty(int fd)
{
    DIR *entries = fdopendir(dup(fd));
    const struct dirent *entry;

    while ((entry = readdir(entries))) {
        if (entry->d_name[0] != '.')
            unlinkat(fd, entry->d_name, 0);
    }
    closedir(entries);
}

/* The records again, each with the check it should have: size, check, body. */
static void write_checked(struct log_file *file, struct slice bytes)
{
    while (bytes.size > RECORD_FRAME_SIZE + RECORD_HEAD_SIZE) {
        const unsigned char *at = (const unsigned char *)bytes.at;
        size_t json_size = at[3];
        size_t size = log_record_size(json_size);

        if (size > bytes.size)
            return;
        struct log_record record = {
            .type = (enum logged)(LOGGED_FILE + at[8] % (LOGGED_END - LOGGED_FILE)),
            .durable = at[9] & 1,
            .state = (enum run_state)(at[10] % run_state_COUNT),
            .code = (enum run_code)(at[11] % run_code_COUNT),
            .run = at[15],
            .start_by_us = at[39],
            .number = at[47],
            .json = {.at = bytes.at + RECORD_FRAME_SIZE + RECORD_HEAD_SIZE, .size = json_size},
        };
        record.id.bytes[15] = at[31];
        if (log_file_append(file, &record, NULL))
            abort();
        bytes.at += size;
        bytes.size -= size;
    }
}

static void write_input(int dir_fd, bool check, struct slice bytes)
{
    struct log_file file = {.fd = openat(dir_fd, "runlog", O_RDWR | O_CREAT | O_TRUNC, 0600)};

    if (file.fd < 0)
        abort();
    if (check)
        write_checked(&file, bytes);
    else if (fd_write_all(file.fd, bytes.at, bytes.size))
        abort();
    close(file.fd);
}

/* What the log says, as text: epoch, numbers, open runs, and the reports that can be read. */
static void describe(const struct runlog *log, struct buf *to)
{
    struct arena arena;

    arena_init(&arena);
    buf_printf(to, "%lld %lld %lld\n", (long long)runlog_epoch(log),
               (long long)runlog_first_unconfirmed(log), (long long)runlog_last(log));
    buf_printf(to, "%zu\n", runlog_unconfirmed(log, &arena).n);
    for (int64_t number = runlog_first_unconfirmed(log); number <= runlog_last(log); number++) {
        struct bus_report report;
        int r = runlog_read(log, number, &arena, &report);

        buf_printf(to, "%lld %zu %d\n", (long long)number, runlog_report_size(log, number), r);
    }
    arena_release(&arena);
}

static void open_describe_close(struct buf *to)
{
    struct runlog_options options = {.directory = directory(), .wall_us = 0};
    struct runlog *log;

    if (runlog_open(&options, &log, NULL))
        abort();
    describe(log, to);
    if (runlog_tidy(log, INT64_MAX / 2) || runlog_close(log))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct buf first CLEANUP(buf_release), second CLEANUP(buf_release);

    buf_init(&first, (size_t)1 << 20);
    buf_init(&second, (size_t)1 << 20);
    if (size == 0 || size > INPUT_MAX)
        return 0;
    int dir_fd = open(directory(), O_RDONLY | O_DIRECTORY);
    directory_empty(dir_fd);
    write_input(dir_fd, bytes[0] & 1,
                (struct slice){.at = (const char *)bytes + 1, .size = size - 1});
    open_describe_close(&first);
    open_describe_close(&second);
    if (!slice_equal(buf_slice(&first), buf_slice(&second)))
        abort();
    directory_empty(dir_fd);
    close(dir_fd);
    return 0;
}
