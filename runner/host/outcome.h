/*
 * What a task's end means for n8n: the sentence, and whether continueOnFail turns it into a result.
 * Pure.
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
};

struct outcome_context {
    const char *task_id;
    enum task_stop stop;
    int timeout_s;
    size_t result_max;   /* bytes */
    long long memory_mb; /* that a task may use; 0: no limit of its own */
    bool continue_on_fail;
    const char *problem; /* of TASK_SENSELESS */
};

/* Fills `message` with the runner:taskdone or runner:taskerror that ends the task. Returns the size
 * of the result in bytes, or -1 when it is an error. `outcome` may be NULL unless stop is TASK_RAN;
 * its result becomes the message. */
long long outcome_message(struct buf *message, const struct outcome_context *context,
                          struct worker_outcome *outcome);

#endif
