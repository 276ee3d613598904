/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads with one lock.
 *
 * n_busy <= n_max holds always, and a thread exists for each work given, so that no work waits for
 * another's end.
 */
#include "agent/worker.h"
#include "base/fault.h"
#include "base/mem.h"
#include "bus/bus.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct worker_pool {
    const char *hostname;
    const struct str_map *labels;
    int n_max;
    int done_fd;
    pthread_attr_t thread_attr;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t given, ended;
    struct work *queue, *done;
    int n_queued, n_idle, n_threads;
    int n_busy; /* given and not done, abandoned ones included */
    bool closing;
};

/* ---- work ---- */

int work_new(const struct op *op, struct slice data, int64_t limit_us, struct work **ret)
{
    int cancel_fd = FAULT_POINT("work.make") ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (cancel_fd < 0)
        return FAULT(-errno);
    struct work *work = mem_alloc(sizeof(*work));
    work->op = op;
    arena_init_secret(&work->arena);
    work->data = (struct slice){.at = arena_copy(&work->arena, data), .size = data.size};
    work->host = (struct host){.arena = &work->arena, .limit_us = limit_us, .cancel_fd = cancel_fd};
    buf_init_secret(&work->result, BUS_MESSAGE_MAX);
    *ret = work;
    return 0;
}

void work_free(struct work *work)
{
    if (!work)
        return;
    close(work->host.cancel_fd);
    buf_release(&work->result);
    arena_release(&work->arena);
    explicit_bzero(work, sizeof(*work)); /* with the text of an error */
    mem_free(work);
}

void work_cancel(struct work *work)
{
    eventfd_write(work->host.cancel_fd, 1);
}

static void work_do(struct work *work)
{
    work->outcome = host_run(work->op, &work->host, work->data, &work->result);
    if (buf_overflowed(&work->result)) {
        buf_clear(&work->result);
        work->outcome = host_fail(&work->host, run_code_ERROR,
                                  "the result is larger than %zu bytes", BUS_MESSAGE_MAX);
    }
    work->finished_boot_us = clock_boot_us();
}

/* ---- threads ---- */

static struct work *pop(struct work **list)
{
    struct work *work = *list;

    if (work)
        *list = work->next;
    return work;
}

static void append(struct work **list, struct work *work)
{
    while (*list)
        list = &(*list)->next;
    work->next = NULL;
    *list = work;
}

/* NULL when this thread should end. Called and returns with the lock held. */
static struct work *next_work(struct worker_pool *pool)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WORKER_IDLE_S;
    while (!pool->queue) {
        if (pool->closing)
            return NULL;
        pool->n_idle++;
        int r = pthread_cond_timedwait(&pool->given, &pool->lock, &until);
        pool->n_idle--;
        if (r == ETIMEDOUT && !pool->queue)
            return NULL;
    }
    pool->n_queued--;
    return pop(&pool->queue);
}

static void work_done(struct worker_pool *pool, struct work *work)
{
    pool->n_busy--;
    if (work->abandoned) {
        work_free(work);
        return;
    }
    append(&pool->done, work);
    eventfd_write(pool->done_fd, 1);
}

static void *worker_main(void *argument)
{
    struct worker_pool *pool = argument;
    struct work *work;

    pthread_mutex_lock(&pool->lock);
    while ((work = next_work(pool))) {
        pthread_mutex_unlock(&pool->lock);
        work_do(work);
        pthread_mutex_lock(&pool->lock);
        work_done(pool, work);
    }
    if (--pool->n_threads == 0)
        pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static int thread_start(struct worker_pool *pool)
{
    pthread_t thread;
    int error = FAULT_POINT("worker.thread")
                    ? errno
                    : pthread_create(&thread, &pool->thread_attr, worker_main, pool);

    if (error)
        return FAULT(-error);
    pool->n_threads++;
    return 0;
}

/* ---- the pool ---- */

int worker_pool_open(int n_max, const char *hostname, const struct str_map *labels,
                     struct worker_pool **ret)
{
    int done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (done_fd < 0)
        return FAULT(-errno);
    struct worker_pool *pool = mem_alloc(sizeof(*pool));
    pool->hostname = hostname;
    pool->labels = labels;
    pool->n_max = n_max;
    pool->done_fd = done_fd;
    pthread_attr_init(&pool->thread_attr);
    pthread_attr_setdetachstate(&pool->thread_attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&pool->thread_attr, WORKER_STACK_SIZE);
    pthread_mutex_init(&pool->lock, NULL);

    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->given, &monotonic);
    pthread_cond_init(&pool->ended, NULL);
    pthread_condattr_destroy(&monotonic);
    *ret = pool;
    return 0;
}

void worker_pool_close(struct worker_pool *pool)
{
    struct work *work;

    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->given);
    while (pool->n_threads > 0)
        pthread_cond_wait(&pool->ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);

    while ((work = pop(&pool->done)))
        work_free(work);
    pthread_cond_destroy(&pool->given);
    pthread_cond_destroy(&pool->ended);
    pthread_mutex_destroy(&pool->lock);
    pthread_attr_destroy(&pool->thread_attr);
    close(pool->done_fd);
    mem_free(pool);
}

int worker_pool_fd(const struct worker_pool *pool)
{
    return pool->done_fd;
}

int worker_pool_room(struct worker_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    int room = pool->n_max - pool->n_busy;
    pthread_mutex_unlock(&pool->lock);
    return room;
}

int worker_give(struct worker_pool *pool, struct work *work)
{
    int r = 0;

    work->host.hostname = pool->hostname;
    work->host.labels = pool->labels;
    pthread_mutex_lock(&pool->lock);
    assert(pool->n_busy < pool->n_max);
    if (pool->n_queued + 1 > pool->n_idle)
        r = thread_start(pool);
    if (!r) {
        append(&pool->queue, work);
        pool->n_queued++;
        pool->n_busy++;
        pthread_cond_signal(&pool->given);
    }
    pthread_mutex_unlock(&pool->lock);
    return r;
}

struct work *worker_take(struct worker_pool *pool)
{
    eventfd_t ignored;

    pthread_mutex_lock(&pool->lock);
    struct work *work = pop(&pool->done);
    if (!pool->done)
        eventfd_read(pool->done_fd, &ignored);
    pthread_mutex_unlock(&pool->lock);
    return work;
}

/* It may be done already, and wait to be taken. */
void worker_abandon(struct worker_pool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    for (struct work **at = &pool->done; *at; at = &(*at)->next) {
        if (*at != work)
            continue;
        *at = work->next;
        work_free(work);
        work = NULL;
        break;
    }
    if (work)
        work->abandoned = true;
    pthread_mutex_unlock(&pool->lock);
}
