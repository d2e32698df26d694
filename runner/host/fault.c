/* The runner's own faults; see fault.h. */
#include "runner/host/fault.h"

static const struct {
    const char *name, *text;
} faults[FAULTS] = {
    [FAULT_PYTHON_START] = {"python_start", "Python can't be started"},
    [FAULT_PYTHON_GONE] = {"python_gone", "The Python process that tasks are forked from is gone"},
    [FAULT_PYTHON_AGAIN] = {"python_again", "Python can't be started again"},
    [FAULT_FORK] = {"fork", "No process for a task can be forked"},
    [FAULT_TASK] = {"task", "A task can't be taken, or not be given to its process"},
    [FAULT_BREACH] = {"breach", "A task's process sent what is no valid result"},
};

const char *fault_name(enum fault fault)
{
    return faults[fault].name;
}

const char *fault_text(enum fault fault)
{
    return faults[fault].text;
}

bool fault_is_fatal(enum fault fault)
{
    return fault == FAULT_PYTHON_START;
}
