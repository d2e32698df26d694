/*
 * CPython's start in the zygote; see python.h.
 *
 * The interpreter is isolated: no environment variables, no user site, no signal handlers, no
 * bytecode written. With a venv, the program name stands inside it and CPython finds its
 * site-packages by itself; without one there are no packages at all, not the system's.
 */
#include <Python.h>

#include "runner/zygote/python.h"

#include <string.h>

#include "pyvenv/venv.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "runner/zygote/settings.h"

int python_error(struct error **err, const char *what)
{
    PyObject *type, *value, *traceback, *text;
    const char *utf8 = NULL;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    text = value ? PyObject_Str(value) : NULL;
    utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
    error_set(err, "%s: %s: %s", what, value ? Py_TYPE(value)->tp_name : "no exception",
              utf8 ? utf8 : "");
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    PyErr_Clear();
    return -1;
}

static PyStatus set_text(PyConfig *config, wchar_t **field, const char *text)
{
    return PyConfig_SetBytesString(config, field, text);
}

static PyStatus start(const struct zygote_settings *settings, PyConfig *config)
{
    AUTO_FREE char *program =
        settings->venv ? mem_format("%s/bin/python", settings->venv) : mem_dup(PYTHON_EXECUTABLE);
    PyPreConfig before;
    PyStatus status;

    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
#ifdef UNDER_VALGRIND /* which sees into no other allocator */
    before.allocator = PYMEM_ALLOCATOR_MALLOC;
#endif
    status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status))
        return status;
    PyConfig_InitIsolatedConfig(config);
    config->install_signal_handlers = 0;
    config->write_bytecode = 0;
    config->user_site_directory = 0;
    config->site_import = settings->venv != NULL;
    config->parse_argv = 0;
    status = set_text(config, &config->program_name, program);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(config);
    return status;
}

/* CPython falls back to the system's packages without a word when the venv is not one. */
static int check_prefix(const char *venv, struct error **err)
{
    PyObject *prefix = PySys_GetObject("prefix");
    const char *found = prefix ? PyUnicode_AsUTF8(prefix) : NULL;
    AUTO_FREE char *real = realpath(venv, NULL);
    AUTO_FREE char *real_found = found ? realpath(found, NULL) : NULL;

    if (real && real_found && strcmp(real, real_found) == 0)
        return 0;
    return error_set(err,
                     "`%s` is not taken for a virtual environment by Python %d.%d: build it "
                     "anew with that one (`make venv`)",
                     venv, PY_MAJOR_VERSION, PY_MINOR_VERSION);
}

/* Integers of any size survive the trip; a task that takes too long over one meets its timeout. */
static int lift_digit_limit(struct error **err)
{
    PyObject *set = PySys_GetObject("set_int_max_str_digits");
    PyObject *done = set ? PyObject_CallFunction(set, "i", 0) : NULL;

    if (set && !done)
        return python_error(err, "lift the limit of integer digits");
    Py_XDECREF(done);
    return 0;
}

/* os.environ and posix.environ lose their content; the C library's own (TZ, LANG) stays. */
static int hide_environment(struct error **err)
{
    static const char code[] = "import os, posix\n"
                               "os.environ._data.clear()\n"
                               "posix.environ.clear()\n";

    if (PyRun_SimpleString(code) != 0)
        return error_set(err, "empty os.environ");
    return 0;
}

int python_start(const struct zygote_settings *settings, struct error **err)
{
    PyConfig config;
    PyStatus status;

    if (settings->venv && venv_check(settings->venv, PY_MAJOR_VERSION, PY_MINOR_VERSION, err) < 0)
        return -1;
    status = start(settings, &config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        return error_set(err, "start Python: %s", status.err_msg ? status.err_msg : "unknown");
    if (settings->venv && check_prefix(settings->venv, err) < 0)
        return -1;
    if (lift_digit_limit(err) < 0)
        return -1;
    return settings->env_access ? 0 : hide_environment(err);
}

int python_tell_scratch(const char *folder)
{
    PyObject *os = PyImport_ImportModule("os");
    PyObject *environment = os ? PyObject_GetAttrString(os, "environ") : NULL;
    PyObject *path = environment ? PyUnicode_DecodeFSDefault(folder) : NULL;
    int told = path ? PyMapping_SetItemString(environment, "TMPDIR", path) : -1;

    Py_XDECREF(path);
    Py_XDECREF(environment);
    Py_XDECREF(os);
    return told;
}
