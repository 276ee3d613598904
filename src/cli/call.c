/* SPDX-License-Identifier: MIT */
/*
 * Asking the controller and showing what it said.
 *
 * With --json standard output gets the reply's bytes and nothing else; what went wrong is said on
 * standard error in either case. A reply of lines is printed as it comes, with --json or without.
 */
#include "cli/call.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/version.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/locate.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "cli/request.h"
#include "cli/stream.h"
#include "cli/text.h"
#include "cli/value.h"

#include <errno.h>

#define TIMEOUT_US    (30 * US_PER_S) /* of requests that wait for no host */
#define WAIT_GRACE_US (10 * US_PER_S) /* on top of the wait that was asked for */
#define OUTPUT_MAX    ((size_t)1 << 30)

static int print(struct slice what)
{
    if (fwrite(what.at, 1, what.size, stdout) != what.size || fflush(stdout) != 0)
        return FAULT(-errno);
    return 0;
}

static int print_verbatim(struct slice body)
{
    int r = body.size ? print(body) : 0;

    return r || body.size == 0 ? r : print(SLICE("\n"));
}

/* All has been said: only the exit code is left. */
static int silent(struct refusal *why, enum outcome outcome)
{
    *why = (struct refusal){.outcome = outcome};
    return (int)outcome;
}

/*
 * Errors
 */

enum outcome call_outcome(int status, const char *reason)
{
    for (int i = 1; i < OUTCOME_COUNT; i++) {
        if (strcmp(outcome_word((enum outcome)i), reason) == 0)
            return (enum outcome)i;
    }
    for (int i = 1; i < OUTCOME_COUNT; i++) {
        if (outcome_http((enum outcome)i) == status)
            return (enum outcome)i;
    }
    return OUTCOME_FAULT;
}

/* A member of text, cleaned; "" when there is none. */
static const char *member_text(struct json object, const char *name, struct arena *arena)
{
    static const struct field text = {.type = {.kind = KIND_STR}};
    struct json member;

    if (object.kind != JSON_OBJECT || !json_member(object, name, &member) ||
        member.kind != JSON_STRING)
        return "";
    return value_text(&text, &member, TEXT_ONE_LINE, arena).at;
}

static int say_error(const struct reply *reply, const struct json *body, const char *url,
                     struct arena *arena, struct refusal *why)
{
    const char *text = body ? member_text(*body, "error", arena) : "";
    const char *details = body ? member_text(*body, "details", arena) : "";
    const char *job = body ? member_text(*body, "job_id", arena) : "";

    if (!text[0])
        return refuse(why, call_outcome(reply->status, ""), NULL, "%s answered HTTP status %d", url,
                      reply->status);
    fprintf(stderr, "reeve: %s%s%s\n", text, details[0] ? "; " : "", details);
    if (job[0])
        fprintf(stderr, "job %s\n", job);
    return silent(why, call_outcome(reply->status, member_text(*body, "reason", arena)));
}

/*
 * Replies
 */

/* A row whose reply is another operation's has that operation's type among its input. */
static const struct op *op_shown(const struct command *command)
{
    const char *type = argument_value_of_format(&command->arguments, "operation_type");
    const struct op *other = type ? op_by_type(type) : NULL;

    return other ? other : command->verb->op;
}

static int print_reply(const struct op *op, struct json reply, struct arena *arena)
{
    CLEANUP(buf_release) struct buf text;
    buf_init(&text, OUTPUT_MAX);
    const struct screen screen = screen_of_stdout();
    struct json results;

    render_reply(op, reply, &screen, &text, arena);
    if (reply_results(reply, &results))
        buf_printf(&text, "job %s\n", member_text(reply, "job_id", arena));
    return print(buf_slice(&text));
}

static int show(const struct command *command, const struct reply *reply, const char *url,
                struct refusal *why)
{
    struct slice body = buf_slice(&reply->body);
    bool good = reply->status >= 200 && reply->status < 300;
    struct json json;
    int r = 0;

    if (command->options.json)
        r = print_verbatim(body);
    if (r)
        return r;
    if (good && body.size == 0)
        return 0;
    bool is_json = json_check(body, JSON_VALUES_MAX_RESULT, &json, NULL) == 0;
    if (!good)
        return say_error(reply, is_json ? &json : NULL, url, command->arena, why);
    if (!is_json)
        return refuse(why, OUTCOME_FAULT, NULL,
                      "%s answered something else than JSON: is it Reeve?", url);
    if (!command->options.json)
        r = print_reply(op_shown(command), json, command->arena);
    if (r)
        return r;
    return reply_has_failed(json) ? silent(why, OUTCOME_RUN_FAILED) : 0;
}

/*
 * Exchanges
 */

/* `stream` NULL: the reply is kept. */
static int ask(const struct request *request, const struct endpoint *endpoint,
               struct stream *stream, struct arena *arena, struct reply *ret, struct refusal *why)
{
    struct progress progress = progress_begin(request->waits_for);
    const struct exchange exchange = {
        .method = request->method,
        .url = arena_printf(arena, "%s%s", endpoint->url, request->path),
        .token = endpoint->token,
        .ca = endpoint->ca,
        .body = request->body,
        .timeout_us = request->wait_us ? request->wait_us + WAIT_GRACE_US : TIMEOUT_US,
        .tick = progress_tick,
        .owner = &progress,
        .sink = stream ? stream_take : NULL,
        .sink_owner = stream,
    };

    int r = client_exchange(&exchange, ret, why);
    progress_end(&progress);
    return r;
}

/*
 * Lines
 */

static bool answers_lines(const struct op *op)
{
    return op->out->fields->wire && op->out->fields->type.kind == KIND_LINES;
}

/* Says how to go on: with the cursor of the last line that was printed. */
static int refuse_cut(const struct op *op, const struct stream *stream, const char *text,
                      struct arena *arena, struct refusal *why)
{
    const char *cursor = stream_cursor(stream, op->out->fields->type.schema, arena);
    const char *flag = value_cursor_flag(op);

    if (!cursor || !flag)
        return refuse(why, OUTCOME_UNREACHABLE, NULL, "the reply was cut off: %s", text);
    return refuse(why, OUTCOME_UNREACHABLE, NULL, "the reply was cut off: %s; go on with --%s %s",
                  text, flag, cursor);
}

static int call_stream(const struct command *command, const struct request *request,
                       const struct endpoint *endpoint, struct refusal *why)
{
    const struct op *op = command->verb->op;
    CLEANUP(reply_release) struct reply reply = {.status = 0};
    CLEANUP(stream_release) struct stream stream;
    struct refusal cut = {.text = ""};
    stream_init(&stream, print);

    int r = ask(request, endpoint, &stream, command->arena, &reply, &cut);
    if (r < 0)
        return r;
    if (r > 0 && !stream.has_begun)
        return refuse(why, (enum outcome)r, NULL, "%s", cut.text);
    if (r > 0 || stream_is_cut(&stream))
        return refuse_cut(op, &stream, cut.text[0] ? cut.text : "a line is not whole or too long",
                          command->arena, why);
    return stream.has_begun ? 0 : show(command, &reply, endpoint->url, why);
}

int call_run(struct command *command, struct refusal *why)
{
    const struct op *op = command->verb->op;
    CLEANUP(reply_release) struct reply reply = {.status = 0};
    struct request request;
    struct endpoint endpoint;

    int r = request_make(op, &command->arguments, &request, why);
    if (r)
        return r;
    r = locate_endpoint(&command->options, op->permission != PERMISSION_PUBLIC, command->arena,
                        &endpoint, why);
    if (r)
        return r;
    if (answers_lines(op))
        return call_stream(command, &request, &endpoint, why);
    r = ask(&request, &endpoint, NULL, command->arena, &reply, why);
    if (r)
        return r;
    return show(command, &reply, endpoint.url, why);
}

int version_run(struct command *command, struct refusal *why)
{
    struct refusal unreachable;

    if (command->options.json)
        return call_run(command, why);
    printf("reeve %s, commit %s of %s, REST API %s\n\ncontroller:\n", version_text(),
           version_commit(), version_built(), VERSION_API);
    int r = call_run(command, &unreachable);
    if (r > 0 && unreachable.text[0])
        printf("%s\n", unreachable.text);
    return r < 0 ? r : 0;
}
