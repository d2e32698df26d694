/*
 * What went wrong in a task, as the user will see it: message, description, line.
 */
#ifndef ZYGOTE_REPORT_H
#define ZYGOTE_REPORT_H

#include <Python.h>

/* How an error ends the task; the host decides with it whether continueOnFail covers it. */
enum report_kind {
    REPORT_RAISED,    /* the code raised */
    REPORT_VIOLATION, /* a wall refused */
    REPORT_SYNTAX,    /* the code is no Python */
    REPORT_SETTINGS,  /* the task's settings make no sense */
};

/* The file name under which user code is compiled: how its frames are known. */
extern const char report_file_name[];
/* The name of the function around the user's code. */
extern const char report_function_name[];

struct report {
    int channel;
    PyObject *code;        /* str: the user's text, for the lines of a traceback; may be NULL */
    Py_ssize_t item_index; /* which item was at work; -1: none */
    size_t memory;         /* bytes that the task may map; 0: no limit of its own */
};

/* Sends a text of our own making. `description` may be NULL. */
void report_text(const struct report *report, enum report_kind kind, const char *message,
                 const char *description);

/* Sends and clears the pending exception. */
void report_exception(const struct report *report);

#endif
