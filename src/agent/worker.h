/* SPDX-License-Identifier: MIT */
/*
 * The threads that do operations.
 *
 * A pool takes no more work than it has threads: what has to wait, waits in the main thread, where
 * it can be cancelled. Threads are made when needed and end after WORKER_IDLE_S without work.
 */
#ifndef REEVE_AGENT_WORKER_H
#define REEVE_AGENT_WORKER_H

#include "host/host.h"

#define WORKER_IDLE_S     30
#define WORKER_STACK_SIZE ((size_t)256 << 10)

/* One operation to be done; input and result are wiped with it. Belongs to the pool from
   worker_give() until worker_take() gives it back. */
struct work {
    const struct op *op;
    struct slice data; /* input, in `arena` */
    void *owners;
    struct arena arena;
    struct host host; /* code, error, changed are the worker's word */
    struct buf result;
    int outcome; /* of host_run() */
    int64_t finished_boot_us;
    /* The pool's own. */
    struct work *next;
    bool abandoned;
};

/* Copies `data`. 0 or a fault. */
int work_new(const struct op *op, struct slice data, int64_t limit_us, struct work **ret);
void work_free(struct work *work);
/* Tells the operation to stop; it may not listen. From any thread, while the work is not freed. */
void work_cancel(struct work *work);

struct worker_pool;

/* `hostname` and `labels` must outlive the pool. 0 or a fault. */
int worker_pool_open(int n_max, const char *hostname, const struct str_map *labels,
                     struct worker_pool **ret);
/* Waits for what is still being done. */
void worker_pool_close(struct worker_pool *pool);
/* Readable when worker_take() has something. */
int worker_pool_fd(const struct worker_pool *pool);
/* How many more works the pool would take now; an abandoned one counts until it comes back after
   all. */
int worker_pool_room(struct worker_pool *pool);

/* Only when there is room. 0, or a fault: the work is the caller's again. */
int worker_give(struct worker_pool *pool, struct work *work);
/* Work that is done, or NULL. */
struct work *worker_take(struct worker_pool *pool);
/* Nobody waits for it any more: whenever it ends, it is freed. */
void worker_abandon(struct worker_pool *pool, struct work *work);

#endif
