/* SPDX-License-Identifier: MIT */
/*
 * Texts that the kernel and the distribution write, and what they say.
 *
 * No I/O here: each function takes the text as an argument, so that tests need no odd machine.
 */
#ifndef REEVE_HOST_PROCFS_H
#define REEVE_HOST_PROCFS_H

#include "host/host.h"

/* More are not shown. */
#define MOUNTS_MAX 1024

/* mountinfo of proc(5): the mounts of local file systems, each device once, by its shortest mount
   point; the root file system also when it is none, as in containers. Ordered by mount point; sizes
   are not set. */
void mounts_parse(struct slice mountinfo, struct arena *arena, struct disk_list *ret);

/* meminfo of proc(5): 0, or -ENODATA without total, free and available. */
int memory_parse(struct slice meminfo, struct memory *ret);

/* loadavg of proc(5): 0 or -ENODATA. */
int load_parse(struct slice loadavg, struct load_average *ret);

/* os-release(5), and Debian's version file (empty: none), which alone tells the point release. 0,
   or -ENODATA without an ID. */
int os_parse(struct slice os_release, struct slice debian_version, struct arena *arena,
             struct os_info *ret);

#endif
