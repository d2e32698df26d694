/*
 * The user's own `__import__`: what every import statement of user code calls.
 *
 * It judges the name, every module on a dotted path, and every name that `from a import b` takes.
 * What packages import for themselves goes through the real one and is not asked.
 */
#ifndef ALLOWLIST_IMPORT_HOOK_H
#define ALLOWLIST_IMPORT_HOOK_H

#include <Python.h>

/* The name that stands for `__import__` in instrumented code. */
#define IMPORT_HOOK_EXPLICIT ".import"

/* Puts it into the builtins of user code; -1 with an exception. */
int import_hook_add(PyObject *builtins);

#endif
