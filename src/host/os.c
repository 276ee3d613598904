/* SPDX-License-Identifier: MIT */
/*
 * Which distribution this is, by os-release(5).
 *
 * Debian's VERSION_ID is "12" where its version file says "12.5": there the file wins.
 */
#include "base/file.h"
#include "base/mem.h"
#include "host/procfs.h"

#include <errno.h>

#define OS_RELEASE_MAX ((size_t)64 << 10)

/* os-release(5): the value of a shell assignment; quotes are taken off, escapes (\" \$ \\ \`)
   resolved. */
static const char *unquote(struct slice value, struct arena *arena)
{
    char *text = arena_alloc(arena, value.size + 1);
    size_t size = 0;
    bool quoted = value.size >= 2 && (value.at[0] == '"' || value.at[0] == '\'') &&
                  value.at[value.size - 1] == value.at[0];

    if (quoted)
        value = (struct slice){.at = value.at + 1, .size = value.size - 2};
    for (size_t i = 0; i < value.size; i++) {
        if (value.at[i] == '\\' && i + 1 < value.size)
            i++;
        text[size++] = value.at[i];
    }
    return text;
}

static const char *assignment(struct slice text, const char *name, struct arena *arena)
{
    struct slice line, key;
    bool more = true;

    while (more) {
        more = slice_cut(&text, '\n', &line);
        if (slice_cut(&line, '=', &key) && slice_is(key, name))
            return unquote(line, arena);
    }
    return NULL;
}

int os_parse(struct slice os_release, struct slice debian_version, struct arena *arena,
             struct os_info *ret)
{
    const char *distribution = assignment(os_release, "ID", arena);
    const char *version = assignment(os_release, "VERSION_ID", arena);
    struct slice first_line;

    if (!distribution)
        return FAULT(-ENODATA);
    slice_cut(&debian_version, '\n', &first_line);
    if (first_line.size && strcmp(distribution, "debian") == 0)
        version = arena_copy(arena, first_line);

    struct os_info os = {.row_ = {0}};
    SET(&os, distribution, distribution);
    SET(&os, version, version ? version : ""); /* rolling distributions have none */
    *ret = os;
    return 0;
}

int host_read_os(struct host *host, struct os_info *ret)
{
    struct slice os_release, debian_version;
    int r = file_read("/etc/os-release", OS_RELEASE_MAX, host->arena, &os_release);

    if (r == -ENOENT)
        r = file_read("/usr/lib/os-release", OS_RELEASE_MAX, host->arena, &os_release);
    if (r)
        return r;
    if (file_read("/etc/debian_version", OS_RELEASE_MAX, host->arena, &debian_version))
        debian_version = SLICE("");
    return os_parse(os_release, debian_version, host->arena, ret);
}

int op_node_os(struct host *host, const struct none *input, struct node_os_out *ret_out)
{
    (void)input;
    int r = host_read_os(host, &ret_out->os_info);
    if (r)
        return r;
    ret_out->has_os_info = true;
    return 0;
}
