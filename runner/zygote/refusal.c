/* See refusal.h. */
#include <Python.h>

#include "runner/zygote/refusal.h"

#include <stdbool.h>
#include <string.h>

#include "allowlist/audit.h"
#include "allowlist/judge.h"
#include "runner/zygote/report.h"

enum { CHAIN_MAX = 16 }; /* exceptions that were made of each other */

/* The file of the innermost frame that the exception went through, a new str or NULL. */
static PyObject *where_raised(PyObject *exception)
{
    PyObject *traceback = PyException_GetTraceback(exception), *file = NULL;
    PyTracebackObject *last = (PyTracebackObject *)traceback;
    PyCodeObject *code;

    while (last && last->tb_next)
        last = last->tb_next;
    if (last) {
        code = PyFrame_GetCode(last->tb_frame);
        file = Py_NewRef(code->co_filename);
        Py_DECREF(code);
    }
    Py_XDECREF(traceback);
    return file;
}

static bool raised_by_user(PyObject *exception)
{
    PyObject *file = where_raised(exception);
    bool by_user = !file || PyUnicode_CompareWithASCIIString(file, report_file_name) == 0;

    Py_XDECREF(file);
    return by_user;
}

static bool ends_with(PyObject *text, const char *end)
{
    const char *utf8 = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;
    size_t length = utf8 ? strlen(utf8) : 0, size = strlen(end);

    PyErr_Clear();
    return utf8 && length >= size && strcmp(utf8 + length - size, end) == 0;
}

/* PermissionError from a socket, or a name that nobody was asked for. */
static bool is_of_a_socket(PyObject *exception)
{
    PyObject *file;
    bool is;

    if (audit_network_allowed() || !PyErr_GivenExceptionMatches(exception, PyExc_OSError))
        return false;
    file = where_raised(exception);
    is = ends_with(file, "/socket.py") &&
         (PyErr_GivenExceptionMatches(exception, PyExc_PermissionError) ||
          strcmp(Py_TYPE(exception)->tp_name, "socket.gaierror") == 0 ||
          strcmp(Py_TYPE(exception)->tp_name, "gaierror") == 0);
    Py_XDECREF(file);
    return is;
}

static PyObject *own_sentence(PyObject *exception)
{
    PyObject *sentence = NULL;

    if (judge_is_violation(exception))
        sentence = judge_sentence(exception);
    else if (is_of_a_socket(exception))
        sentence = PyUnicode_FromString(audit_network_sentence);
    PyErr_Clear();
    return sentence;
}

/* What the exception was made of: a new reference, or NULL. */
static PyObject *origin(PyObject *exception)
{
    PyObject *cause = PyException_GetCause(exception);

    return cause ? cause : PyException_GetContext(exception);
}

PyObject *refusal_sentence(PyObject *exception)
{
    PyObject *at = Py_NewRef(exception), *sentence = own_sentence(exception);

    for (int i = 0; i < CHAIN_MAX && !sentence && at && !raised_by_user(at); i++) {
        Py_SETREF(at, origin(at));
        if (at)
            sentence = own_sentence(at);
    }
    Py_XDECREF(at);
    return sentence;
}
