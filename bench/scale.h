/* SPDX-License-Identifier: MIT */
/*
 * What the parts of `scale` share: whom they measure, and what they found.
 */
#ifndef REEVE_BENCH_SCALE_H
#define REEVE_BENCH_SCALE_H

#include "base/arena.h"
#include "cases.h"
#include "controller.h"
#include "load.h"
#include "measure.h"
#include "peers.h"

#define SIZES_MAX     8
#define CLIENTS       32u      /* keep-alive connections that ask for pages */
#define SIZE_COMPARED 1000000u /* jobs of the ledger that peers are compared with */
#define CLIENT_COUNTS 3
#define BATCH_JOBS    64

/* One case, round after round. */
struct case_samples {
    struct samples per_second, p50_us, p99_us;
};

/* A ledger of one size, and its controller. */
struct size {
    uint64_t n_jobs;
    const char *state;
    struct controller controller;
    struct asked asked;
    struct case_samples cases[CASE_COUNT];
    struct samples ready_cold_us, page_cold_p50_us, page_cold_p99_us;
    struct latency new_filters;
    double anon_new, anon_used, disk_size; /* bytes */
};

/* The ledger that changes while it is asked. */
struct changing {
    struct case_samples nginx, cases[CASE_COUNT];
    double changes_per_second; /* applied */
};

struct submitting {
    struct case_samples commands[CLIENT_COUNTS], queries[CLIENT_COUNTS];
    struct series commits, syncs, batches; /* U, F, and BATCH_JOBS submissions in one commit */
};

struct scale {
    const char *programs, *dir, *log; /* dir: holds ledgers and scratch */
    const char *scratch;
    unsigned n_rounds;
    int64_t slice_us;
    struct arena arena;
    struct size sizes[SIZES_MAX];
    size_t n_sizes;
    struct size *compared; /* NULL: that size is not among them */
    bool has_nginx;
    uint16_t nginx_port;
    struct case_samples nginx;
    struct changing changing;
    struct submitting submitting;
    struct peers peers;
    unsigned peer_seconds; /* 0: peers are left out */
};

extern const unsigned scale_client_counts[CLIENT_COUNTS];

/* Runs a load and adds what it found. */
void scale_sample(const struct load *load, struct case_samples *to);
/* Random pages, so that what is asked for afterwards is mapped: the first to touch a page of the
   file waits for the kernel. */
void scale_warm_up(const struct controller *controller, struct asked *asked);
/* One slice of a case. */
void scale_ask(const struct scale *scale, const struct controller *controller, struct asked *asked,
               enum list_case list_case, struct case_samples *to);
/* One slice of the same page from nginx, if there is one. */
void scale_ask_nginx(const struct scale *scale, struct case_samples *to);
/* The ledger of a state directory is made when it is not there. */
void scale_fill(const struct scale *scale, const char *state, uint64_t n_jobs);
/* Reads the newest page: its tag is noted; its bytes are written to `file` unless that is NULL. */
void scale_read_page(const struct controller *controller, struct asked *asked, const char *file);
struct asked scale_asked(const struct controller *controller, uint64_t n_jobs);

void scale_measure_lists(struct scale *scale);      /* scale_list.c */
void scale_measure_changing(struct scale *scale);   /* scale_submit.c */
void scale_measure_submitting(struct scale *scale); /* scale_submit.c */

/* scale_figures.c: adds all but those of `one`. */
struct figures;
void scale_figures(struct scale *scale, struct figures *to);
/* scale_report.c: `one` is the file of the figures of `one`, or NULL. */
struct scale_report {
    const char *one, *json, *chart;
};
void scale_report(struct scale *scale, const struct scale_report *report);

#endif
