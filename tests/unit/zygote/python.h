/* CPython for a unit test: started once for a group, as bare as the zygote's. */
#ifndef TESTS_UNIT_PYTHON_H
#define TESTS_UNIT_PYTHON_H

#include <Python.h>

#include "tests/unit/unit.h"

/* CPython keeps what it has until the process ends; the host's tests look for leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static inline int python_up(void)
{
    PyConfig config;
    PyStatus status;

    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return PyStatus_Exception(status) ? -1 : 0;
}

/* The text of the pending exception; new reference. Fails the test when none is pending. */
static inline PyObject *take_exception(void)
{
    PyObject *type, *value, *traceback, *text;

    PyErr_Fetch(&type, &value, &traceback);
    assert_non_null(type);
    PyErr_NormalizeException(&type, &value, &traceback);
    text = PyObject_Str(value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    assert_non_null(text);
    return text;
}

#endif
