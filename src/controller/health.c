/* SPDX-License-Identifier: MIT */
/*
 * The controller about itself: health, version, OpenAPI. Answers also when the core does not.
 */
#include "base/version.h"
#include "controller/op.h"

int op_health_get(struct op_ctx *ctx, const struct none *in, struct health_out *out)
{
    (void)ctx;
    (void)in;
    SET(out, status, "ok");
    return 0;
}

int op_health_ready(struct op_ctx *ctx, const struct none *in, struct ready_out *out)
{
    const char *missing = core_not_ready(ctx->core, clock_boot_us());

    (void)in;
    SET(out, status, missing ? "not_ready" : "ready");
    SET(out, error, missing);
    out->has_error = missing != NULL;
    ctx->status = missing ? outcome_http(OUTCOME_UNAVAILABLE) : 0;
    return 0;
}

int op_version_get(struct op_ctx *ctx, const struct none *in, struct version_out *out)
{
    (void)ctx;
    (void)in;
    SET(out, version, version_text());
    SET(out, commit, version_commit());
    SET(out, built, version_built());
    SET(out, api, VERSION_API);
    return 0;
}

int op_openapi_get(struct op_ctx *ctx, const struct none *in, struct openapi_out *out)
{
    (void)in;
    SET(out, document, ctx->openapi);
    return 0;
}
