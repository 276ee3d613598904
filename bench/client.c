/* SPDX-License-Identifier: MIT */
/*
 * Takes replies that state their length; the routes that are measured have no others.
 */
#include "client.h"

#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_CAP ((size_t)16 << 10)
#define HOST        "127.0.0.1"
#define HEADERS_END "\r\n\r\n"

void client_open(struct client *client, const char *url, const char *token)
{
    const char *port = strrchr(url, ':');
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;

    client->token = token;
    buf_init(&client->request, REQUEST_CAP);
    address.sin_port = htons(port ? (uint16_t)strtoul(port + 1, NULL, 10) : 0);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 ||
        connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
        give_up(url, strerror(errno));
}

void client_close(struct client *client)
{
    buf_release(&client->request);
    close(client->fd);
}

static void send_request(struct client *client, const char *method, const char *path,
                         const char *body)
{
    struct buf *to = &client->request;

    buf_clear(to);
    buf_printf(to, "%s %s HTTP/1.1\r\nHost: " HOST "\r\nAuthorization: Bearer %s\r\n", method, path,
               client->token);
    if (body)
        buf_printf(to, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    buf_printf(to, "\r\n%s", body ? body : "");
    if (buf_overflowed(to) || write(client->fd, to->at, to->size) != (ssize_t)to->size)
        give_up(path, "the request could not be sent");
}

/* Where the reply's body is; false while it is not whole. */
static bool find_body(struct client *client)
{
    const char *end = strstr(client->reply, HEADERS_END);
    const char *length = strcasestr(client->reply, "\r\ncontent-length:");

    if (!end)
        return false;
    if (!length || length > end)
        give_up("reply", "without Content-Length");
    client->body.at = end + strlen(HEADERS_END);
    client->body.size = strtoul(strchr(length, ':') + 1, NULL, 10);
    return strlen(client->body.at) >= client->body.size;
}

int client_ask(struct client *client, const char *method, const char *path, const char *body)
{
    size_t size = 0;

    send_request(client, method, path, body);
    do {
        ssize_t n = read(client->fd, client->reply + size, sizeof(client->reply) - 1 - size);
        if (n <= 0)
            give_up(path, n < 0 ? strerror(errno) : "no whole reply");
        size += (size_t)n;
        client->reply[size] = '\0';
    } while (!find_body(client));
    return (int)strtol(client->reply + strlen("HTTP/1.1 "), NULL, 10);
}
