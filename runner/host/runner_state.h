/*
 * The inside of the runner, for the files that make up runner.h: runner.c (its connection, its
 * start and its end), runner_tasks.c (offers and tasks).
 */
#ifndef HOST_RUNNER_STATE_H
#define HOST_RUNNER_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/clock.h"
#include "runner/host/backoff.h"
#include "runner/host/message.h"
#include "runner/host/offer.h"
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
