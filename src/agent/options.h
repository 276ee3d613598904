/* SPDX-License-Identifier: MIT */
/*
 * The command line of reeve-agent.
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
    struct str_entry label[LABELS_MAX];
    struct str_map labels; /* points to `label` */
    int64_t max_jobs;
    int64_t controller_uid;
    enum log_level log_level;
    bool help, version; /* asked for; the rest is not complete then */
};

/* Writes into argv's strings. 0, or OUTCOME_USAGE. */
int agent_options_parse(int argc, char **argv, struct agent_options *ret, struct refusal *why);
extern const char agent_help[];

#endif
