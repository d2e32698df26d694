/*
 * What a task's end means for n8n: the sentence, whether continueOnFail turns it into a result,
 * and what it counts as. Pure.
 */
#ifndef HOST_OUTCOME_H
#define HOST_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/buf.h"
#include "runner/host/workers.h"

/* Why the host itself ended a task; it outranks what the child's end looks like. */
enum task_stop {
    TASK_RAN,
    TASK_TIMED_OUT,
    TASK_CANCELLED,
    TASK_SENSELESS, /* its settings make no sense; nothing ran */
    TASK_UNSTARTED, /* it could not be given to a process; nothing ran */
};

/* What became of a task, for who counts and logs it. */
enum task_outcome {
    OUTCOME_DONE,
    OUTCOME_RAISED,    /* the code raised an exception */
    OUTCOME_VIOLATION, /* the code was refused, before or while it ran */
    OUTCOME_SYNTAX,    /* the code is no Python */
    OUTCOME_INVALID,   /* the settings make no sense */
    OUTCOME_TIMEOUT,
    OUTCOME_CANCELLED, /* while it ran */
    OUTCOME_KILLED,    /* by the host, for what it used, or by the system */
    OUTCOME_EXITED,    /* its process ended without a result */
    OUTCOME_TOO_LARGE, /* the result is beyond the limit */
    OUTCOME_NO_MEMORY, /* the host had none for the result */
    OUTCOME_BREACH,    /* its process sent what none of ours sends */
    OUTCOME_LOST,      /* Python died under it */
    OUTCOME_UNSTARTED, /* it could not be given to a process */
    OUTCOME_DROPPED,   /* it ran when the connection or the runner ended, and was never answered */
    OUTCOME_WITHDRAWN, /* it was taken, and gone before its settings came */
    TASK_OUTCOMES,
};

struct outcome_context {
    const char *task_id;
    enum task_stop stop;
    int timeout_s;
    size_t result_max;   /* bytes */
    long long memory_mb; /* that a task may use; 0: no limit of its own */
    bool continue_on_fail;
    const char *problem; /* of TASK_SENSELESS and TASK_UNSTARTED */
};

/* Fills `message` with the runner:taskdone or runner:taskerror that ends the task. Returns the size
 * of the result in bytes, or -1 when it is an error. `outcome` may be NULL unless stop is TASK_RAN;
 * its result becomes the message. */
long long outcome_message(struct buf *message, const struct outcome_context *context,
                          struct worker_outcome *outcome);

/* What the same end counts as, whatever continueOnFail made of it. */
enum task_outcome outcome_of(const struct outcome_context *context,
                             const struct worker_outcome *outcome);
/* "timeout": a label. */
const char *outcome_name(enum task_outcome outcome);
/* What there is to say of an abnormal end beyond its kind, a clause for the log, without anything
 * that the code said. free(); may be NULL. */
char *outcome_detail(const struct outcome_context *context, const struct worker_outcome *outcome);

#endif
