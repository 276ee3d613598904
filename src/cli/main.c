/* SPDX-License-Identifier: MIT */
/*
 * reeve: the command line.
 *
 * Exit codes are a column of outcome.def: 0 all went well, 1 some host failed, 2 the command line
 * is wrong, 3 the controller refused, 4 it can't be reached.
 */
#include "base/mem.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/text.h"

#define HELP_MAX ((size_t)1 << 20)

static bool is_hidden(const struct argument *argument)
{
    bool is_token = argument->root == &cli_options_schema && strcmp(argument->wire, "token") == 0;

    return is_token || argument_type(argument)->kind == KIND_SECRET;
}

/* Copies the value to where it can't be seen. */
static void hide_value(struct arena *arena, const char **value, int n_words, char **words)
{
    for (int i = 0; i < n_words; i++) {
        char *end = words[i] + strlen(words[i]);
        if (*value < words[i] || *value >= end)
            continue;
        char *seen = words[i] + (*value - words[i]);
        *value = arena_strdup(arena, seen);
        explicit_bzero(seen, (size_t)(end - seen));
        return;
    }
}

/* The command line can be read by every user of the machine for as long as the program runs. */
static void hide_secrets(struct command *command, int n_words, char **words)
{
    struct argument_set *set = &command->arguments;

    for (size_t i = 0; i < set->n; i++) {
        for (size_t j = 0; is_hidden(&set->v[i]) && j < set->v[i].n_values; j++)
            hide_value(set->arena, &set->v[i].values[j], n_words, words);
    }
}

static int print_help(const struct command *command, FILE *file)
{
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, HELP_MAX);

    help_write(command, &text);
    fputs(buf_text(&text), file);
    return fflush(file) ? OUTCOME_FAULT : 0;
}

static int run(struct command *command, int n_words, char **words, struct arena *arena,
               struct refusal *why)
{
    int r = command_read(n_words, words, arena, command, why);

    if (r)
        return r;
    hide_secrets(command, n_words, words);
    if (command->options.help)
        return print_help(command, stdout);
    if (command->verb)
        return command->verb->run(command, why);
    print_help(command, stderr);
    return OUTCOME_USAGE;
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct command command;
    struct refusal why = {.text = ""};

    text_setup();
    arena_init(&arena);
    int r = run(&command, argc > 0 ? argc - 1 : 0, argv + (argc > 0), &arena, &why);
    if (r < 0)
        fprintf(stderr, "reeve: %s\n", fault_text());
    else if (r > 0 && why.text[0])
        fprintf(stderr, "reeve: %s\n", why.text);
    arena_release(&arena);
    if (r == 0)
        return command.exit_code;
    return outcome_exit(r < 0 ? OUTCOME_FAULT : (enum outcome)r);
}
