/* SPDX-License-Identifier: MIT */
/*
 * Finding the controller.
 */
#include "cli/locate.h"

#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define ADDRESS_MAX 2048
#define TOKEN_MAX   4096

/* Empty is not given. */
static const char *first_given(const char *option, const char *variable)
{
    const char *value = option ? option : getenv(variable);

    return value && value[0] ? value : NULL;
}

const char *locate_programs(struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (size <= 0)
        return NULL;
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    return arena_strdup(arena, path);
}

const char *locate_state(const struct cli_options *options, struct arena *arena)
{
    const char *named = first_given(options->has_state ? options->state : NULL, "REEVE_STATE");

    if (named)
        return named;
    const char *programs = locate_programs(arena);
    if (!programs || slice_starts(slice_of(programs), "/usr/"))
        return STATE_INSTALLED;
    return arena_printf(arena, "%s/state", programs);
}

static struct slice trimmed(struct slice text)
{
    while (text.size > 0 && isspace((unsigned char)text.at[text.size - 1]))
        text.size--;
    return text;
}

/* First of all what keeps a header apart from the next. */
static bool is_token(const char *text)
{
    size_t size = strlen(text);

    return size > 0 && size <= TOKEN_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
               size;
}

static int read_line(const char *path, size_t cap, struct arena *arena, const char **ret)
{
    struct slice contents;

    /* A controller that was taken over must not make root send what only root may read. */
    int r = file_read_unlinked(path, cap, arena, &contents);
    if (r)
        return r;
    *ret = arena_copy(arena, trimmed(contents));
    return 0;
}

/* "reeve start" keeps it beside the controller's own state; a controller that runs by itself, in
 * it. */
static int read_of_state(const char *state, const char *name, size_t cap, struct arena *arena,
                         const char **ret)
{
    int r = read_line(arena_printf(arena, "%s/%s", state, name), cap, arena, ret);

    if (r != -ENOENT)
        return r;
    return read_line(arena_printf(arena, "%s/controller/%s", state, name), cap, arena, ret);
}

static int url_of_state(const char *state, struct arena *arena, const char **ret,
                        struct refusal *why)
{
    int r = read_of_state(state, "url", ADDRESS_MAX, arena, ret);

    if (r == -ENOENT)
        return refuse(why, OUTCOME_UNREACHABLE, NULL,
                      "no controller known: %s/url does not exist; run \"reeve start\", or give "
                      "--url or REEVE_URL",
                      state);
    if (r)
        return refuse(why, OUTCOME_UNREACHABLE, NULL, "can't read %s/url: %s", state, strerror(-r));
    return 0;
}

static int token_of_state(const char *state, struct arena *arena, const char **ret,
                          struct refusal *why)
{
    int r = read_of_state(state, "token", TOKEN_MAX + 1, arena, ret);

    if (r)
        return refuse(why, OUTCOME_UNAUTHORIZED, NULL,
                      "no token: can't read %s/token: %s; give REEVE_TOKEN or --token", state,
                      strerror(-r));
    return 0;
}

static int check_url(struct arena *arena, const char **url, struct refusal *why)
{
    struct slice text = slice_of(*url);

    if (!slice_starts(text, "http://") && !slice_starts(text, "https://"))
        return refuse(why, OUTCOME_USAGE, NULL, "the address must begin with http:// or https://");
    if (memchr(text.at, '?', text.size) || memchr(text.at, '#', text.size))
        return refuse(why, OUTCOME_USAGE, NULL, "the address must end with its path");
    while (text.at[text.size - 1] == '/')
        text.size--;
    *url = arena_copy(arena, text);
    return 0;
}

int locate_endpoint(const struct cli_options *options, bool wants_token, struct arena *arena,
                    struct endpoint *ret, struct refusal *why)
{
    const char *state = locate_state(options, arena);
    bool state_named = first_given(options->has_state ? options->state : NULL, "REEVE_STATE");
    const char *url = first_given(options->has_url ? options->url : NULL, "REEVE_URL");
    const char *token = first_given(options->has_token ? options->token : NULL, "REEVE_TOKEN");
    bool url_named = url;
    int r = 0;

    if (!url)
        r = url_of_state(state, arena, &url, why);
    if (!r)
        r = check_url(arena, &url, why);
    if (!r && wants_token && !token && url_named && !state_named)
        return refuse(why, OUTCOME_UNAUTHORIZED, NULL,
                      "no token for %s: give REEVE_TOKEN or --token, or name the state directory "
                      "whose token it takes",
                      url);
    if (!r && wants_token && !token)
        r = token_of_state(state, arena, &token, why);
    if (r)
        return r;
    if (wants_token && !is_token(token))
        return refuse(why, OUTCOME_USAGE, NULL, "the token is malformed");
    *ret = (struct endpoint){
        .url = url,
        .token = wants_token ? token : NULL,
        .ca = first_given(options->has_ca ? options->ca : NULL, "REEVE_CA"),
    };
    return 0;
}
