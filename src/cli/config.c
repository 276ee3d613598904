/* SPDX-License-Identifier: MIT */
/*
 * Looking at configurations; nothing is changed.
 */
#include "cli/config.h"

#include "base/mem.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/text.h"
#include "config/config.h"
#include "http/roles.h"

#include <errno.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)8 << 20)

enum { COLUMN_KEY, COLUMN_VALUE, COLUMN_ORIGIN, COLUMN_COUNT };

static const struct config_program *program_of(bool agent)
{
    return agent ? &config_agent : &config_controller;
}

static int print(struct buf *text)
{
    fputs(buf_text(text), stdout);
    return fflush(stdout) ? FAULT(-errno) : 0;
}

/* File and environment, as the program itself would read them; *ret_values is its schema's. */
static int read_config(const struct config_program *program, const char *file, struct arena *arena,
                       struct config *ret, const void **ret_values, struct refusal *why)
{
    void *values = arena_alloc(arena, program->schema->size);

    *ret_values = values;
    if (!file && access(program->file, F_OK) == 0)
        file = program->file;
    return config_read_file(program, file, arena, ret, values, why);
}

/* ---- show ---- */

struct listing {
    const struct config *config;
    struct table table;
};

static struct slice clean(const char *text, struct arena *arena)
{
    CLEANUP(buf_release) struct buf to;

    buf_init(&to, OUTPUT_MAX);
    text_clean(&to, slice_of(text), TEXT_ONE_LINE);
    return (struct slice){.at = arena_copy(arena, buf_slice(&to)), .size = to.size};
}

static int add_key(void *owner, const char *path, const struct field *field)
{
    struct listing *listing = owner;
    struct arena *arena = listing->table.arena;
    const char *origin;
    const char *value = config_value(listing->config, path, field, &origin);
    struct cell *row = table_add_row(&listing->table);

    row[COLUMN_KEY].text = slice_of(arena_strdup(arena, path));
    row[COLUMN_VALUE].text = clean(value ? value : "-", arena);
    row[COLUMN_ORIGIN].text = clean(origin ? origin : "default", arena);
    return 0;
}

int config_show_run(struct command *command, struct refusal *why)
{
    struct cli_config_in in;
    struct config config;
    const void *values;
    const struct screen screen = screen_of_stdout();

    int r = command_input(command, &in, why);
    if (r)
        return r;
    const struct config_program *program = program_of(in.agent);
    r = read_config(program, in.has_config ? in.config : NULL, command->arena, &config, &values,
                    why);
    if (r)
        return r;
    struct listing listing = {.config = &config};
    table_init(&listing.table, command->arena, COLUMN_COUNT);
    listing.table.columns[COLUMN_KEY].title = SLICE("KEY");
    listing.table.columns[COLUMN_VALUE].title = SLICE("VALUE");
    listing.table.columns[COLUMN_ORIGIN].title = SLICE("SAID BY");
    config_each_key(program->schema, add_key, &listing);
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, OUTPUT_MAX);
    table_lay_out(&listing.table, &screen);
    table_write(&listing.table, &screen, &text);
    return print(&text);
}

/* ---- check, sample ---- */

static int check_roles(const struct controller_config *values, struct refusal *why)
{
    struct role_set roles;

    role_set_init(&roles);
    return role_set_add(&roles, &values->roles, why);
}

int config_check_run(struct command *command, struct refusal *why)
{
    struct cli_config_check_in in;
    struct config config;
    const void *values;

    int r = command_input(command, &in, why);
    if (r)
        return r;
    const struct config_program *program = program_of(in.agent);
    r = read_config(program, in.has_file ? in.file : NULL, command->arena, &config, &values, why);
    if (!r && !in.agent)
        r = check_roles(values, why);
    if (r)
        return r;
    if (config.file)
        printf("%s: good, %zu values\n", config.file, config.n);
    else
        printf("%s is not there: defaults hold\n", program->file);
    return fflush(stdout) ? FAULT(-errno) : 0;
}

int config_sample_run(struct command *command, struct refusal *why)
{
    struct cli_config_sample_in in;
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, OUTPUT_MAX);
    int r = command_input(command, &in, why);
    if (r)
        return r;
    config_write_sample(program_of(in.agent), &text);
    return print(&text);
}
