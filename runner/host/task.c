/* One task on the host; see task.h. */
#include "runner/host/task.h"

#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/loop.h"
#include "runner/host/message.h"
#include "runner/host/outcome.h"
#include "runner/host/workers.h"

struct task {
    char *id;
    struct workers *workers;
    struct worker *worker; /* NULL once it has ended */
    struct timer *timeout;
    struct task_limits limits;
    const struct task_hooks *hooks;
    void *owner;
    struct task_settings settings;
    bool running;
    bool begun; /* and its process was there */
    int64_t taken_us, started_us;
    struct task_end end;
    unsigned prints;
    unsigned long long unsent; /* prints that there was no memory for */
};

static const struct worker_events worker_events;

static void send_print(struct task *task, struct span params)
{
    AUTO_BUF struct buf message = {0};
    AUTO_FREE char *call = mem_format("%s-%u", task->id, ++task->prints);

    message_print(&message, call, task->id, params);
    if (buf_failed(&message))
        task->unsent++;
    else
        task->hooks->send(task->owner, &message);
}

static void send_truncated(struct task *task, unsigned long long dropped)
{
    AUTO_FREE char *params = NULL;

    dropped += task->unsent;
    if (!dropped)
        return;
    params = mem_format("[\"[Output truncated - %llu more print statements]\"]", dropped);
    send_print(task, (struct span){params, strlen(params)});
}

/* "812 us", "3.2 ms", "1.75 s" */
static char *duration_text(int64_t us)
{
    if (us < 1000)
        return mem_format("%d us", (int)us);
    if (us < 1000000)
        return mem_format("%.1f ms", (double)us / 1e3);
    return mem_format("%.2f s", (double)us / 1e6);
}

static char *size_text(long long bytes)
{
    if (bytes < 1024)
        return mem_format("%lld B", bytes);
    if (bytes < 1024LL * 1024)
        return mem_format("%.1f KB", (double)bytes / 1024);
    return mem_format("%.1f MB", (double)bytes / (1024 * 1024));
}

static void log_completed(const struct task *task, long long size)
{
    AUTO_FREE char *duration = duration_text(task->end.duration_us);
    AUTO_FREE char *bytes = size_text(size);
    const struct task_settings *s = &task->settings;

    log_info("Completed task %s in %s (%s) for node \"%s\" (%s) in workflow \"%s\" (%s)", task->id,
             duration, bytes, s->node_name, s->node_id, s->workflow_name, s->workflow_id);
}

/* Its process is there, as of `now_us`: are its settings? */
static void on_forked(void *owner, int64_t now_us)
{
    struct task *task = owner;

    if (task->begun || !task->running)
        return;
    task->begun = true;
    if (task->hooks->begun)
        task->hooks->begun(task->owner, now_us - task->taken_us);
}

/* A child may have answered before the zygote has said that it is there. */
static void note_end(struct task *task, const struct outcome_context *context,
                     const struct worker_outcome *outcome)
{
    int64_t now = clock_us();

    task->end.outcome = outcome_of(context, outcome);
    task->end.duration_us = now - task->started_us;
    task->end.detail = outcome_detail(context, outcome);
    if (outcome && outcome->end != WORKER_LOST)
        on_forked(task, now);
}

/* Sends the one message that ends the task. */
static void conclude(struct task *task, enum task_stop stop, struct worker_outcome *outcome)
{
    AUTO_BUF struct buf message = {0};
    struct outcome_context context = {.task_id = task->id,
                                      .stop = stop,
                                      .timeout_s = task->limits.timeout_s,
                                      .result_max = task->limits.result_max,
                                      .memory_mb = task->limits.memory_mb,
                                      .continue_on_fail = task->settings.continue_on_fail,
                                      .problem = task->settings.problem};
    struct worker_outcome no_memory = {.end = WORKER_NO_MEMORY};
    long long size = outcome_message(&message, &context, outcome);

    timer_cancel(task->timeout);
    if (buf_failed(&message)) {
        buf_free(&message);
        context.stop = TASK_RAN;
        outcome = &no_memory;
        size = outcome_message(&message, &context, outcome);
        if (buf_failed(&message)) /* without a word the broker would wait for ever */
            mem_exhausted();
    }
    note_end(task, &context, outcome);
    task->hooks->send(task->owner, &message);
    if (size >= 0)
        log_completed(task, size);
    task->hooks->finished(task->owner, task);
}

static void stop(struct task *task, enum task_stop why)
{
    unsigned long long dropped = 0;

    if (task->worker) {
        worker_drain_prints(task->worker);
        dropped = worker_prints_dropped(task->worker);
    }
    worker_abandon(&task->worker); /* no end of its own follows */
    send_truncated(task, dropped);
    conclude(task, why, NULL);
}

/* ---- events ---- */

static void on_timeout(void *owner)
{
    stop(owner, TASK_TIMED_OUT);
}

static void on_print(void *owner, struct span params)
{
    send_print(owner, params);
}

static void on_output(void *owner, const char *text, size_t length)
{
    struct task *task = owner;

    task->hooks->output(task->owner, task->id, text, length);
}

static void on_ended(void *owner, struct worker_outcome *outcome)
{
    struct task *task = owner;

    task->worker = NULL;
    if (!task->running)
        return; /* a child that died before its task came: task_start() makes another */
    send_truncated(task, outcome->prints_dropped);
    conclude(task, TASK_RAN, outcome);
}

static const struct worker_events worker_events = {
    .print = on_print,
    .output = on_output,
    .forked = on_forked,
    .ended = on_ended,
};

/* ---- verbs ---- */

struct task *task_new(struct loop *loop, struct workers *workers, const char *id,
                      const struct task_limits *limits, const struct task_hooks *hooks, void *owner,
                      struct error **err)
{
    struct task *task = mem_alloc(sizeof(*task));

    *task = (struct task){
        .id = mem_dup(id), .workers = workers, .limits = *limits, .hooks = hooks, .owner = owner};
    task->taken_us = clock_us();
    task->timeout = timer_new(loop, on_timeout, task);
    task->worker = worker_new(workers, &worker_events, task, err);
    if (!task->worker)
        task_drop(&task);
    return task;
}

void task_drop(struct task **task)
{
    struct task *dropped = *task;

    *task = NULL;
    if (!dropped)
        return;
    worker_abandon(&dropped->worker);
    timer_drop(&dropped->timeout);
    task_settings_free(&dropped->settings);
    free(dropped->end.detail);
    free(dropped->id);
    free(dropped);
}

const char *task_id(const struct task *task)
{
    return task->id;
}

bool task_is_running(const struct task *task)
{
    return task->running;
}

const struct task_settings *task_settings(const struct task *task)
{
    return &task->settings;
}

char *task_duration(const struct task *task)
{
    int64_t us = task->end.duration_us;

    return duration_text(us ? us : clock_us() - task->started_us);
}

const struct task_end *task_end(const struct task *task)
{
    return &task->end;
}

void task_start(struct task *task, struct message *message)
{
    AUTO_ERROR struct error *err = NULL;
    const struct worker_task work = {.settings = message->settings.raw,
                                     .source = message->settings.code,
                                     .each = message->settings.each,
                                     .file = message->file,
                                     .offset =
                                         (size_t)(message->settings.raw.at - message->text.at)};

    if (task->running) {
        log_warn("Task %s got its settings twice; the second ones are ignored", task->id);
        return;
    }
    task->running = true;
    task->started_us = clock_us();
    task->settings = message->settings;
    message->settings = (struct task_settings){0};
    if (task->settings.problem) {
        stop(task, TASK_SENSELESS);
        return;
    }
    if (!task->worker)
        task->worker = worker_new(task->workers, &worker_events, task, &err);
    if (task->worker && worker_is_forked(task->worker))
        on_forked(task, task->started_us);
    if (task->worker && worker_give(task->worker, &work, &err) == 0) {
        timer_set(task->timeout, task->limits.timeout_us);
        return;
    }
    free(task->settings.problem);
    task->settings.problem = mem_format("The task could not be started: %s", error_text(err));
    stop(task, TASK_UNSTARTED);
}

void task_cancel(struct task *task)
{
    stop(task, TASK_CANCELLED);
}
