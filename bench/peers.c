/* SPDX-License-Identifier: MIT */
/*
 * A script's JSON lines stand between words for people; peers.md says what is in them.
 */
#include "peers.h"

#include "base/file.h"
#include "base/mem.h"
#include "measure.h"
#include "process.h"

#include <errno.h>
#include <unistd.h>

#define OUTPUT_CAP ((size_t)1 << 20)
#define URL_CAP    ((size_t)256)
#define LINE_MAX_  1000 /* values in one line */

/* ---- what they print ---- */

static double number_of(struct json line, const char *name)
{
    struct json value;
    double number = 0;

    if (json_member(line, name, &value) && value.kind == JSON_NUMBER)
        json_f64(value, &number);
    return number;
}

static const char *text_of(struct peers *peers, struct json line, const char *name)
{
    struct json value;
    const char *text = "";

    if (json_member(line, name, &value) && value.kind == JSON_STRING)
        json_string(value, &peers->arena, &text, NULL);
    return text;
}

static void take_line(struct peers *peers, struct slice text)
{
    struct refusal why;
    struct json line;

    if (peers->n == PEER_LINES_MAX || json_check(text, LINE_MAX_, &line, &why) ||
        line.kind != JSON_OBJECT)
        return;
    peers->lines[peers->n++] = (struct peer_line){
        .peer = text_of(peers, line, "peer"),
        .list_case = text_of(peers, line, "case"),
        .clients = (int64_t)number_of(line, "clients"),
        .per_second = number_of(line, "per_second"),
        .p50_ms = number_of(line, "p50_ms"),
        .p99_ms = number_of(line, "p99_ms"),
    };
}

static void take_output(struct peers *peers, const char *path)
{
    struct slice output, line;

    int r = file_read(path, OUTPUT_CAP, &peers->arena, &output);
    if (r)
        give_up(path, strerror(-r));
    while (output.size) {
        slice_cut(&output, '\n', &line);
        if (slice_starts(line, "{"))
            take_line(peers, line);
    }
}

bool peers_run(struct peers *peers, const char *const *argv)
{
    const char *log = arena_printf(&peers->arena, "%s/peer.log", peers->scratch);

    if (access(argv[0], X_OK) < 0)
        return false;
    if (unlink(log) < 0 && errno != ENOENT)
        give_up(log, strerror(errno));
    int status = process_wait(process_start(argv, -1, log));
    take_output(peers, log);
    return status == 0;
}

bool peers_measure(struct peers *peers, const char *peer, uint64_t n_jobs, unsigned seconds)
{
    struct arena *arena = &peers->arena;
    const char *const argv[] = {arena_printf(arena, "%s/%s", peers->scripts, peer),
                                "--jobs",
                                arena_printf(arena, "%llu", (unsigned long long)n_jobs),
                                "--seconds",
                                arena_printf(arena, "%u", seconds),
                                "--scratch",
                                peers->scratch,
                                NULL};

    return peers_run(peers, argv);
}

/* ---- nginx ---- */

static const char *const *nginx_argv(struct peers *peers, const char *command, const char *file)
{
    const char **argv = arena_alloc(&peers->arena, 6 * sizeof(*argv));

    argv[0] = arena_printf(&peers->arena, "%s/nginx", peers->scripts);
    argv[1] = "--scratch";
    argv[2] = peers->scratch;
    argv[3] = command;
    argv[4] = file;
    argv[5] = NULL;
    return argv;
}

bool peers_start_nginx(struct peers *peers, const char *file, uint16_t *ret_port)
{
    const char *path = arena_printf(&peers->arena, "%s/reeve-nginx/url", peers->scratch);
    struct slice url;

    if (!peers_run(peers, nginx_argv(peers, "start", file)))
        return false;
    int r = file_read(path, URL_CAP, &peers->arena, &url);
    if (r)
        give_up(path, strerror(-r));
    *ret_port = (uint16_t)strtoul(strrchr(url.at, ':') + 1, NULL, 10);
    return true;
}

void peers_stop_nginx(struct peers *peers)
{
    peers_run(peers, nginx_argv(peers, "stop", NULL));
}

/* ---- what was measured ---- */

const struct peer_line *peers_best(const struct peers *peers, const char *peer,
                                   const char *list_case, int64_t clients)
{
    const struct peer_line *best = NULL;

    for (unsigned i = 0; i < peers->n; i++) {
        const struct peer_line *line = &peers->lines[i];
        if (strcmp(line->peer, peer) != 0 || strcmp(line->list_case, list_case) != 0 ||
            (clients && line->clients != clients))
            continue;
        if (!best || line->per_second > best->per_second)
            best = line;
    }
    return best;
}
