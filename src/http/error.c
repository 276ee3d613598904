/* SPDX-License-Identifier: MIT */
/*
 * The one shape of an error, as the body of a reply and as a whole reply of our own.
 *
 * Typed clients depend on `error` (text) and `code` (integer); the other members tell people and
 * scripts more.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "http/loop.h"

#include <inttypes.h>
#include <sys/socket.h>

#define ERROR_BODY_MAX ((size_t)8 << 10)
#define ERROR_SENT_MAX ((size_t)12 << 10)

static void add_member(struct json_writer *w, const char *key, const char *value)
{
    if (!value || !value[0])
        return;
    json_key(w, key);
    json_text(w, value);
}

void error_body(struct buf *to, const struct refusal *why, int status, const char *reason,
                const char *request_id, const char *job_id)
{
    struct json_writer w = json_writer(to);

    json_begin_object(&w);
    add_member(&w, "error", why->text[0] ? why->text : outcome_sentence(why->outcome));
    json_key(&w, "code");
    json_int(&w, status);
    add_member(&w, "reason", reason ? reason : outcome_word(why->outcome));
    add_member(&w, "field", why->field);
    add_member(&w, "request_id", request_id);
    add_member(&w, "job_id", job_id);
    json_end_object(&w);
    buf_add_char(to, '\n');
}

void http_refuse(struct http_request *request, const struct refusal *why, int status,
                 const char *reason, const char *job_id)
{
    struct buf body;
    struct http_reply reply = {
        .status = status ? status : outcome_http(why->outcome),
        .allow = request->allow,
        .body = &body,
    };
    char retry_after[24];

    buf_init(&body, ERROR_BODY_MAX);
    error_body(&body, why, reply.status, reason, request->id, job_id);
    if (request->retry_after_s > 0) {
        snprintf(retry_after, sizeof(retry_after), "%" PRId64, request->retry_after_s);
        reply.retry_after = retry_after;
    }
    http_reply(request, &reply);
    buf_release(&body);
}

static const char *phrase(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    }
    return "Error";
}

void error_reply(struct loop *loop, const struct refusal *why, int status, const char *reason,
                 const char *request_id, struct buf *to)
{
    CLEANUP(buf_release) struct buf body;

    buf_init(&body, ERROR_BODY_MAX);
    buf_init(to, ERROR_SENT_MAX);
    error_body(&body, why, status, reason, request_id, NULL);
    buf_printf(to,
               "HTTP/1.1 %d %s\r\n"
               "Connection: close\r\n"
               "Content-Type: application/json\r\n"
               "Content-Length: %zu\r\n"
               "Cache-Control: no-store\r\n"
               "X-Content-Type-Options: nosniff\r\n"
               "X-Request-ID: %s\r\n"
               "Date: %s\r\n"
               "%s\r\n",
               status, phrase(status), body.size, request_id, loop_date(loop),
               status == 503 ? "Retry-After: 1\r\n" : "");
    buf_add_slice(to, buf_slice(&body));
}

void socket_say(int fd, struct slice text)
{
    send(fd, text.at, text.size, MSG_DONTWAIT | MSG_NOSIGNAL);
}
