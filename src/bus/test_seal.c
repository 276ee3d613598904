/* SPDX-License-Identifier: MIT */
/*
 * What is sealed opens for its own run alone, with its own key alone, and not after any change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "bus/seal.h"

#include <sys/stat.h>
#include <unistd.h>

#define PLAIN SLICE("{\"stdin\":\"correct horse\"}")

static struct arena arena = {.wipes = true};
static struct seal_key key, other_key;
static struct seal_place place;
static char directory[] = "/tmp/reeve-test-seal-XXXXXX";

static const char *key_path(void)
{
    static char path[100];

    snprintf(path, sizeof(path), "%s/" SEAL_KEY_FILE, directory);
    return path;
}

static int open_keys(void **state)
{
    struct refusal why;

    (void)state;
    if (!mkdtemp(directory) || seal_key_open(key_path(), &key, &why))
        return -1;
    unlink(key_path());
    place = (struct seal_place){.job = uuid_make(1), .run = 7};
    return seal_key_open(key_path(), &other_key, &why);
}

static int remove_keys(void **state)
{
    (void)state;
    arena_release(&arena);
    unlink(key_path());
    return rmdir(directory);
}

static void closed(struct buf *to)
{
    buf_init(to, 1000);
    seal_close(&key, &place, PLAIN, to);
    assert_int_equal(to->size, PLAIN.size + SEAL_ADDED);
}

static void what_is_sealed_opens_for_its_run(void **state)
{
    CLEANUP(buf_release) struct buf sealed;
    struct slice plain;

    (void)state;
    closed(&sealed);
    assert_null(memmem(sealed.at, sealed.size, "horse", 5));
    assert_int_equal(seal_break(&key, &place, buf_slice(&sealed), &arena, &plain), 0);
    assert_true(slice_equal(plain, PLAIN));
}

static void the_same_input_is_never_sealed_alike(void **state)
{
    CLEANUP(buf_release) struct buf a;
    CLEANUP(buf_release) struct buf b;

    (void)state;
    closed(&a);
    closed(&b);
    assert_false(slice_equal(buf_slice(&a), buf_slice(&b)));
}

static void it_opens_for_no_other_run_job_or_key(void **state)
{
    struct seal_place other_run = place, other_job = place;
    CLEANUP(buf_release) struct buf sealed;
    struct slice plain;

    (void)state;
    closed(&sealed);
    other_run.run++;
    other_job.job = uuid_make(2);
    assert_int_equal(seal_break(&key, &other_run, buf_slice(&sealed), &arena, &plain),
                     OUTCOME_UNAVAILABLE);
    assert_int_equal(seal_break(&key, &other_job, buf_slice(&sealed), &arena, &plain),
                     OUTCOME_UNAVAILABLE);
    assert_int_equal(seal_break(&other_key, &place, buf_slice(&sealed), &arena, &plain),
                     OUTCOME_UNAVAILABLE);
}

static void any_changed_bit_and_any_cut_is_noticed(void **state)
{
    CLEANUP(buf_release) struct buf sealed;
    struct slice plain;

    (void)state;
    closed(&sealed);
    for (size_t bit = 0; bit < 8 * sealed.size; bit++) {
        sealed.at[bit / 8] = (char)(sealed.at[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(seal_break(&key, &place, buf_slice(&sealed), &arena, &plain),
                         OUTCOME_UNAVAILABLE);
        sealed.at[bit / 8] = (char)(sealed.at[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t size = 0; size < sealed.size; size++) {
        struct slice cut = {.at = sealed.at, .size = size};
        assert_int_equal(seal_break(&key, &place, cut, &arena, &plain), OUTCOME_UNAVAILABLE);
    }
}

static void nothing_is_sealed_beyond_the_cap_of_the_buf(void **state)
{
    CLEANUP(buf_release) struct buf small;

    (void)state;
    buf_init(&small, PLAIN.size + SEAL_ADDED - 1);
    seal_close(&key, &place, PLAIN, &small);
    assert_true(buf_overflowed(&small));
    assert_int_equal(small.size, 0);
}

static void a_key_is_made_once_and_is_its_owners_alone(void **state)
{
    struct refusal why;
    struct seal_key again;
    struct stat status;

    (void)state;
    assert_int_equal(stat(key_path(), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(seal_key_open(key_path(), &again, &why), 0);
    assert_memory_equal(again.bytes, other_key.bytes, sizeof(again.bytes));
    assert_memory_not_equal(again.bytes, key.bytes, sizeof(again.bytes));
}

static void a_key_that_others_can_read_or_that_is_cut_is_refused(void **state)
{
    struct refusal why;
    struct seal_key again;

    (void)state;
    assert_int_equal(chmod(key_path(), 0640), 0);
    assert_int_equal(seal_key_open(key_path(), &again, &why), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "chmod"));
    assert_int_equal(chmod(key_path(), 0600), 0);
    assert_int_equal(truncate(key_path(), 31), 0);
    assert_int_equal(seal_key_open(key_path(), &again, &why), OUTCOME_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_opens_for_its_run),
        cmocka_unit_test(the_same_input_is_never_sealed_alike),
        cmocka_unit_test(it_opens_for_no_other_run_job_or_key),
        cmocka_unit_test(any_changed_bit_and_any_cut_is_noticed),
        cmocka_unit_test(nothing_is_sealed_beyond_the_cap_of_the_buf),
        cmocka_unit_test(a_key_is_made_once_and_is_its_owners_alone),
        cmocka_unit_test(a_key_that_others_can_read_or_that_is_cut_is_refused),
    };

    return cmocka_run_group_tests(tests, open_keys, remove_keys);
}
