/* SPDX-License-Identifier: MIT */
/*
 * Connections enough that the rate does not hang on how long one submission takes.
 */
#include "changes.h"

#include "base/clock.h"
#include "base/mem.h"
#include "measure.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define N_CONNECTIONS 16
#define FOR_EVER_US   (24 * 3600 * US_PER_S)
#define BODY          "{\"command\":\"true\"}"

void changes_request(void *owner, uint64_t number, struct buf *to)
{
    const struct controller *controller = owner;

    (void)number;
    buf_printf(to,
               "POST /node/web-0001/command/exec HTTP/1.1\r\nHost: 127.0.0.1\r\n"
               "Authorization: Bearer %s\r\nPrefer: respond-async\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
               controller->token, strlen(BODY), BODY);
}

void changes_query(void *owner, uint64_t number, struct buf *to)
{
    const struct controller *controller = owner;

    (void)number;
    buf_printf(to,
               "GET /node/web-0001/hostname HTTP/1.1\r\nHost: 127.0.0.1\r\n"
               "Authorization: Bearer %s\r\n\r\n",
               controller->token);
}

pid_t changes_start(const struct controller *controller, unsigned commands_per_second)
{
    struct controller asked = *controller;
    const struct load load = {
        .port = controller->port,
        .n_connections = N_CONNECTIONS,
        .for_us = FOR_EVER_US,
        .per_second = commands_per_second,
        .request = changes_request,
        .owner = &asked,
    };

    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        give_up("fork", strerror(errno));
    if (pid == 0) {
        struct load_result *result = mem_alloc(sizeof(*result));
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        load_run(&load, result);
        _exit(EXIT_FAILURE);
    }
    return pid;
}

void changes_pause(pid_t pid)
{
    kill(pid, SIGSTOP);
}

void changes_resume(pid_t pid)
{
    kill(pid, SIGCONT);
}
