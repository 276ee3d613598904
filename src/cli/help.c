/* SPDX-License-Identifier: MIT */
/*
 * Texts of --help: of a group the words that follow it, of a verb its arguments with what they accept.
 */
#include "cli/help.h"

#include "base/mem.h"
#include "cli/request.h"
#include "cli/text.h"

#define HELP_COLUMNS 100
#define LABEL_COLUMNS 28 /* longer labels get a line of their own */
#define ACCEPTS_SIZE 512

/*
 * Two columns
 */

/* Words of `text`, wrapped; the first line begins at `indent` already. */
static void write_wrapped(struct buf *to, const char *text, size_t indent)
{
    struct slice rest = slice_of(text), word;
    size_t column = indent;

    for (bool more = true; more;) {
        more = slice_cut(&rest, ' ', &word);
        size_t columns = text_columns(word);
        if (column > indent && column + 1 + columns > HELP_COLUMNS) {
            buf_add_char(to, '\n');
            text_fill(to, indent);
            column = indent;
        } else if (column > indent) {
            buf_add_char(to, ' ');
            column++;
        }
        buf_add_slice(to, word);
        column += columns;
    }
    buf_add_char(to, '\n');
}

static void write_entry(struct buf *to, const char *label, const char *text)
{
    struct slice shown = slice_of(label);

    buf_add_text(to, "  ");
    if (text_columns(shown) + 4 > LABEL_COLUMNS) {
        buf_add_slice(to, shown);
        buf_add_char(to, '\n');
        text_fill(to, LABEL_COLUMNS);
    } else {
        text_fit(to, shown, LABEL_COLUMNS - 2, false);
    }
    write_wrapped(to, text, LABEL_COLUMNS);
}

/*
 * Verbs
 */

static const char *placeholder(const struct type *type)
{
    switch (type->kind) {
    case KIND_STR:
        return " TEXT";
    case KIND_I64:
    case KIND_F64:
        return " NUMBER";
    case KIND_FLAG:
        return "";
    case KIND_DURATION:
        return " DURATION";
    case KIND_CHOICE:
        return " WORD";
    case KIND_LIST:
        return placeholder(type->element);
    case KIND_MAP:
        return " KEY=VALUE";
    case KIND_ANY:
    case KIND_OBJ:
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
        break;
    }
    return " JSON";
}

static bool is_target(const struct argument *argument)
{
    return argument->field->place == PLACE_PATH && !argument->positional;
}

static bool is_required(const struct verb *verb, const struct argument *argument)
{
    if (is_target(argument))
        return verb->op->class != CLASS_QUERY;
    return argument->field->presence == PRESENCE_REQUIRED;
}

static const char *default_of(const struct verb *verb, const struct argument *argument)
{
    if (is_target(argument) && !is_required(verb, argument))
        return REQUEST_TARGET_DEFAULT;
    return argument->field->default_text;
}

/* "Jobs per page (an integer from 1 to 100; default 10)" */
static const char *describe(const struct command *command, const struct argument *argument)
{
    char accepts[ACCEPTS_SIZE];
    const struct verb *verb = command->verb;
    const char *preset = verb ? default_of(verb, argument) : argument->field->default_text;
    bool required = verb && is_required(verb, argument);

    field_accepts(argument->field, accepts, sizeof(accepts));
    return arena_printf(command->arena, "%s (%s%s%s%s%s%s%s)", argument->field->doc,
                        required ? "required; " : "", accepts, preset ? "; default " : "",
                        preset ? preset : "", argument_repeats(argument) ? "; may be repeated" : "",
                        argument_takes_json(argument) ? "; @FILE reads it from a file, @- from standard input" : "",
                        argument == argument_rest(&command->arguments) ? "; or all words after --" : "");
}

static void write_arguments(const struct command *command, const struct schema *only,
                            const struct schema *but, struct buf *to)
{
    const struct argument_set *set = &command->arguments;

    for (size_t i = 0; i < set->n; i++) {
        const struct argument *argument = &set->v[i];
        if ((only && argument->root != only) || argument->root == but)
            continue;
        const char *label = arena_printf(command->arena, "%s%s", argument_shown(set, argument),
                                         argument->positional ? "" : placeholder(&argument->field->type));
        write_entry(to, label, describe(command, argument));
    }
}

/* "usage: reeve node command exec --target TEXT --command TEXT [flags] [-- ARGS]" */
static void write_usage(const struct command *command, struct buf *to)
{
    const struct argument_set *set = &command->arguments;
    const struct verb *verb = command->verb;
    const struct argument *rest = argument_rest(set);

    buf_printf(to, "usage: reeve %s", verb->words);
    for (size_t i = 0; i < set->n; i++) {
        const struct argument *argument = &set->v[i];
        bool required = is_required(verb, argument);
        if (argument->positional)
            buf_printf(to, required ? " %s" : " [%s]", argument_shown(set, argument));
        else if (required)
            buf_printf(to, " --%s%s", argument->name, placeholder(&argument->field->type));
    }
    buf_add_text(to, " [flags]");
    if (rest && !rest->positional)
        buf_printf(to, " [-- %s]", rest->name);
    buf_add_text(to, "\n");
}

static void write_verb(const struct command *command, struct buf *to)
{
    buf_printf(to, "%s.\n\n", command->verb->doc);
    write_usage(command, to);
    if (command->arguments.n > argument_count(&command->arguments, &cli_options_schema)) {
        buf_add_char(to, '\n');
        write_arguments(command, NULL, &cli_options_schema, to);
    }
}

/*
 * Groups
 */

/* Whether an earlier verb below the group goes on with the same word. */
static bool seen_before(const struct verb *verb, struct slice group)
{
    struct slice word = verb_word_after(verb, group);

    for (const struct verb *other = verb_next(NULL); other != verb; other = verb_next(other)) {
        if (verb_is_below(other, group) && slice_equal(verb_word_after(other, group), word))
            return true;
    }
    return false;
}

/* What may follow `words`: "command disk hostname …". */
static const char *words_below(struct slice words, struct arena *arena)
{
    const char *all = "";

    for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
        if (!verb_is_below(verb, words) || seen_before(verb, words))
            continue;
        struct slice word = verb_word_after(verb, words);
        all = arena_printf(arena, "%s%s%.*s", all, all[0] ? ", " : "", (int)word.size, word.at);
    }
    return all;
}

static void write_group(const struct command *command, struct buf *to)
{
    struct slice group = command->words;

    buf_printf(to, "usage: reeve%s%.*s VERB [flags]\n\n", group.size ? " " : "", (int)group.size,
               group.at);
    for (const struct verb *verb = verb_next(NULL); verb; verb = verb_next(verb)) {
        if (!verb_is_below(verb, group) || seen_before(verb, group))
            continue;
        struct slice word = verb_word_after(verb, group);
        const char *label = arena_copy(command->arena, word);
        struct slice words =
            slice_of(arena_printf(command->arena, "%.*s%s%s", (int)group.size, group.at,
                                  group.size ? " " : "", label));
        const struct verb *itself = verb_find(words);
        if (itself)
            write_entry(to, label, itself->doc);
        if (verb_is_group(words))
            write_entry(to, arena_printf(command->arena, "%s …", label),
                        words_below(words, command->arena));
    }
}

void help_write(const struct command *command, struct buf *to)
{
    if (command->verb)
        write_verb(command, to);
    else
        write_group(command, to);
    buf_add_text(to, "\nFlags of every verb:\n");
    write_arguments(command, &cli_options_schema, NULL, to);
}
