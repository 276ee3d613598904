/* SPDX-License-Identifier: MIT */
/*
 * The tests' HTTP client, on libcurl.
 */
#include "client.h"

#include "base/mem.h"

#include <curl/curl.h>

struct client {
    CURL *curl;
    const char *url;
    struct buf target; /* URL of the call */
    struct buf body;
};

static size_t keep(char *bytes, size_t size, size_t n, void *owner)
{
    struct client *client = owner;

    buf_add(&client->body, bytes, size * n);
    return size * n;
}

struct client *client_new(const char *url, long timeout_ms)
{
    struct client *client = mem_alloc(sizeof(*client));

    client->url = url;
    buf_init(&client->target, (size_t)1 << 20);
    buf_init(&client->body, CLIENT_ANSWER_MAX);
    client->curl = curl_easy_init();
    if (!client->curl)
        abort();
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(client->curl, CURLOPT_PROXY, "");
    return client;
}

void client_free(struct client *client)
{
    curl_easy_cleanup(client->curl);
    buf_release(&client->target);
    buf_release(&client->body);
    mem_free(client);
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *name,
                                     const char *value)
{
    struct buf line;

    if (!value)
        return headers;
    buf_init(&line, (size_t)16 << 10);
    buf_printf(&line, "%s: %s", name, value);
    headers = curl_slist_append(headers, buf_text(&line));
    buf_release(&line);
    return headers;
}

static struct curl_slist *headers_of(const struct call *call)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    struct buf bearer;

    if (call->token) {
        buf_init(&bearer, (size_t)8 << 10);
        buf_printf(&bearer, "Bearer %s", call->token);
        headers = add_header(headers, "Authorization", buf_text(&bearer));
        buf_release(&bearer);
    }
    if (call->body)
        headers = add_header(headers, "Content-Type",
                             call->content_type ? call->content_type : "application/json");
    return add_header(headers, "Prefer", call->prefer);
}

int client_call(struct client *client, const struct call *call)
{
    struct curl_slist *headers = headers_of(call);
    CURLcode result;
    long status = 0;

    buf_clear(&client->body);
    buf_clear(&client->target);
    buf_printf(&client->target, "%s%s", client->url, call->path);
    curl_easy_setopt(client->curl, CURLOPT_URL, buf_text(&client->target));
    if (call->body) {
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(call->body));
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, call->body);
    } else {
        curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, call->method);
    /* On a kept connection that turns out to be closed, libcurl sends a request again, also one
       that may have been taken. */
    curl_easy_setopt(client->curl, CURLOPT_FRESH_CONNECT, strcmp(call->method, "GET") ? 1L : 0L);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    result = curl_easy_perform(client->curl);
    curl_slist_free_all(headers);
    if (result)
        return 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

struct slice client_body(const struct client *client)
{
    return buf_slice(&client->body);
}

const char *client_header(struct client *client, const char *name)
{
    struct curl_header *header;

    if (curl_easy_header(client->curl, name, 0, CURLH_HEADER, -1, &header))
        return NULL;
    return header->value;
}

bool client_json(const struct client *client, struct json *ret)
{
    return json_check(client_body(client), JSON_VALUES_MAX_RESULT, ret, NULL) == 0;
}
