/* SPDX-License-Identifier: MIT */
/*
 * What the two files of the mix share: chance, and the rows of what hosts are asked.
 */
#ifndef REEVE_BENCH_MIX_INSIDE_H
#define REEVE_BENCH_MIX_INSIDE_H

#include "mix.h"

#define MILLE            1000u
#define MIX_DOCUMENT_MIN 3000.0
#define MIX_DOCUMENT_MAX 12000.0
#define MIX_LOGS_SIZE    ((size_t)256 << 10)

uint64_t mix_draw(struct mix *mix);
uint32_t mix_draw_below(struct mix *mix, uint32_t n);

typedef void mix_write(struct mix *mix, struct buf *to);

struct mix_operation {
    enum op_id op;
    unsigned of_mille;
    mix_write *payload, *result; /* JSON */
};

/* Rows that make up a thousand. */
extern const struct mix_operation mix_operations[], mix_broadcasts[];

/* What documents are cut from. */
void mix_write_logs(struct mix *mix);

#endif
