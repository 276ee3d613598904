/* SPDX-License-Identifier: MIT */
/*
 * JSON out: the writer puts the commas, its caller keeps the order of begin, key and end.
 */
#include "base/json.h"

#include "base/clock.h"

#include <math.h>

struct json_writer json_writer(struct buf *to)
{
    return (struct json_writer){.to = to};
}

/* Before each value and each key. */
static void put_comma(struct json_writer *w)
{
    if (w->comma)
        buf_add_char(w->to, ',');
    w->comma = true;
}

static void begin(struct json_writer *w, char bracket)
{
    put_comma(w);
    buf_add_char(w->to, bracket);
    w->comma = false;
}

static void end(struct json_writer *w, char bracket)
{
    buf_add_char(w->to, bracket);
    w->comma = true;
}

void json_begin_object(struct json_writer *w)
{
    begin(w, '{');
}

void json_end_object(struct json_writer *w)
{
    end(w, '}');
}

void json_begin_array(struct json_writer *w)
{
    begin(w, '[');
}

void json_end_array(struct json_writer *w)
{
    end(w, ']');
}

void json_key(struct json_writer *w, const char *key)
{
    json_key_slice(w, slice_of(key));
}

void json_key_slice(struct json_writer *w, struct slice key)
{
    put_comma(w);
    json_quote(w->to, key);
    buf_add_char(w->to, ':');
    w->comma = false;
}

void json_raw(struct json_writer *w, struct slice json)
{
    put_comma(w);
    buf_add_slice(w->to, json);
}

void json_null(struct json_writer *w)
{
    json_raw(w, SLICE("null"));
}

void json_bool(struct json_writer *w, bool value)
{
    json_raw(w, value ? SLICE("true") : SLICE("false"));
}

void json_int(struct json_writer *w, int64_t value)
{
    put_comma(w);
    buf_add_i64(w->to, value);
}

void json_double(struct json_writer *w, double value)
{
    char text[32];

    if (!isfinite(value)) {
        json_null(w);
        return;
    }
    /* Every double of up to 15 digits survives; 17 are always enough (IEEE 754). */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    json_raw(w, slice_of(text));
}

void json_text(struct json_writer *w, const char *text)
{
    json_slice(w, slice_of(text));
}

void json_slice(struct json_writer *w, struct slice text)
{
    put_comma(w);
    json_quote(w->to, text);
}

void json_time(struct json_writer *w, int64_t time_us)
{
    put_comma(w);
    buf_add_char(w->to, '"');
    buf_add_time(w->to, time_us);
    buf_add_char(w->to, '"');
}

/* DEL and U+0080 to U+009F need no escape by RFC 8259; they get one because terminals obey them. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

static size_t plain_prefix(struct slice text)
{
    size_t n = 0;

    while (n < text.size && is_plain((unsigned char)text.at[n]))
        n++;
    return n;
}

static void quote_control(struct buf *to, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };

    buf_add_char(to, '\\');
    if (c < sizeof(letters) && letters[c]) {
        buf_add_char(to, letters[c]);
        return;
    }
    buf_add(to, "u00", 3);
    buf_add_char(to, hex[c >> 4]);
    buf_add_char(to, hex[c & 15]);
}

/* Quotes the character that `text` begins with, and returns its size; 0 when it is no UTF-8. */
static size_t quote_character(struct buf *to, struct slice text)
{
    size_t size = slice_character_size(text);
    unsigned char first = (unsigned char)text.at[0];

    if (first == '"' || first == '\\') {
        buf_add_char(to, '\\');
        buf_add_char(to, (char)first);
    } else if (size == 1) {
        quote_control(to, first);
    } else if (first == 0xC2 && size == 2 && (unsigned char)text.at[1] < 0xA0) {
        quote_control(to, (unsigned char)text.at[1]);
    } else {
        buf_add(to, text.at, size);
    }
    return size;
}

bool json_quote(struct buf *to, struct slice text)
{
    bool well_formed = true;

    buf_add_char(to, '"');
    while (text.size > 0) {
        size_t taken = plain_prefix(text);
        if (taken > 0) {
            buf_add(to, text.at, taken);
        } else {
            taken = quote_character(to, text);
            if (taken == 0) {
                buf_add_text(to, "\xEF\xBF\xBD"); /* U+FFFD */
                well_formed = false;
                taken = 1;
            }
        }
        text.at += taken;
        text.size -= taken;
    }
    buf_add_char(to, '"');
    return well_formed;
}
