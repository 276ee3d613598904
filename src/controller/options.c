/* SPDX-License-Identifier: MIT */
/*
 * Options of reeve-controller; one row each, no two ways to say a thing.
 */
#include "controller/options.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#define LOOPS_MAX 64 /* struct http_options */

const char controller_help[] =
    "Usage: reeve-controller --state DIR [options]\n"
    "\n"
    "Serves the REST API and keeps the ledger of all jobs.\n"
    "\n"
    "  --state DIR         ledger, key and admin token; made when absent\n"
    "  --listen ADDRESS    IPv4 or IPv6 address (default 127.0.0.1)\n"
    "  --port N            0 to 65535, 0: the kernel chooses (default 8080)\n"
    "  --loops N           threads that serve HTTP, 1 to 64 (default: one a processor)\n"
    "  --bus ADDRESS       where agents are: fd:N or unix:PATH (default: no agents)\n"
    "  --log-level LEVEL   error, warning, notice (default), info or debug\n"
    "  --log-json          a JSON object a line\n"
    "  --ready-fd N        write the URL and a newline there when it serves\n"
    "  --help, --version\n";

enum controller_option {
    OPTION_STATE,
    OPTION_LISTEN,
    OPTION_PORT,
    OPTION_LOOPS,
    OPTION_BUS,
    OPTION_LEVEL,
    OPTION_JSON,
    OPTION_READY,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {.name = "state", .has_arg = required_argument, .val = OPTION_STATE},
    {.name = "listen", .has_arg = required_argument, .val = OPTION_LISTEN},
    {.name = "port", .has_arg = required_argument, .val = OPTION_PORT},
    {.name = "loops", .has_arg = required_argument, .val = OPTION_LOOPS},
    {.name = "bus", .has_arg = required_argument, .val = OPTION_BUS},
    {.name = "log-level", .has_arg = required_argument, .val = OPTION_LEVEL},
    {.name = "log-json", .val = OPTION_JSON},
    {.name = "ready-fd", .has_arg = required_argument, .val = OPTION_READY},
    {.name = "help", .val = OPTION_HELP},
    {.name = "version", .val = OPTION_VERSION},
    {.name = NULL},
};

static int parse_number(const char *option, const char *text, int64_t max, int64_t *ret,
                        struct refusal *why)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno || number < 0 || number > max)
        return refuse(why, OUTCOME_USAGE, NULL, "%s %s: a number from 0 to %lld is expected",
                      option, text, (long long)max);
    *ret = number;
    return 0;
}

static int parse_loops(const char *text, int64_t *ret, struct refusal *why)
{
    int r = parse_number("--loops", text, LOOPS_MAX, ret, why);

    return r || *ret ? r : refuse(why, OUTCOME_USAGE, NULL, "--loops 0: at least one is needed");
}

static int take_option(struct controller_options *options, enum controller_option option,
                       const char *value, struct refusal *why)
{
    switch (option) {
    case OPTION_STATE:
        options->state = value;
        return 0;
    case OPTION_LISTEN:
        options->listen = value;
        return 0;
    case OPTION_PORT:
        return parse_number("--port", value, UINT16_MAX, &options->port, why);
    case OPTION_LOOPS:
        return parse_loops(value, &options->n_loops, why);
    case OPTION_BUS:
        options->bus = value;
        return 0;
    case OPTION_LEVEL:
        if (log_level_parse(value, &options->log_level))
            return 0;
        return refuse(why, OUTCOME_USAGE, NULL,
                      "--log-level %s: error, warning, notice, info or debug is expected", value);
    case OPTION_JSON:
        options->log_json = true;
        return 0;
    case OPTION_READY:
        return parse_number("--ready-fd", value, INT16_MAX, &options->ready_fd, why);
    case OPTION_HELP:
        options->help = true;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    }
    return 0;
}

static int check_whole(const struct controller_options *options, struct refusal *why)
{
    struct in6_addr address;

    if (options->help || options->version)
        return 0;
    if (!options->state)
        return refuse(why, OUTCOME_USAGE, NULL, "--state DIR is required");
    if (inet_pton(AF_INET, options->listen, &address) != 1 &&
        inet_pton(AF_INET6, options->listen, &address) != 1)
        return refuse(why, OUTCOME_USAGE, NULL, "--listen %s: an IPv4 or IPv6 address is expected",
                      options->listen);
    return 0;
}

int controller_options_parse(int argc, char **argv, struct controller_options *ret,
                             struct refusal *why)
{
    long n_processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct controller_options options = {
        .listen = "127.0.0.1",
        .port = 8080,
        .n_loops = n_processors < 1           ? 1
                   : n_processors > LOOPS_MAX ? LOOPS_MAX
                                              : n_processors,
        .ready_fd = -1,
        .log_level = LOG_NOTICE,
    };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", long_options, NULL)) >= 0) {
        if (option == '?' || option == ':')
            return refuse(why, OUTCOME_USAGE, NULL, "%s: %s", argv[optind - 1],
                          option == ':' ? "a value is expected" : "there is no such option");
        int r = take_option(&options, (enum controller_option)option, optarg, why);
        if (r)
            return r;
    }
    if (optind < argc)
        return refuse(why, OUTCOME_USAGE, NULL, "%s: only options are expected", argv[optind]);
    int r = check_whole(&options, why);
    if (r)
        return r;
    *ret = options;
    return 0;
}
