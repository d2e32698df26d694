/* The code of a node, made into a function: parsed, checked, guarded, compiled. */
#ifndef ZYGOTE_FUNCTION_H
#define ZYGOTE_FUNCTION_H

#include <Python.h>

#include <stdbool.h>

struct policy;

/* What every function is made from. */
struct function_parts {
    const struct policy *policy;
    PyObject *compile;  /* builtins.compile */
    PyObject *builtins; /* what user code gets */
};

/*
 * The compiled code of `text`, the body of a function of `_item` (when `each`), else of `_items`
 * and `_query`. A new reference. NULL with an exception; or with `*violations`, a new str with a
 * line for each thing that the check refuses.
 */
PyObject *function_compile(const struct function_parts *parts, PyObject *text, bool each,
                           PyObject **violations);

/* The function of such a code, in a namespace of its own: a new reference, or NULL with an
 * exception. */
PyObject *function_of_code(const struct function_parts *parts, PyObject *code);

#endif
