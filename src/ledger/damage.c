/* SPDX-License-Identifier: MIT */
/*
 * Runs when memory can't be trusted: the text is made beforehand, and only write(2) and _exit(2)
 * are called.
 */
#include "ledger/damage.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char prefix[PATH_MAX + 64];

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

    (void)ignored; /* there is nobody else to tell */
}

_Noreturn void damage_end(const char *what)
{
    say(prefix);
    say(what);
    say("\n");
    _exit(EXIT_FAILURE);
}

static void on_bus_error(int signal)
{
    (void)signal;
    damage_end("a page can't be read; the file was cut short, or its disk fails");
}

void damage_watch(const char *dir)
{
    struct sigaction action = {.sa_handler = on_bus_error};

    snprintf(prefix, sizeof(prefix), "the ledger in %s is damaged: ", dir);
    sigaction(SIGBUS, &action, NULL);
}
