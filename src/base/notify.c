/* SPDX-License-Identifier: MIT */
/*
 * The service manager's socket, opened anew each time: it is used a few times a minute at most.
 */
#include "base/notify.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un manager = {.sun_family = AF_UNIX};
    size_t size = path ? strlen(path) : 0;

    if (size == 0 || size >= sizeof(manager.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(manager.sun_path, path, size);
    if (path[0] == '@') /* an abstract name */
        manager.sun_path[0] = '\0';
    CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&manager,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
}

int64_t notify_watchdog_us(void)
{
    const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    char *end;

    if (!text || (pid && strtol(pid, NULL, 10) != getpid()))
        return INT64_MAX;
    errno = 0;
    long long us = strtoll(text, &end, 10);
    return *end || errno || us <= 0 ? INT64_MAX : us;
}
