/* SPDX-License-Identifier: MIT */
/*
 * Writing what was given as JSON.
 *
 * A value that can't be what its kind needs is still written, as JSON text: the decoder then
 * refuses it in its own words. Only what would break the document itself (bad JSON, bytes that are
 * no UTF-8) is refused here.
 */
#include "cli/body.h"

#include "base/mem.h"
#include "cli/read.h"

#define BODY_MAX ((size_t)4 << 20)

/*
 * Values
 */

static int value_from_file(struct argument_set *set, const struct argument *argument,
                           const char **value, struct refusal *why)
{
    CLEANUP(buf_release) struct buf contents;
    buf_init_secret(&contents, BODY_FILE_MAX);
    const char *path = *value + 1;

    if ((*value)[0] != '@')
        return 0;
    int r = read_path(path, &contents);
    if (r)
        return refuse(why, OUTCOME_USAGE, NULL, "%s: can't read %s: %s",
                      argument_shown(set, argument), path, strerror(-r));
    if (buf_overflowed(&contents))
        return refuse(why, OUTCOME_USAGE, NULL, "%s: %s is larger than %zu bytes",
                      argument_shown(set, argument), path, BODY_FILE_MAX);
    if (contents.size && memchr(contents.at, '\0', contents.size))
        return refuse(why, OUTCOME_USAGE, NULL, "%s: %s holds a NUL, which no text does",
                      argument_shown(set, argument), path);
    *value = arena_copy(set->arena, buf_slice(&contents));
    return 0;
}

static int check_json(struct argument_set *set, const struct argument *argument, const char *text,
                      struct refusal *why)
{
    struct refusal json_why;
    struct json json;

    if (json_check(slice_of(text), JSON_VALUES_MAX, &json, &json_why))
        return refuse(why, OUTCOME_USAGE, NULL, "%s takes JSON; %s", argument_shown(set, argument),
                      json_why.text);
    return 0;
}

static int prepare_value(struct argument_set *set, const struct argument *argument,
                         const char **value, struct refusal *why)
{
    bool map = argument->field->type.kind == KIND_MAP;
    const char *equals = strchr(*value, '=');
    int r = 0;

    if (map && !equals)
        return refuse(why, OUTCOME_USAGE, NULL, "%s needs key=value, not %s",
                      argument_shown(set, argument), *value);
    if (!map && argument_takes_file(argument))
        r = value_from_file(set, argument, value, why);
    if (r)
        return r;
    if (!slice_is_utf8(slice_of(*value)))
        return refuse(why, OUTCOME_USAGE, NULL, "%s: the value is not UTF-8",
                      argument_shown(set, argument));
    if (!argument_takes_json(argument))
        return 0;
    return check_json(set, argument, map ? equals + 1 : *value, why);
}

/* The decoder refuses the document then, and can't say which flag wrote it. */
static int check_keys(struct argument_set *set, const struct argument *argument, size_t n,
                      struct refusal *why)
{
    struct slice rest = slice_of(argument->values[n]), key, other;

    if (argument->field->type.kind != KIND_MAP)
        return 0;
    slice_cut(&rest, '=', &key);
    for (size_t i = 0; i < n; i++) {
        rest = slice_of(argument->values[i]);
        slice_cut(&rest, '=', &other);
        if (slice_equal(key, other))
            return refuse(why, OUTCOME_USAGE, NULL, "%s: %.*s is given twice",
                          argument_shown(set, argument), (int)key.size, key.at);
    }
    return 0;
}

static int prepare_values(struct argument_set *set, const struct schema *root, struct refusal *why)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].root != root)
            continue;
        for (size_t j = 0; j < set->v[i].n_values; j++) {
            int r = prepare_value(set, &set->v[i], &set->v[i].values[j], why);
            if (!r)
                r = check_keys(set, &set->v[i], j, why);
            if (r)
                return r;
        }
    }
    return 0;
}

static bool is_number(const char *text)
{
    struct json json;

    return json_check(slice_of(text), 1, &json, NULL) == 0 && json.kind == JSON_NUMBER;
}

static void write_value(struct json_writer *w, const struct argument *argument, const char *value)
{
    const struct type *type = argument_type(argument);
    bool number = (type->kind == KIND_I64 || type->kind == KIND_F64) && is_number(value);

    if (number || type->kind == KIND_FLAG || argument_takes_json(argument))
        json_raw(w, slice_of(value));
    else
        json_text(w, value);
}

static void write_argument(struct json_writer *w, const struct argument *argument)
{
    if (argument->field->type.kind == KIND_LIST) {
        json_begin_array(w);
        for (size_t i = 0; i < argument->n_values; i++)
            write_value(w, argument, argument->values[i]);
        json_end_array(w);
    } else if (argument->field->type.kind == KIND_MAP) {
        json_begin_object(w);
        for (size_t i = 0; i < argument->n_values; i++) {
            struct slice rest = slice_of(argument->values[i]), key;
            slice_cut(&rest, '=', &key);
            json_key_slice(w, key);
            write_value(w, argument, rest.at);
        }
        json_end_object(w);
    } else {
        write_value(w, argument, argument->values[0]);
    }
}

/* The decoder would say so too, but of the body as a whole. */
static int check_required(const struct argument_set *set, const struct schema *root,
                          struct refusal *why)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct argument *argument = &set->v[i];
        bool target = argument->field->place == PLACE_PATH && !argument->positional;
        if (argument->root == root && argument->required && argument->n_values == 0 && !target)
            return refuse(why, OUTCOME_USAGE, NULL, "%s is required: %s",
                          argument_shown(set, argument), argument->field->doc);
    }
    return 0;
}

int body_prepare(struct argument_set *set, const struct schema *root, struct refusal *why)
{
    int r = prepare_values(set, root, why);

    return r ? r : check_required(set, root, why);
}

/*
 * Bodies
 */

static bool any_given_below(const struct argument_set *set, const struct schema *root,
                            const char *prefix)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->v[i].root == root && set->v[i].n_values > 0 &&
            slice_starts(slice_of(set->v[i].wire), prefix))
            return true;
    }
    return false;
}

static void write_members(struct json_writer *w, const struct argument_set *set,
                          const struct schema *root, const struct schema *schema,
                          const char *prefix, unsigned places);

/* Fields of an object are written only when one was given, so that an optional object may be left
 * out. */
static void write_field(struct json_writer *w, const struct argument_set *set,
                        const struct schema *root, const struct field *field, const char *prefix)
{
    const char *wire = arena_printf(set->arena, "%s%s", prefix, field->wire);

    if (field->type.kind == KIND_OBJ) {
        const char *inner = arena_printf(set->arena, "%s.", wire);
        if (!any_given_below(set, root, inner))
            return;
        json_key(w, field->wire);
        json_begin_object(w);
        write_members(w, set, root, field->type.schema, inner, BODY_PLACES_ALL);
        json_end_object(w);
        return;
    }
    const struct argument *argument = argument_find(set, wire, root);
    if (argument->n_values == 0)
        return;
    json_key(w, field->wire);
    write_argument(w, argument);
}

static void write_members(struct json_writer *w, const struct argument_set *set,
                          const struct schema *root, const struct schema *schema,
                          const char *prefix, unsigned places)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (places & (1u << field->place))
            write_field(w, set, root, field, prefix);
    }
}

int body_write(const struct argument_set *set, const struct schema *schema, unsigned places,
               struct slice *ret, struct refusal *why)
{
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, BODY_MAX);
    struct json_writer w = json_writer(&text);

    json_begin_object(&w);
    write_members(&w, set, schema, schema, "", places);
    json_end_object(&w);
    if (buf_overflowed(&text))
        return refuse(why, OUTCOME_USAGE, NULL, "all values together are over %zu bytes", BODY_MAX);
    *ret = slice_of(arena_copy(set->arena, buf_slice(&text)));
    return 0;
}
