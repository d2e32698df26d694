/* Owns the tasks. Their settings are kept as the very message that will carry them. */
#include "tests/broker/task.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "tests/broker/bench.h"
#include "tests/broker/broker.h"
#include "tests/broker/event.h"
#include "tests/broker/offer.h"
#include "tests/broker/peer.h"
#include "tests/broker/timer.h"

enum task_state { TASK_QUEUED, TASK_OFFERED, TASK_ACCEPTED, TASK_RUNNING };

struct task {
    struct task *next;
    struct broker *broker;
    struct peer *peer; /* NULL while queued */
    char *id;
    enum task_state state;
    enum task_flags flags;
    struct buf settings; /* the message; empty: none to send */
    double delay_ms;
    struct timer *delay;
    int64_t settings_us;
};

static struct task *add(struct broker *broker, const char *id, enum task_flags flags)
{
    struct task *task = mem_alloc(sizeof(*task));
    struct task **at = &broker->tasks;

    task->broker = broker;
    task->id = mem_dup(id);
    task->flags = flags;
    while (*at)
        at = &(*at)->next;
    *at = task;
    return task;
}

void task_end(struct broker *broker, struct task *task)
{
    struct task **at = &broker->tasks;

    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    timer_stop(&task->delay);
    buf_free(&task->settings);
    free(task->id);
    free(task);
}

static void lose(struct task *task, const char *reason)
{
    struct broker *broker = task->broker;
    enum task_flags flags = task->flags;
    AUTO_BUF struct buf line = {0};

    event_begin(&line, broker, "lost");
    event_text(&line, "runner", task->peer ? peer_id(task->peer) : NULL);
    event_text(&line, "taskId", task->id);
    event_text(&line, "reason", reason);
    task_end(broker, task);
    if (flags & TASK_BENCH)
        bench_ended(broker, -1, (struct span){0});
    else
        event_end(&line);
}

static void settings_message(struct buf *message, const char *id, struct span settings)
{
    peer_message(message);
    buf_add_text(message, "{\"type\":\"broker:tasksettings\",\"taskId\":");
    json_string_add(message, id, strlen(id));
    buf_add_text(message, ",\"settings\":");
    buf_add(message, settings.at, settings.length);
    buf_add_char(message, '}');
}

/* Sends a message of a type, a task id and one more string. */
static void send_about(struct peer *peer, const char *type, const char *id, const char *key,
                       const char *value)
{
    AUTO_BUF struct buf message = {0};

    peer_message(&message);
    buf_add_format(&message, "{\"type\":\"%s\",\"taskId\":", type);
    json_string_add(&message, id, strlen(id));
    buf_add_format(&message, ",\"%s\":", key);
    json_string_add(&message, value, strlen(value));
    buf_add_char(&message, '}');
    peer_send(peer, &message, 0, 0);
}

void task_queue(struct broker *broker, const char *id, struct span settings, double delay_ms,
                enum task_flags flags)
{
    struct task *task = add(broker, id, flags);

    if (settings.at)
        settings_message(&task->settings, id, settings);
    task->delay_ms = delay_ms;
    task_match(broker);
}

void task_match(struct broker *broker)
{
    for (struct task *task = broker->tasks; task; task = task->next) {
        AUTO_FREE char *offer_id = NULL;

        if (task->state != TASK_QUEUED)
            continue;
        task->peer = offer_take(broker, &offer_id);
        if (!task->peer)
            return;
        task->state = TASK_OFFERED;
        send_about(task->peer, "broker:taskofferaccept", task->id, "offerId", offer_id);
    }
}

void task_accept(struct broker *broker, struct peer *peer, const char *id, const char *offer_id)
{
    struct task *task = add(broker, id, 0);

    task->peer = peer;
    task->state = TASK_OFFERED;
    send_about(peer, "broker:taskofferaccept", id, "offerId", offer_id);
}

static void running(struct task *task)
{
    task->state = TASK_RUNNING;
    task->settings_us = clock_us();
}

void task_settings(struct broker *broker, struct peer *peer, const char *id, struct span settings,
                   enum task_flags flags)
{
    struct task *task = task_find(broker, id);
    AUTO_BUF struct buf message = {0};

    settings_message(&message, id, settings);
    if (task) {
        running(task);
        task->flags |= flags & TASK_QUIET;
    }
    peer_send(peer, &message, 0, flags & TASK_ONE_FRAME ? PEER_ONE_FRAME : 0);
}

void task_cancel(struct broker *broker, struct peer *peer, const char *id, const char *reason)
{
    struct task *task = task_find(broker, id);

    if (peer)
        send_about(peer, "broker:taskcancel", id, "reason", reason);
    if (task && task->state != TASK_RUNNING)
        lose(task, "cancelled before its settings were sent");
}

struct task *task_find(const struct broker *broker, const char *id)
{
    struct task *found = NULL;

    for (struct task *task = broker->tasks; task && id; task = task->next)
        if (strcmp(task->id, id) == 0)
            found = task;
    return found;
}

struct peer *task_peer(const struct task *task)
{
    return task->peer;
}

enum task_flags task_flags(const struct task *task)
{
    return task->flags;
}

int64_t task_settings_us(const struct task *task)
{
    return task->settings_us;
}

static void send_settings(void *owner)
{
    struct task *task = owner;

    running(task);
    peer_send(task->peer, &task->settings, 0, task->flags & TASK_ONE_FRAME ? PEER_ONE_FRAME : 0);
}

void task_accepted(struct broker *broker, struct task *task)
{
    if (task->state != TASK_OFFERED)
        return;
    task->state = TASK_ACCEPTED;
    if (!task->settings.length && !buf_failed(&task->settings))
        return;
    if (task->delay_ms > 0)
        timer_start(&task->delay, broker, task->delay_ms, send_settings, task);
    else
        send_settings(task);
}

void task_rejected(struct broker *broker, struct task *task)
{
    if (task->state == TASK_RUNNING || !(task->flags & TASK_RETRY)) {
        task_end(broker, task);
        return;
    }
    timer_stop(&task->delay);
    task->state = TASK_QUEUED;
    task->peer = NULL;
    task_match(broker);
}

void task_lose(struct broker *broker, const struct peer *peer)
{
    struct task *task = broker->tasks;

    while (task) {
        /* the list is whole, and begun again when one has gone;
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        if (task->peer == peer) {
            lose(task, "the runner is gone");
            task = broker->tasks; /* the bench may have changed the list */
        } else {
            task = task->next;
        }
    }
}

void task_lose_all(struct broker *broker)
{
    while (broker->tasks)
        task_end(broker, broker->tasks);
}
