/* SPDX-License-Identifier: MIT */
/*
 * Prints docs/types.h. A program of the build, not installed.
 */
#include "catalog/catalog.h"

int main(void)
{
    struct buf text;
    size_t written;

    buf_init(&text, (size_t)4 << 20);
    types_write(&text);
    written = fwrite(text.at, 1, text.size, stdout);
    buf_release(&text);
    return written && !fflush(stdout) ? 0 : 1;
}
