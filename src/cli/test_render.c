/* SPDX-License-Identifier: MIT */
/*
 * Replies and exactly what is printed for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/render.h"
#include "cli/source.h"
#include "cli/text.h"

static const struct screen plain = {.columns = SCREEN_COLUMNS};

/* In the arena. */
static const char *rendered(enum op_id op, const char *reply, const struct screen *screen,
                            struct arena *arena)
{
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, 1 << 20);
    struct json json;
    struct refusal why;

    if (json_check(slice_of(reply), JSON_VALUES_MAX, &json, &why))
        fail_msg("%s", why.text);
    render_reply(&op_catalog[op], json, screen, &text, arena);
    return arena_copy(arena, buf_slice(&text));
}

static void expect_on(enum op_id op, const char *reply, const struct screen *screen,
                      const char *text)
{
    struct arena arena;
    arena_init(&arena);

    assert_string_equal(rendered(op, reply, screen, &arena), text);
    arena_release(&arena);
}

static void expect(enum op_id op, const char *reply, const char *text)
{
    expect_on(op, reply, &plain, text);
}

static void expect_lines_within(const char *text, size_t columns)
{
    struct slice rest = slice_of(text), line;

    while (slice_cut(&rest, '\n', &line))
        assert_in_range(text_columns(line), 0, columns);
}

/*
 * Results of hosts
 */

static void results_are_a_row_a_host(void **state)
{
    (void)state;
    expect(
        OP_node_memory,
        "{\"job_id\":\"j\",\"results\":["
        "{\"hostname\":\"db-01\",\"status\":\"ok\",\"memory\":{\"total\":270582939648,"
        "\"free\":1023,\"used\":1048576}},"
        "{\"hostname\":\"web-01\",\"status\":\"failed\",\"error\":\"no answer yet: started\"}]}",
        "HOSTNAME  STATUS      TOTAL    FREE     USED  AVAILABLE  CACHED  SWAP_TOTAL  SWAP_FREE\n"
        "db-01     ok      252.0 GiB  1023 B  1.0 MiB          -       -           -          -\n"
        "web-01    failed          -       -        -          -       -           -          -\n"
        "\n"
        "2 hosts: 1 ok, 1 failed\n"
        "web-01: no answer yet: started\n");
}

static void a_list_is_a_row_an_element(void **state)
{
    (void)state;
    expect(OP_node_disk,
           "{\"job_id\":\"j\",\"results\":["
           "{\"hostname\":\"a\",\"status\":\"ok\",\"disks\":["
           "{\"name\":\"/\",\"total\":1024,\"used\":512,\"free\":512,\"fstype\":\"ext4\"},"
           "{\"name\":\"/home\",\"total\":2048,\"used\":0,\"free\":2048}]},"
           "{\"hostname\":\"b\",\"status\":\"ok\",\"disks\":[]}]}",
           "HOSTNAME  STATUS  NAME     TOTAL   USED     FREE  DEVICE  FSTYPE\n"
           "a         ok      /      1.0 KiB  512 B    512 B  -       ext4\n"
           "a         ok      /home  2.0 KiB    0 B  2.0 KiB  -       -\n"
           "b         ok      -            -      -        -  -       -\n"
           "\n"
           "2 hosts: 2 ok\n");
}

static void whether_a_host_changed_is_shown_when_one_says_so(void **state)
{
    (void)state;
    expect(OP_command_exec,
           "{\"job_id\":\"j\",\"results\":[{\"hostname\":\"a\",\"status\":\"ok\",\"changed\":true,"
           "\"stdout\":\"Linux\\n\",\"stderr\":\"\",\"exit_code\":0,\"duration_ms\":12}]}",
           "HOSTNAME  STATUS  CHANGED  EXIT_CODE  DURATION  STDOUT  STDERR\n"
           "a         ok      yes              0     12 ms  Linux\n"
           "\n"
           "1 host: 1 ok\n");
}

static void output_of_several_lines_stands_below(void **state)
{
    (void)state;
    expect(OP_command_exec,
           "{\"job_id\":\"j\",\"results\":[{\"hostname\":\"web-01\",\"status\":\"ok\","
           "\"stdout\":\"one\\ntwo\\u001b[2J\\n\",\"stderr\":\"\",\"exit_code\":0,"
           "\"duration_ms\":3}]}",
           "HOSTNAME  STATUS  EXIT_CODE  DURATION  STDOUT  STDERR\n"
           "web-01    ok              0      3 ms  one…\n"
           "\n"
           "web-01 stdout:\n"
           "one\n"
           "two\\u001b[2J\n"
           "\n"
           "1 host: 1 ok\n");
}

static void a_long_line_is_cut_and_stands_below_in_full(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    char line[201];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    const char *reply = arena_printf(
        &arena,
        "{\"results\":[{\"hostname\":\"a\",\"status\":\"ok\",\"stdout\":\"%s\",\"stderr\":\"\","
        "\"exit_code\":0,\"duration_ms\":3}]}",
        line);

    const char *text = rendered(OP_command_exec, reply, &plain, &arena);
    const char *below = strstr(text, "a stdout:\n");
    assert_non_null(below);
    assert_memory_equal(below + strlen("a stdout:\n"), line, sizeof(line) - 1);
    assert_non_null(strstr(text, "x…"));
    expect_lines_within(
        arena_copy(&arena, (struct slice){.at = text, .size = (size_t)(below - text)}),
        SCREEN_COLUMNS);
    arena_release(&arena);
}

static void text_with_a_nul_is_shown_escaped(void **state)
{
    (void)state;
    expect(OP_node_uptime,
           "{\"results\":[{\"hostname\":\"a\",\"status\":\"ok\",\"uptime\":\"a\\u0000b\"}]}",
           "HOSTNAME  STATUS  UPTIME\n"
           "a         ok      a\\u0000b\n"
           "\n"
           "1 host: 1 ok\n");
}

static void hostile_names_and_errors_cannot_steer_the_terminal(void **state)
{
    (void)state;
    expect(OP_node_uptime,
           "{\"results\":[{\"hostname\":\"\\u202ea\\u001b]0;x\\u0007\",\"status\":\"failed\","
           "\"error\":\"\xc2\x9b"
           "31m\\nweb-02: all fine\"}]}",
           "HOSTNAME                 STATUS  UPTIME\n"
           "\\u202ea\\u001b]0;x\\u0007  failed  -\n"
           "\n"
           "1 host: 1 failed\n"
           "\\u202ea\\u001b]0;x\\u0007: \\u009b31m\\nweb-02: all fine\n");
}

static void results_that_are_no_objects_do_no_harm(void **state)
{
    (void)state;
    expect(OP_node_disk, "{\"results\":[1,null,{\"disks\":3},{\"hostname\":{}}]}",
           "HOSTNAME  STATUS  NAME  TOTAL  USED  FREE  DEVICE  FSTYPE\n"
           "-         -       -         -     -     -  -       -\n"
           "-         -       -         -     -     -  -       -\n"
           "-         -       -         -     -     -  -       -\n"
           "{}        -       -         -     -     -  -       -\n"
           "\n"
           "4 hosts\n");
}

static void narrow_terminals_get_narrow_tables(void **state)
{
    (void)state;
    static const char reply[] =
        "{\"results\":[{\"hostname\":\"a-rather-long-host-name.example.org\",\"status\":\"ok\","
        "\"memory\":{\"total\":270582939648,\"free\":1023,\"used\":1048576,\"available\":1,"
        "\"cached\":1,\"swap_total\":1,\"swap_free\":1}}]}";

    for (size_t columns = SCREEN_COLUMNS_MIN; columns <= 160; columns += 7) {
        struct arena arena;
        arena_init(&arena);
        const struct screen screen = {.columns = columns};
        const char *text = rendered(OP_node_memory, reply, &screen, &arena);
        expect_lines_within(text, columns);
        assert_non_null(strstr(text, "HOST"));
        arena_release(&arena);
    }
}

static void states_are_coloured_on_a_terminal(void **state)
{
    (void)state;
    const struct screen colour = {.columns = SCREEN_COLUMNS, .colour = true};
    expect_on(OP_node_uptime,
              "{\"results\":[{\"hostname\":\"a\",\"status\":\"failed\",\"uptime\":\"1h\"}]}",
              &colour,
              "\x1b[1mHOSTNAME\x1b[0m  \x1b[1mSTATUS\x1b[0m  \x1b[1mUPTIME\x1b[0m\n"
              "a         \x1b[31mfailed\x1b[0m  1h\n"
              "\n"
              "1 host: 1 failed\n");
}

/*
 * Objects and lists
 */

#define ID "0190b9a0-0000-7000-8000-000000000001"

static void a_page_is_a_table_and_its_counts(void **state)
{
    (void)state;
    expect(
        OP_job_list,
        "{\"total_items\":12,\"status_counts\":{\"submitted\":0,\"processing\":1,"
        "\"completed\":11,\"failed\":0,\"partial_failure\":0,\"skipped\":0},\"items\":["
        "{\"id\":\"" ID "\",\"status\":\"completed\","
        "\"created\":\"2026-11-24T06:12:28.123456Z\","
        "\"operation\":{\"type\":\"command.exec.execute\"},\"hostname\":\"web-01\","
        "\"target\":\"_any\",\"user\":\"admin\",\"changed\":null,"
        "\"updated_at\":\"2026-11-24T06:12:28.2Z\",\"timeline\":[]}]}",
        "ID                                    STATUS     CREATED (UTC)        TYPE              "
        "    HOSTNAME\n" ID "  completed  2026-11-24 06:12:28  command.exec.execute  web-01\n"
        "\n"
        "total items: 12, processing: 1, completed: 11\n");
}

static void a_page_says_how_many_match_and_how_to_go_on(void **state)
{
    (void)state;
    expect(OP_job_list,
           "{\"total_items\":3,\"status_counts\":{\"submitted\":0,\"processing\":1,"
           "\"completed\":11,\"failed\":4,\"partial_failure\":0,\"skipped\":0},"
           "\"matching_counts\":{\"submitted\":0,\"processing\":0,\"completed\":7,\"failed\":3,"
           "\"partial_failure\":0,\"skipped\":0},"
           "\"next\":\"AQ-_\",\"prev\":\"AQ00\",\"items\":[]}",
           "total items: 3\n"
           "status counts: processing: 1, completed: 11, failed: 4\n"
           "matching counts: completed: 7, failed: 3\n"
           "next: --cursor AQ-_\n"
           "prev: --cursor AQ00\n");
}

static void runs_are_a_table(void **state)
{
    (void)state;
    expect(OP_job_run_list,
           "{\"total_items\":2,\"state_counts\":{\"waiting\":1,\"active\":0,\"completed\":0,"
           "\"failed\":1,\"skipped\":0},\"next\":\"AQ\",\"items\":["
           "{\"run\":0,\"hostname\":\"a\",\"status\":\"failed\",\"code\":\"error\","
           "\"changed\":null,\"error\":\"no\",\"duration\":\"1s\"},"
           "{\"run\":1,\"hostname\":\"b\",\"status\":\"waiting\",\"changed\":null}]}",
           "RUN  HOSTNAME  STATUS   CODE   DURATION  ERROR\n"
           "  0  a         failed   error  1s        no\n"
           "  1  b         waiting  -      -         -\n"
           "\n"
           "total items: 2, waiting: 1, failed: 1\n"
           "next: --cursor AQ\n");
}

#define STATS                                                                                      \
    "{\"total\":12,\"by\":{\"status\":{\"completed\":10,\"failed\":2},"                            \
    "\"hostname\":{\"web\\u001b-01\":12,\"db\":1},\"hostname_others\":3},\"bucket\":\"1h\","       \
    "\"series\":["                                                                                 \
    "{\"start\":\"2026-11-24T06:00:00.000000Z\",\"total\":8,\"completed\":8,\"failed\":0},"        \
    "{\"start\":\"2026-11-24T07:00:00.000000Z\",\"total\":0,\"completed\":0,\"failed\":0},"        \
    "{\"start\":\"2026-11-24T08:00:00.000000Z\",\"total\":4,\"completed\":2,\"failed\":2}]}"

static void counts_are_bars_and_sparklines(void **state)
{
    (void)state;
    const struct screen utf8 = {.columns = 40, .utf8 = true};
    const struct screen ascii = {.columns = 40};
    expect_on(OP_job_stats, STATS, &utf8,
              "total               12\n"
              "by.hostname_others  3\n"
              "bucket              1h\n"
              "\n"
              "status:\n"
              "  completed  10  ███████████████████████\n"
              "  failed      2  █████\n"
              "\n"
              "hostname:\n"
              "  web\\u001b-01  12  ████████████████████\n"
              "  db             1  ██\n"
              "\n"
              "series:\n"
              "  2026-11-24 06:00:00 to 2026-11-24 08:00:00\n"
              "  total            █▁▅  at most 8\n"
              "  completed        █▁▃  at most 8\n"
              "  failed           ▁▁█  at most 2\n");
    expect_on(OP_job_stats,
              "{\"total\":3,\"by\":{\"status\":{\"completed\":3}},\"series\":["
              "{\"start\":\"2026-11-24T06:00:00Z\",\"total\":1},"
              "{\"start\":\"2026-11-24T07:00:00Z\",\"total\":2}]}",
              &ascii,
              "total  3\n"
              "\n"
              "status:\n"
              "  completed  3  ########################\n"
              "\n"
              "series:\n"
              "  2026-11-24 06:00:00 to 2026-11-24 07:00:00\n"
              "  total            =#  at most 2\n");
}

/* More pieces than columns: several share one. */
static void a_series_is_never_wider_than_the_screen(void **state)
{
    (void)state;
    const struct screen utf8 = {.columns = SCREEN_COLUMNS, .utf8 = true};
    struct arena arena;
    arena_init(&arena);
    CLEANUP(buf_release) struct buf reply;
    buf_init(&reply, 1 << 20);

    buf_add_text(&reply, "{\"total\":1000,\"by\":{},\"series\":[");
    for (unsigned i = 0; i < 1000; i++)
        buf_printf(&reply, "%s{\"start\":\"2026-11-24T06:00:00Z\",\"total\":1}", i ? "," : "");
    buf_add_text(&reply, "]}");
    const char *text = rendered(OP_job_stats, buf_text(&reply), &utf8, &arena);
    assert_non_null(strstr(text, ", 17 a column\n"));
    assert_non_null(strstr(text, "██▇  at most 17\n")); /* 1,000 is 58 times 17, and 14 */
    expect_lines_within(text, SCREEN_COLUMNS);
    arena_release(&arena);
}

static void a_narrow_page_keeps_whole_ids(void **state)
{
    (void)state;
    const struct screen narrow = {.columns = SCREEN_COLUMNS_MIN + 20};
    expect_on(OP_job_list,
              "{\"total_items\":1,\"items\":[{\"id\":\"" ID "\",\"status\":\"partial_failure\","
              "\"created\":\"2026-11-24T06:12:28.123456Z\"}]}",
              &narrow,
              "ID                                    STATUS\n" ID "  partial_failure\n"
              "\n"
              "total items: 1\n");
}

static void an_empty_page_is_its_counts(void **state)
{
    (void)state;
    expect(OP_agent_list, "{\"agents\":[],\"total\":0}", "total: 0\n");
}

static void a_job_is_a_block_its_timeline_and_its_result(void **state)
{
    (void)state;
    expect(
        OP_job_get,
        "{\"id\":\"" ID "\",\"status\":\"completed\",\"created\":\"2026-11-24T06:12:28.123456Z\","
        "\"operation\":{\"type\":\"node.os.get\",\"data\":{}},\"target\":\"_any\","
        "\"user\":\"admin\",\"result\":{\"os_info\":{\"distribution\":\"debian\"},\"n\":[1.50,2]},"
        "\"changed\":null,\"updated_at\":\"2026-11-24T06:12:29.000000Z\",\"timeline\":["
        "{\"timestamp\":\"2026-11-24T06:12:28.123456Z\",\"event\":\"submitted\"},"
        "{\"timestamp\":\"2026-11-24T06:12:29.000000Z\",\"event\":\"completed\","
        "\"hostname\":\"web-01\"}]}",
        "id              " ID "\n"
        "status          completed\n"
        "created         2026-11-24T06:12:28.123456Z\n"
        "operation.type  node.os.get\n"
        "target          _any\n"
        "user            admin\n"
        "updated_at      2026-11-24T06:12:29.000000Z\n"
        "\n"
        "timeline:\n"
        "TIMESTAMP (UTC)             EVENT      HOSTNAME  MESSAGE  ERROR\n"
        "2026-11-24 06:12:28.123456  submitted  -         -        -\n"
        "2026-11-24 06:12:29.000000  completed  web-01    -        -\n"
        "\n"
        "result:\n"
        "{\n"
        "  \"os_info\": {\n"
        "    \"distribution\": \"debian\"\n"
        "  },\n"
        "  \"n\": [\n"
        "    1.50,\n"
        "    2\n"
        "  ]\n"
        "}\n");
}

static void a_broadcast_shows_each_host(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    const char *text =
        rendered(OP_job_get,
                 "{\"id\":\"" ID "\",\"agent_states\":{\"web-01\":{\"status\":\"failed\","
                 "\"error\":\"no\",\"code\":\"error\"},\"web-02\":{\"status\":\"completed\","
                 "\"duration\":\"1.5s\"}},\"responses\":{\"web-01\":{\"status\":\"failed\","
                 "\"changed\":null,\"error\":\"no\",\"hostname\":\"web-01\"},\"web-02\":{"
                 "\"status\":\"completed\",\"changed\":true,\"hostname\":\"web-02\"}},"
                 "\"timeline\":[]}",
                 &plain, &arena);

    assert_string_equal(text, "id  " ID "\n"
                              "\n"
                              "responses:\n"
                              "NAME    STATUS     CHANGED  ERROR\n"
                              "web-01  failed     -        no\n"
                              "web-02  completed  yes      -\n"
                              "\n"
                              "agent_states:\n"
                              "NAME    STATUS     CODE   DURATION  ERROR\n"
                              "web-01  failed     error  -         no\n"
                              "web-02  completed  -      1.5s      -\n");
    arena_release(&arena);
}

static void maps_and_lists_of_text_are_joined(void **state)
{
    (void)state;
    expect(OP_node_hostname,
           "{\"results\":[{\"hostname\":\"a\",\"status\":\"ok\",\"labels\":{\"group\":\"web\","
           "\"env\":\"dev\"}}]}",
           "HOSTNAME  STATUS  LABELS\n"
           "a         ok      group=web, env=dev\n"
           "\n"
           "1 host: 1 ok\n");
}

static void a_job_that_goes_on_is_named(void **state)
{
    (void)state;
    expect(OP_node_os, "{\"job_id\":\"" ID "\",\"status\":\"submitted\"}",
           "job_id  " ID "\n"
           "status  submitted\n");
}

static void a_reply_of_another_kind_is_shown_as_json(void **state)
{
    (void)state;
    expect(OP_job_list, "[1,\"\\u001b\",{}]", "[\n  1,\n  \"\\u001b\",\n  {}\n]\n");
}

/* What a TABLE row names must exist, or its column would silently be missing. */
static void every_word_of_a_table_row_is_a_column(void **state)
{
    (void)state;
    for (size_t i = 0; schema_catalog[i]; i++) {
        struct arena arena;
        arena_init(&arena);
        const struct schema *schema = schema_catalog[i];
        size_t n_words = 1;
        for (const char *at = schema->table ? schema->table : ""; *at; at++)
            n_words += *at == ' ';
        if (schema->table)
            assert_int_equal(sources_of_table(schema, &arena).n, n_words);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_a_row_a_host),
        cmocka_unit_test(a_list_is_a_row_an_element),
        cmocka_unit_test(whether_a_host_changed_is_shown_when_one_says_so),
        cmocka_unit_test(output_of_several_lines_stands_below),
        cmocka_unit_test(a_long_line_is_cut_and_stands_below_in_full),
        cmocka_unit_test(text_with_a_nul_is_shown_escaped),
        cmocka_unit_test(hostile_names_and_errors_cannot_steer_the_terminal),
        cmocka_unit_test(results_that_are_no_objects_do_no_harm),
        cmocka_unit_test(narrow_terminals_get_narrow_tables),
        cmocka_unit_test(states_are_coloured_on_a_terminal),
        cmocka_unit_test(a_page_is_a_table_and_its_counts),
        cmocka_unit_test(a_page_says_how_many_match_and_how_to_go_on),
        cmocka_unit_test(runs_are_a_table),
        cmocka_unit_test(counts_are_bars_and_sparklines),
        cmocka_unit_test(a_series_is_never_wider_than_the_screen),
        cmocka_unit_test(a_narrow_page_keeps_whole_ids),
        cmocka_unit_test(an_empty_page_is_its_counts),
        cmocka_unit_test(a_job_is_a_block_its_timeline_and_its_result),
        cmocka_unit_test(a_broadcast_shows_each_host),
        cmocka_unit_test(maps_and_lists_of_text_are_joined),
        cmocka_unit_test(a_job_that_goes_on_is_named),
        cmocka_unit_test(a_reply_of_another_kind_is_shown_as_json),
        cmocka_unit_test(every_word_of_a_table_row_is_a_column),
    };

    text_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
