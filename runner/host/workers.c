/*
 * The children as the host sees them; see workers.h.
 *
 * A worker lives from the request to fork until its process has been reaped; its owner leaves it
 * earlier, when the task has ended or is given up. A child may be killed before the zygote has said
 * which process it is: then that news brings the signal.
 */
#include "runner/host/workers.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"
#include "runner/base/json_string.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/backoff.h"
#include "runner/host/guard.h"
#include "runner/host/imports.h"
#include "runner/host/loop.h"
#include "runner/host/scratch.h"
#include "runner/host/worker_state.h"
#include "runner/host/zygote_link.h"

enum { READS_PER_TURN = 16, DRAIN_READS_MAX = 8 * PRINT_CALLS_MAX };

static const struct zygote_events zygote_events;

/* ---- a worker's end ---- */

static void send_kill(struct worker *worker)
{
    worker->doomed = true;
    if (worker->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, NULL, 0);
}

static void unlink_and_free(struct worker *worker)
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
    send_kill(worker);
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
    send_kill(worker);
}

static void on_channel(void *owner, int fd)
{
    struct worker *worker = owner;

    if (fd < 0 || worker_read(worker, READS_PER_TURN) < 0)
        watch_drop(&worker->channel);
}

/* ---- the zygote's news ---- */

static struct worker *find(struct workers *workers, uint64_t id)
{
    struct worker *worker = workers->list;

    while (worker && worker->id != id)
        worker = worker->next;
    return worker;
}

/* Asks the zygote for the worker's child, and gives it what waits for it. */
static int ask_for_child(struct worker *worker, struct error **err)
{
    struct workers *workers = worker->workers;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set_errno(err, errno, "make a channel");
    worker->channel_fd = pair[0];
    worker->channel = watch_new(workers->loop, pair[0], on_channel, worker, err);
    if (!worker->channel) {
        io_close(&pair[1]);
        return -1;
    }
    if (zygote_fork(workers->zygote, worker->id, pair[1], err) < 0)
        return -1;
    return worker->request.given ? request_send(worker, err) : 0;
}

/* Workers that came while Python was away. */
static void ask_for_waiting(struct workers *workers)
{
    struct worker *next;

    for (struct worker *worker = workers->list; worker; worker = next) {
        AUTO_ERROR struct error *err = NULL;

        next = worker->next;
        if (worker->channel || worker->forked)
            continue;
        if (worker->events && ask_for_child(worker, &err) == 0)
            continue;
        if (worker->events)
            worker_finish_simply(worker, WORKER_LOST, 0);
        unlink_and_free(worker);
    }
}

static void on_ready(void *owner, const char *text)
{
    struct workers *workers = owner;

    imports_over(workers->imports);
    workers->ready = workers->was_ready = true;
    backoff_reset(&workers->backoff);
    ask_for_waiting(workers);
    workers->events->ready(workers->owner, text);
}

static void on_forked(void *owner, uint64_t id, int pidfd)
{
    struct worker *worker = find(owner, id);

    if (!worker) {
        io_close(&pidfd);
        return;
    }
    worker->forked = true;
    worker->pidfd = pidfd;
    if (worker->request.delivered)
        request_free(&worker->request);
    if (worker->doomed)
        send_kill(worker);
}

/* All that the child wrote is in the channel by now; what it may have left open there is not waited
 * for. */
static void on_exited(void *owner, uint64_t id, int status)
{
    struct worker *worker = find(owner, id);

    if (!worker)
        return;
    while (worker->events && worker->channel && worker_read(worker, READS_PER_TURN) > 0)
        ;
    if (worker->events)
        worker_finish_simply(worker, status == -1 ? WORKER_LOST : WORKER_EXITED, status);
    unlink_and_free(worker);
}

static void on_importing(void *owner, const char *module)
{
    struct workers *workers = owner;

    imports_begin(workers->imports, module);
}

static void on_unfit(void *owner, const char *module, const char *why)
{
    struct workers *workers = owner;

    imports_unfit(workers->imports, module, why);
}

/* It hangs in an import; its end is told as any other. */
static void end_zygote(void *owner)
{
    struct workers *workers = owner;
    pid_t pid = zygote_pid(workers->zygote);

    if (pid > 0)
        kill(pid, SIGKILL);
}

static struct zygote_link *start_zygote(struct workers *workers, struct error **err)
{
    return zygote_start(workers->loop, workers->options, imports_skipped(workers->imports),
                        &zygote_events, workers, err);
}

static void start_again(void *owner)
{
    struct workers *workers = owner;
    AUTO_ERROR struct error *err = NULL;

    workers->zygote = start_zygote(workers, &err);
    if (!workers->zygote) {
        log_error("Python can't be started again: %s", error_text(err));
        timer_set(workers->restart, backoff_next(&workers->backoff));
    }
}

/* Is there a task in it, or on its way to one, that has not begun to run? */
static bool can_wait(const struct worker *worker)
{
    return worker->events && worker->workers->was_ready &&
           (!worker->forked || !worker->request.delivered) && worker->head_read == 0 &&
           worker->prints == 0;
}

/* With the zygote its children die. What ran is lost; what had not begun waits for the next. */
static void lose_children(struct workers *workers)
{
    struct worker *next;

    for (struct worker *worker = workers->list; worker; worker = next) {
        next = worker->next;
        if (can_wait(worker)) {
            watch_drop(&worker->channel);
            io_close(&worker->pidfd);
            worker->forked = false;
            worker->request.delivered = false;
            continue;
        }
        worker_finish_simply(worker, WORKER_LOST, 0);
        unlink_and_free(worker);
    }
}

static void on_gone(void *owner, const char *why)
{
    struct workers *workers = owner;
    AUTO_FREE char *reason = mem_dup(why);
    bool found_unfit = imports_over(workers->imports);

    workers->ready = false;
    lose_children(workers);
    zygote_drop(&workers->zygote);
    if (found_unfit) { /* each time one module less is imported ahead: it comes to an end */
        timer_set(workers->restart, 0);
        return;
    }
    if (!workers->was_ready) {
        workers->events->failed(workers->owner, reason);
        return;
    }
    log_error("The Python process that tasks are forked from is gone (%s); starting another",
              reason);
    timer_set(workers->restart, backoff_next(&workers->backoff));
}

static const struct zygote_events zygote_events = {
    .importing = on_importing,
    .unfit = on_unfit,
    .ready = on_ready,
    .gone = on_gone,
    .forked = on_forked,
    .exited = on_exited,
};

/* ---- verbs ---- */

struct workers *workers_start(struct loop *loop, const struct zygote_options *options,
                              size_t result_max, const struct workers_events *events, void *owner,
                              struct error **err)
{
    struct workers *workers = mem_alloc(sizeof(*workers));

    *workers = (struct workers){.loop = loop,
                                .options = options,
                                .result_max = result_max,
                                .events = events,
                                .owner = owner};
    workers->restart = timer_new(loop, start_again, workers);
    workers->guard = guard_new(loop, &workers->list, options);
    workers->imports = imports_new(loop, end_zygote, workers);
    workers->zygote = start_zygote(workers, err);
    if (!workers->zygote)
        workers_drop(&workers);
    return workers;
}

bool workers_ready(const struct workers *workers)
{
    return workers->ready;
}

int workers_zygote(const struct workers *workers)
{
    return workers ? zygote_pid(workers->zygote) : 0;
}

void workers_drop(struct workers **workers)
{
    struct workers *dropped = *workers;

    *workers = NULL;
    if (!dropped)
        return;
    while (dropped->list) {
        send_kill(dropped->list);
        unlink_and_free(dropped->list);
    }
    zygote_drop(&dropped->zygote);
    guard_drop(&dropped->guard);
    imports_drop(&dropped->imports);
    timer_drop(&dropped->restart);
    free(dropped);
}

struct worker *worker_new(struct workers *workers, const struct worker_events *events, void *owner,
                          struct error **err)
{
    struct worker *worker = mem_alloc(sizeof(*worker));

    *worker = (struct worker){.workers = workers,
                              .id = ++workers->last_id,
                              .pidfd = -1,
                              .channel_fd = -1,
                              .request = {.payload = -1},
                              .events = events,
                              .owner = owner,
                              .next = workers->list};
    workers->list = worker;
    if (workers->ready && ask_for_child(worker, err) < 0) {
        unlink_and_free(worker);
        return NULL;
    }
    return worker;
}

int worker_give(struct worker *worker, struct span settings, struct error **err)
{
    struct request *request = &worker->request;
    AUTO_ERROR struct error *gone = NULL;

    if (request_fill(request, settings, err) < 0)
        return -1;
    guard_wake(worker->workers->guard);
    /* Without a channel Python is away, and the child that comes with it gets the task. When it
     * can't be sent, the child is dead, and the news of it are on their way. */
    if (worker->channel && request_send(worker, &gone) == 0 && worker->forked)
        request_free(request);
    return 0;
}

void worker_drain_prints(struct worker *worker)
{
    for (int reads = 0; worker->channel && reads < DRAIN_READS_MAX; reads++) {
        bool known = worker->head_read == sizeof(worker->head);

        if (known && (worker->head.type == FRAME_RESULT || worker->head.type == FRAME_ERROR))
            return;
        if (worker_read(worker, 1) <= 0 || !worker->events)
            return;
    }
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
