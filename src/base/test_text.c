/* SPDX-License-Identifier: MIT */
/*
 * Text: slices and UTF-8, the buffer and its cap, the arena, outcomes and log lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define assert_slice(slice, text) assert_true(slice_is((slice), (text)))

static void slices_compare_by_bytes(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("ab"), SLICE("ab")));
    assert_false(slice_equal(SLICE("ab"), SLICE("ac")));
    assert_false(slice_equal(SLICE("ab"), SLICE("abc")));
    assert_true(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_true(slice_equal(slice_of(NULL), SLICE("")));
    assert_true(slice_is(SLICE("ab"), "ab"));
    assert_false(slice_is(SLICE("ab"), "a"));
    assert_false(slice_is(SLICE("a\0b"), "a"));
    assert_true(slice_is(slice_of(NULL), ""));
    assert_true(slice_starts(SLICE("abc"), "ab"));
    assert_true(slice_starts(SLICE("abc"), ""));
    assert_true(slice_starts(slice_of(NULL), ""));
    assert_false(slice_starts(SLICE("a"), "ab"));
    assert_false(slice_starts(SLICE("xab"), "ab"));
}

static void a_slice_is_cut_at_each_separator(void **state)
{
    struct slice rest = SLICE("a::bc");
    struct slice head;

    (void)state;
    assert_true(slice_cut(&rest, ':', &head));
    assert_slice(head, "a");
    assert_true(slice_cut(&rest, ':', &head));
    assert_slice(head, "");
    assert_slice(rest, "bc");
    assert_false(slice_cut(&rest, ':', &head));
    assert_slice(head, "bc");
    assert_slice(rest, "");
    assert_false(slice_cut(&rest, ':', &head));
    assert_slice(head, "");

    rest = SLICE("a:");
    assert_true(slice_cut(&rest, ':', &head));
    assert_slice(head, "a");
    assert_slice(rest, "");

    rest = slice_of(NULL);
    assert_false(slice_cut(&rest, ':', &head));
    assert_slice(head, "");
}

static void hexadecimal_digits_have_values(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *found = c ? strchr("0123456789abcdefABCDEF", c) : NULL;
        int value = -1;
        if (found)
            sscanf((char[]){(char)c, '\0'}, "%x", (unsigned *)&value);
        assert_int_equal(hex_digit((char)c), value);
    }
}

/* Every sequence of up to three bytes and what begins like four, against the definition: decode,
 * then compare. */
static size_t character_size_by_definition(const uint8_t *at, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = at[0] < 0x80       ? 1
               : at[0] >> 5 == 6  ? 2
               : at[0] >> 4 == 14 ? 3
               : at[0] >> 3 == 30 ? 4
                                  : 0;
    if (n == 0 || n > size)
        return 0;
    uint32_t point = n == 1 ? at[0] : at[0] & (0x7F >> n);
    for (size_t i = 1; i < n; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        point = point << 6 | (at[i] & 0x3F);
    }
    if (point < least[n] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    return n;
}

static void utf8_is_exactly_what_rfc_3629_says(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1 << 24; i++) {
        const uint8_t bytes[4] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0x80};
        for (size_t size = i & 0xFF ? 4 : 1; size <= 4; size++) {
            struct slice text = {.at = (const char *)bytes, .size = size};
            if (slice_character_size(text) != character_size_by_definition(bytes, size))
                fail_msg("%06x of %zu bytes", i, size);
        }
    }
}

static void utf8_text_is_checked_and_counted(void **state)
{
    (void)state;
    assert_true(slice_is_utf8(slice_of(NULL)));
    assert_true(slice_is_utf8(SLICE("a\0\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")));
    assert_false(slice_is_utf8(SLICE("a\xC3")));
    assert_false(slice_is_utf8(SLICE("\xED\xA0\x80")));
    assert_int_equal(slice_character_size(SLICE("")), 0);
    assert_int_equal(slice_characters(SLICE("")), 0);
    assert_int_equal(slice_characters(SLICE("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")), 4);
}

static void a_text_is_cut_between_characters(void **state)
{
    struct slice text = SLICE("a\xE2\x82\xAC"
                              "b");

    (void)state;
    assert_slice(slice_cut_at_character(text, 9), text.at);
    assert_slice(slice_cut_at_character(text, 5), text.at);
    assert_slice(slice_cut_at_character(text, 4), "a\xE2\x82\xAC");
    assert_slice(slice_cut_at_character(text, 3), "a");
    assert_slice(slice_cut_at_character(text, 2), "a");
    assert_slice(slice_cut_at_character(text, 1), "a");
    assert_slice(slice_cut_at_character(text, 0), "");
}

static void a_buffer_grows_and_keeps_what_was_added(void **state)
{
    CLEANUP(buf_release) struct buf buf;

    (void)state;
    buf_init(&buf, 100000);
    assert_slice(buf_slice(&buf), "");
    assert_string_equal(buf_text(&buf), "");
    buf_add(&buf, "a\0b", 3);
    buf_add_slice(&buf, SLICE("cd"));
    buf_add_slice(&buf, slice_of(NULL));
    buf_add_text(&buf, "ef");
    buf_add_char(&buf, 'g');
    buf_printf(&buf, "%s-%d", "h", 7);
    assert_int_equal(buf.size, 11);
    assert_memory_equal(buf.at, "a\0bcdefgh-7", 11);
    buf_clear(&buf);
    for (int i = 0; i < 20000; i++)
        buf_printf(&buf, "%d", i % 10);
    assert_int_equal(strlen(buf_text(&buf)), 20000);
    assert_int_equal(buf.at[19999], '9');
    assert_false(buf_overflowed(&buf));
}

static void integers_are_added_as_decimal_text(void **state)
{
    static const int64_t values[] = {0, 1, -1, 9, 10, -10, 1234567890123, INT64_MAX, INT64_MIN};
    CLEANUP(buf_release) struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "%lld", (long long)values[i]);
        buf_clear(&buf);
        buf_add_i64(&buf, values[i]);
        assert_string_equal(buf_text(&buf), expected);
    }
}

static void a_full_buffer_keeps_a_prefix_and_remembers(void **state)
{
    CLEANUP(buf_release) struct buf buf;

    (void)state;
    buf_init(&buf, 5);
    buf_add_text(&buf, "abc");
    assert_false(buf_overflowed(&buf));
    buf_add_text(&buf, "defg");
    assert_true(buf_overflowed(&buf));
    assert_string_equal(buf_text(&buf), "abcde");
    buf_add_char(&buf, 'x');
    buf_add_i64(&buf, 1);
    buf_printf(&buf, "y");
    assert_string_equal(buf_text(&buf), "abcde");

    buf_clear(&buf);
    assert_false(buf_overflowed(&buf));
    buf_add_text(&buf, "12345");
    assert_false(buf_overflowed(&buf));
    buf_add(&buf, "", 0);
    assert_false(buf_overflowed(&buf));
    buf_add_char(&buf, '6');
    assert_true(buf_overflowed(&buf));

    buf_clear(&buf);
    buf_printf(&buf, "%s", "printed");
    assert_true(buf_overflowed(&buf));
    assert_string_equal(buf_text(&buf), "print");
}

static void a_reservation_over_the_cap_counts_as_dropped(void **state)
{
    CLEANUP(buf_release) struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    char *room = buf_reserve(&buf, 100);
    assert_non_null(room);
    memset(room, 'x', 100);
    assert_int_equal(buf.size, 0);
    buf.size += 40;
    assert_null(buf_reserve(&buf, 61));
    assert_true(buf_overflowed(&buf));
    buf_add_text(&buf, "fits, but would leave a hole");
    assert_int_equal(buf.size, 40);
    buf_clear(&buf);
    assert_non_null(buf_reserve(&buf, 1));
}

static void a_zeroed_or_released_buffer_holds_nothing(void **state)
{
    struct buf buf = {0};

    (void)state;
    buf_add_char(&buf, 'a');
    assert_true(buf_overflowed(&buf));
    assert_string_equal(buf_text(&buf), "");
    buf_release(&buf);
    buf_release(&buf);
    assert_null(buf.at);
}

static void arena_pieces_are_zeroed_aligned_and_apart(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    unsigned char *pieces[600];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(pieces); i++) {
            pieces[i] = arena_alloc(&arena, i);
            assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
            for (size_t j = 0; j < i; j++)
                assert_int_equal(pieces[i][j], 0);
            memset(pieces[i], (int)(i % 255) + 1, i);
        }
        for (size_t i = 0; i < COUNT_OF(pieces); i++) {
            for (size_t j = 0; j < i; j++)
                assert_int_equal(pieces[i][j], i % 255 + 1);
        }
        arena_reset(&arena);
    }
}

/* What is given back can't be looked at: this is what stays ours. */
static void what_may_be_secret_is_wiped_from_memory_that_is_kept(void **state)
{
    CLEANUP(arena_release) struct arena arena;
    CLEANUP(buf_release) struct buf buf;
    static const char nothing[5];

    (void)state;
    arena_init_secret(&arena);
    const char *copy = arena_strdup(&arena, "horse");
    arena_reset(&arena);
    assert_memory_equal(copy, nothing, sizeof(nothing));
    assert_true(arena.wipes);
    buf_init_secret(&buf, 100);
    buf_add_text(&buf, "horse");
    buf_clear(&buf);
    assert_memory_equal(buf.at, nothing, sizeof(nothing));
    buf_release(&buf);
    assert_true(buf.wipes);
}

static void a_buf_that_wipes_grows_like_any_other(void **state)
{
    CLEANUP(buf_release) struct buf plain;
    CLEANUP(buf_release) struct buf secret;

    (void)state;
    buf_init(&plain, 5000);
    buf_init_secret(&secret, 5000);
    for (int i = 0; i < 2000; i++) {
        buf_printf(&plain, "%d,", i);
        buf_printf(&secret, "%d,", i);
    }
    assert_true(buf_overflowed(&secret));
    assert_int_equal(secret.room, plain.room);
    assert_true(slice_equal(buf_slice(&secret), buf_slice(&plain)));
}

static void a_small_arena_costs_little_more_than_what_it_holds(void **state)
{
    CLEANUP(arena_release) struct arena arena;

    (void)state;
    arena_init_small(&arena);
    assert_string_equal(arena_strdup(&arena, "web-01"), "web-01");
    assert_true(arena.allocated <= 256);
    for (unsigned i = 0; i < 100; i++)
        arena_alloc(&arena, 60);
    assert_true(arena.allocated <= 2 * 100 * 64);
}

static void an_arena_that_was_reset_keeps_one_small_chunk(void **state)
{
    CLEANUP(arena_release) struct arena arena;

    (void)state;
    arena_init(&arena);
    assert_int_equal(arena.allocated, 0);
    void *first = arena_alloc(&arena, 16);
    arena_alloc(&arena, 1 << 20);
    for (int i = 0; i < 1000; i++)
        arena_alloc(&arena, 1000);
    assert_true(arena.allocated > 2000000);
    arena_reset(&arena);
    assert_in_range(arena.allocated, 1, 8192);
    assert_ptr_equal(arena_alloc(&arena, 16), first);
    arena_release(&arena);
    assert_int_equal(arena.allocated, 0);
    arena_reset(&arena);
    assert_int_equal(arena.allocated, 0);
}

static void a_large_piece_does_not_waste_the_chunk_in_use(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};

    (void)state;
    char *before = arena_alloc(&arena, 16);
    arena_alloc(&arena, 100000);
    assert_ptr_equal(arena_alloc(&arena, 16), before + 16);

    /* also when it comes first, and when it is as large as a first chunk */
    arena_release(&arena);
    arena_alloc(&arena, 4096);
    arena_alloc(&arena, 4096);
    before = arena_alloc(&arena, 16);
    assert_ptr_equal(arena_alloc(&arena, 16), before + 16);
}

static void arena_texts_are_copies_that_end_in_nul(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    char source[] = "abc";

    (void)state;
    char *copy = arena_strdup(&arena, source);
    source[0] = 'x';
    assert_string_equal(copy, "abc");
    assert_string_equal(arena_copy(&arena, (struct slice){.at = "abc", .size = 2}), "ab");
    assert_string_equal(arena_copy(&arena, slice_of(NULL)), "");
}

static void arena_printf_prints_texts_of_any_length(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    char long_text[5000];

    (void)state;
    memset(long_text, 'y', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    for (int size = 0; size < (int)sizeof(long_text); size += 7) {
        const char *text = arena_printf(&arena, "%d:%.*s", 42, size, long_text);
        assert_int_equal(strlen(text), size + 3);
        assert_memory_equal(text, "42:", 3);
        assert_memory_equal(text + 3, long_text, size);
    }
}

static void a_moved_pointer_is_not_freed_and_a_freed_one_is_null(void **state)
{
    (void)state;
    char *kept;
    {
        CLEANUP(mem_freep) char *text = mem_strdup("kept");
        kept = TAKE(text);
        assert_null(text);
    }
    assert_string_equal(kept, "kept");
    kept = mem_free(kept);
    assert_null(kept);
    assert_null(mem_free(NULL));
    char *empty = mem_alloc(0);
    assert_non_null(empty);
    mem_free(empty);
}

static void running_out_of_memory_aborts(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        mem_alloc(SIZE_MAX / 2);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}

static void every_outcome_has_its_row(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        enum outcome outcome = (enum outcome)i;
        assert_in_range(outcome_http(outcome), 200, 599);
        assert_in_range(outcome_exit(outcome), 0, 4);
        assert_true(strlen(outcome_word(outcome)) > 0);
        assert_true(strlen(outcome_sentence(outcome)) > 0);
    }
    assert_int_equal(outcome_http(OUTCOME_DONE), 200);
    assert_int_equal(outcome_exit(OUTCOME_DONE), 0);
    assert_int_equal(outcome_http(OUTCOME_NOT_FOUND), 404);
    assert_string_equal(outcome_word(OUTCOME_NOT_FOUND), "not_found");
    assert_int_equal(outcome_exit(OUTCOME_USAGE), 2);
}

static void a_refusal_says_why(void **state)
{
    struct refusal why;

    (void)state;
    assert_int_equal(refuse(&why, OUTCOME_CONFLICT, "limit", "%d is too much", 7),
                     OUTCOME_CONFLICT);
    assert_int_equal(why.outcome, OUTCOME_CONFLICT);
    assert_string_equal(why.field, "limit");
    assert_string_equal(why.text, "7 is too much");
    assert_int_equal(refuse(&why, OUTCOME_INVALID, NULL, "no"), OUTCOME_INVALID);
    assert_string_equal(why.field, "");
    assert_int_equal(refuse(NULL, OUTCOME_INVALID, "a", "no"), OUTCOME_INVALID);
}

static void a_long_refusal_is_cut_between_characters(void **state)
{
    struct refusal why;
    char text[2000];

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof(text));
        for (size_t i = shift; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "\xF0\x9F\x98\x80", 4);
        text[sizeof(text) - 1] = '\0';
        refuse(&why, OUTCOME_INVALID, text, "%s", text);
        assert_true(slice_is_utf8(slice_of(why.text)));
        assert_in_range(strlen(why.text), REFUSAL_TEXT_SIZE - 4, REFUSAL_TEXT_SIZE - 1);
        assert_true(slice_is_utf8(slice_of(why.field)));
        assert_in_range(strlen(why.field), REFUSAL_FIELD_SIZE - 4, REFUSAL_FIELD_SIZE - 1);
    }
}

static void a_fault_remembers_where_it_was_made(void **state)
{
    (void)state;
    fault_note(-ENOSPC, "../src/ledger/store.c", 120);
    assert_string_equal(fault_text(), "src/ledger/store.c:120: No space left on device");
    assert_int_equal(FAULT(-EIO), -EIO);
    assert_non_null(strstr(fault_text(), "test_text.c:"));
    assert_non_null(strstr(fault_text(), ": Input/output error"));
}

static void a_fault_without_errno_is_still_a_fault(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(FAULT(-errno), -EIO);
}

/* What log_write() writes to standard error, without the time in front. */
static struct slice logged(struct arena *arena, enum log_level level, const char *event,
                           const struct log_field *fields)
{
    char room[80000];
    int ends[2];
    int kept = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    /* room for the longest line: nobody reads while it is written */
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 17) >= 1 << 17);
    dup2(ends[1], STDERR_FILENO);
    log_write(level, event, fields);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    ssize_t size = read(ends[0], room, sizeof(room));
    close(ends[0]);
    assert_true(size >= 0);
    return (struct slice){.at = arena_copy(arena, (struct slice){.at = room, .size = (size_t)size}),
                          .size = (size_t)size};
}

#define FIELDS(...)                                                                                \
    (const struct log_field[])                                                                     \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            .key = NULL                                                                            \
        }                                                                                          \
    }

static void a_log_line_quotes_what_needs_it(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};

    (void)state;
    log_setup("reeve-test", LOG_INFO, false);
    struct slice line =
        logged(&arena, LOG_WARNING, "agent.lost",
               FIELDS(LOG_TEXT("host", "web-01"), LOG_NUMBER("runs", -3), LOG_TEXT("empty", ""),
                      LOG_TEXT("why", "a=\"b\" c"), LOG_TEXT("forged", "x\nerror evil\033[2J"),
                      LOG_TEXT("bad", "\xFF")));
    assert_true(line.size > 28);
    line.at += 27;
    line.size -= 27;
    assert_slice(
        line, " warning reeve-test agent.lost host=web-01 runs=-3 empty=\"\" why=\"a=\\\"b\\\" c\" "
              "forged=\"x\\nerror evil\\u001b[2J\" bad=\"\xEF\xBF\xBD\"\n");
}

static void a_json_log_line_is_json(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct json value, member;

    (void)state;
    log_setup("reeve-test", LOG_INFO, true);
    struct slice line = logged(&arena, LOG_ERROR, "store.commit",
                               FIELDS(LOG_TEXT("why", "a \"b\"\n"), LOG_NUMBER("n", 7)));
    log_setup("reeve-test", LOG_INFO, false);
    assert_int_equal(line.at[line.size - 1], '\n');
    assert_int_equal(json_check(line, 100, &value, NULL), 0);
    assert_true(json_member(value, "level", &member));
    assert_true(json_string_is(member, "error"));
    assert_true(json_member(value, "event", &member));
    assert_true(json_string_is(member, "store.commit"));
    assert_true(json_member(value, "program", &member));
    assert_true(json_member(value, "time", &member));
    assert_true(json_member(value, "why", &member));
    assert_true(json_string_is(member, "a \"b\"\n"));
    assert_true(json_member(value, "n", &member));
    assert_slice(member.text, "7");
}

static void a_long_log_value_is_cut_and_the_line_stays_one(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    char text[10000];
    struct log_field fields[40] = {0};

    (void)state;
    memset(text, '\x01', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_setup("reeve-test", LOG_INFO, true);
    for (size_t n = 1; n < COUNT_OF(fields); n++) {
        struct json value;
        fields[n - 1] = LOG_TEXT("key", text);
        struct slice line = logged(&arena, LOG_ERROR, "e", fields);
        assert_true(line.size > 0 && line.size <= 65536);
        assert_ptr_equal(memchr(line.at, '\n', line.size), line.at + line.size - 1);
        if (n == 1)
            assert_int_equal(json_check(line, 100, &value, NULL), 0);
    }
    struct slice line = logged(&arena, LOG_ERROR, "e", fields);
    log_setup("reeve-test", LOG_INFO, false);
    struct json value, member;
    assert_int_equal(json_check(line, 100, &value, NULL), 0);
    assert_true(json_member(value, "fields", &member));
}

static void a_level_below_the_lowest_is_not_logged(void **state)
{
    CLEANUP(arena_release) struct arena arena = {0};
    enum log_level level = LOG_ERROR;

    (void)state;
    log_setup("reeve-test", LOG_NOTICE, false);
    assert_int_equal(logged(&arena, LOG_INFO, "e", FIELDS(LOG_NUMBER("n", 1))).size, 0);
    assert_true(logged(&arena, LOG_NOTICE, "e", FIELDS(LOG_NUMBER("n", 1))).size > 0);
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_parse("Debug", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_by_bytes),
        cmocka_unit_test(a_slice_is_cut_at_each_separator),
        cmocka_unit_test(hexadecimal_digits_have_values),
        cmocka_unit_test(utf8_is_exactly_what_rfc_3629_says),
        cmocka_unit_test(utf8_text_is_checked_and_counted),
        cmocka_unit_test(a_text_is_cut_between_characters),
        cmocka_unit_test(a_buffer_grows_and_keeps_what_was_added),
        cmocka_unit_test(integers_are_added_as_decimal_text),
        cmocka_unit_test(a_full_buffer_keeps_a_prefix_and_remembers),
        cmocka_unit_test(a_reservation_over_the_cap_counts_as_dropped),
        cmocka_unit_test(a_zeroed_or_released_buffer_holds_nothing),
        cmocka_unit_test(arena_pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(a_small_arena_costs_little_more_than_what_it_holds),
        cmocka_unit_test(an_arena_that_was_reset_keeps_one_small_chunk),
        cmocka_unit_test(what_may_be_secret_is_wiped_from_memory_that_is_kept),
        cmocka_unit_test(a_buf_that_wipes_grows_like_any_other),
        cmocka_unit_test(a_large_piece_does_not_waste_the_chunk_in_use),
        cmocka_unit_test(arena_texts_are_copies_that_end_in_nul),
        cmocka_unit_test(arena_printf_prints_texts_of_any_length),
        cmocka_unit_test(a_moved_pointer_is_not_freed_and_a_freed_one_is_null),
        cmocka_unit_test(running_out_of_memory_aborts),
        cmocka_unit_test(every_outcome_has_its_row),
        cmocka_unit_test(a_refusal_says_why),
        cmocka_unit_test(a_long_refusal_is_cut_between_characters),
        cmocka_unit_test(a_fault_remembers_where_it_was_made),
        cmocka_unit_test(a_fault_without_errno_is_still_a_fault),
        cmocka_unit_test(a_log_line_quotes_what_needs_it),
        cmocka_unit_test(a_json_log_line_is_json),
        cmocka_unit_test(a_long_log_value_is_cut_and_the_line_stays_one),
        cmocka_unit_test(a_level_below_the_lowest_is_not_logged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
