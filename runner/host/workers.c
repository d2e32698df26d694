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

#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"
#include "runner/base/json_string.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/backoff.h"
#include "runner/host/code_cache.h"
#include "runner/host/guard.h"
#include "runner/host/imports.h"
#include "runner/host/loop.h"
#include "runner/host/pool.h"
#include "runner/host/scratch.h"
#include "runner/host/worker_state.h"
#include "runner/host/zygote_link.h"

enum {
    FORK_AGAIN_US = 100 * 1000,
    /* A fork takes milliseconds; a machine that swaps may need seconds. */
    HANG_US = 30 * 1000 * 1000,
    STARTS_MAX = 3, /* before Python has been up once */
};

static const struct zygote_events zygote_events;

/* ---- the zygote's news ---- */

static struct worker *find(struct workers *workers, uint64_t id)
{
    struct worker *worker = workers->list;

    while (worker && worker->id != id)
        worker = worker->next;
    return worker;
}

/* Workers that came while Python was away, or that it could not fork for. */
static void ask_for_waiting(struct workers *workers)
{
    struct worker *next;

    for (struct worker *worker = workers->list; worker; worker = next) {
        AUTO_ERROR struct error *err = NULL;

        next = worker->next;
        if (worker->asked)
            continue;
        if (worker->events && worker_ask(worker, &err) == 0)
            continue;
        if (worker->events)
            worker_finish_simply(worker, WORKER_LOST, 0);
        worker_free(worker);
    }
}

static void on_ready(void *owner, const char *text)
{
    struct workers *workers = owner;

    imports_over(workers->imports);
    workers->ready = workers->was_ready = true;
    backoff_reset(&workers->backoff);
    ask_for_waiting(workers);
    pool_fill(workers->pool);
    workers->events->ready(workers->owner, text);
}

void workers_ask_again(struct workers *workers)
{
    timer_set(workers->again, FORK_AGAIN_US);
}

void workers_expect_fork(struct workers *workers)
{
    if (!timer_is_set(workers->hang))
        timer_set(workers->hang, HANG_US);
}

/* It has forked, or said why not: it does not hang. */
static void not_hanging(struct workers *workers)
{
    timer_cancel(workers->hang);
    for (const struct worker *worker = workers->list; worker; worker = worker->next)
        if (worker->asked && !worker->forked) {
            workers_expect_fork(workers);
            return;
        }
}

static void tell_forked(struct worker *worker)
{
    const struct workers *workers = worker->workers;
    int64_t now = clock_us();

    if (workers->events->forked)
        workers->events->forked(workers->owner, now - worker->asked_us);
    if (worker->events && worker->events->forked)
        worker->events->forked(worker->owner, now);
}

static void on_forked(void *owner, uint64_t id, int pidfd)
{
    struct worker *worker = find(owner, id);

    if (!worker) {
        io_close(&pidfd);
        not_hanging(owner);
        return;
    }
    worker->workers->unable = false;
    worker->forked = true;
    worker->pidfd = pidfd;
    not_hanging(owner);
    if (worker->doomed)
        worker_kill(worker);
    tell_forked(worker);
}

/* Its child is gone, or never came to be, and nothing of its task has run: it takes the next one.
 */
static void renew(struct worker *worker)
{
    const struct zygote_options *options = worker->workers->options;

    watch_drop(&worker->channel);
    io_close(&worker->pidfd);
    if (options->scratch_folder)
        scratch_remove(options->scratch_folder, worker->id);
    worker->id = ++worker->workers->last_id;
    worker->asked = worker->forked = worker->doomed = false;
    worker->request.delivered = worker->request.unread = false;
    worker->head_read = worker->payload.length = 0;
    worker->pid = 0; /* the guard looks anew */
    worker->use = (struct process_use){0};
}

/* A child that was dead before its task could reach it has run nothing of it: another takes over,
 * once. */
static bool begin_again(struct worker *worker)
{
    AUTO_ERROR struct error *err = NULL;

    if (!worker->events || !worker->request.given || worker->again || worker->reason ||
        worker->request.begun || (worker->request.delivered && !worker->request.unread))
        return false;
    worker->again = true;
    renew(worker);
    return worker_ask(worker, &err) == 0;
}

/* The system has no process or memory for another child just now: whoever waits goes on waiting,
 * until the task's own time is over. */
static void on_unable(void *owner, uint64_t id, int number)
{
    struct workers *workers = owner;
    struct worker *worker = find(workers, id);

    if (worker && !worker->events) {
        worker_free(worker);
        worker = NULL;
    }
    if (!worker) {
        not_hanging(workers);
        return;
    }
    if (!workers->unable) {
        log_warn("No process for a task can be forked: %s; trying until it can", strerror(number));
        if (workers->events->unable)
            workers->events->unable(workers->owner, strerror(number));
    }
    workers->unable = true;
    renew(worker);
    workers_ask_again(workers);
    not_hanging(workers);
}

static void on_again(void *owner)
{
    struct workers *workers = owner;

    if (workers->ready)
        ask_for_waiting(workers);
}

/* All that the child wrote is in the channel by now; what it may have left open there is not waited
 * for. One that died while it waited is not replaced until a task has: they may all die. */
static void on_exited(void *owner, uint64_t id, int status)
{
    struct workers *workers = owner;
    struct worker *worker = find(workers, id);
    bool was_idle = worker && worker->idle;

    if (!worker)
        return;
    while (worker->events && worker->channel && worker_read(worker, 1) > 0)
        ;
    if (begin_again(worker))
        return;
    if (worker->events)
        worker_finish_simply(worker, WORKER_EXITED, status);
    worker_free(worker);
    if (!was_idle)
        pool_fill(workers->pool);
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

/* Its end is told as any other. */
static void end_zygote(void *owner)
{
    struct workers *workers = owner;
    pid_t pid = zygote_pid(workers->zygote);

    if (pid > 0)
        kill(pid, SIGKILL);
}

/* What a package runs at a fork may wait for ever. */
static void on_hang(void *owner)
{
    log_error(
        "The Python process that tasks are forked from has not forked for %d s: it hangs, and "
        "is ended",
        HANG_US / 1000000);
    end_zygote(owner);
}

static struct zygote_link *start_zygote(struct workers *workers, struct error **err)
{
    return zygote_start(workers->loop, workers->options, imports_skipped(workers->imports),
                        &zygote_events, workers, err);
}

static void tell_lost(const struct workers *workers, bool never_came, const char *why)
{
    if (workers->events->lost)
        workers->events->lost(workers->owner, never_came, why);
}

static void start_again(void *owner)
{
    struct workers *workers = owner;
    AUTO_ERROR struct error *err = NULL;

    workers->zygote = start_zygote(workers, &err);
    if (!workers->zygote) {
        log_error("Python can't be started again: %s", error_text(err));
        tell_lost(workers, true, error_text(err));
        timer_set(workers->restart, backoff_next(&workers->backoff));
    }
}

/* Is there a task in it, or on its way to one, that has not begun to run? */
static bool can_wait(const struct worker *worker)
{
    return worker->events && worker->workers->was_ready && !worker->reason &&
           !worker->request.begun && (!worker->forked || !worker->request.delivered) &&
           (worker->head_read == 0 || request_waits_for_code(&worker->request)) &&
           worker->prints == 0 && worker->result.length == 0;
}

/* With the zygote its children die. What ran is lost; what had not begun waits for the next. */
static void lose_children(struct workers *workers)
{
    struct worker *next;

    for (struct worker *worker = workers->list; worker; worker = next) {
        next = worker->next;
        if (can_wait(worker)) {
            renew(worker);
            continue;
        }
        worker_finish_simply(worker, WORKER_LOST, 0);
        worker_free(worker);
    }
}

static void on_gone(void *owner, const char *why)
{
    struct workers *workers = owner;
    AUTO_FREE char *reason = mem_dup(why);
    bool found_unfit = imports_over(workers->imports), was_up = workers->ready;
    bool killed = zygote_was_killed(workers->zygote);

    workers->ready = false;
    timer_cancel(workers->hang);
    code_cache_clear(workers->codes); /* the next Python may be another */
    lose_children(workers);
    zygote_drop(&workers->zygote);
    if (found_unfit) { /* each time one module less is imported ahead: it comes to an end */
        timer_set(workers->restart, 0);
        return;
    }
    /* a first start that was killed says little; one that is always killed will never be */
    if (!workers->was_ready && !(killed && workers->backoff.attempts < STARTS_MAX - 1)) {
        workers->events->failed(workers->owner, reason);
        return;
    }
    log_error("The Python process that tasks are forked from is gone (%s); starting another",
              reason);
    tell_lost(workers, !was_up, reason);
    timer_set(workers->restart, backoff_next(&workers->backoff));
}

static const struct zygote_events zygote_events = {
    .importing = on_importing,
    .unfit = on_unfit,
    .ready = on_ready,
    .gone = on_gone,
    .forked = on_forked,
    .unable = on_unable,
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
    workers->again = timer_new(loop, on_again, workers);
    workers->hang = timer_new(loop, on_hang, workers);
    workers->guard = guard_new(loop, &workers->list, options);
    workers->pool = pool_new(workers, (size_t)options->ahead);
    workers->imports = imports_new(loop, end_zygote, workers);
    workers->codes = code_cache_new();
    workers->zygote = start_zygote(workers, err);
    if (!workers->zygote)
        workers_drop(&workers);
    return workers;
}

bool workers_ready(const struct workers *workers)
{
    return workers->ready;
}

size_t workers_waiting(const struct workers *workers)
{
    size_t count = 0;

    for (const struct worker *worker = workers->list; worker; worker = worker->next)
        count += worker->idle && worker->forked && !worker->doomed;
    return count;
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
        worker_kill(dropped->list);
        worker_free(dropped->list);
    }
    zygote_drop(&dropped->zygote);
    guard_drop(&dropped->guard);
    imports_drop(&dropped->imports);
    pool_drop(&dropped->pool);
    code_cache_drop(&dropped->codes);
    timer_drop(&dropped->restart);
    timer_drop(&dropped->again);
    timer_drop(&dropped->hang);
    free(dropped);
}
