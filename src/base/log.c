/* SPDX-License-Identifier: MIT */
/*
 * Log lines.
 *
 * A line is built whole and goes out in one write(2), so that lines of several threads and
 * processes do not mix; a line that can't be written is lost.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <unistd.h>

#define LOG_VALUE_MAX ((size_t)2048)  /* bytes of one value; longer ones are cut */
#define LOG_LINE_CAP  ((size_t)65536) /* bytes */

static struct {
    const char *program;
    _Atomic enum log_level lowest;
    bool json;
} log_to = {.program = "reeve", .lowest = LOG_NOTICE};

static const char *const level_words[] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
    [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
};

void log_setup(const char *program, enum log_level lowest, bool json)
{
    log_to.program = program;
    log_to.lowest = lowest;
    log_to.json = json;
}

void log_set_lowest(enum log_level lowest)
{
    log_to.lowest = lowest;
}

bool log_shows(enum log_level level)
{
    return level <= log_to.lowest;
}

bool log_level_parse(const char *word, enum log_level *ret)
{
    for (size_t i = 0; i < COUNT_OF(level_words); i++) {
        if (strcmp(word, level_words[i]) != 0)
            continue;
        *ret = (enum log_level)i;
        return true;
    }
    return false;
}

static bool is_plain(struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7F)
            return false;
    }
    return value.size > 0;
}

static struct slice field_text(const struct log_field *field)
{
    return slice_cut_at_character(slice_of(field->text), LOG_VALUE_MAX);
}

static void line_text(struct buf *line, enum log_level level, const char *event,
                      const struct log_field *fields)
{
    buf_add_time(line, clock_now_us());
    buf_printf(line, " %s %s %s", level_words[level], log_to.program, event);
    for (const struct log_field *field = fields; field->key; field++) {
        buf_printf(line, " %s=", field->key);
        if (!field->text)
            buf_add_i64(line, field->number);
        else if (is_plain(field_text(field)))
            buf_add_slice(line, field_text(field));
        else
            json_quote(line, field_text(field));
    }
}

static void line_json(struct buf *line, enum log_level level, const char *event,
                      const struct log_field *fields)
{
    struct json_writer w = json_writer(line);

    json_begin_object(&w);
    json_key(&w, "time");
    json_time(&w, clock_now_us());
    json_key(&w, "level");
    json_text(&w, level_words[level]);
    json_key(&w, "program");
    json_text(&w, log_to.program);
    json_key(&w, "event");
    json_text(&w, event);
    for (const struct log_field *field = fields; field->key; field++) {
        json_key(&w, field->key);
        if (field->text)
            json_slice(&w, field_text(field));
        else
            json_int(&w, field->number);
    }
    json_end_object(&w);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    CLEANUP(buf_release) struct buf line;
    int kept = errno;

    buf_init(&line, LOG_LINE_CAP);
    if (!log_shows(level))
        return;
    (log_to.json ? line_json : line_text)(&line, level, event, fields);
    if (buf_overflowed(&line)) {
        const struct log_field dropped[] = {LOG_TEXT("fields", "too long"), {.key = NULL}};
        buf_clear(&line);
        (log_to.json ? line_json : line_text)(&line, level, event, dropped);
    }
    buf_add_char(&line, '\n');

    ssize_t written;
    do {
        written = write(STDERR_FILENO, line.at, line.size);
    } while (written < 0 && errno == EINTR);
    errno = kept;
}
