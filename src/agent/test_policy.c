/* SPDX-License-Identifier: MIT */
/*
 * What a host allows, and what is no policy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/policy.h"

#include <string.h>
#include <unistd.h>

static struct refusal why;

static struct str_list list(const char **patterns)
{
    struct str_list made = {.v = patterns};

    while (patterns[made.n])
        made.n++;
    return made;
}

static bool allows(const struct agent_config *config, enum op_id op)
{
    struct policy policy;

    assert_int_equal(policy_make(config, &policy, &why), 0);
    return policy_allows(&policy, &op_catalog[op], &why);
}

static void without_a_policy_everything_is_allowed(void **state)
{
    struct agent_config config = {.max_jobs = 1};

    (void)state;
    for (int op = 0; op < OP_COUNT; op++)
        assert_true(allows(&config, (enum op_id)op));
}

static void what_allow_does_not_name_is_refused(void **state)
{
    const char *patterns[] = {"node.disk.get", "node.h*", NULL};
    struct agent_config config = {.allow = list(patterns), .has_allow = true};

    (void)state;
    assert_true(allows(&config, OP_node_disk));
    assert_true(allows(&config, OP_node_hostname));
    assert_false(allows(&config, OP_node_memory));
    assert_false(allows(&config, OP_command_exec));
    assert_string_equal(why.text, "this host's own policy forbids command.exec.execute (allow in "
                                  "its agent.yaml)");
}

static void what_deny_names_is_refused_also_when_allowed(void **state)
{
    const char *allowed[] = {"*", NULL}, *denied[] = {"command.*", NULL};
    struct agent_config config = {
        .allow = list(allowed), .has_allow = true, .deny = list(denied), .has_deny = true};

    (void)state;
    assert_true(allows(&config, OP_node_disk));
    assert_false(allows(&config, OP_command_shell));
    assert_non_null(strstr(why.text, "(deny in"));
}

static void an_empty_allow_allows_nothing(void **state)
{
    struct agent_config config = {.has_allow = true};

    (void)state;
    assert_false(allows(&config, OP_node_disk));
}

static void patterns_that_match_nothing_are_misspelt(void **state)
{
    static const char *const wrong[] = {"nodes.*", "node.disk", "node.*.get", "job.list", "", "**"};
    struct policy policy;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *patterns[] = {wrong[i], NULL};
        struct agent_config config = {.deny = list(patterns), .has_deny = true};
        assert_int_equal(policy_make(&config, &policy, &why), OUTCOME_USAGE);
        assert_string_equal(why.field, "deny");
        assert_non_null(strstr(why.text, "matches no operation of hosts"));
    }
}

static void run_as_is_a_user_that_can_be_become(void **state)
{
    struct agent_config config = {.command = {.run_as = "no-such-user", .has_run_as = true}};
    struct policy policy;

    (void)state;
    assert_int_equal(policy_make(&config, &policy, &why), OUTCOME_USAGE);
    assert_string_equal(why.text, "command.run_as: there is no user no-such-user");
    config.command.run_as = geteuid() == 0 ? "nobody" : "root";
    int r = policy_make(&config, &policy, &why);
    if (geteuid() != 0) {
        assert_int_equal(r, OUTCOME_USAGE);
        return;
    }
    assert_int_equal(r, 0);
    assert_true(policy.has_run_as);
    assert_string_equal(policy.run_as.user, "nobody");
    assert_int_not_equal(policy.run_as.uid, 0);
    assert_true(policy.run_as.n_groups >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_policy_everything_is_allowed),
        cmocka_unit_test(what_allow_does_not_name_is_refused),
        cmocka_unit_test(what_deny_names_is_refused_also_when_allowed),
        cmocka_unit_test(an_empty_allow_allows_nothing),
        cmocka_unit_test(patterns_that_match_nothing_are_misspelt),
        cmocka_unit_test(run_as_is_a_user_that_can_be_become),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
