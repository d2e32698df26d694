/*
 * The check before: what the text of user code must not say.
 *
 * It is what users see, with a line for each thing to change; it is not what keeps anyone in.
 */
#ifndef ALLOWLIST_CHECK_H
#define ALLOWLIST_CHECK_H

#include <Python.h>

/*
 * Checks a syntax tree (compile() with PyCF_ONLY_AST). Returns a new list of str, `Line N: ` and a
 * sentence each, in the order of the text and empty when all is well; NULL with an exception.
 */
PyObject *check_code(PyObject *tree);

#endif
