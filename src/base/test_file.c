/* SPDX-License-Identifier: MIT */
/*
 * Small files: caps, replacement that is whole or not at all, directories.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/reeve-test-file-XXXXXX";

/* A path in the test's directory; four stay valid. */
static const char *path_of(const char *name)
{
    static char paths[4][200];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static size_t entries_of(const char *path)
{
    size_t n = 0;
    DIR *entries = opendir(path);

    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return n;
}

static void what_was_written_is_read(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct slice contents;

    (void)state;
    assert_int_equal(file_write(path_of("a"), SLICE("one\0two"), 0640), 0);
    assert_int_equal(file_read(path_of("a"), 100, &arena, &contents), 0);
    assert_int_equal(contents.size, 7);
    assert_memory_equal(contents.at, "one\0two", 8); /* and a NUL */
    assert_int_equal(file_write(path_of("a"), slice_of(NULL), 0640), 0);
    assert_int_equal(file_read(path_of("a"), 100, &arena, &contents), 0);
    assert_int_equal(contents.size, 0);
    assert_string_equal(contents.at, "");
}

static void the_mode_is_the_given_one_whatever_the_umask(void **state)
{
    struct stat stat_;

    (void)state;
    mode_t before = umask(077);
    assert_int_equal(file_write(path_of("mode"), SLICE("x"), 0644), 0);
    umask(before);
    assert_int_equal(stat(path_of("mode"), &stat_), 0);
    assert_int_equal(stat_.st_mode & 07777, 0644);
    assert_int_equal(file_write(path_of("mode"), SLICE("x"), 0600), 0);
    assert_int_equal(stat(path_of("mode"), &stat_), 0);
    assert_int_equal(stat_.st_mode & 07777, 0600);
}

static void a_file_of_the_cap_is_read_and_a_larger_one_refused(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct slice contents = {.size = 77};

    (void)state;
    assert_int_equal(file_write(path_of("ten"), SLICE("0123456789"), 0600), 0);
    assert_int_equal(file_read(path_of("ten"), 9, &arena, &contents), -EFBIG);
    assert_int_equal(contents.size, 77);
    assert_int_equal(file_read(path_of("ten"), 10, &arena, &contents), 0);
    assert_int_equal(contents.size, 10);
}

static void a_procfs_file_is_read_to_its_end_and_capped(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct slice contents;

    (void)state;
    assert_int_equal(file_read("/proc/self/status", 1 << 20, &arena, &contents), 0);
    assert_true(contents.size > 100);
    assert_int_equal(strlen(contents.at), contents.size);
    assert_int_equal(file_read("/proc/self/status", 100, &arena, &contents), -EFBIG);
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct slice contents;

    (void)state;
    assert_int_equal(file_read(path_of("none"), 100, &arena, &contents), -ENOENT);
    assert_int_equal(file_read(directory, 100, &arena, &contents), -EISDIR);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(file_read(path_of("fifo"), 100, &arena, &contents), -EINVAL);
    assert_int_equal(file_read("/dev/zero", 100, &arena, &contents), -EINVAL);
}

static void a_large_file_passes_whole(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    CLEANUP(mem_freep) char *bytes = mem_alloc(300001);
    struct slice contents;

    (void)state;
    for (size_t i = 0; i < 300001; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    struct slice written = {.at = bytes, .size = 300001};
    assert_int_equal(file_write(path_of("large"), written, 0600), 0);
    assert_int_equal(file_read(path_of("large"), 300001, &arena, &contents), 0);
    assert_true(slice_equal(contents, written));
}

static void a_file_is_replaced_and_not_rewritten(void **state)
{
    CLEANUP(fd_closep) int old = -1;
    char bytes[3];

    (void)state;
    assert_int_equal(file_write(path_of("config"), SLICE("old"), 0600), 0);
    old = open(path_of("config"), O_RDONLY | O_CLOEXEC);
    assert_true(old >= 0);
    assert_int_equal(file_write(path_of("config"), SLICE("new"), 0600), 0);
    assert_int_equal(fd_read_all(old, bytes, 3), 0);
    assert_memory_equal(bytes, "old", 3);
}

static void a_failed_write_changes_nothing_and_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(dir_make(path_of("failed/taken"), 0700), 0);
    assert_int_equal(file_write(path_of("failed/taken"), SLICE("x"), 0600), -EISDIR);
    assert_int_equal(entries_of(path_of("failed")), 1);
    assert_int_equal(file_write(path_of("none/file"), SLICE("x"), 0600), -ENOENT);
}

static void a_path_beyond_the_limit_is_refused(void **state)
{
    CLEANUP(mem_freep) char *path = mem_alloc(PATH_MAX + 10);

    (void)state;
    memset(path, '/', PATH_MAX + 5);
    assert_int_equal(file_write(path, SLICE("x"), 0600), -ENAMETOOLONG);
    assert_int_equal(dir_make(path, 0700), -ENAMETOOLONG);
}

static void a_relative_path_is_written_in_the_current_directory(void **state)
{
    char before[PATH_MAX];

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(directory), 0);
    int r = file_write("relative", SLICE("x"), 0600);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(r, 0);
    assert_int_equal(access(path_of("relative"), R_OK), 0);
}

static void directories_are_made_on_the_way(void **state)
{
    struct stat stat_;

    (void)state;
    assert_int_equal(dir_make(path_of("d/e//f/"), 0750), 0);
    assert_int_equal(dir_make(path_of("d/e/f"), 0750), 0);
    assert_int_equal(stat(path_of("d/e"), &stat_), 0);
    assert_int_equal(stat_.st_mode & 0777, 0750);
    assert_int_equal(dir_make("/", 0750), 0);
    assert_int_equal(dir_make("", 0750), -ENOENT);
    assert_int_equal(file_write(path_of("d/file"), SLICE("x"), 0600), 0);
    assert_int_equal(dir_make(path_of("d/file"), 0750), -ENOTDIR);
    assert_int_equal(dir_make(path_of("d/file/g"), 0750), -ENOTDIR);
    assert_int_equal(dir_make("/proc/reeve", 0750), -ENOENT);
    assert_int_equal(dir_sync(path_of("d")), 0);
    assert_int_equal(dir_sync(path_of("d/file")), -ENOTDIR);
}

static void a_read_that_ends_early_is_told(void **state)
{
    int ends[2];
    char bytes[8];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fd_write_all(ends[1], "abcdef", 6), 0);
    assert_int_equal(fd_read_all(ends[0], bytes, 4), 0);
    assert_memory_equal(bytes, "abcd", 4);
    close(ends[1]);
    assert_int_equal(fd_read_all(ends[0], bytes, 4), -ENODATA);
    assert_int_equal(fd_read_all(ends[0], bytes, 0), 0);
    close(ends[0]);
    assert_int_equal(fd_read_all(ends[0], bytes, 1), -EBADF);
    assert_int_equal(fd_write_all(ends[1], bytes, 1), -EBADF);
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *stat, int kind, struct FTW *level)
{
    (void)stat;
    (void)kind;
    (void)level;
    return remove(path);
}

static int remove_directory(void **state)
{
    (void)state;
    return nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(the_mode_is_the_given_one_whatever_the_umask),
        cmocka_unit_test(a_file_of_the_cap_is_read_and_a_larger_one_refused),
        cmocka_unit_test(a_procfs_file_is_read_to_its_end_and_capped),
        cmocka_unit_test(what_is_no_regular_file_is_refused_without_waiting),
        cmocka_unit_test(a_large_file_passes_whole),
        cmocka_unit_test(a_file_is_replaced_and_not_rewritten),
        cmocka_unit_test(a_failed_write_changes_nothing_and_leaves_nothing),
        cmocka_unit_test(a_path_beyond_the_limit_is_refused),
        cmocka_unit_test(a_relative_path_is_written_in_the_current_directory),
        cmocka_unit_test(directories_are_made_on_the_way),
        cmocka_unit_test(a_read_that_ends_early_is_told),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
