/* SPDX-License-Identifier: MIT */
/*
 * A disk that nobody else writes to: ext4 on a loop device. How fast it is says nothing; how much
 * is written to it does.
 */
#ifndef REEVE_BENCH_OWN_DISK_H
#define REEVE_BENCH_OWN_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* Its directory, beneath `scratch`, where its file stays. Only this process and those it starts see
   it, and it ends with them. False when this machine does not let us: that takes root and loop
   devices. */
bool own_disk_open(const char *scratch, char *ret_dir, size_t dir_size);

#endif
