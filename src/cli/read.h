/* SPDX-License-Identifier: MIT */
/*
 * Reading what is no regular file: standard input, pipes, process substitutions.
 */
#ifndef REEVE_CLI_READ_H
#define REEVE_CLI_READ_H

#include "base/buf.h"

/* Appends all that comes until the end, or until `to` overflows; "-" is standard input. 0 or
 * -errno. */
int read_path(const char *path, struct buf *to);

#endif
