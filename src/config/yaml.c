/* SPDX-License-Identifier: MIT */
/*
 * YAML into settings, by libyaml's events. Only what a configuration needs: mappings, sequences of
 * values, values; no aliases, no tags, one document.
 */
#include "base/mem.h"
#include "config/inside.h"

#include <string.h>
#include <yaml.h>

#define KEYS_MAX 1000 /* of one mapping */

struct reading {
    struct config *config;
    const struct yaml_source *source;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    struct refusal *why;
};

static const char *origin_at(const struct reading *reading, size_t line)
{
    if (!reading->source->has_lines)
        return reading->source->name;
    return arena_printf(reading->config->arena, "%s:%zu", reading->source->name, line + 1);
}

static const char *origin(const struct reading *reading)
{
    return origin_at(reading, reading->event.start_mark.line);
}

static int refuse_here(const struct reading *reading, const struct position *at, const char *text)
{
    return refuse(reading->why, OUTCOME_USAGE, at->path, "%s: %s%s%s", origin(reading), at->path,
                  at->path[0] ? ": " : "", text);
}

/* Of bytes that are no text the parser knows the offset alone. */
static size_t problem_line(const struct reading *reading)
{
    const yaml_parser_t *parser = &reading->parser;
    size_t line = 0;

    if (parser->error != YAML_READER_ERROR)
        return parser->problem_mark.line;
    for (size_t i = 0; i < parser->problem_offset; i++)
        line += reading->source->text.at[i] == '\n';
    return line;
}

static bool has_tag(const yaml_event_t *event)
{
    return (event->type == YAML_SCALAR_EVENT && event->data.scalar.tag) ||
           (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.tag) ||
           (event->type == YAML_SEQUENCE_START_EVENT && event->data.sequence_start.tag);
}

static int next(struct reading *reading)
{
    yaml_event_delete(&reading->event);
    if (yaml_parser_parse(&reading->parser, &reading->event)) {
        if (!has_tag(&reading->event))
            return 0;
        return refuse(reading->why, OUTCOME_USAGE, NULL,
                      "%s: a tag is not accepted: the key tells what a value is", origin(reading));
    }
    reading->event = (yaml_event_t){.type = YAML_NO_EVENT};
    const char *problem = reading->parser.problem ? reading->parser.problem : "no YAML";
    return refuse(reading->why, OUTCOME_USAGE, NULL, "%s: %s",
                  origin_at(reading, problem_line(reading)), problem);
}

static int read_node(struct reading *reading, const struct position *at, int depth);

static struct slice scalar(const struct reading *reading)
{
    return (struct slice){.at = (const char *)reading->event.data.scalar.value,
                          .size = reading->event.data.scalar.length};
}

static bool is_container(const struct position *at)
{
    return at->type->kind == KIND_OBJ || at->type->kind == KIND_MAP;
}

static int read_scalar(struct reading *reading, const struct position *at)
{
    struct slice text = scalar(reading);
    bool is_plain = reading->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (memchr(text.at, '\0', text.size))
        return refuse_here(reading, at, "a value with a NUL character is not accepted");
    /* A section of which every key is commented out. */
    if (is_plain && text.size == 0 && (is_container(at) || at->type->kind == KIND_LIST))
        return 0;
    if (is_plain && text.size == 0)
        return refuse_here(reading, at, "a value is expected");
    if (at->type->kind == KIND_LIST)
        return refuse_here(reading, at, "a list is expected, such as [a, b]");
    if (is_container(at)) {
        CLEANUP(buf_release) struct buf accepted;
        buf_init(&accepted, REFUSAL_TEXT_SIZE);
        buf_add_text(&accepted, "keys are expected beneath it: ");
        position_accepts(at, &accepted);
        return refuse_here(reading, at, buf_text(&accepted));
    }
    return config_add(reading->config, at, arena_copy(reading->config->arena, text),
                      origin(reading), reading->why);
}

static int refuse_key(struct reading *reading, const struct position *at, struct slice key)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, REFUSAL_TEXT_SIZE);
    buf_add_text(&text, "there is no key '");
    config_add_shown(&text, key);
    buf_add_text(&text, "'; accepted are ");
    position_accepts(at, &text);
    return refuse_here(reading, at, buf_text(&text));
}

struct key_set {
    const char *v[KEYS_MAX];
    size_t n;
};

static bool is_repeated(const struct key_set *keys, struct slice key)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (slice_is(key, keys->v[i]))
            return true;
    }
    return false;
}

static int read_key(struct reading *reading, const struct position *at, struct key_set *keys,
                    int depth)
{
    struct position child;
    struct slice key = scalar(reading);

    if (reading->event.type != YAML_SCALAR_EVENT)
        return refuse_here(reading, at, "a key must be a word");
    if (memchr(key.at, '.', key.size) || memchr(key.at, '\0', key.size) ||
        !position_child(at, key, false, reading->config->arena, &child))
        return refuse_key(reading, at, key);
    if (keys->n == KEYS_MAX)
        return refuse_here(reading, at, "too many keys");
    if (is_repeated(keys, key))
        return refuse_here(reading, &child, "stands twice");
    keys->v[keys->n++] = arena_copy(reading->config->arena, key);
    int r = next(reading);
    return r ? r : read_node(reading, &child, depth);
}

static int read_mapping(struct reading *reading, const struct position *at, int depth)
{
    struct key_set *keys = mem_alloc(sizeof(*keys));
    int r = 0;

    if (!is_container(at))
        r = refuse_here(reading, at,
                        at->type->kind == KIND_LIST ? "a list is expected, such as [a, b]"
                                                    : "one value is expected, and no keys");
    /* So that an empty entry of a map is one, and lacks what it must have. */
    if (!r && at->type->kind == KIND_OBJ && at->path[0])
        r = config_add(reading->config, at, NULL, origin(reading), reading->why);
    while (!r) {
        r = next(reading);
        if (r || reading->event.type == YAML_MAPPING_END_EVENT)
            break;
        r = read_key(reading, at, keys, depth);
    }
    mem_free(keys);
    return r;
}

static int read_sequence(struct reading *reading, const struct position *at)
{
    if (at->type->kind != KIND_LIST)
        return refuse_here(reading, at,
                           is_container(at) ? "keys are expected beneath it, and no list"
                                            : "one value is expected, and no list");
    struct position element = *at;
    element.type = at->type->element;
    config_forget(reading->config, at->path);
    /* So that an empty list is one, and not the default. */
    int added = config_add(reading->config, at, NULL, origin(reading), reading->why);
    if (added)
        return added;
    for (;;) {
        int r = next(reading);
        if (r || reading->event.type == YAML_SEQUENCE_END_EVENT)
            return r;
        if (reading->event.type != YAML_SCALAR_EVENT)
            return refuse_here(reading, at, "a list of plain values is expected");
        r = read_scalar(reading, &element);
        if (r)
            return r;
    }
}

/* The current event begins a value. */
static int read_node(struct reading *reading, const struct position *at, int depth)
{
    if (depth == CONFIG_DEPTH_MAX)
        return refuse_here(reading, at, "too deep");
    if (reading->event.type == YAML_SCALAR_EVENT)
        return read_scalar(reading, at);
    if (reading->event.type == YAML_MAPPING_START_EVENT)
        return read_mapping(reading, at, depth + 1);
    if (reading->event.type == YAML_SEQUENCE_START_EVENT)
        return read_sequence(reading, at);
    return refuse_here(reading, at, "an alias is not accepted: write the value");
}

static int read_stream(struct reading *reading, const struct position *at)
{
    int r = next(reading); /* stream start */

    if (!r)
        r = next(reading);
    if (r || reading->event.type == YAML_STREAM_END_EVENT)
        return r; /* an empty file */
    r = next(reading);
    if (!r)
        r = read_node(reading, at, 0);
    if (!r)
        r = next(reading); /* document end */
    if (!r)
        r = next(reading);
    if (r || reading->event.type == YAML_STREAM_END_EVENT)
        return r;
    return refuse_here(reading, at, "one document is expected");
}

int yaml_read(struct config *config, const struct position *at, const struct yaml_source *source,
              struct refusal *why)
{
    struct reading reading = {.config = config, .source = source, .why = why};

    if (!yaml_parser_initialize(&reading.parser))
        abort(); /* out of memory, as everywhere */
    yaml_parser_set_encoding(&reading.parser, YAML_UTF8_ENCODING);
    const char *text = source->text.at ? source->text.at : ""; /* asserted, of nothing as well */
    yaml_parser_set_input_string(&reading.parser, (const unsigned char *)text, source->text.size);
    int r = read_stream(&reading, at);
    yaml_event_delete(&reading.event);
    yaml_parser_delete(&reading.parser);
    return r;
}
