/* SPDX-License-Identifier: MIT */
/*
 * The verb "start": from its flags to two programs and their state.
 */
#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/locate.h"
#include "cli/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define LABELS_MAX 5   /* an agent takes no more */
#define URL_SIZE   128 /* `listen` has at most 64 characters */

struct start {
    const struct cli_start_in *in;
    const struct state *state;
    struct arena *arena;
    bool announced;
};

/* Where a client of this machine reaches it: a wildcard address is no address. */
static void write_url(const struct start *start, unsigned port, char ret[URL_SIZE])
{
    const char *address = start->in->listen;

    if (strcmp(address, "0.0.0.0") == 0)
        address = "127.0.0.1";
    if (strcmp(address, "::") == 0)
        address = "::1";
    snprintf(ret, URL_SIZE, strchr(address, ':') ? "http://[%s]:%u" : "http://%s:%u", address,
             port);
}

static void announce(void *owner, unsigned port)
{
    struct start *start = owner;
    char url[URL_SIZE];

    write_url(start, port, url);
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
    program_add_option(&program, "--listen", in->listen);
    add_number(start, &program, "--port", in->port);
    if (in->has_loops)
        add_number(start, &program, "--loops", in->loops);
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
    if (in->has_hostname)
        program_add_option(&program, "--hostname", in->hostname);
    if (in->has_max_jobs)
        add_number(start, &program, "--max-jobs", in->max_jobs);
    for (size_t i = 0; i < in->label.n; i++)
        program_add_option(
            &program, "--label",
            arena_printf(start->arena, "%s=%s", in->label.v[i].key, in->label.v[i].val));
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
