/* SPDX-License-Identifier: MIT */
/*
 * A host at a glance, its name, and how long it is up.
 *
 * A part that can't be read does not fail the whole: the answer names it in `missing`.
 */
#include "host/host.h"

#include <errno.h>
#include <sys/sysinfo.h>

#define PARTS 4

int host_read_uptime(struct host *host, int64_t *ret_s)
{
    struct sysinfo now;

    (void)host;
    if (sysinfo(&now) < 0)
        return FAULT(-errno);
    *ret_s = now.uptime;
    return 0;
}

/* True when the part is there; `r` is what reading it came back with. */
static bool part_read(struct host *host, struct node_status_out *out, const char *part, int r)
{
    if (r == 0)
        return true;
    out->missing.v[out->missing.n++] =
        arena_printf(host->arena, "%s: %s", part, strerrordesc_np(-r));
    out->has_missing = true;
    return false;
}

int op_node_status(struct host *host, const struct none *input, struct node_status_out *ret_out)
{
    struct node_status_out *out = ret_out;
    int64_t uptime_s;

    (void)input;
    int r = host_read_uptime(host, &uptime_s);
    if (r)
        return r;
    char *uptime = arena_alloc(host->arena, DURATION_TEXT_SIZE + 24);
    uptime_format(uptime_s, uptime);
    SET(out, uptime, uptime);

    out->missing.v = arena_alloc(host->arena, PARTS * sizeof(*out->missing.v));
    out->has_load_average =
        part_read(host, out, "load_average", host_read_load(host, &out->load_average));
    out->has_memory = part_read(host, out, "memory", host_read_memory(host, &out->memory));
    out->has_os_info = part_read(host, out, "os_info", host_read_os(host, &out->os_info));
    part_read(host, out, "disks", host_read_disks(host, &out->disks));
    out->has_disks = true; /* empty when they could not be read */
    return 0;
}

int op_node_uptime(struct host *host, const struct none *input, struct node_uptime_out *ret_out)
{
    int64_t uptime_s;

    (void)input;
    int r = host_read_uptime(host, &uptime_s);
    if (r)
        return r;
    char *uptime = arena_alloc(host->arena, DURATION_TEXT_SIZE);
    duration_format(uptime_s * US_PER_S, uptime);
    SET(ret_out, uptime, uptime);
    return 0;
}

/* The name itself is in every answer already. */
int op_node_hostname(struct host *host, const struct none *input, struct node_hostname_out *ret_out)
{
    (void)input;
    if (host->labels && host->labels->n)
        SET(ret_out, labels, *host->labels);
    return 0;
}
