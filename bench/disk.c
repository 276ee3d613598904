/* SPDX-License-Identifier: MIT */
/*
 * What the disk asks for: one appended record made durable, against one LMDB commit of five tables.
 *
 * All take turns on the same disk, so that what else it does falls on all alike. The ratio is why a
 * batch of records shares one commit. Usage: disk [DIRECTORY]; the directory (default: the current
 * one) gets some hundred megabytes, which are removed again.
 */
#include "base/clock.h"
#include "durable.h"
#include "measure.h"

#define BATCH_SIZE 64 /* rows of a batch, for what sharing a commit saves */

static void print_series(const char *name, struct series *series)
{
    printf("%-36s p50 %6.3f ms  p90 %6.3f ms\n", name, series_percentile_ms(series, 50),
           series_percentile_ms(series, 90));
}

static double ratio(struct series *a, struct series *b)
{
    return series_percentile_ms(a, 50) / series_percentile_ms(b, 50);
}

int main(int argc, char **argv)
{
    static struct series append, commit, batch;
    struct durable durable;

    durable_open(&durable, argc > 1 ? argv[1] : ".");
    for (unsigned i = 0; i < SERIES_MAX; i++) {
        int64_t began_us = clock_boot_us();
        durable_append(&durable);
        series_add(&append, began_us);
        began_us = clock_boot_us();
        durable_commit(&durable, 1);
        series_add(&commit, began_us);
        began_us = clock_boot_us();
        durable_commit(&durable, BATCH_SIZE);
        series_add(&batch, began_us);
    }
    durable_remove(&durable);
    print_series("append 400 bytes, fdatasync", &append);
    print_series("LMDB commit, 1 row in 5 tables", &commit);
    print_series("LMDB commit, 64 rows in 5 tables", &batch);
    printf("a commit costs %.1f appends; 64 rows in one commit cost %.1f single commits\n",
           ratio(&commit, &append), ratio(&batch, &commit));
    return 0;
}
