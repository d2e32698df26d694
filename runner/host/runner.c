/*
 * The runner's policy; see runner.h.
 *
 * Theory of operation: with an auth token, a grant token is fetched and used for one connection;
 * whenever that ends, the tasks that came over it are killed and never answered, and after a pause
 * it all starts again. With a grant token alone there is one connection, and its end is the
 * runner's. On a connection, one offer is open for every free slot, from the moment Python is up;
 * an accepted offer becomes a task, and a task's end a new offer.
 */
#include "runner/host/runner.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/backoff.h"
#include "runner/host/broker.h"
#include "runner/host/config.h"
#include "runner/host/grant.h"
#include "runner/host/loop.h"
#include "runner/host/message.h"
#include "runner/host/offer.h"
#include "runner/host/python_ready.h"
#include "runner/host/task.h"
#include "runner/host/workers.h"

struct runner {
    struct loop *loop;
    const struct config *config;
    struct workers *workers;
    struct grant *grant;
    struct broker *broker;
    struct offers *offers;
    struct task **tasks; /* config->max_concurrency of them */
    size_t task_count;
    struct timer *retry, *offers_due, *idle, *grace;
    struct backoff backoff;
    bool open, registered, draining, stopping, waiting_said;
    int exit_code;
};

static const struct broker_events broker_events;
static const struct task_hooks task_hooks;

/* ---- the end ---- */

static void leave(struct runner *r, int exit_code)
{
    r->exit_code = exit_code;
    loop_stop(r->loop);
}

/* Nothing runs any more: say goodbye, if there is anybody to say it to. */
static void finish_stopping(struct runner *r, int exit_code)
{
    r->exit_code = exit_code;
    timer_cancel(r->grace);
    if (r->broker && r->open)
        broker_close(r->broker, 1000);
    else
        loop_stop(r->loop);
}

static void drop_tasks(struct runner *r)
{
    while (r->task_count)
        task_drop(&r->tasks[--r->task_count]);
}

static void on_grace_over(void *owner)
{
    struct runner *r = owner;

    log_warn("%zu task%s still running after %d s: ending %s", r->task_count,
             r->task_count == 1 ? " is" : "s are", r->config->graceful_shutdown_timeout,
             r->task_count == 1 ? "it" : "them");
    drop_tasks(r);
    finish_stopping(r, 1);
}

void runner_stop(struct runner *r)
{
    if (r->stopping) {
        log_warn("Told to stop twice: ending at once");
        drop_tasks(r);
        leave(r, 1);
        return;
    }
    r->stopping = true;
    timer_cancel(r->idle);
    for (size_t i = r->task_count; i-- > 0;)
        if (!task_is_running(r->tasks[i])) {
            task_drop(&r->tasks[i]);
            r->tasks[i] = r->tasks[--r->task_count];
        }
    if (!r->task_count) {
        finish_stopping(r, 0);
        return;
    }
    log_info("Stopping: %zu running task%s may take up to %d s", r->task_count,
             r->task_count == 1 ? "" : "s", r->config->graceful_shutdown_timeout);
    timer_set(r->grace, (int64_t)r->config->graceful_shutdown_timeout * 1000000);
}

static void on_idle(void *owner)
{
    struct runner *r = owner;

    log_info("No task for %d s: leaving, as N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT says",
             r->config->auto_shutdown_timeout);
    r->stopping = true;
    finish_stopping(r, 0);
}

static void watch_idleness(struct runner *r)
{
    if (r->config->auto_shutdown_timeout > 0 && !r->task_count && !r->stopping)
        timer_set(r->idle, (int64_t)r->config->auto_shutdown_timeout * 1000000);
    else
        timer_cancel(r->idle);
}

/* ---- offers ---- */

static void send_message(void *owner, struct buf *message)
{
    struct runner *r = owner;

    if (r->broker && !buf_failed(message))
        broker_send(r->broker, message);
}

/* One open offer for every free slot. */
static void make_offers(struct runner *r)
{
    size_t slots = (size_t)r->config->max_concurrency;

    if (!r->registered || r->draining || r->stopping || !workers_ready(r->workers))
        return;
    offers_expire(r->offers, clock_us());
    while (offers_open(r->offers) + r->task_count < slots) {
        AUTO_BUF struct buf message = {0};
        const struct offer *offer = offer_make(r->offers, clock_us());

        message_offer(&message, offer->id, offer->valid_for_ms);
        send_message(r, &message);
    }
    if (offers_next_expiry(r->offers) >= 0) {
        int64_t wait = offers_next_expiry(r->offers) - clock_us();

        timer_set(r->offers_due, wait > 0 ? wait : 0);
    }
}

static void on_offers_due(void *owner)
{
    make_offers(owner);
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
        finish_stopping(r, r->exit_code);
        return;
    }
    make_offers(r);
    watch_idleness(r);
}

static void on_finished(void *owner, struct task *task)
{
    struct runner *r = owner;

    remove_task(r, find_task(r, task_id(task)));
}

static void on_output(void *owner, const char *id, const char *text, size_t length)
{
    (void)owner;
    while (length && text[length - 1] == '\n')
        length--;
    log_debug("Task %s printed: %.*s", id, (int)(length < 4096 ? length : 4096), text);
}

static const struct task_hooks task_hooks = {
    .send = send_message,
    .output = on_output,
    .finished = on_finished,
};

static void reject(struct runner *r, const char *id, const char *reason)
{
    AUTO_BUF struct buf message = {0};

    message_rejected(&message, id, reason);
    send_message(r, &message);
    make_offers(r);
}

static void on_offer_accept(struct runner *r, struct message *message)
{
    AUTO_BUF struct buf accepted = {0};
    AUTO_ERROR struct error *err = NULL;
    struct task_limits limits = {r->config->task_timeout, (size_t)r->config->max_payload,
                                 r->config->task_memory_mb};
    struct task *task;

    if (offer_take(r->offers, message->offer_id, clock_us()) != OFFER_TAKEN) {
        reject(r, message->task_id, "Offer expired - not accepted within validity window");
        return;
    }
    if (r->stopping || r->draining || r->task_count >= (size_t)r->config->max_concurrency ||
        find_task(r, message->task_id)) {
        reject(r, message->task_id, "No open task slots - runner already at capacity");
        return;
    }
    task = task_new(r->loop, r->workers, message->task_id, &limits, &task_hooks, r, &err);
    if (!task) {
        log_error("Task %s can't be taken: %s", message->task_id, error_text(err));
        reject(r, message->task_id, "No open task slots - runner already at capacity");
        return;
    }
    r->tasks[r->task_count++] = task;
    watch_idleness(r);
    message_accepted(&accepted, message->task_id);
    send_message(r, &accepted);
}

static void on_task_settings(struct runner *r, struct message *message)
{
    struct task **place = find_task(r, message->task_id);

    if (place)
        task_start(*place, message);
    else
        log_warn("Settings for task %s, which is not ours, are ignored", message->task_id);
}

static void on_task_cancel(struct runner *r, struct message *message)
{
    struct task **place = find_task(r, message->task_id);

    if (message->reason && strcmp(message->reason, "Acknowledgement window elapsed") == 0) {
        log_warn("The broker has given up on task %s and on our offers: offering anew",
                 message->task_id);
        offers_forget_all(r->offers);
    }
    if (!place)
        log_info("Task %s was cancelled, and is not ours any more", message->task_id);
    else if (task_is_running(*place))
        task_cancel(*place);
    else
        remove_task(r, place);
    make_offers(r);
}

/* ---- messages ---- */

static void on_info_request(struct runner *r, struct message *message)
{
    AUTO_BUF struct buf info = {0};

    (void)message;
    message_info(&info);
    send_message(r, &info);
}

static void on_registered(struct runner *r, struct message *message)
{
    (void)message;
    if (!r->registered)
        log_info("Registered with the broker at %s", r->config->broker_uri);
    r->registered = true;
    make_offers(r);
    watch_idleness(r);
}

static void on_drain(struct runner *r, struct message *message)
{
    (void)message;
    log_info("The broker is going down: no more offers; %zu task%s to finish", r->task_count,
             r->task_count == 1 ? "" : "s");
    r->draining = true;
    offers_forget_all(r->offers);
}

static void ignore(struct runner *r, struct message *message)
{
    (void)r, (void)message;
}

static void on_unknown(struct runner *r, struct message *message)
{
    (void)r;
    log_warn("A message of the unknown type `%.100s` was skipped", message->type_name);
}

static void on_message(void *owner, struct buf *text)
{
    static void (*const handlers[])(struct runner *, struct message *) = {
        [MESSAGE_UNKNOWN] = on_unknown,
        [MESSAGE_INFO_REQUEST] = on_info_request,
        [MESSAGE_RUNNER_REGISTERED] = on_registered,
        [MESSAGE_TASK_OFFER_ACCEPT] = on_offer_accept,
        [MESSAGE_TASK_SETTINGS] = on_task_settings,
        [MESSAGE_TASK_CANCEL] = on_task_cancel,
        [MESSAGE_RPC_RESPONSE] = ignore,
        [MESSAGE_TASK_DATA_RESPONSE] = ignore,
        [MESSAGE_DRAIN] = on_drain,
    };
    AUTO_ERROR struct error *err = NULL;
    struct message message;

    if (message_read(&message, (struct span){text->data, text->length}, &err) < 0) {
        log_warn("A message from the broker was skipped: %s", error_text(err));
        return;
    }
    handlers[message.type](owner, &message);
    message_free(&message);
}

/* ---- the connection ---- */

static void connect_with(struct runner *r, const char *grant_token)
{
    r->broker = broker_connect(r->loop, &r->config->broker, r->config->runner_id, grant_token,
                               (size_t)r->config->max_payload, &broker_events, r);
}

static void try_later(struct runner *r, const char *what, const char *why)
{
    int64_t pause = backoff_next(&r->backoff);

    if (!r->waiting_said)
        log_warn("%s the broker at %s: %s; trying again until it answers", what,
                 r->config->broker_uri, why);
    else
        log_debug("%s the broker at %s: %s; trying again in %.1f s", what, r->config->broker_uri,
                  why, (double)pause / 1e6);
    r->waiting_said = true;
    timer_set(r->retry, pause);
}

static void refused(struct runner *r, const char *what, int status)
{
    log_error("%s the broker at %s: it answered %d, so the token is wrong, used up or too old: "
              "set N8N_RUNNERS_%s_TOKEN to the one n8n has",
              what, r->config->broker_uri, status, r->config->auth_token ? "AUTH" : "GRANT");
    leave(r, 1);
}

static void on_grant(void *owner, const char *token, int status, const char *why)
{
    struct runner *r = owner;

    r->grant = NULL;
    if (token)
        connect_with(r, token);
    else if (status == 401 || status == 403)
        refused(r, "Can't get a grant token from", status);
    else
        try_later(r, "Can't get a grant token from", why);
}

static void start_connection(void *owner)
{
    struct runner *r = owner;

    if (r->config->auth_token)
        r->grant = grant_start(r->loop, &r->config->broker, r->config->auth_token, on_grant, r);
    else
        connect_with(r, r->config->grant_token);
}

static void on_open(void *owner)
{
    struct runner *r = owner;

    r->open = true;
    r->waiting_said = false;
    backoff_reset(&r->backoff);
}

static void on_closed(void *owner, int status, const char *why)
{
    struct runner *r = owner;
    bool was_open = r->open;
    AUTO_FREE char *reason = mem_dup(why);

    broker_drop(&r->broker);
    r->open = r->registered = r->draining = false;
    offers_forget_all(r->offers);
    drop_tasks(r);
    watch_idleness(r);
    if (r->stopping) {
        loop_stop(r->loop);
    } else if (!was_open && (status == 401 || status == 403)) {
        refused(r, "Can't connect to", status);
    } else if (!r->config->auth_token) {
        log_error("%s the broker at %s: %s. The grant token is spent, and there is no "
                  "N8N_RUNNERS_AUTH_TOKEN to get another with: leaving",
                  was_open ? "Lost the connection to" : "Can't connect to", r->config->broker_uri,
                  reason);
        leave(r, 1);
    } else {
        try_later(r, was_open ? "Lost the connection to" : "Can't connect to", reason);
    }
}

static const struct broker_events broker_events = {
    .open = on_open,
    .message = on_message,
    .closed = on_closed,
};

/* ---- Python ---- */

static void on_python_ready(void *owner, const char *text)
{
    struct runner *r = owner;

    python_ready_log(text, r->config);
    make_offers(r);
}

static void on_python_failed(void *owner, const char *why)
{
    log_error("Python can't be started: %s", why);
    leave(owner, 1);
}

static const struct workers_events workers_events = {
    .ready = on_python_ready,
    .failed = on_python_failed,
};

struct runner *runner_start(struct loop *loop, const struct config *config,
                            const struct zygote_options *zygote, struct error **err)
{
    struct runner *r = mem_alloc(sizeof(*r));

    *r = (struct runner){.loop = loop, .config = config};
    r->tasks = mem_resize(NULL, (size_t)config->max_concurrency, sizeof(struct task *));
    r->offers = offers_new((size_t)config->max_concurrency);
    r->retry = timer_new(loop, start_connection, r);
    r->offers_due = timer_new(loop, on_offers_due, r);
    r->idle = timer_new(loop, on_idle, r);
    r->grace = timer_new(loop, on_grace_over, r);
    r->workers = workers_start(loop, zygote, (size_t)config->max_payload, &workers_events, r, err);
    if (!r->workers)
        runner_drop(&r);
    else
        start_connection(r);
    return r;
}

int runner_zygote(const struct runner *runner)
{
    return workers_zygote(runner->workers);
}

int runner_exit_code(const struct runner *runner)
{
    return runner->exit_code;
}

void runner_drop(struct runner **runner)
{
    struct runner *r = *runner;

    *runner = NULL;
    if (!r)
        return;
    drop_tasks(r);
    grant_cancel(&r->grant);
    broker_drop(&r->broker);
    workers_drop(&r->workers);
    timer_drop(&r->retry);
    timer_drop(&r->offers_due);
    timer_drop(&r->idle);
    timer_drop(&r->grace);
    offers_free(&r->offers);
    free(r->tasks);
    free(r);
}
