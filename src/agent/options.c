/* SPDX-License-Identifier: MIT */
/*
 * What no rule of a row can say: names that must exist, and the syntax that labels share with
 * targets.
 */
#include "agent/options.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define LABEL_TEXT_MAX 255 /* of a target that names one */

/* As a target names it, which is where the catalog says what a label is. */
static bool is_label(const char *key, const char *value)
{
    char text[LABEL_TEXT_MAX + 1];
    bool ok = false;

    if (snprintf(text, sizeof(text), "%s:%s", key, value) > LABEL_TEXT_MAX)
        return false;
    format_check("target", text, &ok);
    return ok;
}

static int check_labels(const struct str_map *labels, struct refusal *why)
{
    if (labels->n > LABELS_MAX)
        return refuse(why, OUTCOME_USAGE, "labels", "labels: at most %d are accepted", LABELS_MAX);
    for (size_t i = 0; i < labels->n; i++) {
        if (!is_label(labels->v[i].key, labels->v[i].val))
            return refuse(why, OUTCOME_USAGE, "labels",
                          "labels.%.100s: '%.100s' is not accepted; letters, digits, _ and - are, "
                          "in the value dots too, together at most %d bytes",
                          labels->v[i].key, labels->v[i].val, LABEL_TEXT_MAX);
    }
    return 0;
}

static int find_hostname(const struct agent_config *config, char ret[HOSTNAME_SIZE],
                         struct refusal *why)
{
    struct utsname kernel;
    bool ok = false;

    uname(&kernel);
    const char *name = config->has_hostname ? config->hostname : kernel.nodename;
    format_check("hostname", name, &ok);
    if (!ok || strlen(name) >= HOSTNAME_SIZE)
        return refuse(why, OUTCOME_USAGE, "hostname",
                      "hostname: the system's name '%.100s' is not accepted; expected %s: set one",
                      name, format_accepts("hostname"));
    memcpy(ret, name, strlen(name) + 1);
    return 0;
}

/* A name or a number. */
static int find_user(const char *user, int64_t *ret, struct refusal *why)
{
    const struct passwd *entry = getpwnam(user);
    char *end;

    if (entry) {
        *ret = entry->pw_uid;
        return 0;
    }
    errno = 0;
    unsigned long uid = strtoul(user, &end, 10);
    if (end == user || *end || errno || user[0] == '-' || uid >= UINT32_MAX)
        return refuse(why, OUTCOME_USAGE, "controller_user", "controller_user: there is no user %s",
                      user);
    *ret = (int64_t)uid;
    return 0;
}

int agent_options_make(const struct agent_config *config, struct agent_options *ret,
                       struct refusal *why)
{
    struct agent_options options = {
        .bus = config->bus,
        .state = config->state,
        .labels = config->labels,
        .max_jobs = config->max_jobs,
    };

    log_level_parse(log_word_words[config->log_level].word, &options.log_level);
    int r = find_hostname(config, options.hostname, why);
    if (!r)
        r = check_labels(&config->labels, why);
    /* A supervisor's socket has no other end that must be known. */
    if (!r && slice_starts(slice_of(config->bus), "unix:"))
        r = find_user(config->controller_user, &options.controller_uid, why);
    if (!r)
        *ret = options;
    return r;
}
