/* SPDX-License-Identifier: MIT */
/*
 * Prints docs/configuration.md; with the name of a program the sample of its file, with "man" and a
 * name its manual page.
 */
#include "config/config.h"

#include <stdio.h>
#include <string.h>

static const struct config_program *program_of(const char *name)
{
    return strcmp(name, config_agent.name) == 0 ? &config_agent : &config_controller;
}

int main(int argc, char **argv)
{
    struct buf text;

    buf_init(&text, CONFIG_FILE_MAX);
    if (argc < 2)
        config_write_document(&text);
    else if (argc == 3 && strcmp(argv[1], "man") == 0)
        config_write_man(program_of(argv[2]), &text);
    else
        config_write_sample(program_of(argv[1]), &text);
    fputs(buf_text(&text), stdout);
    buf_release(&text);
    return fflush(stdout) ? 1 : 0;
}
