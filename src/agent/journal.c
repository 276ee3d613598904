/* SPDX-License-Identifier: MIT */
/*
 * One datagram of RFC 3164 a line, made anew each time: a reader that was started again is found.
 */
#include "agent/journal.h"

#include "base/json.h"
#include "base/mem.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_SIZE ((size_t)2048)

static void line_write(const struct journal_line *line, struct buf *to)
{
    char job[UUID_TEXT_SIZE];

    uuid_format(&line->run->job, job);
    buf_printf(to, "<%d>reeve-agent[%d]: run.begins job=%s run=%u operation=%s user=",
               LOG_DAEMON | LOG_NOTICE, (int)getpid(), job, line->run->run, line->operation);
    json_quote(to, slice_of(line->user)); /* a name of the client's choosing stays one word */
}

bool journal_write(const struct journal_line *line)
{
    struct sockaddr_un reader = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
    CLEANUP(buf_release) struct buf text;
    CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    buf_init(&text, LINE_MAX_SIZE);
    if (fd < 0)
        return false;
    line_write(line, &text);
    return sendto(fd, text.at, text.size, MSG_NOSIGNAL, (const struct sockaddr *)&reader,
                  sizeof(reader)) == (ssize_t)text.size;
}
