/* SPDX-License-Identifier: MIT */
/*
 * The columns of outcome.def as lookups, and the two notes that go with a return value: why
 * something was refused, and where a fault was made.
 */
#include "base/outcome.h"

#include "base/slice.h"

#include <assert.h>
#include <stdarg.h>

static const struct outcome_row {
    int http, exit;
    const char *word, *sentence;
} outcome_rows[] = {
    [OUTCOME_DONE] = {.http = 200, .exit = 0, .word = "done", .sentence = "done"},
#define OUTCOME(id, http_, exit_, word_, sentence_)                                                \
    [OUTCOME_##id] = {.http = (http_), .exit = (exit_), .word = (word_), .sentence = (sentence_)},
#include "base/outcome.def"
#undef OUTCOME
};

static const struct outcome_row *outcome_row(enum outcome outcome)
{
    assert((unsigned)outcome < OUTCOME_COUNT);
    return &outcome_rows[outcome];
}

int outcome_http(enum outcome outcome)
{
    return outcome_row(outcome)->http;
}

int outcome_exit(enum outcome outcome)
{
    return outcome_row(outcome)->exit;
}

const char *outcome_word(enum outcome outcome)
{
    return outcome_row(outcome)->word;
}

const char *outcome_sentence(enum outcome outcome)
{
    return outcome_row(outcome)->sentence;
}

/* What vsnprintf cut may end inside a character; `size` includes the NUL. */
static void cut_at_character(char *text, size_t size)
{
    struct slice whole = {.at = text, .size = size - 1};

    while (whole.size > 0 && ((unsigned char)text[whole.size - 1] & 0xC0) == 0x80)
        whole.size--;
    if (whole.size == 0)
        return;
    struct slice last = {.at = text + whole.size - 1, .size = size - whole.size};
    if (slice_character_size(last) == 0)
        text[whole.size - 1] = '\0';
}

void refusal_fill(struct refusal *why, enum outcome outcome, const char *field, const char *format,
                  ...)
{
    va_list args;

    if (!why)
        return;
    why->outcome = outcome;
    int size = snprintf(why->field, sizeof(why->field), "%s", field ? field : "");
    if (size >= (int)sizeof(why->field))
        cut_at_character(why->field, sizeof(why->field));
    va_start(args, format);
    size = vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    if (size >= (int)sizeof(why->text))
        cut_at_character(why->text, sizeof(why->text));
}

static _Thread_local struct {
    int fault;
    const char *file;
    int line;
    char text[160];
} last_fault;

void fault_note(int fault, const char *file, int line)
{
    /* The build may compile from outside the tree: "../src/…". */
    const char *in_tree = strstr(file, "src/");

    last_fault.fault = fault;
    last_fault.file = in_tree ? in_tree : file;
    last_fault.line = line;
}

const char *fault_text(void)
{
    char room[64];

    if (!last_fault.file)
        return "no fault";
    const char *error = strerror_r(-last_fault.fault, room, sizeof(room));
    snprintf(last_fault.text, sizeof(last_fault.text), "%s:%d: %s", last_fault.file,
             last_fault.line, error);
    return last_fault.text;
}
