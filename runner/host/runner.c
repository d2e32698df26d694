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
#include "runner/base/error.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/broker.h"
#include "runner/host/config.h"
#include "runner/host/grant.h"
#include "runner/host/loop.h"
#include "runner/host/python_ready.h"
#include "runner/host/runner_state.h"

static const struct broker_events broker_events;

/* ---- the end ---- */

static void leave(struct runner *r, int exit_code)
{
    r->exit_code = exit_code;
    loop_stop(r->loop);
}

void runner_finish_stopping(struct runner *r, int exit_code)
{
    r->exit_code = exit_code;
    timer_cancel(r->grace);
    if (r->broker && r->open)
        broker_close(r->broker, 1000);
    else
        loop_stop(r->loop);
}

/* `why`: a clause. */
static void drop_tasks(struct runner *r, const char *why)
{
    while (r->task_count) {
        struct task **last = &r->tasks[--r->task_count];

        runner_report_dropped(r, *last, why);
        task_drop(last);
    }
}

static void on_grace_over(void *owner)
{
    struct runner *r = owner;

    log_warn("%zu task%s still running after %d s: ending %s", r->task_count,
             r->task_count == 1 ? " is" : "s are", r->config->graceful_shutdown_timeout,
             r->task_count == 1 ? "it" : "them");
    drop_tasks(r, "the runner stops");
    runner_finish_stopping(r, 1);
}

void runner_stop(struct runner *r)
{
    if (r->stopping) {
        log_warn("Told to stop twice: ending at once");
        drop_tasks(r, "the runner stops");
        leave(r, 1);
        return;
    }
    r->stopping = true;
    timer_cancel(r->idle);
    for (size_t i = r->task_count; i-- > 0;)
        if (!task_is_running(r->tasks[i])) {
            runner_report_dropped(r, r->tasks[i], "the runner stops");
            task_drop(&r->tasks[i]);
            r->tasks[i] = r->tasks[--r->task_count];
        }
    if (!r->task_count) {
        runner_finish_stopping(r, 0);
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
    runner_finish_stopping(r, 0);
}

void runner_watch_idleness(struct runner *r)
{
    if (r->config->auto_shutdown_timeout > 0 && !r->task_count && !r->stopping)
        timer_set(r->idle, (int64_t)r->config->auto_shutdown_timeout * 1000000);
    else
        timer_cancel(r->idle);
}

/* ---- messages ---- */

static void on_info_request(struct runner *r, struct message *message)
{
    AUTO_BUF struct buf info = {0};

    (void)message;
    message_info(&info);
    runner_send(r, &info);
}

static void on_registered(struct runner *r, struct message *message)
{
    (void)message;
    if (!r->registered)
        log_info("Registered with the broker at %s", r->config->broker_uri);
    r->registered = true;
    runner_make_offers(r);
    runner_watch_idleness(r);
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

static void on_message(void *owner, struct span text, int file)
{
    static void (*const handlers[])(struct runner *, struct message *) = {
        [MESSAGE_UNKNOWN] = on_unknown,
        [MESSAGE_INFO_REQUEST] = on_info_request,
        [MESSAGE_RUNNER_REGISTERED] = on_registered,
        [MESSAGE_TASK_OFFER_ACCEPT] = runner_offer_accept,
        [MESSAGE_TASK_SETTINGS] = runner_task_settings,
        [MESSAGE_TASK_CANCEL] = runner_task_cancel,
        [MESSAGE_RPC_RESPONSE] = ignore,
        [MESSAGE_TASK_DATA_RESPONSE] = ignore,
        [MESSAGE_DRAIN] = on_drain,
    };
    AUTO_ERROR struct error *err = NULL;
    struct runner *r = owner;
    struct message message;

    r->metrics.received_bytes += text.length;
    if (message_read(&message, text, &err) < 0) {
        log_warn("A message from the broker was skipped: %s", error_text(err));
        return;
    }
    message.file = file;
    handlers[message.type](r, &message);
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
    r->metrics.broker_connections++;
    vitals_broker_found(&r->vitals);
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
    vitals_broker_lost(&r->vitals, clock_us());
    offers_forget_all(r->offers);
    drop_tasks(r, "the connection to the broker is lost");
    runner_watch_idleness(r);
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

    free(r->python);
    r->python = mem_dup_n(text, strcspn(text, "\n"));
    vitals_python_ready(&r->vitals, clock_us());
    python_ready_log(text, r->config);
    runner_make_offers(r);
}

static void on_python_failed(void *owner, const char *why)
{
    runner_fault(owner, FAULT_PYTHON_START, why);
    log_error("Python can't be started: %s", why);
    leave(owner, 1);
}

static const struct workers_events workers_events = {
    .ready = on_python_ready,
    .failed = on_python_failed,
    .forked = runner_report_forked,
    .lost = runner_report_lost,
    .unable = runner_report_unable,
};

struct runner *runner_start(struct loop *loop, const struct config *config,
                            const struct zygote_options *zygote, struct sentry *sentry,
                            struct error **err)
{
    struct runner *r = mem_alloc(sizeof(*r));

    *r = (struct runner){.loop = loop,
                         .config = config,
                         .sentry = sentry,
                         .vitals = {.by_hand = config->auth_token != NULL}};
    vitals_broker_lost(&r->vitals, clock_us());
    r->tasks = mem_resize(NULL, (size_t)config->max_concurrency, sizeof(struct task *));
    r->offers = offers_new((size_t)config->max_concurrency);
    r->retry = timer_new(loop, start_connection, r);
    r->offers_due = timer_new(loop, runner_offers_due, r);
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
    drop_tasks(r, "the runner ends");
    grant_cancel(&r->grant);
    broker_drop(&r->broker);
    workers_drop(&r->workers);
    timer_drop(&r->retry);
    timer_drop(&r->offers_due);
    timer_drop(&r->idle);
    timer_drop(&r->grace);
    offers_free(&r->offers);
    free(r->python);
    free(r->tasks);
    free(r);
}
