/*
 * Reports of the runner's own faults to Sentry, over the host's loop: one at a time, none waited
 * for, none tried twice. A Sentry that is slow, full or gone costs a line in the log.
 */
#ifndef HOST_SENTRY_H
#define HOST_SENTRY_H

#include <stdint.h>

#include "runner/host/fault.h"

struct config;
struct loop;
struct sentry;

/* NULL when `config` (borrowed) has no DSN. free with sentry_drop(). */
struct sentry *sentry_new(struct loop *loop, const struct config *config);
/* Ends what is on its way. NULL is fine. */
void sentry_drop(struct sentry **sentry);

/* Reports a fault; `detail`, a clause or NULL, must hold nothing of the users'. It may be left out
 * when there were others of its kind: see sentry_queue.h. NULL is fine. */
void sentry_report(struct sentry *sentry, enum fault fault, const char *detail);
/* When the fault that ends the runner is being reported: gives it a moment, at most 1 s, in which
 * the loop runs. To be called once the loop has stopped and nothing else is on it. NULL is fine. */
void sentry_say_goodbye(struct sentry *sentry);

/* How many reports have arrived, have failed, and were left out. NULL is fine: 0. */
void sentry_counts(const struct sentry *sentry, uint64_t *sent, uint64_t *failed,
                   uint64_t *dropped);

#endif
