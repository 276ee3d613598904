/* SPDX-License-Identifier: MIT */
/*
 * Texts of --help: of a group the words that follow it, of a verb its arguments with what they
 * accept.
 */
#include "cli/help.h"

#include "base/mem.h"
#include "cli/request.h"
#include "cli/text.h"

#define HELP_COLUMNS  100
#define LABEL_COLUMNS 28 /* longer labels get a line of their own */
#define ACCEPTS_SIZE  512

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
    case KIND_SECRET:
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
    case KIND_LINES:
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
    if (verb && is_target(argument))
        return verb->op->class != CLASS_QUERY;
    return argument->required;
}

static const char *default_of(const struct verb *verb, const struct argument *argument)
{
    if (is_target(argument) && !is_required(verb, argument))
        return REQUEST_TARGET_DEFAULT;
    return argument->field->default_text;
}

/* What a value may be; "" when that goes without saying. */
static const char *accepts_of(const struct argument *argument, struct arena *arena)
{
    char accepts[ACCEPTS_SIZE];
    struct field value = *argument->field;

    value.type = *argument_type(argument);
    if (value.type.kind == KIND_FLAG ||
        (value.type.kind == KIND_STR && value.rule.kind == RULE_KIND_ANY))
        return "";
    field_accepts(&value, accepts, sizeof(accepts));
    return arena_strdup(arena, accepts);
}

/* Appends one remark of "(required; an integer from 1 to 100; default 10)". */
static const char *remark(struct arena *arena, const char *remarks, const char *text)
{
    if (!text[0])
        return remarks;
    return arena_printf(arena, "%s%s%s", remarks, remarks[0] ? "; " : "", text);
}

static const char *describe(const struct command *command, const struct argument *argument)
{
    struct arena *arena = command->arena;
    const char *preset = default_of(command->verb, argument);
    const char *remarks = is_required(command->verb, argument) ? "required" : "";

    remarks = remark(arena, remarks, accepts_of(argument, arena));
    if (preset)
        remarks = remark(arena, remarks, arena_printf(arena, "default %s", preset));
    if (argument_takes_file(argument))
        remarks = remark(arena, remarks, "@FILE: from a file, @-: from standard input");
    if (argument_repeats(argument))
        remarks = remark(arena, remarks,
                         argument_splits(argument) ? "may be repeated, or joined by commas"
                                                   : "may be repeated");
    if (argument == argument_rest(&command->arguments))
        remarks = remark(arena, remarks, "or all words after --");
    if (!remarks[0])
        return argument->field->doc;
    return arena_printf(arena, "%s (%s)", argument->field->doc, remarks);
}

/* Those of every verb, or the others. */
static void write_arguments(const struct command *command, bool of_every_verb, struct buf *to)
{
    const struct argument_set *set = &command->arguments;

    for (size_t i = 0; i < set->n; i++) {
        const struct argument *argument = &set->v[i];
        if ((argument->root == &cli_options_schema) != of_every_verb)
            continue;
        const char *label =
            arena_printf(command->arena, "%s%s", argument_shown(set, argument),
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

/* "--filter.status may be written --status": once, for all flags with a dot. */
static void write_short_form(const struct argument_set *set, struct buf *to)
{
    for (size_t i = 0; i < set->n; i++) {
        const char *name = set->v[i].name, *dot = strrchr(name, '.');
        if (!dot)
            continue;
        buf_printf(to, "\n--%s may be written --%s, and so on, unless two flags end alike.\n", name,
                   dot + 1);
        return;
    }
}

static void write_verb(const struct command *command, struct buf *to)
{
    buf_printf(to, "%s.\n\n", command->verb->doc);
    write_usage(command, to);
    if (command->arguments.n > argument_count(&command->arguments, &cli_options_schema)) {
        buf_add_char(to, '\n');
        write_arguments(command, false, to);
        write_short_form(&command->arguments, to);
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
        struct slice words = slice_of(arena_printf(command->arena, "%.*s%s%s", (int)group.size,
                                                   group.at, group.size ? " " : "", label));
        const struct verb *itself = verb_find(words);
        if (itself)
            write_entry(to, label, itself->doc);
        if (verb_is_group(words))
            write_entry(to, arena_printf(command->arena, "%s …", label),
                        words_below(words, command->arena));
    }
}

/* In full only at the top, so that what is special about a verb is not drowned. */
static void write_options(const struct command *command, struct buf *to)
{
    const struct argument_set *set = &command->arguments;

    buf_add_text(to, "\nFlags of every verb");
    if (command->words.size == 0) {
        buf_add_text(to, ":\n");
        write_arguments(command, true, to);
        return;
    }
    buf_add_text(to, " (reeve --help):");
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].root == &cli_options_schema)
            buf_printf(to, " --%s", set->v[i].name);
    }
    buf_add_char(to, '\n');
}

void help_write(const struct command *command, struct buf *to)
{
    if (command->verb)
        write_verb(command, to);
    else
        write_group(command, to);
    write_options(command, to);
}
