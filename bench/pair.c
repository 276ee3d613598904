/* SPDX-License-Identifier: MIT */
/*
 * What they say stays in their log, in the scratch directory.
 */
#include "pair.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "controller.h"
#include "measure.h"
#include "process.h"

#include <unistd.h>

#define READY_US  (20 * US_PER_S)
#define PAUSE_US  (20 * US_PER_MS)
#define TOKEN_CAP ((size_t)1 << 10)
#define URL_CAP   ((size_t)256)

static const char *read_line(const char *path, size_t cap, struct arena *arena)
{
    struct slice text;

    int r = file_read(path, cap, arena, &text);
    if (r)
        give_up(path, strerror(-r));
    return arena_printf(arena, "%.*s", (int)strcspn(text.at, "\n"), text.at);
}

static void wait_for_file(const char *path, const char *log)
{
    int64_t until_us = clock_boot_us() + READY_US;

    while (access(path, R_OK) < 0) {
        if (clock_boot_us() > until_us)
            give_up("reeve start does not become ready", log);
        usleep(PAUSE_US);
    }
}

static void wait_for_agent(struct client *client, const char *log)
{
    int64_t until_us = clock_boot_us() + READY_US;

    while (client_ask(client, "GET", "/agent", NULL) != 200 ||
           !strstr(client->body.at, "\"Ready\"")) {
        if (clock_boot_us() > until_us)
            give_up("the agent does not become ready", log);
        usleep(PAUSE_US);
    }
}

void pair_start(struct pair *pair, const char *programs, const char *scratch)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const char *state = arena_printf(&arena, "%s/state", scratch);
    const char *url = arena_printf(&arena, "%s/url", state);
    const char *log = arena_printf(&arena, "%s/log", scratch);
    const char *reeve = arena_printf(&arena, "%s/reeve", programs);
    const char *const argv[] = {reeve, "start",          "--state", state, "--port",
                                "0",   "--metrics-port", "0",       NULL};

    pair->supervisor = process_start(argv, -1, log);
    wait_for_file(url, log);
    const char *token = read_line(arena_printf(&arena, "%s/token", state), TOKEN_CAP, &arena);
    snprintf(pair->token, sizeof(pair->token), "%s", token);
    client_open(&pair->client, read_line(url, URL_CAP, &arena), pair->token);
    wait_for_agent(&pair->client, log);
    pair->controller = process_child(pair->supervisor, "reeve-controlle");
    pair->agent = process_child(pair->supervisor, "reeve-agent");
    if (!pair->controller || !pair->agent)
        give_up("controller and agent", "not found among the children of reeve start");
    pair->guard = process_child(pair->agent, "reeve-guard");
}

void pair_stop(struct pair *pair)
{
    client_close(&pair->client);
    process_stop(pair->supervisor);
}

int64_t controller_start_us(const char *programs, const char *scratch, unsigned number)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct controller controller;

    controller_start(&controller, &(struct controller_options){
                                      .programs = programs,
                                      .state = arena_printf(&arena, "%s/start-%u", scratch, number),
                                      .log = arena_printf(&arena, "%s/log", scratch),
                                  });
    controller_stop(&controller);
    return controller.start_us;
}
