/*
 * One task from its settings to its result: parse, check, compile, run, write.
 */
#ifndef ZYGOTE_EXECUTE_H
#define ZYGOTE_EXECUTE_H

#include <Python.h>

#include <stddef.h>

struct error;
struct policy;
struct request;

/* What is prepared once, in the zygote, for every task. */
struct execution;

/* `policy` is borrowed and must outlive it; `memory` is what a task may map, in bytes (0: no limit
 * of its own), for the message when that was too little. NULL with `err` on failure. */
struct execution *execution_new(const struct policy *policy, size_t memory, struct error **err);

/* Compiles a task's code, a JSON string in `source` (freed here), before the task itself has come,
 * and sends it back for other tasks with the same. A new reference; NULL when the error has been
 * sent. */
PyObject *execute_compile(const struct execution *execution, int channel, struct request *source);

/* What another child has sent so, in `code` (freed here). NULL when it can't be read. */
PyObject *execute_load(const struct execution *execution, struct request *code);

/* Runs the task whose settings are the JSON object in `request` (freed here) and sends its prints
 * and its one result or error over `channel`. `scratch` is the folder that it may write to, or
 * NULL; `code` is the compiled code, or NULL: then it is compiled here. Failures are sent too;
 * nothing is returned. */
void execute_task(const struct execution *execution, int channel, const char *scratch,
                  struct request *request, PyObject *code);

/* Runs a task of our own, whose outcome nobody gets: `settings` as JSON, for all items at once, and
 * `code` (NULL: compiled here). Returns the compiled code, a new reference, or NULL. No exception
 * is left. */
PyObject *execute_quietly(const struct execution *execution, const char *settings, PyObject *code);

#endif
