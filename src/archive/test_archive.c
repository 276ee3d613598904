/* SPDX-License-Identifier: MIT */
/*
 * The archive's files, read back by zstd's own decoder, after every kind of interruption.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive/archive.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>

#define NOON_US INT64_C(1764000000000000) /* 2025-11-24T16:00:00Z */
#define DAY_US  (86400 * US_PER_S)

struct place {
    char parent[64], dir[80];
    struct archive *archive;
    struct refusal why;
};

/* In the place of libc's: whether somebody has asked for a sync of `watched`. */
static ino_t watched;
static bool watched_is_synced;

int fsync(int fd)
{
    struct stat status;

    if (watched && fstat(fd, &status) == 0 && status.st_ino == watched)
        watched_is_synced = true;
    return (int)syscall(SYS_fsync, fd);
}

static int setup(void **state)
{
    struct place *place = mem_alloc(sizeof(*place));
    const char *parent = getenv("TMPDIR");

    snprintf(place->parent, sizeof(place->parent), "%.40s/reeve-archive-XXXXXX",
             parent ? parent : "/tmp");
    assert_non_null(mkdtemp(place->parent));
    snprintf(place->dir, sizeof(place->dir), "%s/archive", place->parent);
    place->archive = archive_new(place->dir);
    *state = place;
    return 0;
}

/* Calls `each` for every file of the archive, the mark left out; how many. */
static unsigned each_file(struct place *place, void (*each)(struct place *, const char *path))
{
    char path[PATH_MAX];
    unsigned n = 0;
    DIR *dir = opendir(place->dir);

    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(path, sizeof(path), "%s/%s", place->dir, entry->d_name);
        if (strncmp(entry->d_name, "jobs-", 5) != 0)
            continue;
        n++;
        if (each)
            each(place, path);
    }
    closedir(dir);
    return n;
}

static void remove_file(struct place *place, const char *path)
{
    (void)place;
    assert_int_equal(unlink(path), 0);
}

static int teardown(void **state)
{
    struct place *place = *state;
    char mark[PATH_MAX];

    archive_free(place->archive);
    each_file(place, remove_file);
    snprintf(mark, sizeof(mark), "%s/whole", place->dir);
    unlink(mark);
    rmdir(place->dir);
    assert_int_equal(rmdir(place->parent), 0);
    mem_free(place);
    return 0;
}

/* ---- write and read ---- */

static void add(struct place *place, const char *text)
{
    if (archive_add(place->archive, slice_of(text), &place->why))
        fail_msg("%s", place->why.text);
}

static void write_frame(struct place *place, int64_t now_us, const char *text)
{
    if (archive_begin(place->archive, now_us, &place->why))
        fail_msg("%s", place->why.text);
    add(place, text);
    if (archive_end(place->archive, &place->why))
        fail_msg("%s", place->why.text);
}

static void restart(struct place *place)
{
    archive_free(place->archive);
    place->archive = archive_new(place->dir);
}

static char contents[1 << 20];
static size_t contents_size;

/* Frames up to the end of the file, or the test fails. */
static void decode_file(struct place *place, const char *path)
{
    CLEANUP(arena_release) struct arena arena;
    struct slice bytes;
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    size_t left = 1;

    (void)place;
    arena_init(&arena);
    assert_int_equal(file_read(path, 1 << 20, &arena, &bytes), 0);
    assert_true(bytes.size > 0); /* zstdcat refuses an empty file */
    ZSTD_inBuffer in = {.src = bytes.at, .size = bytes.size};
    while (in.pos < in.size) {
        ZSTD_outBuffer out = {.dst = contents + contents_size,
                              .size = sizeof(contents) - contents_size};
        left = ZSTD_decompressStream(zstd, &out, &in);
        assert_false(ZSTD_isError(left));
        contents_size += out.pos;
    }
    assert_int_equal(left, 0);
    ZSTD_freeDCtx(zstd);
}

/* What is in all files, which are whole; of several files in no order. */
static const char *read_all(struct place *place)
{
    contents_size = 0;
    each_file(place, decode_file);
    contents[contents_size] = '\0';
    return contents;
}

static uint64_t mend(struct place *place)
{
    uint64_t bytes;

    if (archive_mend(place->archive, &bytes, &place->why))
        fail_msg("%s", place->why.text);
    return bytes;
}

/* Text that hardly gets smaller, and more than zstd keeps back. */
static const char *noise(void)
{
    static char text[500000];
    uint64_t x = 88172645463325252u; /* xorshift64 */

    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        text[i] = (char)('!' + x % 90);
    }
    return text;
}

/* ---- tests ---- */

static void frames_follow_each_other_in_one_file(void **state)
{
    struct place *place = *state;

    assert_int_equal(mend(place), 0); /* nothing there, nothing made */
    assert_int_equal(access(place->dir, F_OK), -1);
    write_frame(place, NOON_US, "one\n");
    write_frame(place, NOON_US + US_PER_S, "two\n");
    restart(place);
    assert_int_equal(mend(place), 0);
    write_frame(place, NOON_US + 2 * US_PER_S, "three\n");
    assert_string_equal(read_all(place), "one\ntwo\nthree\n");
    assert_int_equal(each_file(place, NULL), 1);
}

static void a_day_has_a_file_of_its_own(void **state)
{
    struct place *place = *state;

    write_frame(place, NOON_US, "one\n");
    write_frame(place, NOON_US + DAY_US, "two\n");
    assert_int_equal(each_file(place, NULL), 2);
    assert_int_equal(strlen(read_all(place)), 8);
}

static void nobody_else_can_read_it(void **state)
{
    struct place *place = *state;
    struct stat stat_;

    write_frame(place, NOON_US, "one\n");
    assert_int_equal(stat(place->dir, &stat_), 0);
    assert_int_equal(stat_.st_mode & 0777, 0700);
}

static void a_frame_that_was_not_ended_is_cut_off(void **state)
{
    struct place *place = *state;
    const char *large = noise();

    write_frame(place, NOON_US, "one\n");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(archive_begin(place->archive, NOON_US, &place->why), 0);
        add(place, large);
        restart(place); /* as a kill: the file is as it was left */
        assert_true(mend(place) > 0);
        assert_string_equal(read_all(place), "one\n");
    }
    write_frame(place, NOON_US, "two\n");
    assert_string_equal(read_all(place), "one\ntwo\n");
}

static void a_first_frame_that_was_not_ended_leaves_no_file(void **state)
{
    struct place *place = *state;

    assert_int_equal(archive_begin(place->archive, NOON_US, &place->why), 0);
    add(place, "one\n");
    assert_int_equal(each_file(place, NULL), 1);
    restart(place);
    mend(place);
    assert_int_equal(each_file(place, NULL), 0);
    write_frame(place, NOON_US, "two\n");
    assert_string_equal(read_all(place), "two\n");
}

static void append_garbage(struct place *place, const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND);

    (void)place;
    assert_int_equal(fd_write_all(fd, "\0\0\0\0\0", 5), 0);
    close(fd);
}

static void what_a_power_loss_left_is_cut_off(void **state)
{
    struct place *place = *state;

    write_frame(place, NOON_US, "one\n");
    each_file(place, append_garbage);
    restart(place);
    assert_int_equal(mend(place), 5);
    assert_string_equal(read_all(place), "one\n");
}

static void cut_by_one(struct place *place, const char *path)
{
    struct stat stat_;

    (void)place;
    assert_int_equal(stat(path, &stat_), 0);
    assert_int_equal(truncate(path, stat_.st_size - 1), 0);
}

/* Somebody did that: nothing is appended to it, and nothing of it removed. */
static void a_file_that_others_cut_is_left_alone(void **state)
{
    struct place *place = *state;

    write_frame(place, NOON_US, "one\n");
    each_file(place, cut_by_one);
    restart(place);
    assert_int_equal(mend(place), 0);
    /* Its name is not used for another, not even in the second it was made. */
    assert_int_equal(archive_begin(place->archive, NOON_US, &place->why), OUTCOME_UNAVAILABLE);
    restart(place);
    assert_int_equal(mend(place), 0);
    write_frame(place, NOON_US + US_PER_S, "two\n");
    assert_int_equal(each_file(place, NULL), 2);
}

static void a_mark_that_is_none_is_not_believed(void **state)
{
    static const char *const marks[] = {"",
                                        "x",
                                        "whole 1\n",
                                        "../../../../../../../etc/passwd12 0\n",
                                        "jobs-20251124T160000Z.jsonl.zst x\n",
                                        "jobs-20251124T160000Z.jsonl.zst 12"};
    struct place *place = *state;
    char path[PATH_MAX];

    write_frame(place, NOON_US, "one\n");
    snprintf(path, sizeof(path), "%s/whole", place->dir);
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        assert_int_equal(file_write(path, slice_of(marks[i]), 0600), 0);
        restart(place);
        assert_int_equal(mend(place), 0);
        write_frame(place, NOON_US + (int64_t)(i + 1) * US_PER_S, "two\n");
        assert_int_equal(each_file(place, NULL), 2 + i);
    }
}

static void a_full_disk_is_an_outcome(void **state)
{
    struct place *place = *state;
    struct rlimit before, small = {.rlim_cur = 4096};
    const char *large = noise();

    write_frame(place, NOON_US, "one\n");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(archive_begin(place->archive, NOON_US, &place->why), 0);
    int r = archive_add(place->archive, slice_of(large), &place->why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(r, OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(place->why.text, place->dir));
    write_frame(place, NOON_US, "two\n"); /* without a restart */
    assert_string_equal(read_all(place), "one\ntwo\n");
}

static void a_place_where_nothing_can_be_made_is_an_outcome(void **state)
{
    struct place *place = *state;

    assert_int_equal(file_write(place->dir, SLICE("a file"), 0600), 0);
    assert_int_equal(archive_begin(place->archive, NOON_US, &place->why), OUTCOME_UNAVAILABLE);
    assert_int_equal(unlink(place->dir), 0);
    write_frame(place, NOON_US, "one\n");
    assert_string_equal(read_all(place), "one\n");
}

static void a_directory_that_was_made_is_as_durable_as_its_frames(void **state)
{
    struct place *place = *state;
    struct stat status;

    assert_int_equal(stat(place->parent, &status), 0);
    watched = status.st_ino;
    watched_is_synced = false;
    write_frame(place, NOON_US, "one\n");
    watched = 0;
    assert_true(watched_is_synced);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(frames_follow_each_other_in_one_file),
        TEST(a_day_has_a_file_of_its_own),
        TEST(nobody_else_can_read_it),
        TEST(a_frame_that_was_not_ended_is_cut_off),
        TEST(a_first_frame_that_was_not_ended_leaves_no_file),
        TEST(what_a_power_loss_left_is_cut_off),
        TEST(a_file_that_others_cut_is_left_alone),
        TEST(a_mark_that_is_none_is_not_believed),
        TEST(a_full_disk_is_an_outcome),
        TEST(a_place_where_nothing_can_be_made_is_an_outcome),
        TEST(a_directory_that_was_made_is_as_durable_as_its_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
