/* What the runner does with its slots: offers, and the tasks that come of them; see
 * runner_state.h. */
#include <string.h>

#include "runner/base/error.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/broker.h"
#include "runner/host/config.h"
#include "runner/host/loop.h"
#include "runner/host/runner_state.h"

static const struct task_hooks task_hooks;

/* ---- offers ---- */

void runner_send(void *owner, struct buf *message)
{
    struct runner *r = owner;

    if (!r->broker || buf_failed(message))
        return;
    r->metrics.sent_bytes += message->length;
    broker_send(r->broker, message);
}

void runner_make_offers(struct runner *r)
{
    size_t slots = (size_t)r->config->max_concurrency;

    if (!r->registered || r->draining || r->stopping || !workers_ready(r->workers))
        return;
    offers_expire(r->offers, clock_us());
    while (offers_open(r->offers) + r->task_count < slots) {
        AUTO_BUF struct buf message = {0};
        const struct offer *offer = offer_make(r->offers, clock_us());

        message_offer(&message, offer->id, offer->valid_for_ms);
        runner_send(r, &message);
    }
    if (offers_next_expiry(r->offers) >= 0) {
        int64_t wait = offers_next_expiry(r->offers) - clock_us();

        timer_set(r->offers_due, wait > 0 ? wait : 0);
    }
}

void runner_offers_due(void *owner)
{
    runner_make_offers(owner);
}

/* ---- tasks ---- */

static struct task **find_task(struct runner *r, const char *id)
{
    for (size_t i = 0; i < r->task_count; i++)
        if (strcmp(task_id(r->tasks[i]), id) == 0)
            return &r->tasks[i];
    return NULL;
}

static void remove_task(struct runner *r, struct task **place)
{
    task_drop(place);
    *place = r->tasks[--r->task_count];
    if (r->stopping && !r->task_count) {
        runner_finish_stopping(r, r->exit_code);
        return;
    }
    runner_make_offers(r);
    runner_watch_idleness(r);
}

static void on_finished(void *owner, struct task *task)
{
    struct runner *r = owner;
    struct task **place = find_task(r, task_id(task));

    runner_report_end(r, task);
    if (place)
        remove_task(r, place);
}

static void on_output(void *owner, const char *id, const char *text, size_t length)
{
    (void)owner;
    while (length && text[length - 1] == '\n')
        length--;
    log_debug("Task %s printed: %.*s", id, (int)(length < 4096 ? length : 4096), text);
}

static const struct task_hooks task_hooks = {
    .send = runner_send,
    .output = on_output,
    .begun = runner_report_begun,
    .finished = on_finished,
};

static void reject(struct runner *r, const char *id, enum rejection why)
{
    static const char *const reasons[REJECTIONS] = {
        [REJECTED_EXPIRED] = "Offer expired - not accepted within validity window",
        [REJECTED_CAPACITY] = "No open task slots - runner already at capacity",
        [REJECTED_UNABLE] = "No open task slots - runner already at capacity",
    };
    AUTO_BUF struct buf message = {0};

    r->metrics.rejected[why]++;
    message_rejected(&message, id, reasons[why]);
    runner_send(r, &message);
    runner_make_offers(r);
}

/* In internal mode n8n has the same timeout, counts from a moment earlier, and kills the runner
 * with all its tasks: we are sooner, by a tenth or a second. */
static int64_t task_time(const struct config *config)
{
    int64_t time = (int64_t)config->task_timeout * 1000000;
    int64_t tenth = time / 10;

    return config->internal ? time - (tenth < 1000000 ? tenth : 1000000) : time;
}

void runner_offer_accept(struct runner *r, struct message *message)
{
    AUTO_BUF struct buf accepted = {0};
    AUTO_ERROR struct error *err = NULL;
    struct task_limits limits = {
        .timeout_s = r->config->task_timeout,
        .timeout_us = task_time(r->config),
        .result_max = (size_t)r->config->max_payload,
        .memory_mb = r->config->task_memory_mb,
    };
    struct task *task;

    if (offer_take(r->offers, message->offer_id, clock_us()) != OFFER_TAKEN) {
        reject(r, message->task_id, REJECTED_EXPIRED);
        return;
    }
    if (r->stopping || r->draining || r->task_count >= (size_t)r->config->max_concurrency ||
        find_task(r, message->task_id)) {
        reject(r, message->task_id, REJECTED_CAPACITY);
        return;
    }
    task = task_new(r->loop, r->workers, message->task_id, &limits, &task_hooks, r, &err);
    if (!task) {
        log_error("Task %s can't be taken: %s", message->task_id, error_text(err));
        runner_fault(r, FAULT_TASK, error_text(err));
        reject(r, message->task_id, REJECTED_UNABLE);
        return;
    }
    r->tasks[r->task_count++] = task;
    runner_watch_idleness(r);
    message_accepted(&accepted, message->task_id);
    runner_send(r, &accepted);
}

void runner_task_settings(struct runner *r, struct message *message)
{
    struct task **place = find_task(r, message->task_id);

    if (place)
        task_start(*place, message);
    else
        log_warn("Settings for task %s, which is not ours, are ignored", message->task_id);
}

void runner_task_cancel(struct runner *r, struct message *message)
{
    struct task **place = find_task(r, message->task_id);

    if (message->reason && strcmp(message->reason, "Acknowledgement window elapsed") == 0) {
        log_warn("The broker has given up on task %s and on our offers: offering anew",
                 message->task_id);
        offers_forget_all(r->offers);
    }
    if (!place) {
        log_info("Task %s was cancelled, and is not ours any more", message->task_id);
    } else if (task_is_running(*place)) {
        task_cancel(*place);
    } else {
        runner_report_dropped(r, *place, "the broker has cancelled it");
        remove_task(r, place);
    }
    runner_make_offers(r);
}
