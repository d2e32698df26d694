/*
 * The builtins that user code gets: CPython's without the denied ones, and with those that could
 * lead around the walls replaced by ones that judge.
 */
#ifndef ALLOWLIST_BUILTINS_H
#define ALLOWLIST_BUILTINS_H

#include <Python.h>

struct policy;

/* A new dict, for `__builtins__` of user code's globals; NULL with an exception. Prepares all else
 * of allowlist/, too; once, in the zygote. The policy is kept. */
PyObject *builtins_for_user(const struct policy *policy);

#endif
