/* SPDX-License-Identifier: MIT */
/*
 * Arguments of a verb: the list made from schemas, and the reading of flags.
 */
#include "cli/argument.h"

#include "base/mem.h"
#include "cli/suggest.h"

#include <ctype.h>

void argument_set_init(struct argument_set *set, struct arena *arena)
{
    *set = (struct argument_set){.arena = arena};
}

/* The arena frees nothing on its own, so growth is by doubling: at most as much again is left
 * behind. */
static void *grown(struct arena *arena, void *old, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return old;
    *room = *room ? *room * 2 : 8;
    void *new = arena_alloc(arena, *room * size);
    if (n > 0)
        memcpy(new, old, n * size);
    return new;
}

static const char *with_dashes(struct arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);

    for (char *at = copy; *at; at++) {
        if (*at == '_')
            *at = '-';
    }
    return copy;
}

static void add_field(struct argument_set *set, const struct schema *root,
                      const struct field *field, const char *prefix, bool target, bool required)
{
    const char *wire = arena_printf(set->arena, "%s%s", prefix, field->wire);

    required = required && field->presence == PRESENCE_REQUIRED;
    if (field->type.kind == KIND_OBJ) {
        const char *inner = arena_printf(set->arena, "%s.", wire);
        for (const struct field *f = field->type.schema->fields; f->wire; f++)
            add_field(set, root, f, inner, false, required);
        return;
    }
    bool path = field->place == PLACE_PATH;
    set->v = grown(set->arena, set->v, set->n, &set->room, sizeof(*set->v));
    set->v[set->n++] = (struct argument){
        .name = path && target ? ARGUMENT_TARGET : with_dashes(set->arena, wire),
        .wire = wire,
        .root = root,
        .field = field,
        .positional = path && !target,
        .required = required,
    };
}

void argument_set_add(struct argument_set *set, const struct schema *schema, bool target)
{
    for (const struct field *field = schema->fields; field->wire; field++)
        add_field(set, schema, field, "", target, true);
}

struct argument *argument_find(const struct argument_set *set, const char *wire,
                               const struct schema *root)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].root == root && strcmp(set->v[i].wire, wire) == 0)
            return &set->v[i];
    }
    return NULL;
}

struct argument *argument_next_positional(const struct argument_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].positional && set->v[i].n_values == 0)
            return &set->v[i];
    }
    return NULL;
}

struct argument *argument_rest(const struct argument_set *set)
{
    struct argument *found = NULL;

    for (size_t i = 0; i < set->n; i++) {
        const struct field *field = set->v[i].field;
        if (field->place != PLACE_BODY || field->type.kind != KIND_LIST ||
            field->type.element->kind != KIND_STR)
            continue;
        if (found)
            return NULL;
        found = &set->v[i];
    }
    return found;
}

const char *argument_value_of_format(const struct argument_set *set, const char *format)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct rule *rule = &set->v[i].field->rule;
        if (rule->kind == RULE_KIND_FORMAT && strcmp(rule->name, format) == 0 &&
            set->v[i].n_values > 0)
            return set->v[i].values[0];
    }
    return NULL;
}

bool argument_repeats(const struct argument *argument)
{
    return argument->field->type.kind == KIND_LIST || argument->field->type.kind == KIND_MAP;
}

bool argument_splits(const struct argument *argument)
{
    const struct type *type = &argument->field->type;

    return type->kind == KIND_LIST && type->element->kind == KIND_CHOICE;
}

const struct type *argument_type(const struct argument *argument)
{
    const struct type *type = &argument->field->type;

    return argument_repeats(argument) ? type->element : type;
}

bool argument_takes_json(const struct argument *argument)
{
    switch (argument_type(argument)->kind) {
    case KIND_ANY:
    case KIND_OBJ:
    case KIND_LIST:
    case KIND_MAP:
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
    case KIND_LINES:
        return true;
    case KIND_STR:
    case KIND_SECRET:
    case KIND_I64:
    case KIND_F64:
    case KIND_FLAG:
    case KIND_DURATION:
    case KIND_CHOICE:
        break;
    }
    return false;
}

bool argument_takes_file(const struct argument *argument)
{
    return argument_takes_json(argument) || argument_type(argument)->kind == KIND_SECRET;
}

size_t argument_count(const struct argument_set *set, const struct schema *root)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++)
        n += set->v[i].root == root;
    return n;
}

void argument_add_value(struct argument_set *set, struct argument *argument, const char *value)
{
    argument->values = grown(set->arena, argument->values, argument->n_values, &argument->room,
                             sizeof(*argument->values));
    argument->values[argument->n_values++] = value;
}

const char *argument_shown(const struct argument_set *set, const struct argument *argument)
{
    if (!argument->positional)
        return arena_printf(set->arena, "--%s", argument->name);
    char *upper = arena_strdup(set->arena, argument->name);
    for (char *at = upper; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return upper;
}

/*
 * Flags
 */

static bool flag_is(struct slice given, const char *name)
{
    size_t i = 0;

    for (; i < given.size && name[i]; i++) {
        if ((given.at[i] == '_' ? '-' : given.at[i]) != name[i])
            return false;
    }
    return i == given.size && !name[i];
}

static struct argument *flag_find_whole(const struct argument_set *set, struct slice given)
{
    for (size_t i = 0; i < set->n; i++) {
        if (!set->v[i].positional && flag_is(given, set->v[i].name))
            return &set->v[i];
    }
    return NULL;
}

/* --status is --filter.status where no other flag is called so. */
static struct argument *flag_find(const struct argument_set *set, struct slice given)
{
    struct argument *found = flag_find_whole(set, given);

    if (found)
        return found;
    for (size_t i = 0; i < set->n; i++) {
        const char *dot = strrchr(set->v[i].name, '.');
        if (!dot || set->v[i].positional || !flag_is(given, dot + 1))
            continue;
        if (found)
            return NULL;
        found = &set->v[i];
    }
    return found;
}

static int flag_unknown(const struct argument_set *set, struct slice given, struct refusal *why)
{
    struct suggestion suggestion = suggestion_for(given);

    for (size_t i = 0; i < set->n; i++) {
        if (!set->v[i].positional)
            suggestion_offer(&suggestion, set->v[i].name);
    }
    const char *meant = suggestion_best(&suggestion);
    return refuse(why, OUTCOME_USAGE, NULL, "there is no flag --%.*s%s%s%s", (int)given.size,
                  given.at, meant ? ", did you mean --" : "", meant ? meant : "", meant ? "?" : "");
}

static int value_take(struct argument_set *set, struct argument *argument, const char *value,
                      struct refusal *why)
{
    if (argument->n_values > 0 && !argument_repeats(argument))
        return refuse(why, OUTCOME_USAGE, NULL, "--%s is given twice", argument->name);
    struct slice rest = slice_of(value), word;
    while (argument_splits(argument) && slice_cut(&rest, ',', &word)) {
        argument_add_value(set, argument, arena_copy(set->arena, word));
        value += word.size + 1;
    }
    argument_add_value(set, argument, value);
    return 0;
}

/* --name and --no-name of a flag field; NULL when it is neither. */
static struct argument *switch_find(const struct argument_set *set, struct slice given,
                                    bool *ret_on)
{
    struct argument *argument = flag_find(set, given);

    *ret_on = true;
    if (!argument && (slice_starts(given, "no-") || slice_starts(given, "no_"))) {
        *ret_on = false;
        argument = flag_find(set, (struct slice){.at = given.at + 3, .size = given.size - 3});
    }
    return argument && argument->field->type.kind == KIND_FLAG ? argument : NULL;
}

int argument_take_flag(struct argument_set *set, char *const *words, int n_words, int *ret_taken,
                       struct refusal *why)
{
    struct slice value = slice_of(words[0] + 2);
    struct slice name;
    bool inline_value = slice_cut(&value, '=', &name);
    bool on;

    struct argument *argument = switch_find(set, name, &on);
    if (argument) {
        if (inline_value)
            return refuse(why, OUTCOME_USAGE, NULL, "--%s takes no value, its opposite is --no-%s",
                          argument->name, argument->name);
        *ret_taken = 1;
        return value_take(set, argument, on ? "true" : "false", why);
    }
    argument = flag_find(set, name);
    if (!argument)
        return flag_unknown(set, name, why);
    if (!inline_value && n_words < 2)
        return refuse(why, OUTCOME_USAGE, NULL, "--%s needs a value", argument->name);
    *ret_taken = inline_value ? 1 : 2;
    return value_take(set, argument, inline_value ? value.at : words[1], why);
}
