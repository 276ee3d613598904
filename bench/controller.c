/* SPDX-License-Identifier: MIT */
/*
 * The word on --ready-fd is the URL, so it is the port too.
 */
#include "controller.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "measure.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define KEPT        "3650d"
#define ARGV_MAX    24
#define TOKEN_CAP   ((size_t)CONTROLLER_TOKEN_SIZE)
#define TEXT(x)     #x
#define READY_FD(x) TEXT(x)

struct words {
    const char *v[ARGV_MAX];
    size_t n;
};

static void add(struct words *words, const char *name, const char *value)
{
    words->v[words->n++] = name;
    words->v[words->n++] = value;
}

static pid_t start(const struct controller_options *options, int ready_fd, struct arena *arena)
{
    struct words argv = {.v = {arena_printf(arena, "%s/reeve-controller", options->programs)},
                         .n = 1};

    add(&argv, "--state", options->state);
    add(&argv, "--port", "0");
    add(&argv, "--metrics.port", "0");
    add(&argv, "--ready-fd", READY_FD(PROCESS_READY_FD));
    add(&argv, "--retention.queries", KEPT);
    add(&argv, "--retention.modifies", KEPT);
    if (options->bus)
        add(&argv, "--bus", options->bus);
    if (options->loops)
        add(&argv, "--loops", arena_printf(arena, "%u", options->loops));
    return process_start(argv.v, ready_fd, options->log);
}

static void read_token(struct controller *controller, const struct controller_options *options,
                       struct arena *arena)
{
    const char *path = arena_printf(arena, "%s/token", options->state);
    struct slice text;

    int r = file_read(path, TOKEN_CAP, arena, &text);
    if (r)
        give_up(path, strerror(-r));
    snprintf(controller->token, sizeof(controller->token), "%.*s", (int)strcspn(text.at, "\n"),
             text.at);
}

void controller_start(struct controller *controller, const struct controller_options *options)
{
    CLEANUP(arena_release) struct arena arena = {0};
    int ends[2];

    *controller = (struct controller){.pid = 0};
    if (pipe2(ends, O_CLOEXEC) < 0)
        give_up("pipe", strerror(errno));
    int64_t began_us = clock_boot_us();
    controller->pid = start(options, ends[1], &arena);
    close(ends[1]);
    ssize_t n = read(ends[0], controller->url, sizeof(controller->url) - 1);
    controller->start_us = clock_boot_us() - began_us;
    close(ends[0]);
    if (n <= 0)
        give_up("the controller does not start", options->log);
    controller->url[strcspn(controller->url, "\n")] = '\0';
    controller->port = (uint16_t)strtoul(strrchr(controller->url, ':') + 1, NULL, 10);
    read_token(controller, options, &arena);
}

void controller_stop(const struct controller *controller)
{
    process_stop(controller->pid);
}
