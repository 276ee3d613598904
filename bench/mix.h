/* SPDX-License-Identifier: MIT */
/*
 * What a fleet's ledger consists of: agents and jobs, as the records that a core would make.
 *
 * The same seed gives the same records. Shares are of all jobs; README.md lists them. Texts of a
 * record live in the mix until the next one is made.
 */
#ifndef REEVE_BENCH_MIX_H
#define REEVE_BENCH_MIX_H

#include "base/buf.h"
#include "job/record.h"

#define MIX_BROADCAST_HOSTS 100u
#define MIX_NAME_SIZE       64
#define MIX_MACHINE_ID_SIZE 33

struct mix_options {
    uint64_t seed, n_jobs;
    uint32_t n_hosts;
    uint64_t n_open;           /* of the newest jobs: they have not begun */
    int64_t begin_us, span_us; /* jobs are spread evenly over it */
};

struct mix {
    struct mix_options is;
    uint64_t random, n_made;
    struct buf logs; /* what documents are cut from: JSON string contents, in lines */
    struct buf payload, result, labels;
    char target[MIX_NAME_SIZE], hostname[MIX_NAME_SIZE], machine_id[MIX_MACHINE_ID_SIZE];
    host_number hosts[MIX_BROADCAST_HOSTS];
};

/* How a job goes on after it was submitted. */
struct mix_job {
    struct record submitted;
    const struct mix_operation *operation;
    uint32_t n_runs;   /* that end; 0: the job is left open */
    uint32_t n_failed; /* of them, the first ones */
    enum run_code code;
};

void mix_init(struct mix *mix, const struct mix_options *options);
void mix_release(struct mix *mix);

void mix_hostname(host_number host, char ret[MIX_NAME_SIZE]);
void mix_machine_id(host_number host, char ret[MIX_MACHINE_ID_SIZE]);
/* Hosts are made in order, from 1. */
struct record mix_agent(struct mix *mix, host_number host);
struct mix_job mix_job(struct mix *mix);
/* How a run of the job ended that has become `seq`. */
struct record mix_outcome(struct mix *mix, const struct mix_job *job, uint64_t seq, uint32_t run);

#endif
