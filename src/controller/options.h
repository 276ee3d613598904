/* SPDX-License-Identifier: MIT */
/*
 * The command line of reeve-controller.
 */
#ifndef REEVE_CONTROLLER_OPTIONS_H
#define REEVE_CONTROLLER_OPTIONS_H

#include "base/log.h"
#include "base/outcome.h"

struct controller_options {
    const char *state, *listen;
    const char *bus; /* NULL: no agents */
    int64_t port, n_loops;
    int64_t ready_fd; /* -1: nobody wants to know */
    enum log_level log_level;
    bool log_json;
    bool help, version; /* asked for; the rest is not complete then */
};

/* Points into argv's strings. 0, or OUTCOME_USAGE. */
int controller_options_parse(int argc, char **argv, struct controller_options *ret,
                             struct refusal *why);
extern const char controller_help[];

#endif
