/* CPython and its json module, by which ours is judged. */
#ifndef TESTS_FUZZ_REFERENCE_H
#define TESTS_FUZZ_REFERENCE_H

#include <Python.h>

#include <stdbool.h>

#include "runner/base/json_span.h"

/* Starts CPython, once; aborts when it can't. */
void reference_start(void);

/* What json.loads makes of UTF-8 text, without its NaN and Infinity; a new reference, or NULL: then
 * the exception is cleared, and `too_deep` says that it was RecursionError. */
PyObject *reference_loads(struct span text, bool *too_deep);

/* What print should make of the value: a new str. Aborts when it can't. */
PyObject *reference_shown(PyObject *value);

/* The same types, values and order all the way down. `written`: b was read from a's text, in which
 * the infinities are null. */
bool reference_same(PyObject *a, PyObject *b, bool written);

/* How deep lists and dicts stand in each other. */
int reference_depth(PyObject *value);

#endif
