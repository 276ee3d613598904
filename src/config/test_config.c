/* SPDX-License-Identifier: MIT */
/*
 * Configuration: precedence, and every refusal with the place it names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/reeve-test-config-XXXXXX";
static char file[64];

struct fixture {
    struct arena arena;
    struct config config;
    struct config_flags flags;
    struct controller_config values;
    struct agent_config agent;
    struct refusal why;
};

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(file, sizeof(file), "%s/reeve.yaml", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(directory);
}

static int set_up(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof(*fixture));

    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_release(&fixture->arena);
    mem_free(fixture);
    unsetenv("REEVE_PORT");
    unsetenv("REEVE_ROLES");
    unsetenv("REEVE_AGENT_ALLOW");
    return 0;
}

static void write_file(const char *text)
{
    assert_int_equal(file_write(file, slice_of(text), 0644), 0);
}

/* The controller's, with this file and these flags (NULL-terminated). */
static int read_with(struct fixture *fixture, const char *text, char **flags)
{
    char *argv[16] = {(char[]){"--config"}, file};

    write_file(text);
    for (size_t i = 0; flags && flags[i]; i++)
        argv[2 + i] = flags[i];
    return config_read(&config_controller, argv, &fixture->arena, &fixture->flags, &fixture->config,
                       &fixture->values, &fixture->why);
}

static int read_agent(struct fixture *fixture, const char *text)
{
    char *argv[] = {(char[]){"--config"}, file, NULL};

    write_file(text);
    return config_read(&config_agent, argv, &fixture->arena, &fixture->flags, &fixture->config,
                       &fixture->agent, &fixture->why);
}

/* Refused, with exactly this text behind the directory's name. */
static void assert_refused(struct fixture *fixture, const char *text, const char *expected)
{
    assert_int_equal(read_with(fixture, text, NULL), OUTCOME_USAGE);
    const char *said = fixture->why.text;
    if (strncmp(said, directory, strlen(directory)) == 0)
        said += strlen(directory) + 1;
    if (strncmp(said, expected, strlen(expected)) != 0)
        fail_msg("said: %s\nexpected: %s", said, expected);
}

static void without_anything_the_defaults_hold(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(read_with(fixture, "# nothing\n", NULL), 0);
    assert_int_equal(fixture->values.port, 8080);
    assert_string_equal(fixture->values.listen, "127.0.0.1");
    assert_true(fixture->values.metrics.enabled);
    assert_int_equal(fixture->values.retention.queries, INT64_C(86400) * US_PER_S);
    assert_false(fixture->values.has_loops);
}

static void the_file_overrules_defaults_the_environment_the_file_and_flags_all(void **state)
{
    struct fixture *fixture = *state;
    char *flags[] = {(char[]){"--port=3"}, NULL};

    assert_int_equal(read_with(fixture, "port: 1\n", NULL), 0);
    assert_int_equal(fixture->values.port, 1);
    setenv("REEVE_PORT", "2", 1);
    assert_int_equal(read_with(fixture, "port: 1\n", NULL), 0);
    assert_int_equal(fixture->values.port, 2);
    assert_int_equal(read_with(fixture, "port: 1\n", flags), 0);
    assert_int_equal(fixture->values.port, 3);
}

static void flags_take_dashes_for_underscores_and_lists_repeat(void **state)
{
    struct fixture *fixture = *state;
    char *flags[] = {(char[]){"--log-json"},
                     (char[]){"--no-insecure"},
                     (char[]){"--retention.disk-percent"},
                     (char[]){"70"},
                     (char[]){"--roles.ops.permissions"},
                     (char[]){"job:read"},
                     (char[]){"--roles.ops.permissions"},
                     (char[]){"node:read"},
                     NULL};

    assert_int_equal(
        read_with(fixture, "insecure: true\nroles: {ops: {permissions: [a, b, c]}}\n", flags), 0);
    assert_true(fixture->values.log_json);
    assert_false(fixture->values.insecure);
    assert_int_equal(fixture->values.retention.disk_percent, 70);
    assert_int_equal(fixture->values.roles.n, 1);
    assert_string_equal(fixture->values.roles.v[0].key, "ops");
    assert_int_equal(fixture->values.roles.v[0].val.permissions.n, 2);
    assert_string_equal(fixture->values.roles.v[0].val.permissions.v[1], "node:read");
}

static void a_map_in_the_environment_is_written_as_in_the_file(void **state)
{
    struct fixture *fixture = *state;

    setenv("REEVE_ROLES", "{ops: {permissions: [job:read]}}", 1);
    assert_int_equal(read_with(fixture, "", NULL), 0);
    assert_int_equal(fixture->values.roles.n, 1);
    setenv("REEVE_ROLES", "{ops: {permisions: [job:read]}}", 1);
    assert_int_equal(read_with(fixture, "", NULL), OUTCOME_USAGE);
    assert_string_equal(fixture->why.text, "REEVE_ROLES: roles.ops: there is no key 'permisions'; "
                                           "accepted are permissions");
}

static void a_variable_that_is_no_text_is_refused(void **state)
{
    struct fixture *fixture = *state;

    setenv("REEVE_PORT", "\xff", 1);
    assert_int_equal(read_with(fixture, "", NULL), OUTCOME_USAGE);
    assert_string_equal(fixture->why.text,
                        "REEVE_PORT: port: one line of UTF-8 is expected, without control "
                        "characters");
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const char *const cases[][2] = {
        {"port: 1\nretention:\n  querys: 1h\n",
         "reeve.yaml:3: retention: there is no key 'querys'; accepted are queries, modifies"},
        {"\nport: 99999\n", "reeve.yaml:2: port: '99999' is not accepted; expected an integer"},
        {"port: 1\nport: 2\n", "reeve.yaml:2: port: stands twice"},
        {"port:\n", "reeve.yaml:1: port: a value is expected"},
        {"port: [1, 2]\n", "reeve.yaml:1: port: one value is expected, and no list"},
        {"port: {a: b}\n", "reeve.yaml:1: port: one value is expected, and no keys"},
        {"tls: yes\n", "reeve.yaml:1: tls: keys are expected beneath it: certificate, key"},
        {"tls:\n  certificate: /a\n", "reeve.yaml:2: tls.certificate: "},
        {"roles:\n  ops: {}\n", "reeve.yaml:2: roles.ops.permissions: required"},
        {"roles:\n  ops:\n    permissions: job:read\n",
         "reeve.yaml:3: roles.ops.permissions: a list is expected"},
        {"retention:\n  queries: soon\n", "reeve.yaml:2: retention.queries: 'soon'"},
        {"insecure: maybe\n", "reeve.yaml:1: insecure: "},
        {"log_level: loud\n", "reeve.yaml:1: log_level: "},
        {"a: &x 1\nb: *x\n", "reeve.yaml:1: there is no key 'a'"},
        {"listen: *x\n", "reeve.yaml:1: listen: an alias is not accepted"},
        {"listen: \"a\\0b\"\n", "reeve.yaml:1: listen: a value with a NUL"},
        {"listen: \"a\n", "reeve.yaml:"},
        {"--- \nport: 1\n--- \nport: 2\n", "reeve.yaml:3: one document is expected"},
        {"- port\n", "reeve.yaml:1: keys are expected beneath it, and no list"},
        {"? [a]\n: b\n", "reeve.yaml:1: a key must be a word"},
        {"listen: \xff\n", "reeve.yaml:1: invalid leading UTF-8 octet"},
        {"port: 1\n\n# caf\xe9 au lait\n", "reeve.yaml:3: invalid trailing UTF-8 octet"},
        {"listen: \"a\\Lb\"\n", "reeve.yaml:1: listen: one line of UTF-8 is expected, without"},
        {"port: 1\nlisten: |\n  a\n", "reeve.yaml:2: listen: one line of UTF-8 is expected"},
        {"port: null\n", "reeve.yaml:1: port: '\"null\"' is not accepted; expected an integer"},
        {"port: 1\nlisten: !x a\n", "reeve.yaml:2: a tag is not accepted"},
        {"\"\\e[31m\": 1\n", "reeve.yaml:1: there is no key '\\u001b[31m'; accepted are state"},
        {"roles:\n  \"a\\nb\": {}\n",
         "reeve.yaml:2: roles: there is no key 'a\\nb'; accepted are names of your own"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused(*state, cases[i][0], cases[i][1]);
}

static void an_empty_section_is_none(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(read_with(fixture, "tls:\nretention:\nroles:\n", NULL), 0);
    assert_false(fixture->values.tls.has_certificate);
    assert_int_equal(fixture->values.roles.n, 0);
}

static void a_file_over_the_cap_and_one_that_is_missing_are_refused(void **state)
{
    struct fixture *fixture = *state;
    char *argv[] = {(char[]){"--config"}, (char[]){"/nonexistent/reeve.yaml"}, NULL};
    CLEANUP(buf_release) struct buf large;

    buf_init(&large, CONFIG_FILE_MAX * 2);
    while (large.size <= CONFIG_FILE_MAX)
        buf_add_text(&large, "# a comment that fills the file\n");
    assert_int_equal(read_with(fixture, buf_text(&large), NULL), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(fixture->why.text, "File too large"));
    assert_int_equal(config_read(&config_controller, argv, &fixture->arena, &fixture->flags,
                                 &fixture->config, &fixture->values, &fixture->why),
                     OUTCOME_UNAVAILABLE);
    assert_string_equal(fixture->why.text, "/nonexistent/reeve.yaml: No such file or directory");
}

static void more_values_than_the_cap_are_refused(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, CONFIG_FILE_MAX);
    buf_add_text(&text, "roles:\n  ops:\n    permissions:\n");
    for (int i = 0; i <= CONFIG_SETTINGS_MAX; i++)
        buf_add_text(&text, "    - job:read\n");
    assert_int_equal(read_with(fixture, buf_text(&text), NULL), OUTCOME_USAGE);
    assert_non_null(strstr(fixture->why.text, "more than 10000 values"));
}

static void wrong_flags_are_named(void **state)
{
    static const struct {
        const char *flag, *value, *expected;
    } cases[] = {
        {"--prot", NULL, "--prot: there is no such flag, see --help"},
        {"--port", NULL, "--port: a value is expected"},
        {"--port", "x", "--port: port: '\"x\"' is not accepted"},
        {"--tls", "x", "--tls: name a key beneath it"},
        {"--no-port", NULL, "--no-port: there is no such flag"},
        {"--state", "/\xff", "--state: state: one line of UTF-8 is expected"},
        {"--roles.\xff.permissions", "x",
         "--roles.\xef\xbf\xbd.permissions: there is no such flag"},
        {"--no-insecure=true", NULL, "--no-insecure: takes no value"},
        {"port", NULL, "port: only flags are accepted"},
        {"--ready-fd", "-1", "--ready-fd: a number from 0"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char flag[64], value[64];
        char *flags[] = {flag, cases[i].value ? value : NULL, NULL};
        snprintf(flag, sizeof(flag), "%s", cases[i].flag);
        snprintf(value, sizeof(value), "%s", cases[i].value ? cases[i].value : "");
        assert_int_equal(read_with(fixture, "", flags), OUTCOME_USAGE);
        if (strncmp(fixture->why.text, cases[i].expected, strlen(cases[i].expected)) != 0)
            fail_msg("said: %s\nexpected: %s", fixture->why.text, cases[i].expected);
    }
}

static void the_agents_file_must_be_nobody_elses_to_write(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(read_agent(fixture, "allow: [node.*]\n"), 0);
    assert_int_equal(fixture->agent.allow.n, 1);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_int_equal(read_agent(fixture, "allow: [node.*]\n"), OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(fixture->why.text, "chmod go-w"));
    assert_int_equal(chmod(directory, 0755), 0);

    char *argv[] = {(char[]){"--config"}, file, NULL};
    assert_int_equal(chmod(file, 0664), 0);
    assert_int_equal(config_read(&config_agent, argv, &fixture->arena, &fixture->flags,
                                 &fixture->config, &fixture->agent, &fixture->why),
                     OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(fixture->why.text, "nobody else may write"));
}

static void a_list_from_the_environment_replaces_the_files(void **state)
{
    struct fixture *fixture = *state;

    setenv("REEVE_AGENT_ALLOW", "[job.a, job.b]", 1);
    assert_int_equal(read_agent(fixture, "allow: [node.*]\n"), 0);
    assert_int_equal(fixture->agent.allow.n, 2);
    assert_string_equal(fixture->agent.allow.v[0], "job.a");
    setenv("REEVE_AGENT_ALLOW", "[]", 1);
    assert_int_equal(read_agent(fixture, "allow: [node.*]\n"), 0);
    assert_true(fixture->agent.has_allow); /* which allows nothing, unlike no list */
    assert_int_equal(fixture->agent.allow.n, 0);
}

/* ---- the sample ---- */

/* Of a line such as "  #key: value" what stands before the sign and behind it. */
static bool key_line(struct slice line, struct slice *ret_indent, struct slice *ret_key)
{
    const char *sign = memchr(line.at, '#', line.size);

    if (!sign || line.at + line.size - sign < 2 || sign[1] == ' ')
        return false;
    *ret_indent = (struct slice){.at = line.at, .size = (size_t)(sign - line.at)};
    *ret_key = (struct slice){.at = sign + 1, .size = (size_t)(line.at + line.size - sign) - 1};
    return true;
}

/* The next key stands deeper. */
static bool is_section(struct slice indent, struct slice rest)
{
    struct slice line, next, key;

    while (slice_cut(&rest, '\n', &line)) {
        if (key_line(line, &next, &key))
            return next.size > indent.size;
    }
    return false;
}

/* Takes the comment signs away; keys without a default have no value and are left out. Returns how
   many keys there are. */
static size_t uncomment(struct slice sample, struct buf *to)
{
    struct slice line, indent, key;
    size_t n = 0;

    while (slice_cut(&sample, '\n', &line)) {
        if (!key_line(line, &indent, &key))
            continue;
        bool has_value = key.at[key.size - 1] != ':', has_keys = is_section(indent, sample);
        if (has_value || has_keys)
            buf_printf(to, "%.*s%.*s\n", (int)indent.size, indent.at, (int)key.size, key.at);
        n += !has_keys;
    }
    return n;
}

static int count_key(void *owner, const char *path, const struct field *field)
{
    size_t *n = owner;

    (void)path;
    (void)field;
    (*n)++;
    return 0;
}

static int same_as_default(void *owner, const char *path, const struct field *field)
{
    const struct config *config = owner;
    const char *origin;
    const char *value = config_value(config, path, field, &origin);

    if (field->default_text) {
        assert_non_null(origin);
        assert_string_equal(value, field->default_text);
    }
    return 0;
}

static void the_sample_names_every_key_and_says_the_defaults(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(buf_release) struct buf sample;
    CLEANUP(buf_release) struct buf text;
    size_t n_keys = 0;

    buf_init(&sample, CONFIG_FILE_MAX);
    buf_init(&text, CONFIG_FILE_MAX);
    config_write_sample(&config_controller, &sample);
    size_t n_uncommented = uncomment(buf_slice(&sample), &text);
    config_each_key(&controller_config_schema, count_key, &n_keys);
    assert_int_equal(n_uncommented, n_keys);
    assert_int_equal(read_with(fixture, buf_text(&text), NULL), 0);
    config_each_key(&controller_config_schema, same_as_default, &fixture->config);
}

/* ---- changes ---- */

static void note(void *owner, const char *path, const struct field *field)
{
    struct buf *to = owner;

    buf_printf(to, "%s:%s ", path, field->place == PLACE_RELOAD ? "reload" : "start");
}

static void changes_are_told_with_when_they_take_effect(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(buf_release) struct buf noted;

    buf_init(&noted, 1000);
    assert_int_equal(read_with(fixture, "port: 8080\nlog_level: info\n", NULL), 0);
    struct config before = fixture->config;
    assert_int_equal(read_with(fixture, "port: 1\nlog_level: debug\nloops: 3\n", NULL), 0);
    config_each_change(&before, &fixture->config, note, &noted);
    assert_string_equal(buf_text(&noted), "port:start loops:start log_level:reload ");
    buf_clear(&noted);
    config_each_change(&fixture->config, &fixture->config, note, &noted);
    assert_string_equal(buf_text(&noted), "");
}

struct follower {
    bool refuses;
    struct buf noted;
};

static int take(void *owner, const void *values, struct refusal *why)
{
    const struct follower *follower = owner;

    (void)values;
    return follower->refuses ? refuse(why, OUTCOME_USAGE, NULL, "not today") : 0;
}

static void note_followed(void *owner, const char *path, const struct field *field)
{
    struct follower *follower = owner;

    note(&follower->noted, path, field);
}

/* Writes the file and reads it again; what was noted. */
static const char *follow(struct follower *follower, struct config_followed *followed, int outcome,
                          const char *text)
{
    const struct config_follower with = {.take = take, .note = note_followed, .owner = follower};
    struct refusal why = {.text = ""};

    buf_clear(&follower->noted);
    write_file(text);
    assert_int_equal(config_follow_again(followed, &with, &why), outcome);
    return buf_text(&follower->noted);
}

static void what_waits_for_a_start_is_told_until_it_is_as_at_the_last_one(void **state)
{
    char *argv[] = {(char[]){"--config"}, file, NULL};
    struct follower follower = {.refuses = false};
    struct config_followed followed;
    struct config_flags flags;
    struct refusal why;

    (void)state;
    buf_init(&follower.noted, 1000);
    write_file("state: /a\nlog_level: info\n");
    assert_int_equal(config_follow(&config_controller, argv, &flags, &followed, &why), 0);
    const struct controller_config *first = followed.first->values;
    assert_string_equal(follow(&follower, &followed, 0, "state: /b\nlog_level: debug\n"),
                        "log_level:reload state:start ");
    assert_string_equal(follow(&follower, &followed, 0, "state: /b\nlog_level: debug\n"),
                        "state:start ");
    assert_string_equal(follow(&follower, &followed, OUTCOME_USAGE, "stat: /b\n"), "");
    follower.refuses = true;
    assert_string_equal(follow(&follower, &followed, OUTCOME_USAGE, "log_level: info\n"), "");
    follower.refuses = false;
    assert_string_equal(follow(&follower, &followed, 0, "state: /a\nlog_level: debug\n"), "");
    assert_string_equal(first->state, "/a"); /* still there */
    config_followed_release(&followed);
    buf_release(&follower.noted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_anything_the_defaults_hold),
        TEST(the_file_overrules_defaults_the_environment_the_file_and_flags_all),
        TEST(flags_take_dashes_for_underscores_and_lists_repeat),
        TEST(a_map_in_the_environment_is_written_as_in_the_file),
        TEST(a_variable_that_is_no_text_is_refused),
        TEST(what_is_wrong_is_named_with_its_line),
        TEST(an_empty_section_is_none),
        TEST(a_file_over_the_cap_and_one_that_is_missing_are_refused),
        TEST(more_values_than_the_cap_are_refused),
        TEST(wrong_flags_are_named),
        TEST(the_agents_file_must_be_nobody_elses_to_write),
        TEST(a_list_from_the_environment_replaces_the_files),
        TEST(the_sample_names_every_key_and_says_the_defaults),
        TEST(changes_are_told_with_when_they_take_effect),
        TEST(what_waits_for_a_start_is_told_until_it_is_as_at_the_last_one),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
