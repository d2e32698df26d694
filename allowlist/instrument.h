/*
 * Puts the checks of guard.h into the syntax tree of user code.
 *
 * - `a.b`, when it is read, becomes `.guard(a.b)`. A method that is called, `a.b()`, stays as fast
 *   as it is: modules can't be called.
 * - `a.format(...)` and its relatives become `.format(a, "format", ...)`.
 * - `a.b += c` becomes what it means, so that its read is seen as well.
 * - `__import__` becomes `.import`, which import statements and packages do not use.
 * - what a match statement reads is judged before the case's body runs (patterns.h).
 *
 * New nodes take the place of the old in the text: line numbers stay the user's.
 */
#ifndef ALLOWLIST_INSTRUMENT_H
#define ALLOWLIST_INSTRUMENT_H

#include <Python.h>

/* Changes a tree that check_code() found nothing in; -1 with an exception. */
int instrument_tree(PyObject *tree);

/* For patterns.h: the expression `node`, instrumented; a new reference, NULL with an exception. */
PyObject *instrument_expression(PyObject *node);

#endif
