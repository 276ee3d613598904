/* SPDX-License-Identifier: MIT */
/*
 * Reading a command line: the longest verb first, then its flags and positional words.
 *
 * Before the verb is complete only flags of cli_options may stand, since the others are not known
 * yet.
 */
#include "cli/command.h"

#include "cli/request.h"

struct reader {
    struct command *command;
    char *const *words;
    int n_words;
    struct refusal *why;
};

static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1];
}

static void reader_skip(struct reader *reader, int n_words)
{
    reader->words += n_words;
    reader->n_words -= n_words;
}

static int reader_flag(struct reader *reader)
{
    static char help[] = "--help";
    char *const help_words[] = {help};
    char *const *words = strcmp(reader->words[0], "-h") == 0 ? help_words : reader->words;
    int taken = 0;

    if (words[0][1] != '-')
        return refuse(reader->why, OUTCOME_USAGE, NULL, "there is no flag %s; flags begin with --",
                      words[0]);
    int r = argument_take_flag(&reader->command->arguments, words, reader->n_words, &taken,
                               reader->why);
    if (r)
        return r;
    reader_skip(reader, taken);
    return 0;
}

/* Makes the verb longer by the next word if that leads somewhere. */
static bool reader_extend(struct reader *reader)
{
    struct command *command = reader->command;
    struct slice longer =
        slice_of(arena_printf(command->arena, "%.*s%s%s", (int)command->words.size,
                              command->words.at, command->words.size ? " " : "", reader->words[0]));
    const struct verb *verb = verb_find(longer);

    if (!verb && !verb_is_group(longer))
        return false;
    command->words = longer;
    command->verb = verb;
    reader_skip(reader, 1);
    return true;
}

static int verb_unknown(struct reader *reader)
{
    struct command *command = reader->command;
    const char *word = reader->words[0];
    const char *meant = verb_suggestion(command->words, word, command->arena);

    const char *group = arena_printf(command->arena, "%.*s%s", (int)command->words.size,
                                     command->words.at, command->words.size ? " " : "");
    if (!meant)
        return refuse(reader->why, OUTCOME_USAGE, NULL, "there is no verb %s%s, see reeve %s--help",
                      group, word, group);
    return refuse(reader->why, OUTCOME_USAGE, NULL, "there is no verb %s%s, did you mean %s%s?",
                  group, word, group, meant);
}

/* "reeve help job list" is "reeve job list --help". */
static int reader_help_word(struct reader *reader)
{
    struct argument_set *arguments = &reader->command->arguments;

    if (reader->n_words == 0 || strcmp(reader->words[0], "help") != 0)
        return 0;
    reader_skip(reader, 1);
    argument_add_value(arguments, argument_find(arguments, "help", &cli_options_schema), "true");
    return 0;
}

static int reader_early_flag(struct reader *reader)
{
    struct refusal refused;
    struct refusal *why = reader->why;

    reader->why = &refused;
    int r = reader_flag(reader);
    reader->why = why;
    if (r)
        return refuse(why, OUTCOME_USAGE, NULL, "before the verb: %s", refused.text);
    return 0;
}

static int reader_verb(struct reader *reader)
{
    const struct command *command = reader->command;
    int r = reader_help_word(reader);

    while (!r && reader->n_words > 0) {
        bool flag = is_flag(reader->words[0]);
        /* A complete verb knows its flags; until then only those of every verb may stand here. */
        if (flag ? command->verb != NULL : !reader_extend(reader))
            break;
        if (flag)
            r = reader_early_flag(reader);
    }
    if (r)
        return r;
    return command->verb || reader->n_words == 0 ? 0 : verb_unknown(reader);
}

static void add_arguments(struct command *command)
{
    const struct verb *verb = command->verb;

    if (verb->op) {
        argument_set_add(&command->arguments, verb->op->in, false);
        argument_set_add(&command->arguments, op_shared_in(verb->op), true);
    } else if (verb->in) {
        argument_set_add(&command->arguments, verb->in, false);
    }
}

static int reader_positional(struct reader *reader)
{
    struct argument_set *arguments = &reader->command->arguments;
    struct argument *argument = argument_next_positional(arguments);

    if (!argument)
        return refuse(reader->why, OUTCOME_USAGE, NULL,
                      "%s is one word too many, see reeve %.*s --help", reader->words[0],
                      (int)reader->command->words.size, reader->command->words.at);
    argument_add_value(arguments, argument, reader->words[0]);
    reader_skip(reader, 1);
    return 0;
}

/* All words after "--". */
static int reader_rest(struct reader *reader)
{
    struct argument_set *arguments = &reader->command->arguments;
    struct argument *rest = argument_rest(arguments);
    int r = 0;

    reader_skip(reader, 1);
    while (!r && reader->n_words > 0) {
        if (!rest) {
            r = reader_positional(reader);
            continue;
        }
        argument_add_value(arguments, rest, reader->words[0]);
        reader_skip(reader, 1);
    }
    return r;
}

static int reader_arguments(struct reader *reader)
{
    int r = 0;

    while (!r && reader->n_words > 0) {
        const char *word = reader->words[0];
        if (strcmp(word, "--") == 0)
            return reader_rest(reader);
        r = is_flag(word) ? reader_flag(reader) : reader_positional(reader);
    }
    return r;
}

int command_read(int n_words, char *const *words, struct arena *arena, struct command *ret,
                 struct refusal *why)
{
    struct reader reader = {.command = ret, .words = words, .n_words = n_words, .why = why};

    *ret = (struct command){.arena = arena};
    argument_set_init(&ret->arguments, arena);
    argument_set_add(&ret->arguments, &cli_options_schema, false);
    int r = reader_verb(&reader);
    if (r)
        return r;
    if (ret->verb) {
        add_arguments(ret);
        r = reader_arguments(&reader);
        if (r)
            return r;
    }
    return request_options(&ret->arguments, &cli_options_schema, &ret->options, why);
}

int command_input(struct command *command, void *ret, struct refusal *why)
{
    return request_options(&command->arguments, command->verb->in, ret, why);
}
