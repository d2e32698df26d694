/*
 * operator.attrgetter and operator.methodcaller, which read attributes for their caller: when the
 * user's code takes one, it gets one that judges as its own attribute reads do.
 */
#ifndef ALLOWLIST_GETTERS_H
#define ALLOWLIST_GETTERS_H

#include <Python.h>

#include <stdbool.h>

/* May an attribute of this name be one of the two? */
bool getters_name(const char *attribute);

/* Once, in the zygote; `judge` gives what user code may have of a value (see guard_value()). -1
 * with an exception. */
int getters_prepare(PyObject *judge(PyObject *value));

/* A new reference: the judging stand-in when `value` is one of the two, else NULL without an
 * exception. */
PyObject *getters_replace(PyObject *value);

#endif
