/* SPDX-License-Identifier: MIT */
/*
 * A load of HTTP requests from one thread: keep-alive connections, each with one request on its
 * way.
 *
 * A reply that is not 2xx or 304, or that does not state its length, ends the program: a wrong
 * figure is worse than none.
 */
#ifndef REEVE_BENCH_LOAD_H
#define REEVE_BENCH_LOAD_H

#include "base/buf.h"
#include "latency.h"

#define LOAD_CONNECTIONS_MAX 256u

/* Appends the next request, whole. `number` counts from 0 in each load. */
typedef void load_request(void *owner, uint64_t number, struct buf *to);

struct load {
    uint16_t port; /* of 127.0.0.1 */
    unsigned n_connections;
    int64_t for_us;
    uint64_t n_max;      /* requests, 0: no end but the time's */
    uint64_t per_second; /* 0: as many as it takes; what can't keep up is not made up for */
    load_request *request;
    void *owner;
};

struct load_result {
    uint64_t n, bytes;
    double seconds;
    struct latency latency;
};

void load_run(const struct load *load, struct load_result *ret);
double load_per_second(const struct load_result *result);

#endif
