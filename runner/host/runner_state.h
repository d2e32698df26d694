/*
 * The inside of the runner, for the files that make up runner.h: runner.c (its connection, its
 * start and its end), runner_tasks.c (offers and tasks), runner_report.c (what others see of it).
 */
#ifndef HOST_RUNNER_STATE_H
#define HOST_RUNNER_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/clock.h"
#include "runner/host/backoff.h"
#include "runner/host/fault.h"
#include "runner/host/message.h"
#include "runner/host/metrics.h"
#include "runner/host/offer.h"
#include "runner/host/task.h"
#include "runner/host/vitals.h"
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
    struct metrics metrics;
    struct vitals vitals;
    struct sentry *sentry; /* borrowed; NULL: nobody hears of faults */
    char *python;          /* its version; NULL until it is up */
};

/* ---- runner_report.c ---- */

/* A task runs, `us` microseconds after it was taken; or is over; or is given up, for the reason
 * `why`, a clause, and dropped next. */
void runner_report_begun(void *owner, int64_t us);
void runner_report_end(struct runner *r, const struct task *task);
void runner_report_dropped(struct runner *r, const struct task *task, const char *why);

/* What workers_events has, but for ready and failed. `owner` is the runner. */
void runner_report_forked(void *owner, int64_t us);
void runner_report_lost(void *owner, bool never_came, const char *why);
void runner_report_unable(void *owner, const char *why);

/* Counts a fault of the runner's own, and reports it. `detail`: a clause without anything of the
 * users', or NULL. */
void runner_fault(struct runner *r, enum fault fault, const char *detail);

/* ---- runner_tasks.c ---- */

/* One open offer for every free slot; the timer's function does it again when one expires. */
void runner_make_offers(struct runner *r);
void runner_offers_due(void *owner);

/* Sends a message to the broker, if there is one. `owner` is the runner. */
void runner_send(void *owner, struct buf *message);

/* What the broker says of tasks. */
void runner_offer_accept(struct runner *r, struct message *message);
void runner_task_settings(struct runner *r, struct message *message);
void runner_task_cancel(struct runner *r, struct message *message);

/* ---- runner.c ---- */

/* Nothing runs any more: says goodbye, if there is anybody to say it to. */
void runner_finish_stopping(struct runner *r, int exit_code);
/* Starts or stops the clock that ends an idle runner. */
void runner_watch_idleness(struct runner *r);

#endif
