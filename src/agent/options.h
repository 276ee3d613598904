/* SPDX-License-Identifier: MIT */
/*
 * What the agent makes of its configuration: who this host is, and who the controller must be.
 */
#ifndef REEVE_AGENT_OPTIONS_H
#define REEVE_AGENT_OPTIONS_H

#include "base/log.h"
#include "catalog/catalog.h"

#define LABELS_MAX    5
#define HOSTNAME_SIZE 256

struct agent_options {
    const char *bus;
    const char *state;
    char hostname[HOSTNAME_SIZE];
    struct str_map labels;
    int64_t max_jobs;
    int64_t controller_uid;
    enum log_level log_level;
};

/* Points into the configuration. 0; OUTCOME_USAGE naming the key. */
int agent_options_make(const struct agent_config *config, struct agent_options *ret,
                       struct refusal *why);

#endif
