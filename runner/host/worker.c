/*
 * One child as the host sees it, from the request to fork until its process has been reaped; see
 * workers.h. Its owner leaves it earlier, when the task has ended or is given up. A child may be
 * killed before the zygote has said which process it is: then that news brings the signal.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/host/guard.h"
#include "runner/host/loop.h"
#include "runner/host/pool.h"
#include "runner/host/scratch.h"
#include "runner/host/worker_state.h"
#include "runner/host/zygote_link.h"

enum { READS_PER_TURN = 16, DRAIN_READS_MAX = 8 * PRINT_CALLS_MAX };

/* ---- its end ---- */

void worker_kill(struct worker *worker)
{
    worker->doomed = true;
    if (worker->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, NULL, 0);
}

void worker_free(struct worker *worker)
{
    struct worker **at = &worker->workers->list;

    while (*at && *at != worker)
        at = &(*at)->next;
    if (*at)
        *at = worker->next;
    if (worker->workers->options->scratch_folder)
        scratch_remove(worker->workers->options->scratch_folder, worker->id);
    watch_drop(&worker->channel);
    io_close(&worker->pidfd);
    buf_free(&worker->payload);
    buf_free(&worker->result);
    request_free(&worker->request);
    free(worker->reason);
    free(worker);
}

/* Nobody waits for the worker any more; it is freed when its process has been reaped. */
static void detach(struct worker *worker)
{
    worker->events = NULL;
    watch_drop(&worker->channel);
    buf_free(&worker->payload);
    buf_free(&worker->result);
    request_free(&worker->request);
    worker_kill(worker);
}

void worker_finish(struct worker *worker, struct worker_outcome *outcome)
{
    const struct worker_events *events = worker->events;

    if (events) {
        outcome->prints_dropped = worker->dropped;
        outcome->reason = worker->reason;
        detach(worker);
        events->ended(worker->owner, outcome);
    }
    buf_free(&outcome->result);
    free(outcome->kind);
}

void worker_finish_simply(struct worker *worker, enum worker_end end, int status)
{
    struct worker_outcome outcome = {.end = end, .status = status};

    worker_finish(worker, &outcome);
}

void worker_end(struct worker *worker, char *reason)
{
    free(worker->reason);
    worker->reason = reason;
    worker_kill(worker);
}

/* ---- its beginning ---- */

static void on_channel(void *owner, int fd)
{
    struct worker *worker = owner;

    /* one that waits for a task has nothing to say: it is dead, or broken */
    if (worker->idle)
        worker_kill(worker);
    if (fd < 0 || worker->idle || worker_read(worker, READS_PER_TURN) < 0)
        watch_drop(&worker->channel);
}

int worker_ask(struct worker *worker, struct error **err)
{
    struct workers *workers = worker->workers;
    int pair[2], asked;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set_errno(err, errno, "make a channel");
    worker->channel_fd = pair[0];
    worker->channel = watch_new(workers->loop, pair[0], on_channel, worker, err);
    if (!worker->channel) {
        io_close(&pair[1]);
        return -1;
    }
    worker->asked_us = clock_us();
    asked = zygote_fork(workers->zygote, worker->id, pair[1], err);
    if (asked < 0)
        return -1;
    if (asked > 0) {
        watch_drop(&worker->channel);
        workers_ask_again(workers);
        return 0;
    }
    worker->asked = true;
    workers_expect_fork(workers);
    if (worker->request.given)
        request_send(worker);
    return 0;
}

struct worker *worker_make(struct workers *workers, struct error **err)
{
    struct worker *worker = mem_alloc(sizeof(*worker));

    *worker = (struct worker){.workers = workers,
                              .id = ++workers->last_id,
                              .pidfd = -1,
                              .channel_fd = -1,
                              .request = {.payload = -1},
                              .next = workers->list};
    workers->list = worker;
    if (workers->ready && worker_ask(worker, err) < 0) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

/* ---- verbs ---- */

struct worker *worker_new(struct workers *workers, const struct worker_events *events, void *owner,
                          struct error **err)
{
    struct worker *worker = pool_take(workers->pool);

    if (worker)
        request_announce(worker);
    else
        worker = worker_make(workers, err);
    if (worker) {
        worker->events = events;
        worker->owner = owner;
    }
    return worker;
}

bool worker_is_forked(const struct worker *worker)
{
    return worker->forked;
}

int worker_give(struct worker *worker, const struct worker_task *task, struct error **err)
{
    if (request_fill(&worker->request, worker->workers->codes, task, err) < 0)
        return -1;
    guard_wake(worker->workers->guard);
    /* Without a channel Python is away, and the child that comes with it gets the task. */
    if (worker->channel)
        request_send(worker);
    return 0;
}

void worker_drain_prints(struct worker *worker)
{
    int reads = 0;

    worker->only_prints = true;
    while (worker->channel && reads++ < DRAIN_READS_MAX && worker_read(worker, 1) > 0)
        ;
}

void worker_abandon(struct worker **worker)
{
    struct worker *abandoned = *worker;

    *worker = NULL;
    if (abandoned)
        detach(abandoned);
}

unsigned long long worker_prints_dropped(const struct worker *worker)
{
    return worker->dropped;
}
