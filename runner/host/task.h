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

struct buf;
struct error;
struct loop;
struct message;
struct task;
struct workers;

struct task_hooks {
    /* A message for the broker; its content may be stolen. */
    void (*send)(void *owner, struct buf *message);
    /* What the task printed, for the log. */
    void (*output)(void *owner, const char *task_id, const char *text, size_t length);
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
bool task_failed(const struct task *task);     /* once finished: it ended with an error */

/* Takes a broker:tasksettings for it and starts it; a second one is ignored. */
void task_start(struct task *task, struct message *message);
/* Ends a running task with `Task was cancelled`. */
void task_cancel(struct task *task);

#endif
