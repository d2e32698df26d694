/* See pool.h. */
#include "runner/host/pool.h"

#include <stdbool.h>

#include "runner/base/error.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/loop.h"
#include "runner/host/worker_state.h"

enum {
    /* Waits beyond what runs, so that the next task finds a warm one while another is being made.
     */
    SPARE = 1,
    /* A task that takes longer than this is not held up by a fork; most are over by then. */
    SUCCESSOR_AFTER_US = 4000,
    /* After a time without tasks one child is enough: each costs memory. */
    REST_AFTER_US = 10 * 1000 * 1000,
};

struct pool {
    struct workers *workers;
    size_t most, wanted;
    struct timer *successor, *rest;
};

static size_t count(const struct pool *pool, bool idle)
{
    size_t found = 0;

    for (const struct worker *worker = pool->workers->list; worker; worker = worker->next)
        found += idle ? worker->idle && !worker->doomed : worker->events != NULL;
    return found;
}

static void make_missing(struct pool *pool)
{
    for (size_t waiting = count(pool, true); waiting < pool->wanted; waiting++) {
        AUTO_ERROR struct error *err = NULL;
        struct worker *worker = worker_make(pool->workers, &err);

        if (!worker) {
            log_warn("No child can be made ahead: %s", error_text(err));
            return;
        }
        worker->idle = true;
    }
}

static void on_successor(void *owner)
{
    struct pool *pool = owner;

    if (pool->workers->ready)
        make_missing(pool);
}

static void on_rest(void *owner)
{
    struct pool *pool = owner;
    size_t waiting = count(pool, true);

    pool->wanted = 1;
    for (struct worker *worker = pool->workers->list; worker && waiting > 1; worker = worker->next)
        if (worker->idle && !worker->doomed) {
            worker_kill(worker);
            waiting--;
        }
}

struct pool *pool_new(struct workers *workers, size_t most)
{
    struct pool *pool = mem_alloc(sizeof(*pool));

    *pool = (struct pool){.workers = workers, .most = most, .wanted = most > 0};
    pool->successor = timer_new(workers->loop, on_successor, pool);
    pool->rest = timer_new(workers->loop, on_rest, pool);
    return pool;
}

void pool_drop(struct pool **pool)
{
    struct pool *dropped = mem_steal(pool);

    if (!dropped)
        return;
    timer_drop(&dropped->successor);
    timer_drop(&dropped->rest);
    free(dropped);
}

struct worker *pool_take(struct pool *pool)
{
    struct worker *found = NULL;
    size_t wanted = count(pool, false) + 1 + SPARE;

    if (!pool->most)
        return NULL;
    if (wanted > pool->wanted)
        pool->wanted = wanted < pool->most + SPARE ? wanted : pool->most + SPARE;
    /* the oldest is the last in the list, and the one that is warm */
    for (struct worker *worker = pool->workers->list; worker; worker = worker->next)
        if (worker->idle && !worker->doomed)
            found = worker;
    if (found)
        found->idle = false;
    timer_cancel(pool->rest);
    timer_set(pool->successor, SUCCESSOR_AFTER_US);
    return found;
}

void pool_fill(struct pool *pool)
{
    if (!pool->most || !pool->workers->ready)
        return;
    timer_cancel(pool->successor);
    make_missing(pool);
    if (pool->wanted > 1 && count(pool, false) == 0)
        timer_set(pool->rest, REST_AFTER_US);
}
