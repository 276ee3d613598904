/* SPDX-License-Identifier: MIT */
/*
 * From a decoded request to a call that makes a job. All that the call needs is copied into its own
 * arena: it may outlive the request.
 */
#include "controller/submission.h"

#include "base/mem.h"

int token_allows(const struct token *token, int permission, struct refusal *why)
{
    if (permission == PERMISSION_PUBLIC)
        return 0;
    if (token && token->permissions & (UINT64_C(1) << permission))
        return 0;
    return refuse(why, OUTCOME_FORBIDDEN, NULL, "the token does not carry the permission %s",
                  permission_word(permission));
}

typedef void encode_input(const struct schema *schema, const void *object, struct buf *to);

static int encode_with(encode_input *encode, const struct submission *submission,
                       struct arena *arena, struct slice *ret, struct refusal *why)
{
    CLEANUP(buf_release) struct buf json;

    buf_init_secret(&json, SUBMISSION_DATA_MAX);
    encode(submission->op->in, submission->input, &json);
    if (buf_overflowed(&json))
        return refuse(why, OUTCOME_TOO_LARGE, NULL, "the operation's input is over %zu bytes",
                      SUBMISSION_DATA_MAX);
    *ret = (struct slice){.at = arena_copy(arena, buf_slice(&json)), .size = json.size};
    return 0;
}

/* What anyone may see, and what the hosts are to have when that is more. */
static int encode_payload(const struct submission *submission, struct call *call,
                          struct refusal *why)
{
    struct call_submit *submit = &call->submit;
    bool hides = submission->sensitive || schema_has_secret(submission->op->in, submission->input);

    submit->data = SENSITIVE_SHOWN;
    submit->sensitive = submission->sensitive;
    int r = submission->sensitive
                ? 0
                : encode_with(schema_encode, submission, &call->arena, &submit->data, why);
    if (r || !hides)
        return r;
    return encode_with(schema_encode_revealed, submission, &call->arena, &submit->whole, why);
}

struct str_list token_targets(const struct token *token, struct arena *arena)
{
    const char **targets = arena_alloc(arena, TOKEN_TARGETS_MAX * sizeof(*targets));
    size_t n = 0;

    for (const char *target = token_next_target(token, NULL); target;
         target = token_next_target(token, target))
        targets[n++] = arena_strdup(arena, target);
    return (struct str_list){.v = targets, .n = n};
}

static int fill_call(struct op_ctx *ctx, const struct submission *submission, struct call *call)
{
    struct call_submit *submit = &call->submit;
    const char *target = arena_strdup(&call->arena, submission->target);

    int r = target_parse(slice_of(target), &submit->target, &ctx->why);
    if (r)
        return r;
    r = encode_payload(submission, call, &ctx->why);
    if (r)
        return r;
    int64_t expires_us = submission->expires_us ? submission->expires_us : submission->wait_us;
    call->id = uuid_make(clock_now_us());
    submit->op = submission->op;
    submit->target_field = submission->target_field;
    submit->user = arena_strdup(&call->arena, ctx->token->subject);
    submit->allowed = token_targets(ctx->token, &call->arena);
    submit->limit_us = op_limit_s(submission->op, submission->input) * US_PER_S;
    submit->expires_us = expires_us > SUBMISSION_EXPIRES_MIN ? expires_us : SUBMISSION_EXPIRES_MIN;
    submit->until = submission->wait_us ? CALL_UNTIL_FINAL : CALL_UNTIL_RECORDED;
    submit->retry_of = submission->retry_of;
    return 0;
}

int submission_make(struct op_ctx *ctx, const struct submission *submission)
{
    int r = token_allows(ctx->token, submission->op->permission, &ctx->why);
    if (r)
        return r;
    struct call *call = call_new(CALL_SUBMIT);
    r = fill_call(ctx, submission, call);
    if (r) {
        call_unref(call);
        if (ctx->why.field[0])
            snprintf(ctx->why.field, sizeof(ctx->why.field), "%s", submission->target_field);
        return r;
    }
    ctx->call = call;
    ctx->wait_us = submission->wait_us;
    return OP_PARKED;
}

int submission_decode(struct op_ctx *ctx, const char *type, struct slice data,
                      struct submission *ret)
{
    const struct op *op = op_by_type(type);
    struct slice given = data.size && !slice_is(data, "null") ? data : SLICE("{}");

    if (!op || !op_makes_run(op))
        return refuse(&ctx->why, OUTCOME_INVALID, "operation.type",
                      op ? "%s is done by the controller itself and can't be a job"
                         : "there is no operation %s",
                      type);
    void *input = arena_alloc(ctx->arena, op->in->size);
    int r = schema_decode(op->in, given, JSON_VALUES_MAX, ctx->arena, input, &ctx->why);
    if (r) {
        char field[REFUSAL_FIELD_SIZE];
        snprintf(field, sizeof(field), "operation.data%s%.*s", ctx->why.field[0] ? "." : "",
                 (int)(sizeof(field) - sizeof("operation.data.")), ctx->why.field);
        memcpy(ctx->why.field, field, sizeof(field));
        return r;
    }
    ret->op = op;
    ret->input = input;
    return 0;
}
