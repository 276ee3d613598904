/* SPDX-License-Identifier: MIT */
/*
 * Options of reeve-agent, checked as strictly as what comes over the network.
 */
#include "agent/options.h"
#include "base/mem.h"

#include <errno.h>
#include <getopt.h>
#include <sys/utsname.h>
#include <unistd.h>

#define STATE_DEFAULT "/var/lib/reeve-agent"

const char agent_help[] =
    "Usage: reeve-agent --bus ADDRESS [options]\n"
    "\n"
    "Runs operations on this host for a controller.\n"
    "\n"
    "  --bus ADDRESS          fd:N (a socket of the supervisor) or unix:PATH (listen there)\n"
    "  --controller-uid UID   unix: the controller's user (default: this process's own)\n"
    "  --state DIR            what it must not forget (default " STATE_DEFAULT ")\n"
    "  --hostname NAME        name to present (default: the kernel's)\n"
    "  --label KEY=VALUE      label to present, such as group=web.dev; at most 5\n"
    "  --max-jobs N           operations at once, 1 to 100 (default 10)\n"
    "  --log-level LEVEL      error, warning, notice (default), info or debug\n"
    "  --help, --version\n";

enum agent_option {
    OPTION_BUS,
    OPTION_UID,
    OPTION_STATE,
    OPTION_HOSTNAME,
    OPTION_LABEL,
    OPTION_JOBS,
    OPTION_LEVEL,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {.name = "bus", .has_arg = required_argument, .val = OPTION_BUS},
    {.name = "controller-uid", .has_arg = required_argument, .val = OPTION_UID},
    {.name = "state", .has_arg = required_argument, .val = OPTION_STATE},
    {.name = "hostname", .has_arg = required_argument, .val = OPTION_HOSTNAME},
    {.name = "label", .has_arg = required_argument, .val = OPTION_LABEL},
    {.name = "max-jobs", .has_arg = required_argument, .val = OPTION_JOBS},
    {.name = "log-level", .has_arg = required_argument, .val = OPTION_LEVEL},
    {.name = "help", .val = OPTION_HELP},
    {.name = "version", .val = OPTION_VERSION},
    {.name = NULL},
};

static int number_parse(const char *field, const char *text, int64_t min, int64_t max, int64_t *ret,
                        struct refusal *why)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno || number < min || number > max)
        return refuse(why, OUTCOME_USAGE, field, "%s: a number from %lld to %lld is expected", text,
                      (long long)min, (long long)max);
    *ret = number;
    return 0;
}

static int label_add(struct agent_options *options, char *text, struct refusal *why)
{
    char *value = strchr(text, '=');
    bool ok = false;

    if (options->labels.n == LABELS_MAX)
        return refuse(why, OUTCOME_USAGE, "label", "at most %d labels are accepted", LABELS_MAX);
    if (!value || strlen(text) > 255)
        return refuse(why, OUTCOME_USAGE, "label", "%s: KEY=VALUE of at most 255 bytes is expected",
                      text);
    *value = ':'; /* as a target names it, which is where the catalog says what a label is */
    format_check("target", text, &ok);
    *value++ = '\0';
    if (!ok)
        return refuse(why, OUTCOME_USAGE, "label",
                      "%s=%s: letters, digits, _ and - are accepted, in the value dots too", text,
                      value);
    for (size_t i = 0; i < options->labels.n; i++) {
        if (strcmp(options->label[i].key, text) == 0)
            return refuse(why, OUTCOME_USAGE, "label", "%s stands twice", text);
    }
    options->label[options->labels.n++] = (struct str_entry){.key = text, .val = value};
    return 0;
}

static int hostname_set(struct agent_options *options, const char *name, struct refusal *why)
{
    bool ok = false;

    format_check("hostname", name, &ok);
    if (!ok || strlen(name) >= sizeof(options->hostname))
        return refuse(why, OUTCOME_USAGE, "hostname", "%s: %s is expected", name,
                      format_accepts("hostname"));
    memcpy(options->hostname, name, strlen(name) + 1);
    return 0;
}

static int option_take(struct agent_options *options, enum agent_option option, char *value,
                       struct refusal *why)
{
    switch (option) {
    case OPTION_BUS:
        options->bus = value;
        return 0;
    case OPTION_UID:
        return number_parse("controller-uid", value, 0, UINT32_MAX - 1, &options->controller_uid,
                            why);
    case OPTION_STATE:
        options->state = value;
        return 0;
    case OPTION_HOSTNAME:
        return hostname_set(options, value, why);
    case OPTION_LABEL:
        return label_add(options, value, why);
    case OPTION_JOBS:
        return number_parse("max-jobs", value, 1, 100, &options->max_jobs, why);
    case OPTION_LEVEL:
        if (log_level_parse(value, &options->log_level))
            return 0;
        return refuse(why, OUTCOME_USAGE, "log-level",
                      "%s: error, warning, notice, info or debug is expected", value);
    case OPTION_HELP:
        options->help = true;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    }
    return 0;
}

static int options_complete(struct agent_options *options, struct refusal *why)
{
    struct utsname name;

    if (options->help || options->version)
        return 0;
    if (!options->bus)
        return refuse(why, OUTCOME_USAGE, "bus", "--bus ADDRESS is required");
    if (options->hostname[0])
        return 0;
    uname(&name);
    return hostname_set(options, name.nodename, why);
}

int agent_options_parse(int argc, char **argv, struct agent_options *ret, struct refusal *why)
{
    int option;

    *ret = (struct agent_options){
        .state = STATE_DEFAULT,
        .max_jobs = 10,
        .controller_uid = geteuid(),
        .log_level = LOG_NOTICE,
    };
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", long_options, NULL)) >= 0) {
        if (option == '?' || option == ':')
            return refuse(why, OUTCOME_USAGE, NULL, "%s: %s", argv[optind - 1],
                          option == ':' ? "a value is expected" : "no such option");
        int r = option_take(ret, (enum agent_option)option, optarg, why);
        if (r)
            return r;
    }
    if (optind < argc)
        return refuse(why, OUTCOME_USAGE, NULL, "%s: only options are accepted", argv[optind]);
    ret->labels.v = ret->label;
    return options_complete(ret, why);
}
