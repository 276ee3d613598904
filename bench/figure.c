/* SPDX-License-Identifier: MIT */
/*
 * Figures are reported, not judged: a bound that is not met is a word in the table.
 */
#include "figure.h"

#include "base/mem.h"
#include "measure.h"

#include <assert.h>
#include <stdio.h>

#define ROW         "%-58s %10s %10s %-2s  %-8s %s\n"
#define NUMBER_SIZE 32

static const struct {
    const char *name;
    int n_digits;
} units[UNIT_COUNT] = {
    [UNIT_MS] = {"ms", 3},     [UNIT_US] = {"us", 1},   [UNIT_S] = {"s", 2},
    [UNIT_GB] = {"GB", 2},     [UNIT_MB] = {"MB", 2},   [UNIT_KB] = {"KB", 1},
    [UNIT_PERCENT] = {"%", 4}, [UNIT_TIMES] = {"x", 2}, [UNIT_PER_S] = {"/s", 0},
};

static const char *const bound_words[BOUND_KIND_COUNT] = {
    [BOUND_NONE] = "none", [BOUND_AT_MOST] = "at_most", [BOUND_AT_LEAST] = "at_least"};

/* ---- the table ---- */

static const char *verdict(const struct figure *figure)
{
    if (isnan(figure->value))
        return "not told";
    switch (figure->must) {
    case BOUND_NONE:
    case BOUND_KIND_COUNT:
        break;
    case BOUND_AT_MOST:
        return figure->value <= figure->bound ? "yes" : "NO";
    case BOUND_AT_LEAST:
        return figure->value >= figure->bound ? "yes" : "NO";
    }
    return "";
}

static void format_value(const struct figure *figure, char ret[NUMBER_SIZE])
{
    ret[0] = '\0';
    if (!isnan(figure->value))
        snprintf(ret, NUMBER_SIZE, "%.*f", units[figure->unit].n_digits, figure->value);
}

static void format_bound(const struct figure *figure, char ret[NUMBER_SIZE])
{
    ret[0] = '\0';
    if (figure->must != BOUND_NONE && !isnan(figure->bound))
        snprintf(ret, NUMBER_SIZE, "%s%.*f",
                 figure->must == BOUND_AT_LEAST ? ">= " : "<= ", units[figure->unit].n_digits,
                 figure->bound);
}

void figures_add(struct figures *to, const struct figure *figures, size_t n)
{
    assert(to->n + n <= FIGURES_MAX);
    memcpy(to->v + to->n, figures, n * sizeof(*figures));
    to->n += n;
}

static void print(const struct figure *figure)
{
    char value[NUMBER_SIZE], bound[NUMBER_SIZE];

    format_value(figure, value);
    format_bound(figure, bound);
    printf(ROW, figure->name, value, bound, units[figure->unit].name, verdict(figure),
           figure->bound_is ? figure->bound_is : "");
}

void figures_print(const struct figures *figures)
{
    printf(ROW, "figure", "value", "must be", "", "met", "");
    for (size_t i = 0; i < figures->n; i++)
        print(&figures->v[i]);
}

/* ---- JSON ---- */

static void encode(const struct figure *figure, struct json_writer *to)
{
    json_begin_object(to);
    json_key(to, "name");
    json_text(to, figure->name);
    json_key(to, "unit");
    json_text(to, units[figure->unit].name);
    json_key(to, "value");
    json_double(to, figure->value);
    json_key(to, "must");
    json_text(to, bound_words[figure->must]);
    json_key(to, "bound");
    json_double(to, figure->must == BOUND_NONE ? NAN : figure->bound);
    json_key(to, "bound_is");
    json_text(to, figure->bound_is ? figure->bound_is : "");
    json_key(to, "met");
    json_text(to, verdict(figure));
    json_end_object(to);
}

void figures_encode(const struct figures *figures, struct json_writer *to)
{
    json_begin_array(to);
    for (size_t i = 0; i < figures->n; i++)
        encode(&figures->v[i], to);
    json_end_array(to);
}

static struct json member(struct json object, const char *name)
{
    struct json value;

    if (!json_member(object, name, &value))
        give_up(name, "is missing in a figure");
    return value;
}

static const char *text_member(struct json object, const char *name, struct arena *arena)
{
    const char *text;

    if (json_string(member(object, name), arena, &text, NULL))
        give_up(name, "is no text");
    return text;
}

static double number_member(struct json object, const char *name)
{
    struct json value = member(object, name);
    double number;

    return value.kind == JSON_NUMBER && json_f64(value, &number) ? number : NAN;
}

static unsigned find_word(const char *word, const char *const *words, unsigned n)
{
    unsigned i = 0;

    while (i < n && strcmp(words[i], word) != 0)
        i++;
    if (i == n)
        give_up(word, "is not known to figures");
    return i;
}

static struct figure figure_decode(struct json object, struct arena *arena)
{
    const char *unit_words[UNIT_COUNT];

    for (unsigned i = 0; i < UNIT_COUNT; i++)
        unit_words[i] = units[i].name;
    const char *bound_is = text_member(object, "bound_is", arena);
    return (struct figure){
        .name = text_member(object, "name", arena),
        .unit = (enum unit)find_word(text_member(object, "unit", arena), unit_words, UNIT_COUNT),
        .value = number_member(object, "value"),
        .must = (enum bound_kind)find_word(text_member(object, "must", arena), bound_words,
                                           BOUND_KIND_COUNT),
        .bound = number_member(object, "bound"),
        .bound_is = bound_is[0] ? bound_is : NULL,
    };
}

void figures_decode(struct json array, struct arena *arena, struct figures *to)
{
    for (struct json_walk walk = json_walk(array); json_next(&walk);) {
        struct figure figure = figure_decode(walk.value, arena);
        figures_add(to, &figure, 1);
    }
}
