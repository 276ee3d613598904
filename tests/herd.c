/* SPDX-License-Identifier: MIT */
/*
 * Keep-alive clients that all ask at the same instant.
 *
 *     herd PORT PID FROM TO
 *
 * One connection is added a round, from FROM to TO. Each round stops the server (PID), writes one
 * request on every connection, and lets the server go on: its event loops then find exactly so many
 * events at once. Somewhere on the way each loop passes 128, the number at which an event loop with
 * a buffer of 128 events may serve none of them. Every request must be answered within two seconds.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 1024
#define ANSWER_MS   2000

static const char request[] = "GET /health HTTP/1.1\r\nHost: herd\r\n\r\n";

static int connect_to(unsigned short port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
        perror("herd");
        exit(2);
    }
    return fd;
}

/* The answer is small and comes in one piece; "status" stands in its body, which ends it. */
static int read_answer(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char answer[4096];
    size_t size = 0;

    while (poll(&wait, 1, ANSWER_MS) == 1) {
        ssize_t n = read(fd, answer + size, sizeof(answer) - 1 - size);

        if (n <= 0)
            return -1;
        size += (size_t)n;
        answer[size] = '\0';
        if (!strncmp(answer, "HTTP/1.1 200", 12) && strstr(answer, "\"status\""))
            return 0;
    }
    return -1;
}

static int ask_all(const int *fds, unsigned n, pid_t server)
{
    int r = 0;

    kill(server, SIGSTOP);
    for (unsigned i = 0; i < n; i++) {
        if (write(fds[i], request, sizeof(request) - 1) != sizeof(request) - 1)
            r = -1;
    }
    kill(server, SIGCONT);
    for (unsigned i = 0; i < n && !r; i++)
        r = read_answer(fds[i]);
    return r;
}

int main(int argc, char **argv)
{
    static int fds[CLIENTS_MAX];
    unsigned from, to;
    pid_t server;

    if (argc != 5)
        return 2;
    server = (pid_t)strtol(argv[2], NULL, 10);
    from = (unsigned)strtoul(argv[3], NULL, 10);
    to = (unsigned)strtoul(argv[4], NULL, 10);
    if (to > CLIENTS_MAX || server <= 1) /* 0 would stop us all */
        return 2;
    for (unsigned n = 1; n <= to; n++) {
        fds[n - 1] = connect_to((unsigned short)strtoul(argv[1], NULL, 10));
        if (n >= from && ask_all(fds, n, server)) {
            printf("herd: of %u clients at once some were not answered\n", n);
            return 1;
        }
    }
    printf("herd: %u to %u clients at once, all answered\n", from, to);
    return 0;
}
