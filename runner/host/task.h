/*
 * One task on the host: from its acceptance to the one message that ends it.
 *
 * Its child is forked when the task is accepted, so that it is there when the settings come.
 */
#ifndef HOST_TASK_H
#define HOST_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/host/outcome.h"

struct buf;
struct error;
struct loop;
struct message;
struct task;
struct task_settings;
struct workers;

/* How a task ended. */
struct task_end {
    enum task_outcome outcome;
    int64_t duration_us; /* since its settings came */
    char *detail;        /* of an abnormal end, for the log; or NULL */
};

struct task_hooks {
    /* A message for the broker; its content may be stolen. */
    void (*send)(void *owner, struct buf *message);
    /* What the task printed, for the log. */
    void (*output)(void *owner, const char *task_id, const char *text, size_t length);
    /* Its settings and its process are both there, `us` microseconds after it was taken. Once; may
     * be NULL. */
    void (*begun)(void *owner, int64_t us);
    /* The task has sent its last message; drop it. */
    void (*finished)(void *owner, struct task *task);
};

struct task_limits {
    int timeout_s;       /* as it is said */
    int64_t timeout_us;  /* as it is kept */
    size_t result_max;   /* bytes */
    long long memory_mb; /* 0: no limit of its own */
};

/* NULL with `err` when no child can be had. */
struct task *task_new(struct loop *loop, struct workers *workers, const char *id,
                      const struct task_limits *limits, const struct task_hooks *hooks, void *owner,
                      struct error **err);
/* Kills what runs and frees; nothing is sent. NULL is fine. */
void task_drop(struct task **task);

const char *task_id(const struct task *task);
bool task_is_running(const struct task *task); /* its settings have come */
/* Once it runs: what it was told of its workflow and node. */
const struct task_settings *task_settings(const struct task *task);
/* "812 us", "3.2 ms", "1.75 s": how long it has run. free(). */
char *task_duration(const struct task *task);
/* Once finished. Borrowed. */
const struct task_end *task_end(const struct task *task);

/* Takes a broker:tasksettings for it and starts it; a second one is ignored. */
void task_start(struct task *task, struct message *message);
/* Ends a running task with `Task was cancelled`. */
void task_cancel(struct task *task);

#endif
