/* See guard.h. */
#include "runner/host/guard.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/loop.h"
#include "runner/host/memory.h"
#include "runner/host/scratch.h"
#include "runner/host/worker_state.h"
#include "runner/host/zygote_link.h"

enum {
    FDINFO_MAX = 4096,
    PAUSE_MOST_US = 100 * 1000, /* between looks */
    PAUSE_LEAST_US = 5 * 1000,
    FIRST_PAUSE_US = 20 * 1000, /* most tasks are over by then */
};
static const long long worth_it = 16LL << 20; /* ending a smaller task helps nobody */

struct guard {
    struct worker *const *list;
    const struct zygote_options *options;
    struct timer *timer;
    bool awake;
};

static bool runs(const struct worker *worker)
{
    return worker->events && worker->pidfd >= 0 && worker->request.given;
}

/* The zygote's numbers may be of another namespace: ours stands with the descriptor. */
static pid_t pid_of(int pidfd)
{
    AUTO_FREE char *path = mem_format("/proc/self/fdinfo/%d", pidfd);
    AUTO_ERROR struct error *ignored = NULL;
    AUTO_BUF struct buf text = {0};
    const char *line;

    if (io_read_file(path, FDINFO_MAX, &text, &ignored) < 0)
        return 0;
    buf_add_char(&text, '\0');
    line = buf_failed(&text) ? NULL : strstr(text.data, "\nPid:");
    return line ? (pid_t)strtol(line + 5, NULL, 10) : 0;
}

/* What the child uses by now; false when that can't be seen. */
static bool look_at(struct worker *worker)
{
    if (!worker->pid)
        worker->pid = pid_of(worker->pidfd);
    return worker->pid > 0 && memory_of_process("", worker->pid, &worker->use);
}

/* The largest task, of `size` bytes; NULL also while one that was ended is still there. */
static struct worker *largest(struct guard *guard, long long *size)
{
    struct worker *found = NULL;

    *size = worth_it;
    for (struct worker *worker = *guard->list; worker; worker = worker->next) {
        if (worker->reason)
            return NULL;
        if (runs(worker) && worker->use.resident > *size) {
            *size = worker->use.resident;
            found = worker;
        }
    }
    return found;
}

static void end_for_memory(struct guard *guard, const struct memory *memory)
{
    long long size;
    struct worker *worker = largest(guard, &size);

    if (!worker)
        return;
    log_warn("%lld MB of memory are left: ending the largest task, which has %lld MB",
             memory->left >> 20, size >> 20);
    worker_end(worker,
               mem_format("Memory was running out, and this task had the most of it (%lld MB). "
                          "N8N_RUNNERS_TASK_MEMORY_MB on the runner limits each task.",
                          size >> 20));
}

static void end_for_threads(struct worker *worker)
{
    worker_end(worker, mem_format("The task had %d threads; %d are allowed.", worker->use.threads,
                                  TASK_THREADS_MAX));
}

static bool fills_folder(const struct guard *guard, const struct worker *worker)
{
    const struct zygote_options *options = guard->options;

    return options->scratch_folder &&
           scratch_exceeds(options->scratch_folder, worker->id, options->tmp_mb << 20);
}

static void end_for_writing(const struct guard *guard, struct worker *worker)
{
    worker_end(worker, mem_format("The task wrote more than the %lld MB that its folder may hold. "
                                  "N8N_RUNNERS_TASK_TMP_MB on the runner sets that.",
                                  guard->options->tmp_mb));
}

/* Looks at every running child; false when none runs. */
static bool look(struct guard *guard)
{
    bool any = false;

    for (struct worker *worker = *guard->list; worker; worker = worker->next) {
        if (!runs(worker))
            continue;
        any = true;
        if (look_at(worker) && worker->use.threads > TASK_THREADS_MAX && !worker->reason)
            end_for_threads(worker);
        else if (fills_folder(guard, worker) && !worker->reason)
            end_for_writing(guard, worker);
    }
    return any;
}

static long long pause_for(const struct memory *memory)
{
    long long pause = memory_short_in(memory);

    return pause < PAUSE_LEAST_US ? PAUSE_LEAST_US : pause > PAUSE_MOST_US ? PAUSE_MOST_US : pause;
}

static void on_time(void *owner)
{
    struct guard *guard = owner;
    struct memory memory;
    bool known;

    guard->awake = look(guard);
    if (!guard->awake)
        return;
    known = memory_read("", &memory);
    if (known && memory_is_short(&memory))
        end_for_memory(guard, &memory);
    timer_set(guard->timer, known ? pause_for(&memory) : PAUSE_MOST_US);
}

struct guard *guard_new(struct loop *loop, struct worker *const *list,
                        const struct zygote_options *options)
{
    struct guard *guard = mem_alloc(sizeof(*guard));

    *guard =
        (struct guard){.list = list, .options = options, .timer = timer_new(loop, on_time, guard)};
    return guard;
}

void guard_drop(struct guard **guard)
{
    struct guard *dropped = *guard;

    *guard = NULL;
    if (!dropped)
        return;
    timer_drop(&dropped->timer);
    free(dropped);
}

void guard_wake(struct guard *guard)
{
    if (guard->awake)
        return;
    guard->awake = true;
    timer_set(guard->timer, FIRST_PAUSE_US);
}
