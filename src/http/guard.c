/* SPDX-License-Identifier: MIT */
/*
 * Checks of a request's header, in the order in which they matter.
 */
#include "http/guard.h"

#include "base/mem.h"
#include "http/http.h"

#include <strings.h>

#define REPLY_HEADER_MAX ((size_t)2 << 10) /* is written into the same memory as the request's */
#define HEADER_ENTRY_SIZE                                                                          \
    64 /* what the library keeps of each header and parameter beside its bytes */
#define LENGTH_DIGITS_MAX 18

#define NAME(text)                                                                                 \
    {                                                                                              \
        .at = text, .size = sizeof(text) - 1                                                       \
    }
static const struct slice header_names[HEADER_COUNT] = {
    [HEADER_AUTHORIZATION] = NAME("Authorization"),
    [HEADER_CONTENT_ENCODING] = NAME("Content-Encoding"),
    [HEADER_CONTENT_LENGTH] = NAME("Content-Length"),
    [HEADER_CONTENT_TYPE] = NAME("Content-Type"),
    [HEADER_EXPECT] = NAME("Expect"),
    [HEADER_HOST] = NAME("Host"),
    [HEADER_IF_NONE_MATCH] = NAME("If-None-Match"),
    [HEADER_PREFER] = NAME("Prefer"),
    [HEADER_TRANSFER_ENCODING] = NAME("Transfer-Encoding"),
    [HEADER_X_REQUEST_ID] = NAME("X-Request-ID"),
};

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* libmicrohttpd 0.9.75 lets "Content-Length :" pass as a header of another name. */
bool is_token(struct slice name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!is_alphanumeric(name.at[i]) &&
            (name.at[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", name.at[i])))
            return false;
    return name.size > 0;
}

static int refuse_as(struct guard_refusal *ret, enum outcome outcome, int status,
                     const char *reason, const char *text)
{
    ret->status = status;
    ret->reason = reason;
    return refuse(&ret->why, outcome, NULL, "%s", text);
}

#define EACH_BYTE(byte) (~UINT64_C(0) / 255 * (byte))

/* False: none of eight bytes is below 0x20 or 0x7F; true: one may be. */
static bool may_have_control(const char *bytes)
{
    uint64_t word, other;

    memcpy(&word, bytes, sizeof(word));
    other = word ^ EACH_BYTE(0x7F);
    uint64_t below_20 = (word - EACH_BYTE(0x20)) & ~word;
    uint64_t is_7f = (other - EACH_BYTE(1)) & ~other;
    return (below_20 | is_7f) & EACH_BYTE(0x80);
}

/* Most of a header's bytes are a token: one by one they would take as long as its hash. */
static bool has_control(const char *value, size_t size)
{
    size_t i = 0;

    while (i + sizeof(uint64_t) <= size && !may_have_control(value + i))
        i += sizeof(uint64_t);
    for (; i < size; i++)
        if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7F)
            return true;
    return false;
}

void headers_add(struct headers *headers, struct slice name, const char *value)
{
    size_t size = strlen(value);

    headers->size += name.size + size + strlen(": \r\n") + HEADER_ENTRY_SIZE;
    if (!is_token(name) || has_control(value, size))
        headers->has_bad_header = true;
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        if (header_names[i].size != name.size ||
            strncasecmp(header_names[i].at, name.at, name.size) != 0)
            continue;
        if (headers->known[i].n++ == 0)
            headers->known[i].value = value;
        return;
    }
}

/* What may stand only once: of two, somebody else might take the other. */
static int check_repeats(const struct headers *headers, struct guard_refusal *ret)
{
    static const enum header once[] = {
        HEADER_AUTHORIZATION,     HEADER_CONTENT_ENCODING, HEADER_CONTENT_LENGTH,
        HEADER_CONTENT_TYPE,      HEADER_EXPECT,           HEADER_HOST,
        HEADER_TRANSFER_ENCODING,
    };

    for (size_t i = 0; i < COUNT_OF(once); i++)
        if (headers->known[once[i]].n > 1)
            return refuse(&ret->why, OUTCOME_INVALID, NULL,
                          "the header %s stands more than once; send it once",
                          header_names[once[i]].at);
    return 0;
}

static int check_length(const char *text, struct guard_refusal *ret)
{
    size_t size = strspn(text, "0123456789");

    if (size == 0 || text[size] != '\0')
        return refuse_as(ret, OUTCOME_INVALID, 0, NULL, "Content-Length must be a decimal number");
    if (size > LENGTH_DIGITS_MAX)
        return refuse_as(ret, OUTCOME_TOO_LARGE, 0, NULL, "the body is larger than accepted");
    return 0;
}

static int check_framing(const struct headers *headers, bool is_http_1_0, struct guard_refusal *ret)
{
    const char *length = headers->known[HEADER_CONTENT_LENGTH].value;
    const char *coding = headers->known[HEADER_TRANSFER_ENCODING].value;

    if (length && coding)
        return refuse_as(
            ret, OUTCOME_INVALID, 0, NULL,
            "Content-Length and Transfer-Encoding exclude each other; send one of them");
    if (length)
        return check_length(length, ret);
    if (coding && is_http_1_0)
        return refuse_as(ret, OUTCOME_INVALID, 0, NULL,
                         "HTTP/1.0 has no Transfer-Encoding; send Content-Length");
    if (coding && strcasecmp(coding, "chunked") != 0)
        return refuse_as(ret, OUTCOME_INVALID, 0, NULL,
                         "Transfer-Encoding must be chunked, with nothing else");
    return 0;
}

static bool method_is_known(const char *method)
{
    static const char *const methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};

    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}

int headers_check(const struct headers *headers, const char *method, size_t target_size,
                  const char *version, struct guard_refusal *ret)
{
    bool is_http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    const char *expect = headers->known[HEADER_EXPECT].value;
    int r;

    ret->status = 0;
    ret->reason = NULL;
    if (!target_fits(target_size))
        return refuse_as(ret, OUTCOME_URI_TOO_LONG, 0, NULL,
                         "the path is longer or the query has more parameters than accepted");
    if (headers->size + target_size + REPLY_HEADER_MAX > HTTP_HEADER_MAX)
        return refuse_as(
            ret, OUTCOME_HEADERS, 0, NULL,
            "the request line and the headers are larger than accepted (about 14 KiB)");
    if (headers->has_bad_header)
        return refuse_as(
            ret, OUTCOME_INVALID, 0, NULL,
            "a header has a name that is no token, or a control character in its value");
    r = check_repeats(headers, ret);
    if (r)
        return r;
    if (!headers->known[HEADER_HOST].n && !is_http_1_0)
        return refuse_as(ret, OUTCOME_INVALID, 0, NULL, "the header Host is missing");
    r = check_framing(headers, is_http_1_0, ret);
    if (r)
        return r;
    if (expect && strcasecmp(expect, "100-continue") != 0)
        return refuse_as(ret, OUTCOME_INVALID, 417, "expectation", "Expect must be 100-continue");
    if (!method_is_known(method))
        return refuse_as(ret, OUTCOME_METHOD, 501, "method_unknown",
                         "the method is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    return 0;
}

bool headers_have_body(const struct headers *headers, uint64_t *ret_size)
{
    const char *length = headers->known[HEADER_CONTENT_LENGTH].value;

    *ret_size = headers->known[HEADER_TRANSFER_ENCODING].value ? UINT64_MAX
                : length                                       ? strtoull(length, NULL, 10)
                                                               : 0;
    return *ret_size > 0;
}

/* Without the blanks around it (RFC 9110 §5.6.3). */
static struct slice trimmed(struct slice text)
{
    while (text.size > 0 && (*text.at == ' ' || *text.at == '\t'))
        text = (struct slice){.at = text.at + 1, .size = text.size - 1};
    while (text.size > 0 && strchr(" \t", text.at[text.size - 1]))
        text.size--;
    return text;
}

static bool is_word(struct slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.at, word, text.size) == 0;
}

static struct slice unquoted(struct slice text)
{
    if (text.size >= 2 && text.at[0] == '"' && text.at[text.size - 1] == '"')
        return (struct slice){.at = text.at + 1, .size = text.size - 2};
    return text;
}

int type_check(const char *content_type, struct refusal *why)
{
    struct slice rest = slice_of(content_type), part, name;

    bool has_more = slice_cut(&rest, ';', &part);
    if (!is_word(trimmed(part), "application/json"))
        return refuse(why, OUTCOME_MEDIA_TYPE, NULL, "Content-Type must be application/json%s%s",
                      content_type ? ", not " : "", content_type ? content_type : "");
    while (has_more) {
        has_more = slice_cut(&rest, ';', &part);
        if (slice_cut(&part, '=', &name) && is_word(trimmed(name), "charset") &&
            !is_word(unquoted(trimmed(part)), "utf-8"))
            return refuse(why, OUTCOME_MEDIA_TYPE, NULL, "the charset must be utf-8, not %.*s",
                          (int)part.size, part.at);
    }
    return 0;
}

int encoding_check(const char *content_encoding, struct refusal *why)
{
    if (!content_encoding || is_word(trimmed(slice_of(content_encoding)), "identity"))
        return 0;
    return refuse(why, OUTCOME_MEDIA_TYPE, NULL,
                  "Content-Encoding %s is not understood; send the body as it is",
                  content_encoding);
}

bool request_id_is_good(const char *id)
{
    size_t size = 0;

    if (!id)
        return false;
    while (is_alphanumeric(id[size]) || (id[size] && strchr("._-", id[size])))
        size++;
    return id[size] == '\0' && size > 0 && size < HTTP_REQUEST_ID_SIZE;
}

size_t target_size(struct slice path, struct slice query)
{
    size_t n = query.size > 0;

    for (size_t i = 0; i < query.size; i++)
        n += query.at[i] == '&';
    return path.size + query.size + n * HEADER_ENTRY_SIZE;
}

bool target_fits(size_t size)
{
    return size + REPLY_HEADER_MAX <= HTTP_HEADER_MAX;
}

void target_split(const char *target, struct slice *ret_path, struct slice *ret_query)
{
    struct slice rest = slice_of(target);
    const char *authority = strstr(target, "://");

    if (target[0] != '/' && authority) {
        const char *path = strchr(authority + strlen("://"), '/');
        rest = slice_of(path ? path : "/");
    }
    slice_cut(&rest, '?', ret_path);
    *ret_query = rest;
}
