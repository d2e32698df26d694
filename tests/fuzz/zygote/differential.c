/*
 * Runs tests/fuzz/differential.py in an embedded CPython that has our JSON code as a module:
 * differential SCRIPT [ARGUMENT...]. What the script compares stands there.
 */
#include <Python.h>

#include <stdio.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"
#include "runner/zygote/json_read.h"
#include "runner/zygote/json_write.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/grammar.h"

static PyObject *check(PyObject *self, PyObject *text)
{
    struct span span = {PyBytes_AsString(text), (size_t)PyBytes_Size(text)};
    bool valid = json_span_check(span);

    (void)self;
    MUST(valid == (grammar_type(span) != JSON_NONE), "the scanner and the grammar agree");
    return PyBool_FromLong(valid);
}

static PyObject *read_text(PyObject *self, PyObject *text)
{
    (void)self;
    return json_read(PyBytes_AsString(text), (size_t)PyBytes_Size(text));
}

static PyObject *as_bytes(int written, const struct buf *out)
{
    return written < 0 ? NULL : PyBytes_FromStringAndSize(out->data, (Py_ssize_t)out->length);
}

static PyObject *write_value(PyObject *self, PyObject *value)
{
    AUTO_BUF struct buf out = {0};

    (void)self;
    return as_bytes(json_write(&out, value), &out);
}

static PyObject *show_value(PyObject *self, PyObject *value)
{
    AUTO_BUF struct buf out = {0};

    (void)self;
    return as_bytes(json_write_print_argument(&out, value), &out);
}

static PyMethodDef methods[] = {
    {"check", check, METH_O, "Is it one JSON value, for the host?"},
    {"read", read_text, METH_O, "What a task gets of a text."},
    {"write", write_value, METH_O, "The text of what a task returns."},
    {"show", show_value, METH_O, "The text of an argument of print()."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "ours", .m_methods = methods};

static PyObject *make_module(void)
{
    return PyModule_Create(&module);
}

/* CPython keeps what it has until the process ends. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

int main(int argc, char **argv)
{
    PyConfig config;
    PyStatus status;

    if (argc < 2) {
        fprintf(stderr, "usage: %s SCRIPT [ARGUMENT...]\n", argv[0]);
        return 2;
    }
    PyImport_AppendInittab("ours", make_module);
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.parse_argv = 1;
    status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        fprintf(stderr, "start Python: %s\n", status.err_msg);
        return 1;
    }
    return Py_RunMain();
}
