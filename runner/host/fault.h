/*
 * The runner's own faults: what must not happen whatever the users' code does. They are counted,
 * and reported to Sentry where that is set up. Pure.
 */
#ifndef HOST_FAULT_H
#define HOST_FAULT_H

#include <stdbool.h>

enum fault {
    FAULT_PYTHON_START, /* the first start of Python failed: the runner leaves */
    FAULT_PYTHON_GONE,  /* the process that tasks are forked from died, with what ran */
    FAULT_PYTHON_AGAIN, /* it could not be started again */
    FAULT_FORK,         /* no process for a task could be forked */
    FAULT_TASK,         /* a task could not be taken, or not be given to its process */
    FAULT_BREACH,       /* a task's process sent what none of ours sends */
    FAULTS,
};

/* "python_gone": a label, and what Sentry groups by. */
const char *fault_name(enum fault fault);
/* What happened, a sentence without its full stop. */
const char *fault_text(enum fault fault);
/* Does it end the runner? */
bool fault_is_fatal(enum fault fault);

#endif
