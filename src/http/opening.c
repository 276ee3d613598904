/* SPDX-License-Identifier: MIT */
/*
 * A strict reading of request line and header (RFC 9112 §3, §5), that ends where the bytes end.
 */
#include "http/opening.h"

#include "http/http.h"

#include <string.h>

#define RECORD_HANDSHAKE 22 /* RFC 8446 §5.1; no request begins with it */

struct opening {
    char *at, *end; /* what is not read yet */
    struct slice method, target, version;
    struct headers headers;
};

static int refuse_opening(struct guard_refusal *ret, const char *text)
{
    return refuse(&ret->why, OUTCOME_INVALID, NULL, "%s", text);
}

static bool has_blank_or_control(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7F)
            return true;
    return false;
}

/* "HTTP/", a digit, a point, a digit. */
static bool is_version(struct slice text)
{
    return text.size == 8 && slice_starts(text, "HTTP/") && text.at[5] >= '0' &&
           text.at[5] <= '9' && text.at[6] == '.' && text.at[7] >= '0' && text.at[7] <= '9';
}

static int read_request_line(struct opening *opening, struct slice line, struct guard_refusal *ret)
{
    bool has_all =
        slice_cut(&line, ' ', &opening->method) && slice_cut(&line, ' ', &opening->target);

    opening->version = line;
    if (!has_all || !is_token(opening->method) || opening->target.size == 0 ||
        has_blank_or_control(opening->target) || !is_version(line))
        return refuse_opening(ret,
                              "the request does not begin with a line such as GET /path HTTP/1.1");
    if (line.at[5] == '1')
        return 0;
    ret->status = 505;
    ret->reason = "version";
    return refuse_opening(ret, "only HTTP/1.1 is spoken here");
}

/* The line ends with a NUL already. */
static int read_header(struct opening *opening, struct slice line, struct guard_refusal *ret)
{
    struct slice name, value = line;

    if (line.at[0] == ' ' || line.at[0] == '\t')
        return refuse_opening(ret, "a header is folded over several lines");
    if (memchr(line.at, '\0', line.size) || memchr(line.at, '\r', line.size))
        return refuse_opening(ret, "a header has a NUL or a carriage return in it");
    if (!slice_cut(&value, ':', &name))
        return refuse_opening(ret, "a line of the header has no colon");
    headers_add(&opening->headers, name, value.at + strspn(value.at, " \t"));
    return 0;
}

/* Takes a line, and puts a NUL in place of its end. False, and a refusal or 0 in *ret_r: there is
   none. */
static bool next_line(struct opening *opening, struct slice *ret_line, int *ret_r,
                      struct guard_refusal *ret)
{
    char *start = opening->at;
    char *feed = memchr(start, '\n', (size_t)(opening->end - start));

    *ret_r = 0;
    if (!feed)
        return false;
    if (feed == start || feed[-1] != '\r') {
        *ret_r = refuse_opening(ret, "a line of the header ends without a carriage return");
        return false;
    }
    feed[-1] = '\0';
    opening->at = feed + 1;
    *ret_line = (struct slice){.at = start, .size = (size_t)(feed - 1 - start)};
    return true;
}

/* The memory of a connection is full, and the header has no end. */
static int refuse_size(bool has_line, struct guard_refusal *ret)
{
    if (!has_line)
        return refuse(&ret->why, OUTCOME_URI_TOO_LONG, NULL,
                      "the request line is longer than accepted (about 14 KiB)");
    return refuse(&ret->why, OUTCOME_HEADERS, NULL,
                  "the request line and the headers are larger than accepted (about 14 KiB)");
}

static int check_whole(const struct opening *opening, struct guard_refusal *ret)
{
    struct slice path, query = opening->target;
    bool is_old = slice_is(opening->version, "HTTP/1.0");
    char method[16];

    snprintf(method, sizeof(method), "%.*s", (int)opening->method.size, opening->method.at);
    slice_cut(&query, '?', &path);
    return headers_check(&opening->headers, method, target_size(path, query),
                         is_old ? "HTTP/1.0" : "HTTP/1.1", ret);
}

int opening_check(char *bytes, size_t size, bool *ret_is_whole, struct guard_refusal *ret)
{
    struct opening opening = {.at = bytes, .end = bytes + size};
    struct slice line;
    int r;

    *ret_is_whole = false;
    *ret = (struct guard_refusal){.status = 0};
    while (opening.end - opening.at >= 2 && memcmp(opening.at, "\r\n", 2) == 0)
        opening.at += 2; /* RFC 9112 §2.2 */
    struct slice first = {.at = opening.at, .size = opening.at < opening.end};
    if (first.size > 0 && *first.at != '\r' && !is_token(first))
        return read_request_line(&opening, first, ret);
    while (next_line(&opening, &line, &r, ret)) {
        *ret_is_whole = line.size == 0;
        if (*ret_is_whole)
            return check_whole(&opening, ret);
        r = opening.version.at ? read_header(&opening, line, ret)
                               : read_request_line(&opening, line, ret);
        if (r)
            return r;
    }
    if (!r && size >= HTTP_HEADER_MAX)
        return refuse_size(opening.version.at, ret);
    return r;
}

int opening_check_tls(char first, struct guard_refusal *ret)
{
    *ret = (struct guard_refusal){.status = 0};
    if (first == RECORD_HANDSHAKE)
        return 0;
    return refuse_opening(ret, "this port speaks TLS: write https://");
}
