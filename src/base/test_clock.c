/* SPDX-License-Identifier: MIT */
/*
 * Time texts against the C library's calendar, durations, and ids that sort as they were made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/uuid.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY_US (INT64_C(86400) * US_PER_S)

static void time_by_libc(int64_t time_us, char ret[64])
{
    int64_t fraction_us = ((time_us % US_PER_S) + US_PER_S) % US_PER_S;
    time_t time_s = (time_t)((time_us - fraction_us) / US_PER_S);
    struct tm tm;

    assert_non_null(gmtime_r(&time_s, &tm));
    snprintf(ret, 64, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)fraction_us);
}

static void check_time(int64_t time_us)
{
    char text[TIME_TEXT_SIZE], expected[64];
    int64_t back_us;

    time_format(time_us, text);
    time_by_libc(time_us, expected);
    assert_string_equal(text, expected);
    assert_true(time_parse(slice_of(text), &back_us));
    assert_true(back_us == time_us);
}

static void a_time_is_written_as_rfc_3339(void **state)
{
    char text[TIME_TEXT_SIZE];
    CLEANUP(buf_release) struct buf buf;

    (void)state;
    time_format(INT64_C(1795500748123456), text);
    assert_string_equal(text, "2026-11-24T06:12:28.123456Z");
    time_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
    time_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
    time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
    time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000000Z");
    buf_init(&buf, 100);
    buf_add_time(&buf, 0);
    assert_string_equal(buf_text(&buf), "1970-01-01T00:00:00.000000Z");
}

static void times_agree_with_the_c_library(void **state)
{
    uint64_t seed = random_u64();

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    /* every day of 500 years, which holds each kind of year */
    for (int64_t day = -200 * INT64_C(365); day < 300 * INT64_C(365); day++)
        check_time(day * DAY_US + US_PER_S / 2);
    for (int i = 0; i < 50000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        /* 0000-01-01 to 9999-12-31 */
        int64_t range_us = INT64_C(315569520000) * US_PER_S;
        check_time((int64_t)(seed % (uint64_t)range_us) - INT64_C(62167219200) * US_PER_S);
    }
}

static void times_are_read_with_any_offset_and_fraction(void **state)
{
    static const struct {
        const char *text;
        int64_t time_us;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00z", 0},
        {"1970-01-01T00:00:01.5Z", 1500000},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1970-01-01T00:00:00.0000019Z", 1},
        {"1970-01-01T00:00:00.123456789Z", 123456},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T16:30:00-07:30", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"1970-01-01T23:59:00+23:59", 0},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2024-02-29T12:00:00Z", INT64_C(1709208000000000)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000000)},
        {"2017-01-01T00:59:60+01:00", INT64_C(1483228800000000)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t time_us = -77;
        if (!time_parse(slice_of(rows[i].text), &time_us) || time_us != rows[i].time_us)
            fail_msg("%s was read as %lld", rows[i].text, (long long)time_us);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "1970",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-01-01T00:00Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00,5Z",
        "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00Zx",
        "1970-01-01T00:00:00+01",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+00:60",
        "1970-01-01T00:00:00+01:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:60Z",
        "2016-12-31T23:59:60+01:00",
        "1970-00-01T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1970-04-31T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "70-01-01T00:00:00Z",
        "+1970-01-01T00:00:00Z",
        "-1970-01-01T00:00:00Z",
        "1970-1-1T0:0:0Z",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z ",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t time_us = -77;
        if (time_parse(slice_of(texts[i]), &time_us) || time_us != -77)
            fail_msg("%s was accepted", texts[i]);
    }
}

static void durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"0s", 0},
        {"30s", 30 * US_PER_S},
        {"250ms", 250 * US_PER_MS},
        {"5m", 300 * US_PER_S},
        {"2h", 7200 * US_PER_S},
        {"7d", 7 * DAY_US},
        {"1h30m", 5400 * US_PER_S},
        {"1m1ms", 60 * US_PER_S + US_PER_MS},
        {"1d2h3m4s5ms", DAY_US + 7384 * US_PER_S + 5 * US_PER_MS},
        {"90m", 5400 * US_PER_S},
        {"007s", 7 * US_PER_S},
        {"3650d", 3650 * DAY_US},
        {"3650d0s", 3650 * DAY_US},
        {"315360000000ms", 3650 * DAY_US},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t us = -77;
        if (!duration_parse(slice_of(rows[i].text), &us) || us != rows[i].us)
            fail_msg("%s was read as %lld", rows[i].text, (long long)us);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "30",
        "s",
        "30 s",
        "-30s",
        "+30s",
        "1.5h",
        "30S",
        "30sec",
        "1s1s",
        "1s1m",
        "30m1h",
        "1ms1s",
        "1h30",
        "30us",
        "1w",
        "1m s",
        "s30",
        "3651d",
        "3650d1ms",
        "87601h",
        "315360000001ms",
        "99999999999999999999s",
        "9223372036854775808ms",
        "30s\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t us = -77;
        if (duration_parse(slice_of(texts[i]), &us) || us != -77)
            fail_msg("%s was accepted", texts[i]);
    }
}

static void durations_are_written_as_go_does(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {1, "1µs"},
        {999, "999µs"},
        {1000, "1ms"},
        {1001, "1.001ms"},
        {842500, "842.5ms"},
        {999999, "999.999ms"},
        {1000000, "1s"},
        {1234567, "1.234567s"},
        {1000001, "1.000001s"},
        {59999999, "59.999999s"},
        {60 * US_PER_S, "1m0s"},
        {123500000, "2m3.5s"},
        {3600 * US_PER_S, "1h0m0s"},
        {360005 * US_PER_S, "100h0m5s"},
        {-1500000, "-1.5s"},
        {-1, "-1µs"},
        {INT64_MAX, "2562047788h0m54.775807s"},
        {INT64_MIN, "-2562047788h0m54.775808s"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[DURATION_TEXT_SIZE];
        duration_format(rows[i].us, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void uptime_is_written_in_three_parts(void **state)
{
    static const struct {
        int64_t s;
        const char *text;
    } rows[] = {
        {0, "0 days, 0 hours, 0 minutes"},
        {59, "0 days, 0 hours, 0 minutes"},
        {60, "0 days, 0 hours, 1 minute"},
        {300, "0 days, 0 hours, 5 minutes"},
        {3600 + 60, "0 days, 1 hour, 1 minute"},
        {86400, "1 day, 0 hours, 0 minutes"},
        {264059, "3 days, 1 hour, 20 minutes"},
        {INT64_MAX, "106751991167300 days, 15 hours, 30 minutes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[DURATION_TEXT_SIZE + 24];
        uptime_format(rows[i].s, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void clocks_run_forward(void **state)
{
    (void)state;
    int64_t boot_us = clock_boot_us();
    assert_true(clock_boot_us() >= boot_us);
    assert_true(clock_now_us() > INT64_C(1700000000) * US_PER_S);
    assert_true(clock_now_us() / US_PER_S - time(NULL) <= 1);
}

static int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static void ids_sort_as_they_were_made(void **state)
{
    int64_t now_us = clock_now_us();
    struct uuid last = uuid_make(now_us);

    (void)state;
    for (int i = 0; i < 100000; i++) {
        /* the clock stands still, goes on, and jumps back */
        struct uuid next = uuid_make(now_us + i % 7 - (i % 1000 == 0 ? 5 * US_PER_S : 0));
        assert_true(uuid_compare(&last, &next) < 0);
        last = next;
    }
}

static void an_id_is_version_7_and_carries_its_millisecond(void **state)
{
    /* later than any id made before in this process, so that the counter does not run ahead */
    int64_t now_us = clock_now_us() + INT64_C(100000) * US_PER_S;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t at_us = now_us + INT64_C(1001) * i;
        struct uuid uuid = uuid_make(at_us);
        assert_int_equal(uuid.bytes[6] >> 4, 7);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        int64_t ms = 0;
        for (int j = 0; j < 6; j++)
            ms = ms << 8 | uuid.bytes[j];
        assert_true(ms == at_us / 1000);
        int fraction = (uuid.bytes[6] & 15) << 8 | uuid.bytes[7];
        assert_int_equal(fraction, at_us % 1000 * 4096 / 1000);
    }
}

static void an_id_reads_back_from_its_text(void **state)
{
    struct uuid uuid = uuid_make(clock_now_us()), back;
    char text[UUID_TEXT_SIZE];

    (void)state;
    uuid_format(&uuid, text);
    assert_int_equal(strlen(text), 36);
    assert_true(uuid_parse(slice_of(text), &back));
    assert_true(uuid_equal(&uuid, &back));
    assert_true(uuid_parse(SLICE("0189ABCD-ef01-7234-8567-89abcdefABCD"), &back));
    uuid_format(&back, text);
    assert_string_equal(text, "0189abcd-ef01-7234-8567-89abcdefabcd");
    assert_false(uuid_equal(&uuid, &back));
}

static void what_is_no_id_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "0189abcd-ef01-7234-8567-89abcdefabc",
        "0189abcd-ef01-7234-8567-89abcdefabcde",
        "0189abcdef01723485670089abcdefabcd00",
        "0189abcd_ef01-7234-8567-89abcdefabcd",
        "0189abcde-f01-7234-8567-89abcdefabcd",
        "0189abcd-ef01-7234-8567-89abcdefabcg",
        "{189abcd-ef01-7234-8567-89abcdefabc}",
        " 189abcd-ef01-7234-8567-89abcdefabcd",
    };
    struct uuid uuid;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (uuid_parse(slice_of(texts[i]), &uuid))
            fail_msg("%s was accepted", texts[i]);
    }
}

#define IDS_PER_THREAD 20000
#define N_THREADS      4

static void *make_ids(void *ids)
{
    struct uuid *made = ids;

    for (int i = 0; i < IDS_PER_THREAD; i++)
        made[i] = uuid_make(1);
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static void threads_never_share_a_timestamp(void **state)
{
    size_t n = (size_t)N_THREADS * IDS_PER_THREAD;
    CLEANUP(mem_freep) struct uuid *ids = mem_alloc(n * sizeof(*ids));
    pthread_t threads[N_THREADS];

    (void)state;
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids + i * IDS_PER_THREAD), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(ids, n, sizeof(*ids), compare_ids);
    for (size_t i = 1; i < n; i++)
        assert_true(memcmp(ids[i - 1].bytes, ids[i].bytes, 8) != 0);
}

static void random_numbers_differ_and_fill_any_size(void **state)
{
    uint8_t a[1000] = {0}, b[1000] = {0};
    unsigned ones = 0;

    (void)state;
    assert_true(random_u64() != random_u64());
    for (size_t size = 1; size < sizeof(a); size += 37) {
        random_bytes(a, size);
        random_bytes(b, size);
        if (size >= 16)
            assert_memory_not_equal(a, b, size);
    }
    for (size_t i = 0; i < 1000; i++)
        ones += (unsigned)__builtin_popcountll(random_u64());
    assert_in_range(ones, 31000, 33000); /* 8 standard deviations around 32,000 */
}

static void a_forked_child_draws_other_numbers(void **state)
{
    uint64_t ours, theirs = 0;
    int ends[2], status;

    (void)state;
    random_u64(); /* so that numbers are left that both could draw */
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t drawn = random_u64();
        _exit(write(ends[1], &drawn, sizeof(drawn)) != sizeof(drawn));
    }
    ours = random_u64();
    assert_int_equal(read(ends[0], &theirs, sizeof(theirs)), sizeof(theirs));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(ours != theirs);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_written_as_rfc_3339),
        cmocka_unit_test(times_agree_with_the_c_library),
        cmocka_unit_test(times_are_read_with_any_offset_and_fraction),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(durations_are_written_as_go_does),
        cmocka_unit_test(uptime_is_written_in_three_parts),
        cmocka_unit_test(clocks_run_forward),
        cmocka_unit_test(ids_sort_as_they_were_made),
        cmocka_unit_test(an_id_is_version_7_and_carries_its_millisecond),
        cmocka_unit_test(an_id_reads_back_from_its_text),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(threads_never_share_a_timestamp),
        cmocka_unit_test(random_numbers_differ_and_fill_any_size),
        cmocka_unit_test(a_forked_child_draws_other_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
