/* SPDX-License-Identifier: MIT */
/*
 * Other programs that do the same, by the scripts of bench/peers: what they measured.
 */
#ifndef REEVE_BENCH_PEERS_H
#define REEVE_BENCH_PEERS_H

#include "base/arena.h"
#include "base/json.h"

#define PEER_LINES_MAX 64

/* What a script printed of one case, with one number of clients. */
struct peer_line {
    const char *peer, *list_case;
    int64_t clients;
    double per_second, p50_ms, p99_ms;
};

struct peers {
    const char *scripts, *scratch; /* directories */
    struct arena arena;
    struct peer_line lines[PEER_LINES_MAX];
    unsigned n;
};

/* Runs a script to its end. False: it failed, which the log in `scratch` tells of. Lines that it
   printed are added. */
bool peers_run(struct peers *peers, const char *const *argv);
/* Starts, loads, measures and removes a peer with as many jobs; lines are added. False: it failed.
 */
bool peers_measure(struct peers *peers, const char *peer, uint64_t n_jobs, unsigned seconds);

/* nginx with a file of these bytes; false when there is no nginx. */
bool peers_start_nginx(struct peers *peers, const char *file, uint16_t *ret_port);
void peers_stop_nginx(struct peers *peers);

/* The line with the most requests a second; NULL when there is none. 0 clients: with any number. */
const struct peer_line *peers_best(const struct peers *peers, const char *peer,
                                   const char *list_case, int64_t clients);

#endif
