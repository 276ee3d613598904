/* SPDX-License-Identifier: MIT */
/*
 * One line an event on stderr: `time level event.name key=value …`, or a JSON object a line.
 *
 * Only controller, agent and cli log. Level = what the operator should do: error act now, warning
 * look, notice state changed, info one a request, debug. Values are quoted where they must be,
 * control characters escaped.
 */
#ifndef REEVE_BASE_LOG_H
#define REEVE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

struct log_field {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: `number` is the value */
    int64_t number;
};

#define LOG_TEXT(k, v)   ((struct log_field){.key = (k), .text = (v)})
#define LOG_NUMBER(k, v) ((struct log_field){.key = (k), .number = (int64_t)(v)})

/* log_event(LOG_NOTICE, "agent.connected", LOG_TEXT("host", name), LOG_NUMBER("runs", n)); at least
 * one field. */
#define log_event(level, event, ...)                                                               \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__, {.key = 0}})
void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* Program name shown in each line; lowest level shown (default LOG_NOTICE); JSON instead of text.
   Not thread-safe: before threads start. */
void log_setup(const char *program, enum log_level lowest, bool json);
/* From any thread. */
void log_set_lowest(enum log_level lowest);
/* Whether an event of this level is written: for those whose fields cost something to make. */
bool log_shows(enum log_level level);
/* "error" "warning" "notice" "info" "debug"; false when it is none. */
bool log_level_parse(const char *word, enum log_level *ret);

#endif
