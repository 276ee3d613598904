/* SPDX-License-Identifier: MIT */
/*
 * The line "waiting for web… 3 s, Ctrl-C leaves the job running".
 */
#include "cli/progress.h"

#include "base/clock.h"
#include "cli/text.h"

#include <inttypes.h>
#include <unistd.h>

#define LINE_MAX_SIZE ((size_t)160)
#define LINE_ERASE    "\r\x1b[K"

struct progress progress_begin(const char *waits_for)
{
    return (struct progress){
        .waits_for = waits_for,
        .enabled = isatty(STDERR_FILENO),
        .since_boot_us = clock_boot_us(),
    };
}

void progress_tick(void *owner)
{
    struct progress *progress = owner;
    int64_t waited_s = (clock_boot_us() - progress->since_boot_us) / US_PER_S;
    struct buf line;

    if (!progress->enabled || waited_s <= progress->shown_s)
        return;
    progress->shown_s = waited_s;
    buf_init(&line, LINE_MAX_SIZE);
    buf_add_text(&line, LINE_ERASE "waiting");
    if (progress->waits_for) {
        buf_add_text(&line, " for ");
        text_clean(&line, slice_cut_at_character(slice_of(progress->waits_for), LINE_MAX_SIZE / 4),
                   TEXT_ONE_LINE);
    }
    buf_printf(&line, "… %" PRId64 " s%s", waited_s,
               progress->waits_for ? ", Ctrl-C leaves the job running" : "");
    fputs(buf_text(&line), stderr);
    fflush(stderr);
    buf_release(&line);
}

void progress_end(const struct progress *progress)
{
    if (progress->shown_s == 0)
        return;
    fputs(LINE_ERASE, stderr);
    fflush(stderr);
}
