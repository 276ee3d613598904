/* SPDX-License-Identifier: MIT */
/*
 * Metrics for whoever looks after the controller. Only reads; whoever reaches the address may ask.
 */
#include "controller/scrape.h"

#include "base/log.h"
#include "base/mem.h"
#include "controller/metrics.h"
#include "controller/settings.h"
#include "ledger/ledger.h"

#define CONNECTIONS_MAX 64

static int open_reader(void *service, unsigned loop, void **ret_loop_owner)
{
    struct ledger_reader *reader;

    (void)loop;
    int r = ledger_reader_open(core_ledger(service), &reader);
    if (r)
        return r;
    *ret_loop_owner = reader;
    return 0;
}

static void close_reader(void *service, void *loop_owner)
{
    (void)service;
    ledger_reader_close(loop_owner);
}

/* ---- pages ---- */

static int write_metrics(struct core *core, struct ledger_reader *reader, struct buf *page)
{
    return metrics_write(core_metrics(core), core, reader, page);
}

static int write_health(struct core *core, struct ledger_reader *reader, struct buf *page)
{
    (void)core;
    (void)reader;
    buf_add_text(page, "{\"status\":\"ok\"}");
    return 0;
}

static int write_ready(struct core *core, struct ledger_reader *reader, struct buf *page)
{
    const char *missing = core_not_ready(core, clock_boot_us());

    (void)reader;
    if (!missing) {
        buf_add_text(page, "{\"status\":\"ready\"}");
        return 0;
    }
    buf_printf(page, "{\"status\":\"not_ready\",\"error\":\"%s\"}", missing);
    return OUTCOME_UNAVAILABLE;
}

/* `write`: 0, OUTCOME_UNAVAILABLE with a page all the same, or a fault. */
static const struct page {
    const char *path, *content_type;
    int (*write)(struct core *core, struct ledger_reader *reader, struct buf *page);
} pages[] = {
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
    {"/health", "application/json", write_health},
    {"/health/ready", "application/json", write_ready},
};

static const struct page *page_find(struct slice path)
{
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        if (slice_is(path, pages[i].path))
            return &pages[i];
    }
    return NULL;
}

static int begin(void *service, struct http_request *request, size_t *body_max, struct refusal *why)
{
    (void)service;
    *body_max = 0;
    if (!page_find(request->path))
        return refuse(why, OUTCOME_NOT_FOUND, NULL,
                      "there is no such path; there are /metrics, /health and /health/ready");
    if (strcmp(request->method, "GET") != 0) {
        request->allow = "GET, HEAD";
        return refuse(why, OUTCOME_METHOD, NULL, "this path takes GET, HEAD");
    }
    return 0;
}

static void serve(void *service, struct http_request *request)
{
    const struct page *page = page_find(request->path);
    struct refusal why = {0};
    struct buf body;

    buf_init(&body, METRICS_PAGE_MAX);
    int r = page->write(service, request->loop_owner, &body);
    if (r < 0) {
        log_event(LOG_ERROR, "metrics.fault", LOG_TEXT("fault", fault_text()));
        refuse(&why, OUTCOME_FAULT, NULL, "%s", outcome_sentence(OUTCOME_FAULT));
        http_refuse(request, &why, 0, NULL, NULL);
    } else {
        struct http_reply reply = {
            .status = r ? outcome_http((enum outcome)r) : 200,
            .content_type = page->content_type,
            .body = &body,
        };
        http_reply(request, &reply);
    }
    buf_release(&body);
}

/* Nothing is ever parked, and nothing kept for a request. */
static void resumed(void *service, struct http_request *request, enum http_wake why)
{
    (void)service;
    (void)request;
    (void)why;
}

static void gone(void *service, struct http_request *request)
{
    (void)service;
    (void)request;
}

static void replied(void *service, const struct http_request *request, int status, size_t body_size)
{
    (void)service;
    log_event(LOG_DEBUG, "metrics.request", LOG_NUMBER("status", status),
              LOG_NUMBER("bytes", body_size), LOG_TEXT("request", request->id));
}

static const struct http_service scrape_service = {
    .loop_open = open_reader,
    .loop_close = close_reader,
    .begin = begin,
    .serve = serve,
    .resumed = resumed,
    .gone = gone,
    .replied = replied,
};

int scrape_open(const struct config_metrics *config, struct core *core, struct http_server **ret,
                struct refusal *why)
{
    struct http_options options = {
        .listen = config->listen,
        .port = (uint16_t)config->port,
        .n_loops = 1,
        .connections_max = CONNECTIONS_MAX,
        .service = &scrape_service,
        .owner = core,
    };
    struct http_server *server;
    struct refusal cause;

    int r = http_open(&options, &server, &cause);
    if (r > 0)
        return refuse(why, (enum outcome)r, "metrics.port",
                      "metrics: %.300s; metrics.port chooses another, metrics.enabled: false none",
                      cause.text);
    if (r)
        return r;
    if (!settings_is_loopback(config->listen))
        log_event(LOG_WARNING, "metrics.open", LOG_TEXT("listen", config->listen),
                  LOG_TEXT("why", "whoever reaches this address may read them: no token is asked"));
    log_event(LOG_NOTICE, "metrics.ready", LOG_TEXT("listen", config->listen),
              LOG_NUMBER("port", http_port(server)));
    *ret = server;
    return 0;
}
