/* SPDX-License-Identifier: MIT */
/*
 * Results are spliced: an entry is what all entries share, then the members of the host's result as
 * it stands in the ledger, byte for byte.
 */
#include "controller/reply.h"

#include "base/mem.h"

/* Where a job of one host failed: its run's code is the error's reason, and this its status. 500 is
   the contract's for a host that failed; 504 says that no host answered in time. */
static const int code_status[run_code_COUNT] = {
    [run_code_ERROR] = 500,     [run_code_TIMEOUT] = 500,     [run_code_EXPIRED] = 504,
    [run_code_CANCELLED] = 500, [run_code_INTERRUPTED] = 500, [run_code_LOST] = 504,
    [run_code_REFUSED] = 500,
};

#define DETAILS_MAX ((size_t)REPLY_DETAILS_HOSTS * 320) /* a host name, state and code each */

struct run_list {
    struct ledger_run *v;
    uint32_t n;
};

/* ---- errors ---- */

struct job_error {
    int status;
    const char *reason, *error, *details;
};

static void write_error(const struct job_question *question, const struct job_error *error,
                        struct buf *body)
{
    char id[UUID_TEXT_SIZE];
    struct json_writer w = json_writer(body);

    uuid_format(&question->id, id);
    json_begin_object(&w);
    json_key(&w, "error");
    json_text(&w, error->error);
    json_key(&w, "code");
    json_int(&w, error->status);
    json_key(&w, "reason");
    json_text(&w, error->reason);
    if (error->details) {
        json_key(&w, "details");
        json_text(&w, error->details);
    }
    json_key(&w, "request_id");
    json_text(&w, question->request_id);
    json_key(&w, "job_id");
    json_text(&w, id);
    json_end_object(&w);
}

/* "web-01: started, web-02: failed (expired)": not started and still running are different
   answers. */
static const char *list_states(struct arena *arena, const struct run_list *runs)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, DETAILS_MAX);
    for (uint32_t i = 0; i < runs->n && i < REPLY_DETAILS_HOSTS; i++) {
        const struct ledger_run *run = &runs->v[i];
        buf_printf(&text, "%s%s: %s", i ? ", " : "", run->hostname,
                   run_state_words[run->at.state].word);
        if (run->at.state == run_state_FAILED)
            buf_printf(&text, " (%s)", run_code_words[run->at.code].word);
    }
    if (runs->n > REPLY_DETAILS_HOSTS)
        buf_printf(&text, " and %u more", (unsigned)runs->n - REPLY_DETAILS_HOSTS);
    return arena_strdup(arena, buf_text(&text));
}

static void write_unanswered(struct op_ctx *ctx, const struct job_question *question,
                             const struct run_list *runs, struct buf *body, int *ret_status)
{
    struct job_error error = {
        .status = outcome_http(OUTCOME_TIMEOUT),
        .reason = outcome_word(OUTCOME_TIMEOUT),
        .error = outcome_sentence(OUTCOME_TIMEOUT),
        .details = list_states(ctx->arena, runs),
    };

    write_error(question, &error, body);
    *ret_status = error.status;
}

static const char *run_error(const struct ledger_run *run)
{
    return run->error ? run->error : run_code_words[run->at.code].doc;
}

static void write_failed(struct op_ctx *ctx, const struct job_question *question,
                         const struct ledger_run *run, struct buf *body, int *ret_status)
{
    struct job_error error = {
        .status = code_status[run->at.code],
        .reason = run_code_words[run->at.code].word,
        .error = arena_printf(ctx->arena, "%s: %s", run->hostname, run_error(run)),
    };

    write_error(question, &error, body);
    *ret_status = error.status;
}

/* ---- what a sensitive job came to ---- */

/* The agent sent it once, and nobody keeps it: a restart in between is enough to lose it. */
static const char lost[] = SECRET_SHOWN " (sensitive, and lost before it could be told)";

static void reveal(struct op_ctx *ctx, const struct job_question *question,
                   const struct run_list *runs)
{
    struct call_result result;

    for (uint32_t i = 0; i < runs->n; i++) {
        struct ledger_run *run = &runs->v[i];
        bool is_shown = slice_equal(run->data, SENSITIVE_SHOWN) ||
                        (run->error && strcmp(run->error, SECRET_SHOWN) == 0);
        if (!is_shown)
            continue;
        if (call_find_result(question->call, run->run, ctx->arena, &result)) {
            run->data = result.data;
            run->error = result.error.size ? result.error.at : NULL;
        } else {
            run->data = (struct slice){0};
            run->error = lost;
        }
    }
}

/* ---- results ---- */

static enum run_result run_result(const struct ledger_run *run)
{
    switch (run->at.state) {
    case run_state_COMPLETED:
        return run_result_OK;
    case run_state_SKIPPED:
        return run_result_SKIPPED;
    case run_state_WAITING:
    case run_state_ACKNOWLEDGED:
    case run_state_STARTED:
    case run_state_FAILED:
    case run_state_COUNT:
        break;
    }
    return run_result_FAILED;
}

static const char *entry_error(struct arena *arena, const struct ledger_run *run)
{
    if (!run_state_is_final(run->at.state))
        return arena_printf(arena, "no answer yet: %s", run_state_words[run->at.state].word);
    return run->at.state == run_state_FAILED ? run_error(run) : run->error;
}

/* What stands between the braces of an object. */
static struct slice members_of(struct slice object)
{
    if (object.size < 2 || object.at[0] != '{')
        return (struct slice){0};
    return (struct slice){.at = object.at + 1, .size = object.size - 2};
}

static void write_entry(struct arena *arena, const struct ledger_run *run, struct buf *body)
{
    struct run_entry entry = {0};
    struct slice members = members_of(run->data);

    SET(&entry, hostname, run->hostname);
    SET(&entry, status, run_result(run));
    if (run->has_changed && run->at.state == run_state_COMPLETED)
        SET(&entry, changed, run->changed);
    SET(&entry, error, entry_error(arena, run));
    entry.has_error = entry.error != NULL;
    buf_add_char(body, '{');
    struct json_writer w = json_writer(body);
    schema_encode_members(&run_entry_schema, &entry, &w);
    if (members.size) {
        buf_add_char(body, ',');
        buf_add_slice(body, members);
    }
    buf_add_char(body, '}');
}

static void write_results(struct op_ctx *ctx, const struct job_question *question,
                          const struct run_list *runs, struct buf *body, int *ret_status)
{
    char id[UUID_TEXT_SIZE];

    uuid_format(&question->id, id);
    buf_printf(body, "{\"job_id\":\"%s\",\"results\":[", id);
    for (uint32_t i = 0; i < runs->n; i++) {
        if (i)
            buf_add_char(body, ',');
        write_entry(ctx->arena, &runs->v[i], body);
    }
    buf_add_text(body, "]}");
    *ret_status = question->op->code;
}

/* ---- which of them ---- */

/* The host has said something about the outcome. */
static bool run_is_answered(const struct ledger_run *run)
{
    if (run->at.state != run_state_FAILED)
        return run_state_is_final(run->at.state);
    return run->at.code != run_code_EXPIRED && run->at.code != run_code_LOST;
}

static bool nobody_answered(const struct run_list *runs)
{
    for (uint32_t i = 0; i < runs->n; i++) {
        if (run_is_answered(&runs->v[i]))
            return false;
    }
    return true;
}

static int refuse_missing(struct op_ctx *ctx, const struct job_question *question)
{
    char id[UUID_TEXT_SIZE];

    uuid_format(&question->id, id);
    if (question->is_answered)
        return refuse(&ctx->why, OUTCOME_CONFLICT, NULL,
                      "job %s was deleted while it was waited for", id);
    return refuse(&ctx->why, OUTCOME_UNAVAILABLE, NULL,
                  "the controller is too slow: job %s is not recorded yet, and may be done or not",
                  id);
}

/* Not TOO_LARGE, which blames the request. */
static int refuse_size(struct op_ctx *ctx, size_t size_max)
{
    return refuse(&ctx->why, OUTCOME_FAULT, NULL,
                  "the results are over %zu bytes; the job has them", size_max);
}

int reply_results(struct op_ctx *ctx, const struct job_question *question, struct buf *body,
                  int *ret_status)
{
    struct ledger_job job;
    struct run_list runs;

    int r = ledger_job(ctx->reader, &question->id, ctx->arena, &job);
    if (!r)
        r = ledger_runs(ctx->reader, &question->id, ctx->arena, &runs.v, &runs.n);
    if (r == OUTCOME_NOT_FOUND)
        return refuse_missing(ctx, question);
    if (r == OUTCOME_TOO_LARGE)
        return refuse_size(ctx, LEDGER_RUNS_BYTES);
    if (r)
        return r;
    if (job.sensitive)
        reveal(ctx, question, &runs);
    bool is_one = !target_is_broadcast(job.target_kind);
    if (is_one && runs.v[0].at.state == run_state_FAILED)
        write_failed(ctx, question, &runs.v[0], body, ret_status);
    else if (nobody_answered(&runs))
        write_unanswered(ctx, question, &runs, body, ret_status);
    else
        write_results(ctx, question, &runs, body, ret_status);
    return buf_overflowed(body) ? refuse_size(ctx, REPLY_MAX) : 0;
}

void reply_accepted(const struct uuid *id, struct buf *body)
{
    char text[UUID_TEXT_SIZE];
    struct job_accepted accepted = {0};

    uuid_format(id, text);
    SET(&accepted, job_id, text);
    SET(&accepted, status, job_status_words[job_status_SUBMITTED].word);
    schema_encode(&job_accepted_schema, &accepted, body);
}
