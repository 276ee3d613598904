/* SPDX-License-Identifier: MIT */
/*
 * From a job's payload to the function of its operation, and back.
 *
 * The table comes from the rows: no operation is named here.
 */
#include "host/host.h"

#include <stdarg.h>

__attribute__((format(printf, 4, 0))) static int
host_end(struct host *host, int outcome, enum run_code code, const char *format, va_list arguments)
{
    host->code = code;
    vsnprintf(host->error, sizeof(host->error), format, arguments);
    return outcome;
}

int host_fail(struct host *host, enum run_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int r = host_end(host, HOST_FAILED, code, format, arguments);
    va_end(arguments);
    return r;
}

int host_skip(struct host *host, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int r = host_end(host, HOST_SKIPPED, run_code_NONE, format, arguments);
    va_end(arguments);
    return r;
}

/* ---- the functions, by operation ---- */

typedef int host_function(struct host *host, const void *input, void *ret_out);

#define CALL_LOCAL(id)
#define CALL_QUERY(id)                                                                             \
    static int call_##id(struct host *host, const void *input, void *ret_out)                      \
    {                                                                                              \
        return op_##id(host, input, ret_out);                                                      \
    }
#define CALL_MODIFY(id)     CALL_QUERY(id)
#define CALL_ENDS_AGENT(id) CALL_QUERY(id)
#define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc)             \
    CALL_##class(id)
#include "catalog/rows.h"

#define ENTRY_LOCAL(id)
#define ENTRY_QUERY(id)      [OP_##id] = call_##id,
#define ENTRY_MODIFY(id)     ENTRY_QUERY(id)
#define ENTRY_ENDS_AGENT(id) ENTRY_QUERY(id)
static host_function *const functions[OP_COUNT] = {
#define OP(id, type, method, path, permission, class, limit, in, out, code, verb, doc)             \
    ENTRY_##class(id)
#include "catalog/rows.h"
};

/* What a function may come back with besides its own outcomes is a fault of the host or of ours. */
static int fold_outcome(struct host *host, int r)
{
    if (r == 0 || r == HOST_FAILED || r == HOST_SKIPPED)
        return r;
    if (r < 0)
        return host_fail(host, run_code_ERROR, "%s", strerrordesc_np(-r));
    return host_fail(host, run_code_ERROR, "%s", outcome_sentence((enum outcome)r));
}

/* What completed has a result, be it {}; what did not has one when the function set something. */
static void encode_output(const struct op *op, const void *output, int outcome,
                          struct buf *ret_data)
{
    size_t start = ret_data->size;
    struct json_writer w = json_writer(ret_data);

    json_begin_object(&w);
    bool any = schema_encode_members(op->out, output, &w);
    json_end_object(&w);
    if (!any && outcome != 0)
        ret_data->size = start;
}

int host_run(const struct op *op, struct host *host, struct slice data, struct buf *ret_data)
{
    void *input = arena_alloc(host->arena, op->in->size);
    void *output = arena_alloc(host->arena, op->out->size);
    struct refusal why;

    if (!functions[op->id])
        return host_fail(host, run_code_ERROR, "%s is no operation of hosts", op->type);
    int r = schema_decode(op->in, data, JSON_VALUES_MAX, host->arena, input, &why);
    if (r)
        return host_fail(host, run_code_ERROR, "input %s: %s", why.field, why.text);

    r = fold_outcome(host, functions[op->id](host, input, output));
    encode_output(op, output, r, ret_data);
    return r;
}
