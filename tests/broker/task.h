/*
 * The tasks: queued, offered to a runner (broker:taskofferaccept), accepted by it, running (its
 * settings are on their way or there), and gone.
 */
#ifndef BROKER_TASK_H
#define BROKER_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"

struct broker;
struct peer;
struct task;

enum task_flags {
    TASK_QUIET = 1,     /* "done" without its data */
    TASK_RETRY = 2,     /* a rejected one is queued again */
    TASK_ONE_FRAME = 4, /* settings in one WebSocket frame */
    TASK_BENCH = 8,     /* no events; bench.c hears of it */
};

/* Queues a task. Without `settings` (at is NULL) none are ever sent. */
void task_queue(struct broker *broker, const char *id, struct span settings, double delay_ms,
                enum task_flags flags);

/* A task on an offer that the caller chose; its settings are the caller's too. */
void task_accept(struct broker *broker, struct peer *peer, const char *id, const char *offer_id);

/* Settings that the caller chose, whether the task is known or not. */
void task_settings(struct broker *broker, struct peer *peer, const char *id, struct span settings,
                   enum task_flags flags);

/* broker:taskcancel; a task that is not running is forgotten. */
void task_cancel(struct broker *broker, struct peer *peer, const char *id, const char *reason);

/* Gives queued tasks to open offers, for as long as there are both. */
void task_match(struct broker *broker);

/* The task with this id; the newest if there are several. NULL: unknown. */
struct task *task_find(const struct broker *broker, const char *id);
struct peer *task_peer(const struct task *task); /* NULL: queued */
enum task_flags task_flags(const struct task *task);
int64_t task_settings_us(const struct task *task); /* when they were sent; 0: not yet */

/* What a runner said. task_end() frees it. */
void task_accepted(struct broker *broker, struct task *task);
void task_rejected(struct broker *broker, struct task *task);
void task_end(struct broker *broker, struct task *task);

/* The runner is gone, and so are its tasks. */
void task_lose(struct broker *broker, const struct peer *peer);
void task_lose_all(struct broker *broker);

#endif
