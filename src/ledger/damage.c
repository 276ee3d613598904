/* SPDX-License-Identifier: MIT */
/*
 * Runs when memory can't be trusted: the text is made beforehand, and only write(2) and _exit(2)
 * are called.
 */
#include "ledger/damage.h"

#include "base/mem.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Thread_local bool damage_in_lmdb;

static char prefix[PATH_MAX + 64];

/* Of an access through a pointer, or a division by a size, that the file held. */
static const int suspects[] = {SIGSEGV, SIGFPE};
static struct sigaction before[COUNT_OF(suspects)];

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

    (void)ignored; /* there is nobody else to tell */
}

_Noreturn void damage_end(const char *what)
{
    say(prefix);
    say(what);
    say("; " DAMAGE_ADVICE "\n");
    _exit(EXIT_FAILURE);
}

static void on_bus_error(int signal)
{
    (void)signal;
    damage_end("a page can't be read; the file was cut short, or its disk fails");
}

static void on_fault(int signal)
{
    if (damage_in_lmdb)
        damage_end("a page holds nonsense");
    /* As if nobody had watched: the instruction is tried again. */
    for (size_t i = 0; i < COUNT_OF(suspects); i++)
        if (suspects[i] == signal)
            sigaction(signal, &before[i], NULL);
}

void damage_watch(const char *name)
{
    struct sigaction on_bus = {.sa_handler = on_bus_error};
    struct sigaction on_others = {.sa_handler = on_fault};
    bool again = prefix[0] != '\0';

    snprintf(prefix, sizeof(prefix), DAMAGE_TEXT, name);
    sigaction(SIGBUS, &on_bus, NULL);
    for (size_t i = 0; i < COUNT_OF(suspects); i++)
        sigaction(suspects[i], &on_others, again ? NULL : &before[i]);
}
