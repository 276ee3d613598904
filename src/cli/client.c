/* SPDX-License-Identifier: MIT */
/*
 * HTTP by libcurl. The token's copies that are ours are wiped; libcurl's own live until its handle
 * is freed.
 */
#include "cli/client.h"

#include "base/clock.h"
#include "base/mem.h"

#include <curl/curl.h>

#define URL_SHOWN_MAX 200

void reply_release(struct reply *reply)
{
    buf_release(&reply->body);
}

static void easy_cleanupp(CURL **easy)
{
    curl_easy_cleanup(*easy);
}

static void header_list_freep(struct curl_slist **list)
{
    for (struct curl_slist *header = *list; header; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    curl_slist_free_all(*list);
}

/* A reply that is coming. */
struct transfer {
    CURL *easy;
    const struct exchange *exchange;
    struct buf body;
    int sunk; /* what the sink returned last */
};

/* Less than `size` ends the transfer. */
static size_t body_take(char *bytes, size_t one, size_t size, void *owner)
{
    struct transfer *transfer = owner;
    const struct exchange *exchange = transfer->exchange;
    struct slice taken = {.at = bytes, .size = one * size};
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->sink && status >= 200 && status < 300) {
        transfer->sunk = exchange->sink(exchange->sink_owner, taken);
        return transfer->sunk ? 0 : size;
    }
    buf_add_slice(&transfer->body, taken);
    return buf_overflowed(&transfer->body) ? 0 : size;
}

static int transfer_tick(void *owner, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up)
{
    const struct exchange *exchange = owner;

    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    if (exchange->tick)
        exchange->tick(exchange->owner);
    return 0;
}

static void header_add(struct curl_slist **list, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*list, header);

    if (!longer)
        abort(); /* out of memory, as everywhere */
    *list = longer;
}

static void headers_of(const struct exchange *exchange, struct curl_slist **list)
{
    header_add(list, "Accept: application/json");
    /* Without a colon's value libcurl sends none: no form type for an empty body, no wait for 100
     * Continue. */
    header_add(list, exchange->body.size ? "Content-Type: application/json" : "Content-Type:");
    header_add(list, "Expect:");
    if (!exchange->token)
        return;
    CLEANUP(mem_freep) char *header = NULL;
    size_t size = strlen("Authorization: Bearer ") + strlen(exchange->token) + 1;
    header = mem_alloc(size);
    snprintf(header, size, "Authorization: Bearer %s", exchange->token);
    header_add(list, header);
    explicit_bzero(header, size);
}

static void set_method(CURL *easy, const struct exchange *exchange)
{
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    if (strcmp(exchange->method, "GET") == 0)
        return;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.size);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body.size ? exchange->body.at : "");
}

/* What goes to a sink may take as long as it likes, if only bytes keep coming. */
static void set_timeout(CURL *easy, const struct exchange *exchange)
{
    if (!exchange->sink) {
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(exchange->timeout_us / US_PER_MS));
        return;
    }
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(exchange->timeout_us / US_PER_S));
}

static void set_options(struct transfer *transfer, struct curl_slist *headers, char *error)
{
    CURL *easy = transfer->easy;
    const struct exchange *exchange = transfer->exchange;

    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (exchange->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, exchange->ca);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "reeve");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(CLIENT_CONNECT_US / US_PER_MS));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, transfer_tick);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    set_timeout(easy, exchange);
    set_method(easy, exchange);
}

static int unreachable(CURLcode code, const struct exchange *exchange, const struct buf *body,
                       const char *error, struct refusal *why)
{
    const char *url = exchange->url;

    if (buf_overflowed(body))
        return refuse(why, OUTCOME_UNREACHABLE, NULL, "the reply of %.*s is larger than %zu MiB",
                      URL_SHOWN_MAX, url, CLIENT_REPLY_MAX >> 20);
    if (code == CURLE_COULDNT_CONNECT)
        return refuse(why, OUTCOME_UNREACHABLE, NULL, "can't reach %.*s: %s (is it running?)",
                      URL_SHOWN_MAX, url, error);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return refuse(why, OUTCOME_UNREACHABLE, NULL,
                      "the certificate of %.*s is not to be trusted: %s (a CA of your own is named "
                      "with --ca or REEVE_CA)",
                      URL_SHOWN_MAX, url, error);
    if (code == CURLE_SSL_CACERT_BADFILE)
        return refuse(why, OUTCOME_UNREACHABLE, NULL,
                      "--ca: %s holds no certificates that can be read", exchange->ca);
    return refuse(why, OUTCOME_UNREACHABLE, NULL, "no answer from %.*s: %s", URL_SHOWN_MAX, url,
                  error[0] ? error : curl_easy_strerror(code));
}

int client_exchange(const struct exchange *exchange, struct reply *ret, struct refusal *why)
{
    CLEANUP(easy_cleanupp) CURL *easy = curl_easy_init();
    CLEANUP(header_list_freep) struct curl_slist *headers = NULL;
    struct transfer transfer = {.easy = easy, .exchange = exchange};
    buf_init(&transfer.body, CLIENT_REPLY_MAX);
    char error[CURL_ERROR_SIZE] = "";
    long status = 0;

    if (!easy)
        return refuse(why, OUTCOME_UNREACHABLE, NULL, "libcurl can't be used");
    headers_of(exchange, &headers);
    set_options(&transfer, headers, error);
    CURLcode code = curl_easy_perform(easy);
    if (code != CURLE_OK) {
        int r =
            transfer.sunk ? transfer.sunk : unreachable(code, exchange, &transfer.body, error, why);
        buf_release(&transfer.body);
        return r;
    }
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    *ret = (struct reply){.status = (int)status, .body = transfer.body};
    return 0;
}
