/* Checks at run time; see guard.h. */
#include <Python.h>

#include "allowlist/guard.h"

#include <stdbool.h>
#include <string.h>
#include <structmember.h>

#include "allowlist/denied.h"
#include "allowlist/importers.h"
#include "allowlist/judge.h"
#include "allowlist/template.h"
#include "runner/base/mem.h"

/* What .held() gives. */
struct held {
    PyObject_HEAD PyObject *value;
};

static PyTypeObject *held_type;
static PyObject *modules; /* sys.modules */

/* sys.modules with the modules that user code may have, and no others. */
static PyObject *allowed_modules(void)
{
    PyObject *copy = PyDict_New(), *key, *module;
    Py_ssize_t at = 0;

    while (copy && PyDict_Next(modules, &at, &key, &module)) {
        const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
        bool allowed = name && judge_name(name) == 0;

        if (allowed && PyModule_Check(module))
            allowed = judge_module(module) == 0;
        PyErr_Clear();
        if (allowed && PyDict_SetItem(copy, key, module) < 0)
            Py_CLEAR(copy);
    }
    return copy;
}

PyObject *guard_value(PyObject *value)
{
    if (PyModule_Check(value))
        return judge_module(value) == 0 ? Py_NewRef(value) : NULL;
    if (value == modules)
        return allowed_modules();
    return importers_replace(value);
}

static PyObject *value_function(PyObject *self, PyObject *value)
{
    (void)self;
    return guard_value(value);
}

static PyObject *held_function(PyObject *self, PyObject *value)
{
    PyObject *judged = guard_value(value);
    struct held *held = judged ? PyObject_New(struct held, held_type) : NULL;

    (void)self;
    if (held)
        held->value = judged;
    else
        Py_XDECREF(judged);
    return (PyObject *)held;
}

static PyObject *matched_function(PyObject *self, PyObject *value)
{
    AUTO_FREE char *sentence = NULL;

    (void)self;
    if (value != modules)
        return guard_value(value);
    sentence = denied_sentence(DENIED_PATTERN, "modules");
    return judge_violation(sentence, NULL);
}

static void held_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    Py_XDECREF(((struct held *)self)->value);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- templates ---- */

static const char *const format_names[] = {"format", "format_map", "vformat", "get_field"};

bool guard_is_format(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(format_names); i++)
        if (strcmp(name, format_names[i]) == 0)
            return true;
    return false;
}

/* -1 with a violation when the text (anything that is no str passes) reads what it must not. */
static int check_text(PyObject *text, bool is_field)
{
    PyObject *denied = NULL;

    if (text && PyUnicode_Check(text))
        denied = is_field ? template_field_denied(text) : template_denied(text);
    if (denied) {
        AUTO_FREE char *sentence = denied_sentence(DENIED_STRING, PyUnicode_AsUTF8(denied));

        judge_violation(sentence, NULL);
        Py_DECREF(denied);
        return -1;
    }
    return 0;
}

/* The template is the receiver of str.format(); str.format and string.Formatter take it first. */
static int check_format(PyObject *receiver, PyObject *name, PyObject *const *args, size_t count,
                        PyObject *keywords)
{
    bool is_field = PyUnicode_CompareWithASCIIString(name, "get_field") == 0;
    Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;

    if (PyUnicode_Check(receiver))
        return check_text(receiver, false);
    if (count && check_text(args[0], is_field) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *keyword = PyTuple_GET_ITEM(keywords, i);

        if ((PyUnicode_CompareWithASCIIString(keyword, "format_string") == 0 ||
             PyUnicode_CompareWithASCIIString(keyword, "field_name") == 0) &&
            check_text(args[count + (size_t)i], is_field) < 0)
            return -1;
    }
    return 0;
}

/* .format(receiver, "method", *args, **keywords) */
static PyObject *format_function(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                 PyObject *keywords)
{
    PyObject *method, *result;

    (void)self;
    if (count < 2 || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "a receiver and a method are needed");
        return NULL;
    }
    if (check_format(args[0], args[1], args + 2, (size_t)count - 2, keywords) < 0)
        return NULL;
    method = PyObject_GetAttr(args[0], args[1]);
    result = method ? PyObject_Vectorcall(method, args + 2, (size_t)count - 2, keywords) : NULL;
    Py_XDECREF(method);
    return result;
}

/* ---- the functions as objects ---- */

static PyMethodDef functions[] = {
    {GUARD_VALUE, value_function, METH_O, NULL},
    {GUARD_HELD, held_function, METH_O, NULL},
    {GUARD_MATCHED, matched_function, METH_O, NULL},
    {GUARD_FORMAT, (PyCFunction)(void (*)(void))format_function, METH_FASTCALL | METH_KEYWORDS,
     NULL},
};

int guard_prepare(void)
{
    static PyMemberDef members[] = {
        {"value", T_OBJECT_EX, offsetof(struct held, value), READONLY, NULL},
        {NULL, 0, 0, 0, NULL},
    };
    static PyType_Slot slots[] = {
        {Py_tp_dealloc, held_dealloc}, {Py_tp_members, members}, {0, NULL}};
    static PyType_Spec spec = {
        .name = "task_runner.held",
        .basicsize = sizeof(struct held),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    modules = Py_XNewRef(PySys_GetObject("modules"));
    held_type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (modules && !PyDict_Check(modules))
        PyErr_SetString(PyExc_RuntimeError, "sys.modules is no dict");
    return held_type && modules && PyDict_Check(modules) ? 0 : -1;
}

int guard_add(PyObject *builtins)
{
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
        PyObject *function = PyCFunction_New(&functions[i], NULL);
        int added = function ? PyDict_SetItemString(builtins, functions[i].ml_name, function) : -1;

        Py_XDECREF(function);
        if (added < 0)
            return -1;
    }
    return 0;
}
