/* SPDX-License-Identifier: MIT */
/*
 * From words on a command line to requests: for every verb of the catalog, and by example.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/request.h"
#include "cli/text.h"

#define WORDS_MAX   128
#define UUID_SAMPLE "0190b9a0-0000-7000-8000-000000000001"

struct words {
    char *v[WORDS_MAX];
    int n;
};

static void words_add(struct words *words, struct arena *arena, const char *word)
{
    assert_true(words->n < WORDS_MAX);
    words->v[words->n++] = arena_strdup(arena, word);
}

/* Words separated by single blanks. */
static struct words words_of(const char *line, struct arena *arena)
{
    struct words words = {.n = 0};
    struct slice rest = slice_of(line), word;

    for (bool more = true; more;) {
        more = slice_cut(&rest, ' ', &word);
        words_add(&words, arena, arena_copy(arena, word));
    }
    return words;
}

static int read_words(const struct words *words, struct arena *arena, struct command *ret,
                      struct refusal *why)
{
    return command_read(words->n, words->v, arena, ret, why);
}

/*
 * Every verb
 */

static const char *sample_of_format(const char *format)
{
    static const struct {
        const char *format, *sample;
    } samples[] = {
        {.format = "uuid", .sample = UUID_SAMPLE},
        {.format = "target", .sample = "web-01"},
        {.format = "hostname", .sample = "web-01"},
        {.format = "operation_type", .sample = "node.disk.get"},
        {.format = "date_time", .sample = "2026-11-24T06:12:28Z"},
        {.format = "moment", .sample = "2h"},
        {.format = "operation_prefix", .sample = "network."},
        {.format = "cursor", .sample = "AQAAAAAAAAAA_-"},
    };

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        if (strcmp(samples[i].format, format) == 0)
            return samples[i].sample;
    }
    fail_msg("no sample for format %s: add one here", format);
    return "";
}

static const char *sample_of(const struct argument *argument, struct arena *arena)
{
    const struct type *type = argument_type(argument);
    const struct rule *rule = &argument->field->rule;

    if (argument->field->type.kind == KIND_MAP)
        return "key=value";
    switch (type->kind) {
    case KIND_STR:
    case KIND_SECRET:
        return rule->kind == RULE_KIND_FORMAT ? sample_of_format(rule->name) : "text";
    case KIND_I64:
    case KIND_F64:
        return rule->kind == RULE_KIND_RANGE ? arena_printf(arena, "%lld", (long long)rule->min)
                                             : "1";
    case KIND_FLAG:
        return "true";
    case KIND_DURATION:
        return "1m";
    case KIND_CHOICE:
        return type->words[0].word;
    case KIND_ANY:
    case KIND_OBJ:
    case KIND_LIST:
    case KIND_MAP:
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
    case KIND_LINES:
        break;
    }
    return "{}";
}

static void add_sample(struct words *words, const struct argument *argument, struct arena *arena)
{
    if (argument->positional) {
        words_add(words, arena, sample_of(argument, arena));
        return;
    }
    words_add(words, arena, arena_printf(arena, "--%s", argument->name));
    if (argument->field->type.kind != KIND_FLAG)
        words_add(words, arena, sample_of(argument, arena));
}

/* Whether it is not accepted together with one that stands before it. */
static bool excludes_another(const struct argument *argument)
{
    for (const struct pair *pair = argument->root->pairs; pair->a; pair++) {
        bool excludes = pair->kind == PAIR_AT_MOST_ONE || pair->kind == PAIR_EXACTLY_ONE;
        if (excludes && strcmp(pair->b, argument->wire) == 0)
            return true;
    }
    return false;
}

/* Whether it is the first member of an object that is required. */
static bool begins_object(const struct argument *argument)
{
    for (const struct field *field = argument->root->fields; field->wire; field++) {
        size_t size = strlen(field->wire);
        if (field->type.kind == KIND_OBJ && field->presence == PRESENCE_REQUIRED &&
            strncmp(field->wire, argument->wire, size) == 0 && argument->wire[size] == '.')
            return argument->field == field->type.schema->fields;
    }
    return false;
}

/* `words` with a value for each argument that is required, or for all that can be given together.
 */
static struct words with_samples(const struct verb *verb, bool all, struct arena *arena)
{
    struct words words = words_of(verb->words, arena);
    struct command command;
    struct refusal why;

    assert_int_equal(read_words(&words, arena, &command, &why), 0);
    for (size_t i = 0; i < command.arguments.n; i++) {
        const struct argument *argument = &command.arguments.v[i];
        bool needed = argument->required || begins_object(argument);
        if (argument->root != &cli_options_schema && (all ? !excludes_another(argument) : needed))
            add_sample(&words, argument, arena);
    }
    return words;
}

static void check_verb(const struct verb *verb, bool all)
{
    struct arena arena;
    arena_init(&arena);
    struct words words = with_samples(verb, all, &arena);
    struct command command;
    struct request request;
    struct refusal why = {.text = ""};

    if (read_words(&words, &arena, &command, &why))
        fail_msg("%s: %s", verb->words, why.text);
    assert_ptr_equal(command.verb, verb);
    if (verb->op) {
        if (request_make(verb->op, &command.arguments, &request, &why))
            fail_msg("%s: %s", verb->words, why.text);
        assert_string_equal(request.method, verb->op->method);
        assert_null(strchr(request.path, '{'));
    }
    arena_release(&arena);
}

static void every_verb_takes_its_required_arguments(void **state)
{
    (void)state;
    for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb))
        check_verb(verb, false);
}

static void every_verb_takes_all_its_arguments(void **state)
{
    (void)state;
    for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb))
        check_verb(verb, true);
}

static void every_operation_has_a_verb(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct verb *verb = verb_find(slice_of(op_catalog[i].verb));
        assert_non_null(verb);
        assert_ptr_equal(verb->op, &op_catalog[i]);
    }
}

static void every_verb_has_help_that_names_its_arguments(void **state)
{
    (void)state;
    for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
        struct arena arena;
        arena_init(&arena);
        struct words words = words_of(arena_printf(&arena, "help %s", verb->words), &arena);
        struct command command;
        struct refusal why;
        CLEANUP(buf_release) struct buf help;
        buf_init(&help, 1 << 20);

        assert_int_equal(read_words(&words, &arena, &command, &why), 0);
        assert_true(command.options.help);
        help_write(&command, &help);
        assert_non_null(strstr(buf_text(&help), verb->doc));
        for (size_t i = 0; i < command.arguments.n; i++)
            assert_non_null(strstr(buf_text(&help),
                                   argument_shown(&command.arguments, &command.arguments.v[i])));
        arena_release(&arena);
    }
}

/* A flag of one verb that is also a flag of every verb could never be given. */
static void no_argument_hides_another(void **state)
{
    (void)state;
    for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
        struct arena arena;
        arena_init(&arena);
        struct words words = words_of(verb->words, &arena);
        struct command command;
        struct refusal why;

        assert_int_equal(read_words(&words, &arena, &command, &why), 0);
        const struct argument_set *set = &command.arguments;
        for (size_t i = 0; i < set->n; i++) {
            for (size_t j = 0; j < i; j++) {
                if (set->v[i].positional == set->v[j].positional &&
                    strcmp(set->v[i].name, set->v[j].name) == 0)
                    fail_msg("%s: two arguments are called %s", verb->words, set->v[i].name);
            }
        }
        arena_release(&arena);
    }
}

/*
 * Examples
 */

static void requests_are_what_the_words_say(void **state)
{
    static const struct {
        const char *words, *method, *path, *body;
    } cases[] = {
        {"job list", "GET", "/job", ""},
        {"job list --limit 3 --status failed", "GET", "/job?status=failed&limit=3", ""},
        {"job list --limit=3", "GET", "/job?limit=3", ""},
        {"job list --status failed,skipped --status submitted", "GET",
         "/job?status=failed&status=skipped&status=submitted", ""},
        {"job list --since 2h --hostname web-01 --status failed,partial_failure", "GET",
         "/job?status=failed&status=partial_failure&hostname=web-01&since=2h", ""},
        {"job list --user a,b", "GET", "/job?user=a%2Cb", ""},
        {"job stats --by status,user --since 24h --bucket 1h", "GET",
         "/job/stats?by=status&by=user&since=24h&bucket=1h", ""},
        {"job runs " UUID_SAMPLE " --status failed --limit 1000", "GET",
         "/job/" UUID_SAMPLE "/run?status=failed&limit=1000", ""},
        {"job export --status failed", "GET", "/job/export?status=failed", ""},
        {"--json job list", "GET", "/job", ""},
        {"job --json list", "GET", "/job", ""},
        {"job get " UUID_SAMPLE, "GET", "/job/" UUID_SAMPLE, ""},
        {"job delete -- " UUID_SAMPLE, "DELETE", "/job/" UUID_SAMPLE, ""},
        {"job retry " UUID_SAMPLE, "POST", "/job/" UUID_SAMPLE "/retry", ""},
        {"job retry " UUID_SAMPLE " --target-hostname web", "POST", "/job/" UUID_SAMPLE "/retry",
         "{\"target_hostname\":\"web\"}"},
        {"node disk", "GET", "/node/_any/disk", ""},
        {"node disk --target _all", "GET", "/node/_all/disk", ""},
        {"node disk --target group:web.dev --wait 5s", "GET", "/node/group%3Aweb.dev/disk?wait=5s",
         ""},
        {"node status --expires 1m", "GET", "/node/_any?expires=1m", ""},
        {"node command exec --target web --command ls", "POST", "/node/web/command/exec",
         "{\"command\":\"ls\"}"},
        {"node command exec --target web --command ls -- -l --json /", "POST",
         "/node/web/command/exec", "{\"command\":\"ls\",\"args\":[\"-l\",\"--json\",\"/\"]}"},
        {"node command exec --target web --command ls --args -l --args / --timeout 5", "POST",
         "/node/web/command/exec", "{\"command\":\"ls\",\"args\":[\"-l\",\"/\"],\"timeout\":5}"},
        {"node command shell --target web --command --json", "POST", "/node/web/command/shell",
         "{\"command\":\"--json\"}"},
        {"job submit --operation.type node.disk.get --target_hostname _all --wait 0s", "POST",
         "/job?wait=0s",
         "{\"operation\":{\"type\":\"node.disk.get\"},\"target_hostname\":\"_all\"}"},
        {"job submit --operation.type node.disk.get --target-hostname _all --operation.data "
         "{\"a\":1.50}",
         "POST", "/job",
         "{\"operation\":{\"type\":\"node.disk.get\",\"data\":{\"a\":1.50}},"
         "\"target_hostname\":\"_all\"}"},
        {"job submit --type node.disk.get --target-hostname _all", "POST", "/job",
         "{\"operation\":{\"type\":\"node.disk.get\"},\"target_hostname\":\"_all\"}"},
        {"job cancel-matching --status submitted,processing --filter.user ann --dry-run", "POST",
         "/job/cancel",
         "{\"filter\":{\"status\":[\"submitted\",\"processing\"],\"user\":\"ann\"},"
         "\"dry_run\":true}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        struct words words = words_of(cases[i].words, &arena);
        struct command command;
        struct request request;
        struct refusal why = {.text = ""};

        if (read_words(&words, &arena, &command, &why) ||
            request_make(command.verb->op, &command.arguments, &request, &why))
            fail_msg("%s: %s", cases[i].words, why.text);
        assert_string_equal(request.method, cases[i].method);
        assert_string_equal(request.path, cases[i].path);
        assert_string_equal(arena_copy(&arena, request.body), cases[i].body);
        arena_release(&arena);
    }
}

static void mistakes_are_refused_in_words_of_the_command_line(void **state)
{
    static const struct {
        const char *words, *text;
    } cases[] = {
        {"job lst", "there is no verb job lst, did you mean job list?"},
        {"jop", "there is no verb jop, did you mean job?"},
        {"nonsense", "there is no verb nonsense, see reeve --help"},
        {"job list --limt 5", "there is no flag --limt, did you mean --limit?"},
        {"job list --limit", "--limit needs a value"},
        {"job list --limit 5 --limit 6", "--limit is given twice"},
        {"job list --limit 101",
         "--limit: '101' is not accepted; expected an integer from 1 to 100"},
        {"job list --status failed,lost",
         "--status: 'lost' is not accepted; expected one of submitted, processing, completed, "
         "failed, partial_failure, skipped"},
        {"job list --status failed,",
         "--status: '' is not accepted; expected one of submitted, processing, completed, failed, "
         "partial_failure, skipped"},
        {"job stats --bucket 1h", "--bucket: not accepted without since"},
        {"job list --limit x", "--limit: 'x' is not accepted; expected an integer from 1 to 100"},
        {"job list --json=yes", "--json takes no value, its opposite is --no-json"},
        {"job list now", "now is one word too many, see reeve job list --help"},
        {"job get", "ID is required: Job id"},
        {"job submit --target-hostname _all",
         "--operation.type is required: Operation, such as node.disk.get"},
        {"job submit --operation.type node.disk.get --target-hostname _all --operation.data {a",
         "--operation.data takes JSON; byte 1: expected a member's name in quotes here"},
        {"node command exec --command ls",
         "node command exec changes hosts: say which with --target (a host name, a machine id, a "
         "label such as group:web, _any or _all)"},
        {"job delete-matching --dry-run", "filter: required; expected a JSON object: Which jobs: "
                                          "at least one condition of the list"},
        {"--limit 3 job list", "before the verb: there is no flag --limit"},
        {"-j job list", "before the verb: there is no flag -j; flags begin with --"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        struct words words = words_of(cases[i].words, &arena);
        struct command command;
        struct request request;
        struct refusal why = {.text = ""};

        int r = read_words(&words, &arena, &command, &why);
        if (!r)
            r = request_make(command.verb->op, &command.arguments, &request, &why);
        assert_int_equal(r, OUTCOME_USAGE);
        assert_string_equal(why.text, cases[i].text);
        arena_release(&arena);
    }
}

static void a_value_that_is_no_utf8_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct words words = words_of("node command exec --target web --command \xff", &arena);
    struct command command;
    struct request request;
    struct refusal why = {.text = ""};

    assert_int_equal(read_words(&words, &arena, &command, &why), 0);
    assert_int_equal(request_make(command.verb->op, &command.arguments, &request, &why),
                     OUTCOME_USAGE);
    assert_string_equal(why.text, "--command: the value is not UTF-8");
    arena_release(&arena);
}

static void the_wait_is_known_for_the_timeout(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct words words = words_of("node disk --wait 2m", &arena);
    struct command command;
    struct request request;
    struct refusal why = {.text = ""};

    assert_int_equal(read_words(&words, &arena, &command, &why), 0);
    assert_int_equal(request_make(command.verb->op, &command.arguments, &request, &why), 0);
    assert_int_equal(request.wait_us, 120 * US_PER_S);
    assert_string_equal(request.waits_for, "_any");
    arena_release(&arena);
}

static void options_of_own_verbs_are_decoded(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct words words =
        words_of("token generate --role read --role write --subject ann --expires 1h", &arena);
    struct command command;
    struct cli_token_generate_in in;
    struct refusal why = {.text = ""};

    assert_int_equal(read_words(&words, &arena, &command, &why), 0);
    assert_int_equal(command_input(&command, &in, &why), 0);
    assert_int_equal(in.role.n, 2);
    assert_string_equal(in.role.v[1], "write");
    assert_string_equal(in.subject, "ann");
    assert_int_equal(in.expires, 3600 * US_PER_S);
    assert_false(in.has_permission);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_takes_its_required_arguments),
        cmocka_unit_test(every_verb_takes_all_its_arguments),
        cmocka_unit_test(every_operation_has_a_verb),
        cmocka_unit_test(every_verb_has_help_that_names_its_arguments),
        cmocka_unit_test(no_argument_hides_another),
        cmocka_unit_test(requests_are_what_the_words_say),
        cmocka_unit_test(mistakes_are_refused_in_words_of_the_command_line),
        cmocka_unit_test(a_value_that_is_no_utf8_is_refused),
        cmocka_unit_test(the_wait_is_known_for_the_timeout),
        cmocka_unit_test(options_of_own_verbs_are_decoded),
    };

    text_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
