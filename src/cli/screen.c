/* SPDX-License-Identifier: MIT */
/*
 * Width, colours (ECMA-48 SGR) and characters of standard output.
 */
#include "cli/screen.h"

#include "base/mem.h"

#include <sys/ioctl.h>
#include <unistd.h>

static const char *const tint_codes[] = {
    [TINT_NONE] = "",        [TINT_BOLD] = "\x1b[1m",     [TINT_GOOD] = "\x1b[32m",
    [TINT_BAD] = "\x1b[31m", [TINT_PENDING] = "\x1b[33m",
};

/* The first of these that says something decides (POSIX.1-2017 XBD 8.2); not setlocale(), which
   text.c uses for a locale that every system has. */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *locale = getenv(names[i]);
        if (locale && locale[0])
            return strcasestr(locale, "UTF-8") || strcasestr(locale, "UTF8");
    }
    return false;
}

struct screen screen_of_stdout(void)
{
    struct screen screen = {.columns = SCREEN_COLUMNS, .utf8 = locale_is_utf8()};
    struct winsize size;

    if (!isatty(STDOUT_FILENO))
        return screen;
    /* https://no-color.org: set and not empty */
    const char *no_color = getenv("NO_COLOR");
    screen.colour = !no_color || !no_color[0];
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        screen.columns = size.ws_col < SCREEN_COLUMNS_MIN ? SCREEN_COLUMNS_MIN : size.ws_col;
    return screen;
}

void tint_begin(struct buf *to, const struct screen *screen, enum tint tint)
{
    if (screen->colour)
        buf_add_text(to, tint_codes[tint]);
}

void tint_end(struct buf *to, const struct screen *screen, enum tint tint)
{
    if (screen->colour && tint != TINT_NONE)
        buf_add_text(to, "\x1b[0m");
}
