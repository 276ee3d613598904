/* SPDX-License-Identifier: MIT */
/*
 * Processes, the plain way: fork, exec, kill, wait.
 */
#include "program.h"

#include "base/clock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_US (20 * US_PER_S)

void program_start(struct program *program)
{
    fflush(stdout);
    program->pid = fork();
    if (program->pid < 0)
        abort();
    if (program->pid == 0) {
        execl(program->path, program->path, (char *)NULL);
        _exit(127);
    }
}

void program_kill(struct program *program)
{
    if (!program->pid)
        return;
    kill(program->pid, SIGKILL);
    waitpid(program->pid, NULL, 0);
    program->pid = 0;
}

bool program_ended(struct program *program, int *ret_status)
{
    if (program->pid && waitpid(program->pid, ret_status, WNOHANG) == 0)
        return false;
    program->pid = 0;
    return true;
}

int program_stop(struct program *program)
{
    int64_t until_us = clock_boot_us() + STOP_US;
    int status = 0;

    if (!program->pid)
        return 0;
    kill(program->pid, SIGTERM);
    while (!program_ended(program, &status)) {
        if (clock_boot_us() > until_us)
            kill(program->pid, SIGKILL);
        usleep(10000);
    }
    return status;
}
