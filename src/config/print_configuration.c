/* SPDX-License-Identifier: MIT */
/*
 * Prints docs/configuration.md, or with the name of a program the sample of its file.
 */
#include "config/config.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct buf text;

    buf_init(&text, CONFIG_FILE_MAX);
    if (argc < 2)
        config_write_document(&text);
    else if (strcmp(argv[1], config_controller.name) == 0)
        config_write_sample(&config_controller, &text);
    else
        config_write_sample(&config_agent, &text);
    fputs(buf_text(&text), stdout);
    buf_release(&text);
    return fflush(stdout) ? 1 : 0;
}
