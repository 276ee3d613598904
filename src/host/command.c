/* SPDX-License-Identifier: MIT */
/*
 * Running programs.
 *
 * Whether the program was content is its exit status, not ours: a run fails only when the program
 * could not be started or had to be killed. Once it was started, the host counts as changed.
 */
#include "base/mem.h"
#include "base/spawn.h"
#include "host/host.h"

#include <errno.h>
#include <signal.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* A byte that no JSON text can carry as it is: no UTF-8, or NUL. */
static size_t good_bytes(struct slice rest)
{
    return rest.at[0] == '\0' ? 0 : slice_character_size(rest);
}

static bool is_text(struct slice output)
{
    return slice_is_utf8(output) && (output.size == 0 || !memchr(output.at, '\0', output.size));
}

static const char *replace_bad_bytes(struct slice output, struct arena *arena)
{
    size_t room = output.size * strlen(REPLACEMENT) + 1;
    char *text = arena_alloc(arena, room), *to = text;

    for (size_t i = 0; i < output.size;) {
        struct slice rest = {.at = output.at + i, .size = output.size - i};
        size_t size = good_bytes(rest);

        if (size) {
            memcpy(to, rest.at, size);
            to += size;
            i += size;
        } else {
            memcpy(to, REPLACEMENT, strlen(REPLACEMENT));
            to += strlen(REPLACEMENT);
            i++;
        }
    }
    return text;
}

/* Where output was cut inside a character, what is left of that character is dropped: it is not
   binary for that. */
static struct slice drop_cut_character(struct slice output)
{
    for (size_t dropped = 0; dropped < 4 && dropped <= output.size; dropped++) {
        struct slice whole = {.at = output.at, .size = output.size - dropped};

        if (is_text(whole))
            return whole;
    }
    return output;
}

static const char *output_text(const struct buf *stream, struct arena *arena, bool *binary)
{
    struct slice output = buf_slice(stream);

    if (buf_overflowed(stream))
        output = drop_cut_character(output);
    if (is_text(output))
        return arena_copy(arena, output);
    *binary = true;
    return replace_bad_bytes(output, arena);
}

static const char *signal_name(int signal, struct arena *arena)
{
    const char *name = sigabbrev_np(signal);

    return name ? arena_printf(arena, "SIG%s", name) : arena_printf(arena, "signal %d", signal);
}

static void output_set(struct command_out *out, const struct spawn_result *result,
                       struct arena *arena)
{
    bool binary = false;

    SET(out, stdout, output_text(&result->out, arena, &binary));
    SET(out, stderr, output_text(&result->err, arena, &binary));
    SET(out, exit_code, result->end == SPAWN_EXITED ? result->exit_code : -1);
    SET(out, duration_ms, result->duration_us / US_PER_MS);
    if (result->end != SPAWN_EXITED)
        SET(out, signal, signal_name(result->signal, arena));
    if (result->end == SPAWN_TIMED_OUT)
        SET(out, timed_out, true);
    if (buf_overflowed(&result->out) || buf_overflowed(&result->err))
        SET(out, truncated, true);
    if (binary)
        SET(out, encoding, output_encoding_BINARY);
}

static int not_started(struct host *host, const struct spawn *spawn,
                       const struct spawn_result *result)
{
    const char *what = result->cwd_failed ? spawn->cwd : spawn->argv[0];

    return host_fail(host, run_code_ERROR, "%s %.300s: %s", result->cwd_failed ? "cwd" : "command",
                     what, strerrordesc_np(result->start_errno));
}

static int command_end(struct host *host, const struct spawn *spawn,
                       const struct spawn_result *result, struct command_out *out)
{
    if (result->end == SPAWN_NOT_STARTED)
        return not_started(host, spawn, result);

    host->changed = true;
    output_set(out, result, host->arena);
    switch (result->end) {
    case SPAWN_TIMED_OUT:
        return host_fail(host, run_code_TIMEOUT, "timed out after %lld s",
                         (long long)(spawn->timeout_us / US_PER_S));
    case SPAWN_CANCELLED:
        return host_fail(host, run_code_CANCELLED, "cancelled while it ran");
    case SPAWN_EXITED:
    case SPAWN_SIGNALLED:
    case SPAWN_NOT_STARTED:
        break;
    }
    return 0;
}

static int command_run(struct host *host, const char *const *argv, const char *cwd, struct slice in,
                       int64_t timeout_s, struct command_out *out)
{
    int64_t timeout_us = timeout_s * US_PER_S;
    struct spawn spawn = {
        .argv = argv,
        .cwd = cwd,
        .in = in,
        .identity = host->run_as,
        .timeout_us = timeout_us < host->limit_us ? timeout_us : host->limit_us,
        .cancel_fd = host->cancel_fd,
    };
    struct spawn_result result;

    int r = spawn_run(&spawn, &result);
    if (r)
        return r;
    r = command_end(host, &spawn, &result, out);
    spawn_result_release(&result);
    return r;
}

int op_command_exec(struct host *host, const struct command_exec_in *input,
                    struct command_out *ret_out)
{
    size_t n_args = input->has_args ? input->args.n : 0;
    const char **argv = arena_alloc(host->arena, (n_args + 2) * sizeof(*argv));

    argv[0] = input->command;
    for (size_t i = 0; i < n_args; i++)
        argv[i + 1] = input->args.v[i];
    return command_run(host, argv, input->has_cwd ? input->cwd : NULL, secret_reveal(&input->stdin),
                       input->timeout, ret_out);
}

int op_command_shell(struct host *host, const struct command_shell_in *input,
                     struct command_out *ret_out)
{
    const char *const argv[] = {"/bin/sh", "-c", input->command, NULL};

    return command_run(host, argv, input->has_cwd ? input->cwd : NULL, secret_reveal(&input->stdin),
                       input->timeout, ret_out);
}
