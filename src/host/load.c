/* SPDX-License-Identifier: MIT */
/*
 * Load averages of this host, by /proc/loadavg.
 */
#include "base/file.h"
#include "base/mem.h"
#include "host/procfs.h"

#include <errno.h>
#include <math.h>

#define LOADAVG_MAX ((size_t)4096)

int load_parse(struct slice loadavg, struct load_average *ret)
{
    double loads[3];

    for (size_t i = 0; i < COUNT_OF(loads); i++) {
        struct slice word;
        char text[32], *end;

        slice_cut(&loadavg, ' ', &word);
        if (word.size == 0 || word.size >= sizeof(text))
            return FAULT(-ENODATA);
        memcpy(text, word.at, word.size);
        text[word.size] = '\0';
        loads[i] = strtod(text, &end);
        if (*end || !isfinite(loads[i]))
            return FAULT(-ENODATA);
    }

    struct load_average load = {.row_ = {0}};
    SET(&load, one, loads[0]);
    SET(&load, five, loads[1]);
    SET(&load, fifteen, loads[2]);
    *ret = load;
    return 0;
}

int host_read_load(struct host *host, struct load_average *ret)
{
    struct slice loadavg;
    int r = file_read("/proc/loadavg", LOADAVG_MAX, host->arena, &loadavg);

    if (r)
        return r;
    return load_parse(loadavg, ret);
}

int op_node_load(struct host *host, const struct none *input, struct node_load_out *ret_out)
{
    (void)input;
    int r = host_read_load(host, &ret_out->load_average);
    if (r)
        return r;
    ret_out->has_load_average = true;
    return 0;
}
