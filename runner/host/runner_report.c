/* What the runner lets others see: what it counts, what it says of tasks that end badly, whether it
 * is well, and its own faults; see runner_state.h. */
#include <stdlib.h>

#include "runner/base/buf.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/broker.h"
#include "runner/host/config.h"
#include "runner/host/loop.h"
#include "runner/host/runner.h"
#include "runner/host/runner_state.h"
#include "runner/host/sentry.h"

/* ---- tasks ---- */

/* Each line is of a kind of its own: a burst of one does not hide the others. */
#define ENDING(words) "Task %s " words " after %s, for node \"%s\" (%s) in workflow \"%s\" (%s)%s%s"

/* What the code did is between it and its user; what the operator may have to do something about is
 * a warning; what is the runner's is an error. */
static const struct {
    enum log_level level;
    const char *format;
} endings[TASK_OUTCOMES] = {
    [OUTCOME_RAISED] = {LOG_LEVEL_DEBUG, ENDING("raised an exception")},
    [OUTCOME_VIOLATION] = {LOG_LEVEL_DEBUG, ENDING("was refused")},
    [OUTCOME_SYNTAX] = {LOG_LEVEL_DEBUG, ENDING("turned out to be no Python")},
    [OUTCOME_CANCELLED] = {LOG_LEVEL_INFO, ENDING("was cancelled")},
    [OUTCOME_INVALID] = {LOG_LEVEL_WARN, ENDING("had settings that make no sense")},
    [OUTCOME_TIMEOUT] = {LOG_LEVEL_WARN, ENDING("timed out")},
    [OUTCOME_KILLED] = {LOG_LEVEL_WARN, ENDING("was killed")},
    [OUTCOME_EXITED] = {LOG_LEVEL_WARN, ENDING("ended without a result")},
    [OUTCOME_TOO_LARGE] = {LOG_LEVEL_WARN, ENDING("had a result that is too large")},
    [OUTCOME_NO_MEMORY] = {LOG_LEVEL_ERROR, ENDING("had a result that there was no memory for")},
    [OUTCOME_DROPPED] = {LOG_LEVEL_WARN, ENDING("was ended, and not answered,")},
    [OUTCOME_BREACH] = {LOG_LEVEL_ERROR, ENDING("sent what is no valid result")},
    [OUTCOME_LOST] = {LOG_LEVEL_ERROR, ENDING("was lost with the Python process")},
    [OUTCOME_UNSTARTED] = {LOG_LEVEL_ERROR, ENDING("could not be started")},
};

static void log_ending(const struct task *task, enum task_outcome outcome, const char *detail)
{
    const struct task_settings *s = task_settings(task);
    AUTO_FREE char *duration = NULL;

    if (!endings[outcome].format || !log_wants(endings[outcome].level))
        return;
    duration = task_duration(task);
    log_write(endings[outcome].level, endings[outcome].format, task_id(task), duration,
              s->node_name, s->node_id, s->workflow_name, s->workflow_id, detail ? ": " : "",
              detail ? detail : "");
}

void runner_report_begun(void *owner, int64_t us)
{
    struct runner *r = owner;

    metrics_observe(&r->metrics.queue, us);
}

void runner_report_end(struct runner *r, const struct task *task)
{
    const struct task_end *end = task_end(task);

    r->metrics.tasks[end->outcome]++;
    metrics_observe(&r->metrics.duration, end->duration_us);
    log_ending(task, end->outcome, end->detail);
    if (end->outcome == OUTCOME_BREACH)
        runner_fault(r, FAULT_BREACH, NULL);
    else if (end->outcome == OUTCOME_UNSTARTED)
        runner_fault(r, FAULT_TASK, end->detail);
}

void runner_report_dropped(struct runner *r, const struct task *task, const char *why)
{
    enum task_outcome outcome = task_is_running(task) ? OUTCOME_DROPPED : OUTCOME_WITHDRAWN;

    r->metrics.tasks[outcome]++;
    if (outcome == OUTCOME_DROPPED)
        log_ending(task, outcome, why);
    else
        log_debug("Task %s was withdrawn before its settings came: %s", task_id(task), why);
}

/* ---- faults ---- */

void runner_fault(struct runner *r, enum fault fault, const char *detail)
{
    r->metrics.faults[fault]++;
    sentry_report(r->sentry, fault, detail);
}

void runner_report_lost(void *owner, bool never_came, const char *why)
{
    struct runner *r = owner;

    r->metrics.python_restarts++;
    vitals_python_lost(&r->vitals, clock_us());
    runner_fault(r, never_came ? FAULT_PYTHON_AGAIN : FAULT_PYTHON_GONE, why);
}

void runner_report_unable(void *owner, const char *why)
{
    runner_fault(owner, FAULT_FORK, why);
}

void runner_report_forked(void *owner, int64_t us)
{
    struct runner *r = owner;

    metrics_observe(&r->metrics.fork, us);
}

/* ---- for who asks ---- */

void runner_metrics(const struct runner *r, struct buf *text)
{
    struct metrics_now now = {
        .slots = (size_t)r->config->max_concurrency,
        .offers = offers_open(r->offers),
        .children = workers_waiting(r->workers),
        .python_up = workers_ready(r->workers),
        .broker_up = r->open,
        .version = VERSION,
        .python = r->python,
        .libwebsockets = loop_library(),
    };

    for (size_t i = 0; i < r->task_count; i++)
        now.running += task_is_running(r->tasks[i]);
    now.waiting = r->task_count - now.running;
    sentry_counts(r->sentry, &now.reports_sent, &now.reports_failed, &now.reports_dropped);
    metrics_write(text, &r->metrics, &now);
}

const char *runner_problem(const struct runner *r)
{
    return vitals_problem(&r->vitals, clock_us());
}
