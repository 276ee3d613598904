/* SPDX-License-Identifier: MIT */
/*
 * Patterns against operations.
 */
#include "agent/policy.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool matches(const char *pattern, const char *type)
{
    size_t size = strlen(pattern);

    if (size > 0 && pattern[size - 1] == '*')
        return strncmp(pattern, type, size - 1) == 0;
    return strcmp(pattern, type) == 0;
}

static bool any_matches(const struct str_list *patterns, const char *type)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (matches(patterns->v[i], type))
            return true;
    }
    return false;
}

/* Whether some operation that runs on hosts is meant. */
static bool is_meaningful(const char *pattern)
{
    const char *star = strchr(pattern, '*');

    if (star && star[1])
        return false;
    for (int i = 0; i < OP_COUNT; i++) {
        if (op_makes_run(&op_catalog[i]) && matches(pattern, op_catalog[i].type))
            return true;
    }
    return false;
}

static int check_patterns(const char *key, const struct str_list *patterns, struct refusal *why)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (!is_meaningful(patterns->v[i]))
            return refuse(why, OUTCOME_USAGE, key,
                          "%s: '%.64s' matches no operation of hosts; expected a type such as "
                          "node.disk.get, or its beginning and a star such as node.*",
                          key, patterns->v[i]);
    }
    return 0;
}

static int find_run_as(const char *user, struct policy *policy, struct refusal *why)
{
    int r = spawn_identity_find(user, &policy->run_as);

    if (r == -ENOENT)
        return refuse(why, OUTCOME_USAGE, "command.run_as",
                      "command.run_as: there is no user %.32s", user);
    if (r)
        return refuse(why, OUTCOME_USAGE, "command.run_as", "command.run_as: %.32s: %s", user,
                      strerror(-r));
    if (geteuid() != 0 && geteuid() != policy->run_as.uid)
        return refuse(why, OUTCOME_USAGE, "command.run_as",
                      "command.run_as: an agent that is not root can't run programs as %.32s",
                      user);
    policy->has_run_as = true;
    return 0;
}

int policy_make(const struct agent_config *config, struct policy *ret, struct refusal *why)
{
    struct policy policy = {.allow = config->has_allow ? &config->allow : NULL,
                            .deny = &config->deny};

    int r = check_patterns("allow", &config->allow, why);
    if (!r)
        r = check_patterns("deny", &config->deny, why);
    if (!r && config->command.has_run_as)
        r = find_run_as(config->command.run_as, &policy, why);
    if (!r)
        *ret = policy;
    return r;
}

bool policy_allows(const struct policy *policy, const struct op *op, struct refusal *why)
{
    const char *key = NULL;

    if (any_matches(policy->deny, op->type))
        key = "deny";
    else if (policy->allow && !any_matches(policy->allow, op->type))
        key = "allow";
    if (!key)
        return true;
    refuse(why, OUTCOME_FORBIDDEN, NULL, "this host's own policy forbids %s (%s in its agent.yaml)",
           op->type, key);
    return false;
}
