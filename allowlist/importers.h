/*
 * The functions that import for their caller: importlib.import_module() and its relatives.
 *
 * Packages keep the real ones. When the user's code takes one, it gets one that judges the name
 * that it is asked for, and the module that comes back.
 */
#ifndef ALLOWLIST_IMPORTERS_H
#define ALLOWLIST_IMPORTERS_H

#include <Python.h>

#include <stdbool.h>

/* Once, in the zygote; -1 with an exception. */
int importers_prepare(void);

/* May an attribute of this name be one of them, or a loader's method that gives a module? */
bool importers_name(const char *attribute);

/* A new reference: the judging stand-in when `value` is such a function, else `value` itself. */
PyObject *importers_replace(PyObject *value);

#endif
