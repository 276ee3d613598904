/* SPDX-License-Identifier: MIT */
/*
 * The host's own word on what may be done there, from agent.yaml.
 *
 * A pattern is an operation's type, or the beginning of one followed by '*': node.disk.get, node.*,
 * *. What `deny` names is refused; else, when there is an `allow`, what it does not name.
 */
#ifndef REEVE_AGENT_POLICY_H
#define REEVE_AGENT_POLICY_H

#include "base/spawn_identity.h"
#include "catalog/catalog.h"

struct policy {
    const struct str_list *allow; /* NULL: everything */
    const struct str_list *deny;
    bool has_run_as;
    struct spawn_identity run_as;
};

/* Points into the configuration. 0; OUTCOME_USAGE naming key and value: a pattern that no operation
   matches, which would be a misspelt one; a user that does not exist, or that this process can't
   become. */
int policy_make(const struct agent_config *config, struct policy *ret, struct refusal *why);
/* False: *why says so, naming the key and not what stands there. */
bool policy_allows(const struct policy *policy, const struct op *op, struct refusal *why);

#endif
