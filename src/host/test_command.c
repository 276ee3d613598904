/* SPDX-License-Identifier: MIT */
/*
 * Commands: every way a program can end, and what the answer says then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/spawn.h"
#include "host/host.h"

#include <sys/eventfd.h>
#include <unistd.h>

struct fixture {
    struct arena arena;
    struct host host;
    struct buf data;
    int outcome;
    struct command_out out; /* decoded, when there was one */
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    arena_init(&f->arena);
    buf_init(&f->data, (size_t)16 << 20);
    f->host = (struct host){
        .arena = &f->arena, .hostname = "web-01", .limit_us = 30 * US_PER_S, .cancel_fd = -1};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_release(&f->arena);
    buf_release(&f->data);
    test_free(f);
    return 0;
}

/* The answer is read back as a controller would. */
static void run(struct fixture *f, enum op_id id, const char *data)
{
    struct refusal why = {.text = ""};

    f->outcome = host_run(&op_catalog[id], &f->host, slice_of(data), &f->data);
    if (f->data.size == 0)
        return;
    if (schema_decode(&command_out_schema, buf_slice(&f->data), 100, &f->arena, &f->out, &why))
        fail_msg("%s: %s", why.field, why.text);
}

static void exec(struct fixture *f, const char *data)
{
    run(f, OP_command_exec, data);
}

static void shell(struct fixture *f, const char *data)
{
    run(f, OP_command_shell, data);
}

static void assert_failed(const struct fixture *f, enum run_code code, const char *text)
{
    assert_int_equal(f->outcome, HOST_FAILED);
    assert_string_equal(run_code_words[f->host.code].word, run_code_words[code].word);
    if (!strstr(f->host.error, text))
        fail_msg("\"%s\" does not say \"%s\"", f->host.error, text);
}

static void both_streams_and_the_status_are_told(void **state)
{
    struct fixture *f = *state;

    shell(f, "{\"command\":\"echo out; echo err >&2; exit 3\"}");
    assert_int_equal(f->outcome, 0);
    assert_string_equal(f->out.stdout, "out\n");
    assert_string_equal(f->out.stderr, "err\n");
    assert_int_equal(f->out.exit_code, 3);
    assert_false(f->out.has_signal || f->out.has_timed_out || f->out.has_truncated ||
                 f->out.has_encoding);
    assert_true(f->host.changed);
}

static void arguments_are_passed_as_they_are(void **state)
{
    struct fixture *f = *state;

    exec(f, "{\"command\":\"printf\",\"args\":[\"%s|\",\"a b\",\"$HOME\",\"; rm -rf x\",\"\"]}");
    assert_int_equal(f->outcome, 0);
    assert_string_equal(f->out.stdout, "a b|$HOME|; rm -rf x||");
}

static void the_directory_is_root_unless_given(void **state)
{
    struct fixture *f = *state;

    exec(f, "{\"command\":\"pwd\"}");
    assert_string_equal(f->out.stdout, "/\n");
    buf_clear(&f->data);
    exec(f, "{\"command\":\"pwd\",\"cwd\":\"/usr\"}");
    assert_string_equal(f->out.stdout, "/usr\n");
}

static void a_program_that_is_not_there_fails_by_name(void **state)
{
    struct fixture *f = *state;

    exec(f, "{\"command\":\"no-such-program\"}");
    assert_failed(f, run_code_ERROR, "command no-such-program: No such file");
    assert_int_equal(f->data.size, 0);
    assert_false(f->host.changed);
}

static void a_directory_that_is_not_there_fails_by_name(void **state)
{
    struct fixture *f = *state;

    exec(f, "{\"command\":\"true\",\"cwd\":\"/no/such\"}");
    assert_failed(f, run_code_ERROR, "cwd /no/such: No such file");
    assert_false(f->host.changed);
}

static void a_signal_is_told_by_name(void **state)
{
    struct fixture *f = *state;

    shell(f, "{\"command\":\"echo x; kill -SEGV $$\"}");
    assert_int_equal(f->outcome, 0);
    assert_int_equal(f->out.exit_code, -1);
    assert_string_equal(f->out.signal, "SIGSEGV");
    assert_string_equal(f->out.stdout, "x\n");
    assert_false(f->out.has_timed_out);
}

static void a_timeout_fails_and_keeps_the_output(void **state)
{
    struct fixture *f = *state;

    shell(f, "{\"command\":\"echo before; sleep 20; echo after\",\"timeout\":1}");
    assert_failed(f, run_code_TIMEOUT, "timed out after 1 s");
    assert_string_equal(f->out.stdout, "before\n");
    assert_int_equal(f->out.exit_code, -1);
    assert_true(f->out.timed_out);
    assert_string_equal(f->out.signal, "SIGKILL");
    assert_in_range(f->out.duration_ms, 1000, 4000);
    assert_true(f->host.changed);
}

static void the_limit_of_the_run_counts_too(void **state)
{
    struct fixture *f = *state;

    f->host.limit_us = US_PER_S;
    shell(f, "{\"command\":\"sleep 20\",\"timeout\":10}");
    assert_failed(f, run_code_TIMEOUT, "timed out after 1 s");
}

static void a_cancelled_program_fails_and_keeps_the_output(void **state)
{
    struct fixture *f = *state;

    f->host.cancel_fd = eventfd(1, EFD_CLOEXEC);
    shell(f, "{\"command\":\"sleep 20\"}");
    assert_failed(f, run_code_CANCELLED, "cancelled");
    assert_true(f->out.has_stdout);
    assert_true(f->host.changed);
    close(f->host.cancel_fd);
}

static void output_that_is_no_text_is_marked(void **state)
{
    struct fixture *f = *state;

    shell(f, "{\"command\":\"printf 'a\\\\377b\\\\000c\\\\303\\\\244'\"}");
    assert_int_equal(f->outcome, 0);
    assert_string_equal(f->out.stdout, "a\xef\xbf\xbd"
                                       "b\xef\xbf\xbd"
                                       "c\xc3\xa4");
    assert_true(f->out.has_encoding);
    assert_int_equal(f->out.encoding, output_encoding_BINARY);
}

static void output_over_the_cap_is_cut_at_a_character(void **state)
{
    struct fixture *f = *state;

    shell(f, "{\"command\":\"printf x; yes \\u00e4 | head -c 3000000 | tr -d '\\\\n'\"}");
    assert_int_equal(f->outcome, 0);
    assert_true(f->out.truncated);
    assert_false(f->out.has_encoding);
    size_t size = strlen(f->out.stdout);
    assert_in_range(size, SPAWN_OUTPUT_CAP - 3, SPAWN_OUTPUT_CAP);
    assert_true(slice_is_utf8(slice_of(f->out.stdout)));
}

static void standard_input_is_empty(void **state)
{
    struct fixture *f = *state;

    exec(f, "{\"command\":\"cat\"}");
    assert_int_equal(f->outcome, 0);
    assert_string_equal(f->out.stdout, "");
    assert_int_equal(f->out.exit_code, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_streams_and_the_status_are_told),
        TEST(arguments_are_passed_as_they_are),
        TEST(the_directory_is_root_unless_given),
        TEST(a_program_that_is_not_there_fails_by_name),
        TEST(a_directory_that_is_not_there_fails_by_name),
        TEST(a_signal_is_told_by_name),
        TEST(a_timeout_fails_and_keeps_the_output),
        TEST(the_limit_of_the_run_counts_too),
        TEST(a_cancelled_program_fails_and_keeps_the_output),
        TEST(output_that_is_no_text_is_marked),
        TEST(output_over_the_cap_is_cut_at_a_character),
        TEST(standard_input_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
