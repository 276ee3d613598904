/* SPDX-License-Identifier: MIT */
/*
 * The verb "start": from its flags to two programs and their state.
 */
#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/locate.h"
#include "cli/supervise.h"
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define LABELS_MAX 5 /* an agent takes no more */

struct variables {
    const struct config_program *of;
    struct program *program;
    struct arena *arena;
};

struct start {
    const struct cli_start_in *in;
    const struct state *state;
    struct arena *arena;
    bool announced;
};

/* Where a client of this machine reaches it: a wildcard address is no address. */
static const char *reachable(const char *url, struct arena *arena)
{
    static const char *const wildcards[][2] = {{"://0.0.0.0:", "://127.0.0.1:"},
                                               {"://[::]:", "://[::1]:"}};

    for (size_t i = 0; i < COUNT_OF(wildcards); i++) {
        const char *at = strstr(url, wildcards[i][0]);
        if (at)
            return arena_printf(arena, "%.*s%s%s", (int)(at - url), url, wildcards[i][1],
                                at + strlen(wildcards[i][0]));
    }
    return url;
}

static void announce(void *owner, const char *said)
{
    struct start *start = owner;
    const char *url = reachable(said, start->arena);

    if (state_write_url(start->state, url))
        log_event(LOG_ERROR, "state.not_written", LOG_TEXT("why", fault_text()));
    if (start->announced)
        return;
    start->announced = true;
    printf("reeve: ready at %s, token in %s/token\n", url, start->state->path);
    fflush(stdout);
}

static void renew(void *owner)
{
    const struct start *start = owner;
    struct refusal why;

    int r = state_renew_token(start->state, &why);
    if (r)
        log_event(LOG_ERROR, "token.not_renewed", LOG_TEXT("why", r < 0 ? fault_text() : why.text));
}

/* An executable beside this one. */
static int program_open(const char *name, struct arena *arena, struct program *ret,
                        struct refusal *why)
{
    const char *programs = locate_programs(arena);

    if (!programs)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "can't tell where this program is");
    const char *path = arena_printf(arena, "%s/%s", programs, name);
    CLEANUP(fd_closep) int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s: %s", path, strerror(errno));
    int raised = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_FREE_FD);
    if (raised < 0)
        return FAULT(-errno);
    *ret = (struct program){.name = name, .fd = raised, .cwd_fd = -1};
    program_add(ret, path);
    return 0;
}

static void add_number(const struct start *start, struct program *program, const char *name,
                       int64_t number)
{
    program_add_option(program, name, arena_printf(start->arena, "%" PRId64, number));
}

static int add_variable(void *owner, const char *path, const struct field *field)
{
    const struct variables *variables = owner;
    struct arena *arena = variables->arena;

    (void)field;
    program_add_variable(variables->program, config_variable(variables->of, path, arena), arena);
    return 0;
}

/* A child's environment is its own, but for the keys of its configuration. */
static void add_environment(const struct config_program *of, struct program *program,
                            struct arena *arena)
{
    struct variables variables = {.of = of, .program = program, .arena = arena};

    config_each_key(of->schema, add_variable, &variables);
}

/* Children run elsewhere. */
static int add_config(struct program *program, const char *path, struct arena *arena,
                      struct refusal *why)
{
    char absolute[PATH_MAX];

    if (!path)
        return 0;
    if (!realpath(path, absolute))
        return refuse(why, OUTCOME_USAGE, NULL, "%s: %s", path, strerror(errno));
    program_add_option(program, "--config", arena_strdup(arena, absolute));
    return 0;
}

static int controller_program(const struct start *start, struct program *ret, struct refusal *why)
{
    const struct cli_start_in *in = start->in;
    struct program program;

    int r = program_open("reeve-controller", start->arena, &program, why);
    if (r)
        return r;
    program.cwd_fd = start->state->controller_fd;
    program.identity = start->state->identity;
    program.no_new_privileges = true;
    program.tells_ready = true;
    program_add_option(&program, "--state", ".");
    add_number(start, &program, "--ready-fd", CHILD_READY_FD);
    program_add_option(&program, "--bus", arena_printf(start->arena, "fd:%d", CHILD_BUS_FD));
    add_environment(&config_controller, &program, start->arena);
    r = add_config(&program, in->has_config ? in->config : NULL, start->arena, why);
    if (r)
        return r;
    if (in->insecure)
        program_add(&program, "--insecure");
    if (in->has_metrics_port)
        add_number(start, &program, "--metrics.port", in->metrics_port);
    if (in->has_listen)
        program_add_option(&program, "--listen", in->listen);
    if (in->has_port)
        add_number(start, &program, "--port", in->port);
    if (in->has_loops)
        add_number(start, &program, "--loops", in->loops);
    if (in->has_log_level)
        program_add_option(&program, "--log-level", log_word_words[in->log_level].word);
    *ret = program;
    return 0;
}

static int agent_program(const struct start *start, struct program *ret, struct refusal *why)
{
    const struct cli_start_in *in = start->in;
    struct program program;

    int r = program_open("reeve-agent", start->arena, &program, why);
    if (r)
        return r;
    program_add_option(&program, "--state", start->state->agent_path);
    program_add_option(&program, "--bus", arena_printf(start->arena, "fd:%d", CHILD_BUS_FD));
    add_environment(&config_agent, &program, start->arena);
    r = add_config(&program, in->has_agent_config ? in->agent_config : NULL, start->arena, why);
    if (r)
        return r;
    if (in->has_hostname)
        program_add_option(&program, "--hostname", in->hostname);
    if (in->has_max_jobs)
        add_number(start, &program, "--max-jobs", in->max_jobs);
    for (size_t i = 0; i < in->label.n; i++)
        program_add_option(&program, arena_printf(start->arena, "--labels.%s", in->label.v[i].key),
                           in->label.v[i].val);
    if (in->has_log_level)
        program_add_option(&program, "--log-level", log_word_words[in->log_level].word);
    *ret = program;
    return 0;
}

static int run_both(struct start *start, int *ret_exit_code, struct refusal *why)
{
    struct supervisor supervisor = {
        .controller = {.control_fd = -1, .ready_fd = -1},
        .agent = {.control_fd = -1, .ready_fd = -1},
        .ready = announce,
        .daily = renew,
        .owner = start,
    };

    int r = controller_program(start, &supervisor.controller.program, why);
    if (!r)
        r = agent_program(start, &supervisor.agent.program, why);
    if (r)
        return r;
    *ret_exit_code = supervise(&supervisor);
    return 0;
}

int start_run(struct command *command, struct refusal *why)
{
    struct cli_start_in in;
    struct identity identity;
    struct state state = {.controller_fd = -1, .lock_fd = -1};
    enum log_level level = LOG_NOTICE;

    int r = command_input(command, &in, why);
    if (r)
        return r;
    if (in.label.n > LABELS_MAX)
        return refuse(why, OUTCOME_USAGE, NULL, "--label: at most %d are accepted", LABELS_MAX);
    if (in.has_log_level)
        log_level_parse(log_word_words[in.log_level].word, &level);
    log_setup("reeve", level, false);
    r = identity_find(in.user, &identity, why);
    if (!r)
        r = state_open(locate_state(&command->options, command->arena), &identity, command->arena,
                       &state, why);
    if (r)
        return r;
    struct start start = {.in = &in, .state = &state, .arena = command->arena};
    r = run_both(&start, &command->exit_code, why);
    state_close(&state);
    return r;
}
