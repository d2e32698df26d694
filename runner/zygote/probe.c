/* See probe.h. */
#include <Python.h>

#include "runner/zygote/probe.h"

#include <stdbool.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "runner/zygote/attempts.h"
#include "runner/zygote/import_ahead.h"
#include "runner/zygote/pip_names.h"
#include "runner/zygote/python.h"
#include "runner/zygote/sandbox.h"
#include "runner/zygote/settings.h"

/* Imports one module as a task would, and appends what came of it. */
static void add_package(struct buf *json, const char *name, bool first)
{
    AUTO_ERROR struct error *err = NULL;
    PyObject *modules = PySys_GetObject("modules");
    bool ahead = modules && PyDict_GetItemString(modules, name);
    double at_start = import_ahead_time(name);
    int64_t began = clock_us();
    PyObject *module = PyImport_ImportModule(name);
    double milliseconds = (double)(clock_us() - began) / 1000;
    bool missing = !module && PyErr_ExceptionMatches(PyExc_ModuleNotFoundError);

    if (!module)
        python_error(&err, name);
    buf_add_format(json, "%s{\"name\":", first ? "" : ",");
    json_string_add(json, name, strlen(name));
    buf_add_format(json,
                   ",\"works\":%s,\"ahead\":%s,\"milliseconds\":%.1f,\"missing\":%s,\"error\":",
                   module ? "true" : "false", ahead ? "true" : "false",
                   at_start >= 0 ? at_start : milliseconds, missing ? "true" : "false");
    json_string_add(json, err ? error_text(err) : "", err ? strlen(error_text(err)) : 0);
    buf_add_text(json, ",\"pip\":");
    json_string_add(json, pip_name(name), strlen(pip_name(name)));
    buf_add_char(json, '}');
    Py_XDECREF(module);
}

/* What the installed packages are imported as: a new list of names, for the list `*`. */
static PyObject *installed_packages(void)
{
    PyObject *metadata = PyImport_ImportModule("importlib.metadata");
    PyObject *packages =
        metadata ? PyObject_CallMethod(metadata, "packages_distributions", NULL) : NULL;
    PyObject *names = packages ? PySequence_List(packages) : NULL;

    if (names)
        PyList_Sort(names);
    Py_XDECREF(packages);
    Py_XDECREF(metadata);
    PyErr_Clear();
    return names;
}

static void add_packages(struct buf *json, const struct policy *policy)
{
    PyObject *installed = policy->external.all ? installed_packages() : NULL;
    size_t count = 0;

    buf_add_char(json, '[');
    for (size_t i = 0; i < policy->stdlib.count; i++)
        add_package(json, policy->stdlib.names[i], count++ == 0);
    for (size_t i = 0; i < policy->external.count; i++)
        add_package(json, policy->external.names[i], count++ == 0);
    for (Py_ssize_t i = 0; installed && i < PyList_GET_SIZE(installed); i++) {
        const char *name = PyUnicode_AsUTF8(PyList_GET_ITEM(installed, i));

        if (name && name[0] != '_')
            add_package(json, name, count++ == 0);
        PyErr_Clear();
    }
    buf_add_char(json, ']');
    Py_XDECREF(installed);
}

void probe_all(struct buf *json, const struct sandbox *sandbox,
               const struct zygote_settings *settings)
{
    buf_add_text(json, "{\"walls\":");
    sandbox_list(sandbox, json);
    buf_add_text(json, ",\"packages\":");
    add_packages(json, &settings->policy);
    buf_add_text(json, ",\"attempts\":");
    attempts_make(json, settings->sandbox.network, settings->sandbox.memory);
    buf_add_char(json, '}');
}
