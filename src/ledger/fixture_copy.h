/* SPDX-License-Identifier: MIT */
/*
 * A ledger of random jobs and a copy of it in an array, which knows by brute force what a filter
 * means: for the tests that compare the two.
 *
 * Random numbers are one sequence, from a seed that is printed; the copy is changed only here, with
 * the ledger.
 */
#ifndef REEVE_LEDGER_FIXTURE_COPY_H
#define REEVE_LEDGER_FIXTURE_COPY_H

#include "ledger/fixture.h"

#define COPY_AT_FIRST   70000u /* jobs: the border of a block lies among them */
#define COPY_JOBS_MAX   1200000u
#define COPY_HOSTS      8u
#define COPY_USERS      3u
#define COPY_BULKS      3u
#define COPY_FILTERS    24u /* asked again and again, so that what is remembered of them is used */
#define COPY_OPERATIONS 5u

extern const char *const copy_operations[COPY_OPERATIONS];
extern const char *const copy_users[COPY_USERS];

struct copy_job {
    uint64_t seq;
    int64_t created_us;
    struct uuid id;
    uint8_t operation, user, target, n_hosts, bulk;
    uint8_t hosts[COPY_HOSTS]; /* ascending */
    uint8_t states[COPY_HOSTS], codes[COPY_HOSTS];
    enum job_status status;
    char target_text[33];
    bool is_there, cancelled, changed;
};

struct copy {
    struct fixture fixture;
    struct copy_job *jobs;  /* oldest first */
    uint32_t n_jobs, first; /* jobs before `first` are gone */
    char names[COPY_HOSTS + 1][16], machines[COPY_HOSTS + 1][33];
    struct uuid bulks[COPY_BULKS];
    struct ledger_filter filters[COPY_FILTERS];
    char texts[COPY_FILTERS][2][33]; /* of hostname and target */
};

/* REEVE_SEED, or the time; printed. */
void random_seed(void);
uint64_t random_next(void);
uint32_t random_below(uint32_t n);
bool one_in(uint32_t n);

/* Filled with COPY_AT_FIRST jobs. */
struct copy *copy_new(void);
void copy_free(struct copy *copy);
/* n random records in one commit. */
void copy_batch(struct copy *copy, uint32_t n);
/* The oldest jobs go, until only the last block or two have any. */
void copy_drop_front(struct copy *copy);

unsigned copy_job_codes(const struct copy_job *job); /* 1 << enum run_code */
/* All but the statuses. */
bool copy_matches(const struct copy *copy, const struct copy_job *job,
                  const struct ledger_filter *filter);

const struct copy_job *copy_random_job(const struct copy *copy);
/* About when some job was created. */
int64_t copy_random_time(const struct copy *copy);
/* Another copy->filters[i], without statuses and times. */
void copy_choose_filter(struct copy *copy, unsigned i);

#endif
