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

/* The command line can be read by every user of the machine for as long as the program runs; the
   options have their own copy of the token. */
static void hide_token(const struct command *command, int n_words, char **words)
{
    const struct argument *token = argument_find(&command->arguments, "token", &cli_options_schema);

    if (token->n_values == 0)
        return;
    for (int i = 0; i < n_words; i++) {
        char *end = words[i] + strlen(words[i]);
        if (token->values[0] >= words[i] && token->values[0] < end)
            explicit_bzero(words[i] + (token->values[0] - words[i]),
                           (size_t)(end - token->values[0]));
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
    hide_token(command, n_words, words);
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
