/* SPDX-License-Identifier: MIT */
/*
 * Opens many connections and says nothing on them.
 *
 *     idle PORT COUNT
 *
 * Prints "open N refused M" once all are open or refused, then holds them until standard input
 * ends. Refused: answered or closed by the server without having been asked anything.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define VERDICT_MS 3000 /* a refusal comes at once */

static int connect_to(unsigned short port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
        perror("idle");
        exit(2);
    }
    return fd;
}

/* Waits until nothing more is refused for a while; returns how many were. */
static unsigned count_refused(struct pollfd *polls, unsigned n)
{
    unsigned refused = 0;

    while (poll(polls, n, VERDICT_MS) > 0) {
        for (unsigned i = 0; i < n; i++) {
            if (polls[i].fd < 0 || !polls[i].revents)
                continue;
            close(polls[i].fd);
            polls[i].fd = -1;
            refused++;
        }
    }
    return refused;
}

int main(int argc, char **argv)
{
    static struct pollfd polls[19000];
    struct rlimit limit;
    unsigned count, refused;
    char c;

    if (argc != 3)
        return 2;
    count = (unsigned)strtoul(argv[2], NULL, 10);
    if (count > sizeof(polls) / sizeof(polls[0]))
        return 2;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    for (unsigned i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = connect_to((unsigned short)strtoul(argv[1], NULL, 10)),
                                   .events = POLLIN};
    refused = count_refused(polls, count);
    printf("open %u refused %u\n", count - refused, refused);
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    return 0;
}
