/* SPDX-License-Identifier: MIT */
/*
 * Memory of this host, by /proc/meminfo.
 *
 * "used" is total minus available: what programs can't get. The page cache is not used memory.
 */
#include "base/file.h"
#include "base/mem.h"
#include "host/procfs.h"

#include <errno.h>
#include <stddef.h>

#define MEMINFO_MAX ((size_t)64 << 10)

struct meminfo {
    int64_t total, available, free, cached, reclaimable, swap_total,
        swap_free; /* kB; -1: not told */
};

static const struct {
    const char *name;
    size_t offset;
} lines[] = {
    {.name = "MemTotal", .offset = offsetof(struct meminfo, total)},
    {.name = "MemAvailable", .offset = offsetof(struct meminfo, available)},
    {.name = "MemFree", .offset = offsetof(struct meminfo, free)},
    {.name = "Cached", .offset = offsetof(struct meminfo, cached)},
    {.name = "SReclaimable", .offset = offsetof(struct meminfo, reclaimable)},
    {.name = "SwapTotal", .offset = offsetof(struct meminfo, swap_total)},
    {.name = "SwapFree", .offset = offsetof(struct meminfo, swap_free)},
};

static int64_t leading_number(struct slice text)
{
    int64_t number = 0;
    size_t i = 0;

    while (i < text.size && text.at[i] == ' ')
        i++;
    for (; i < text.size && text.at[i] >= '0' && text.at[i] <= '9' && number < INT64_MAX / 20480;
         i++)
        number = number * 10 + (text.at[i] - '0');
    return number;
}

static void line_read(struct meminfo *info, struct slice name, struct slice value)
{
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        if (!slice_is(name, lines[i].name))
            continue;
        int64_t number = leading_number(value);
        memcpy((char *)info + lines[i].offset, &number, sizeof(number));
    }
}

int memory_parse(struct slice meminfo, struct memory *ret)
{
    struct meminfo info = {-1, -1, -1, -1, -1, -1, -1};
    struct slice line, name;
    bool more = true;

    while (more) {
        more = slice_cut(&meminfo, '\n', &line);
        slice_cut(&line, ':', &name);
        line_read(&info, name, line);
    }
    if (info.total < 0 || info.free < 0 || info.available < 0)
        return FAULT(-ENODATA);

    struct memory memory = {.row_ = {0}};
    SET(&memory, total, info.total * 1024);
    SET(&memory, free, info.free * 1024);
    SET(&memory, used, (info.total - info.available) * 1024);
    SET(&memory, available, info.available * 1024);
    if (info.cached >= 0)
        SET(&memory, cached, (info.cached + (info.reclaimable > 0 ? info.reclaimable : 0)) * 1024);
    if (info.swap_total >= 0 && info.swap_free >= 0) {
        SET(&memory, swap_total, info.swap_total * 1024);
        SET(&memory, swap_free, info.swap_free * 1024);
    }
    *ret = memory;
    return 0;
}

int host_read_memory(struct host *host, struct memory *ret)
{
    struct slice meminfo;
    int r = file_read("/proc/meminfo", MEMINFO_MAX, host->arena, &meminfo);

    if (r)
        return r;
    return memory_parse(meminfo, ret);
}

int op_node_memory(struct host *host, const struct none *input, struct node_memory_out *ret_out)
{
    (void)input;
    int r = host_read_memory(host, &ret_out->memory);
    if (r)
        return r;
    ret_out->has_memory = true;
    return 0;
}
