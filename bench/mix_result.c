/* SPDX-License-Identifier: MIT */
/*
 * What hosts are asked and what they answer, as JSON; every answer has the form of its operation.
 */
#include "mix_inside.h"

#include "base/mem.h"

#include <math.h>

/* ---- chance ---- */

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014). */
uint64_t mix_draw(struct mix *mix)
{
    uint64_t z = mix->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t mix_draw_below(struct mix *mix, uint32_t n)
{
    return (uint32_t)((mix_draw(mix) >> 32) * n >> 32);
}

/* Small ones more often: evenly by their logarithm. */
static uint32_t draw_size(struct mix *mix, double min, double max)
{
    double part = (double)(mix_draw(mix) >> 11) / (double)(UINT64_C(1) << 53);

    return (uint32_t)(min * pow(max / min, part));
}

/* ---- operations ---- */

static void write_nothing(struct mix *mix, struct buf *to)
{
    (void)mix;
    buf_add_text(to, "{}");
}

static void write_load_average(struct mix *mix, struct buf *to)
{
    buf_printf(to, "\"load_average\":{\"1min\":%u.%02u,\"5min\":0.%02u,\"15min\":0.%02u}",
               mix_draw_below(mix, 4), mix_draw_below(mix, 100), mix_draw_below(mix, 100),
               mix_draw_below(mix, 100));
}

static void write_memory_member(struct mix *mix, struct buf *to)
{
    unsigned used_mb = 1000 + mix_draw_below(mix, 30000);

    buf_printf(to,
               "\"memory\":{\"total\":33554432000,\"free\":%u000000,\"used\":%u000000,"
               "\"available\":%u000000}",
               32000 - used_mb, used_mb, 33000 - used_mb);
}

static void write_disks(struct mix *mix, struct buf *to)
{
    unsigned used_mb = 10000 + mix_draw_below(mix, 90000);

    buf_printf(to,
               "\"disks\":[{\"name\":\"/\",\"total\":107374182400,\"used\":%u000000,"
               "\"free\":%u000000,\"device\":\"/dev/vda1\",\"fstype\":\"ext4\"}]",
               used_mb, 107374 - used_mb);
}

static void write_os(struct mix *mix, struct buf *to)
{
    buf_printf(to, "\"os_info\":{\"distribution\":\"debian\",\"version\":\"%u\"}",
               12 + mix_draw_below(mix, 2));
}

static void write_uptime(struct mix *mix, struct buf *to)
{
    buf_printf(to, "\"uptime\":\"%uh%um%us\"", mix_draw_below(mix, 2000), mix_draw_below(mix, 60),
               mix_draw_below(mix, 60));
}

static void write_object(struct mix *mix, struct buf *to, mix_write *member)
{
    buf_add_text(to, "{");
    member(mix, to);
    buf_add_text(to, "}");
}

static void result_load(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_load_average);
}

static void result_memory(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_memory_member);
}

static void result_disk(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_disks);
}

static void result_os(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_os);
}

static void result_uptime(struct mix *mix, struct buf *to)
{
    write_object(mix, to, write_uptime);
}

static void result_status(struct mix *mix, struct buf *to)
{
    static mix_write *const members[] = {write_load_average, write_memory_member, write_os,
                                         write_disks};

    buf_add_text(to, "{");
    write_uptime(mix, to);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        buf_add_text(to, ",");
        members[i](mix, to);
    }
    buf_add_text(to, "}");
}

static void result_hostname(struct mix *mix, struct buf *to)
{
    buf_printf(to, "{\"labels\":{\"group\":\"web.%s\"}}", mix_draw_below(mix, 4) ? "prod" : "dev");
}

static void payload_exec(struct mix *mix, struct buf *to)
{
    buf_printf(to,
               "{\"command\":\"systemctl\",\"args\":[\"is-active\",\"worker@%u\"],\"timeout\":30}",
               mix_draw_below(mix, 16));
}

static void payload_shell(struct mix *mix, struct buf *to)
{
    buf_printf(to, "{\"command\":\"pgrep -c worker-%u || true\",\"timeout\":30}",
               mix_draw_below(mix, 16));
}

static void payload_document(struct mix *mix, struct buf *to)
{
    buf_printf(to,
               "{\"command\":\"journalctl\",\"args\":[\"-u\",\"worker@%u\",\"-n\",\"100\"],"
               "\"timeout\":30}",
               mix_draw_below(mix, 16));
}

static void write_output(struct mix *mix, struct buf *to, struct slice out)
{
    buf_add_text(to, "{\"stdout\":\"");
    buf_add_slice(to, out);
    buf_printf(to, "\",\"stderr\":\"\",\"exit_code\":0,\"duration_ms\":%u}",
               2 + mix_draw_below(mix, 60));
}

static void result_exec(struct mix *mix, struct buf *to)
{
    write_output(mix, to, SLICE("active\\n"));
}

static void result_shell(struct mix *mix, struct buf *to)
{
    write_output(mix, to, SLICE("4\\n"));
}

static void result_document(struct mix *mix, struct buf *to)
{
    uint32_t size = draw_size(mix, MIX_DOCUMENT_MIN, MIX_DOCUMENT_MAX);
    uint32_t from = mix_draw_below(mix, (uint32_t)(MIX_LOGS_SIZE - (size_t)MIX_DOCUMENT_MAX));
    const char *at = mix->logs.at + from;

    /* Never inside an escape: those stand at the ends of lines, as \n. */
    while (at[-1] == '\\' || at[size - 1] == '\\')
        at++;
    write_output(mix, to, (struct slice){.at = at, .size = size});
}

const struct mix_operation mix_operations[] = {
    {OP_node_status, 150, write_nothing, result_status},
    {OP_node_hostname, 150, write_nothing, result_hostname},
    {OP_node_uptime, 150, write_nothing, result_uptime},
    {OP_node_load, 130, write_nothing, result_load},
    {OP_node_memory, 110, write_nothing, result_memory},
    {OP_node_disk, 80, write_nothing, result_disk},
    {OP_node_os, 60, write_nothing, result_os},
    {OP_command_exec, 100, payload_document, result_document},
    {OP_command_exec, 50, payload_exec, result_exec},
    {OP_command_shell, 20, payload_shell, result_shell},
};

/* Broadcasts ask for little, or the ledger would be made of them. */
const struct mix_operation mix_broadcasts[] = {
    {OP_node_uptime, 600, write_nothing, result_uptime},
    {OP_command_shell, 400, payload_shell, result_shell},
};

/* ---- documents ---- */

void mix_write_logs(struct mix *mix)
{
    buf_add_text(&mix->logs, "-- Journal --\\n");
    while (mix->logs.size < MIX_LOGS_SIZE + (size_t)MIX_DOCUMENT_MAX)
        buf_printf(
            &mix->logs,
            "Nov 24 %02u:%02u:%02u web worker[%u]: request %08x served in %u ms, %u bytes\\n",
            mix_draw_below(mix, 24), mix_draw_below(mix, 60), mix_draw_below(mix, 60),
            300 + mix_draw_below(mix, 30000), (unsigned)mix_draw(mix), mix_draw_below(mix, 900),
            mix_draw_below(mix, 90000));
}
