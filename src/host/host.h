/* SPDX-License-Identifier: MIT */
/*
 * What operations do on a host. One file a domain; each function op_<id>() gets a struct host, its
 * decoded input and an output to fill.
 *
 * A function reads and changes this machine and nothing else: no bus, no runlog, no controller. It
 * may block; it is called in a worker thread, several at once. Memory comes from host->arena.
 */
#ifndef REEVE_HOST_HOST_H
#define REEVE_HOST_HOST_H

#include "base/arena.h"
#include "base/spawn_identity.h"
#include "catalog/catalog.h"

struct host {
    struct arena *arena;
    const char *hostname;         /* as the agent presents it */
    const struct str_map *labels; /* of the agent's configuration; may be NULL */
    int64_t limit_us;             /* time this run may take, from now */
    int cancel_fd;                /* readable means: stop; -1: none */
    /* Whom programs run as that users give; NULL: as the agent. */
    const struct spawn_identity *run_as;
    bool changed; /* set by the function when the host was changed */
    /* Filled by host_fail(), host_skip(). */
    enum run_code code;
    char error[REFUSAL_TEXT_SIZE];
};

/* Outcomes of an operation's function: 0 completed; HOST_FAILED, HOST_SKIPPED as below; < 0 a
   fault, which counts as failed(error) with the errno's text. Output that was set is kept in every
   case. */
enum { HOST_FAILED = 1000, HOST_SKIPPED };
/* return host_fail(host, run_code_ERROR, "…", …); */
int host_fail(struct host *host, enum run_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int host_skip(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Decodes `data`, runs the operation, encodes its output into *ret_data (empty when it did not
   complete and nothing was set). Outcomes as above; input that does not decode is failed(error). */
int host_run(const struct op *op, struct host *host, struct slice data, struct buf *ret_data);

/* Parts that facts and vitals of an agent share with the operations; each 0 or a fault. */
int host_read_load(struct host *host, struct load_average *ret);
int host_read_memory(struct host *host, struct memory *ret);
int host_read_os(struct host *host, struct os_info *ret);
int host_read_disks(struct host *host, struct disk_list *ret);
int host_read_uptime(struct host *host, int64_t *ret_s);

#endif
