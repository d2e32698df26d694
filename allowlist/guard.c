/* Checks at run time; see guard.h. */
#include <Python.h>

#include "allowlist/guard.h"

#include <stdbool.h>
#include <string.h>
#include <structmember.h>

#include "allowlist/denied.h"
#include "allowlist/getters.h"
#include "allowlist/importers.h"
#include "allowlist/judge.h"
#include "allowlist/template.h"
#include "runner/base/mem.h"

/* What .held() gives. */
struct held {
    PyObject_HEAD PyObject *value;
};

static PyTypeObject *held_type;
static PyObject *modules;       /* sys.modules */
static PyObject *real_builtins; /* every module has it, as `__builtins__` */

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

static PyObject *refuse_builtins(void)
{
    AUTO_FREE char *sentence = denied_sentence(DENIED_NAME, "__builtins__");

    return judge_violation(sentence, NULL);
}

PyObject *guard_value(PyObject *value)
{
    if (PyModule_Check(value))
        return judge_module(value) == 0 ? Py_NewRef(value) : NULL;
    if (value == modules)
        return allowed_modules();
    if (value == real_builtins)
        return refuse_builtins();
    if (PyType_Check(value)) {
        PyObject *getter = getters_replace(value);

        return getter || PyErr_Occurred() ? getter : Py_NewRef(value);
    }
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

/* A value that a field of a template reads. */
static int judge_read(PyObject *value)
{
    AUTO_FREE char *sentence = NULL;

    if (PyModule_Check(value))
        return judge_module(value);
    if (value != modules)
        return 0;
    sentence = denied_sentence(DENIED_STRING, "modules");
    judge_violation(sentence, NULL);
    return -1;
}

/* A call of format() or a relative, taken apart. Borrowed, but for `rest`. */
struct format_call {
    PyObject *template; /* NULL: none was found, and there is nothing to check */
    bool is_field;      /* the template is one field's name */
    PyObject *values;   /* what numbered fields name, or NULL */
    PyObject *named;    /* what named fields name, or NULL */
    PyObject *rest;     /* owned: the positional arguments behind the template */
};

/* An argument by its place behind the receiver, or by its keyword; borrowed, NULL when missing. */
static PyObject *argument(PyObject *args, PyObject *kwargs, Py_ssize_t index, const char *keyword)
{
    if (index < PyTuple_GET_SIZE(args))
        return PyTuple_GET_ITEM(args, index);
    return kwargs ? PyDict_GetItemString(kwargs, keyword) : NULL;
}

/*
 * str.format() and format_map() have the template as their receiver; called on the class, and in
 * string.Formatter, it is the first argument.
 */
static void take_apart(struct format_call *call, PyObject *receiver, const char *method,
                       PyObject *args, PyObject *kwargs)
{
    bool is_bound = PyUnicode_Check(receiver);
    Py_ssize_t first = is_bound ? 0 : 1;

    call->is_field = strcmp(method, "get_field") == 0;
    call->template =
        is_bound ? receiver
                 : argument(args, kwargs, 0, call->is_field ? "field_name" : "format_string");
    if (strcmp(method, "format") == 0) {
        call->rest = PyTuple_GetSlice(args, first, PyTuple_GET_SIZE(args));
        call->values = call->rest;
        call->named = kwargs;
    } else if (strcmp(method, "format_map") == 0) {
        call->named = argument(args, NULL, first, "");
    } else {
        call->values = argument(args, kwargs, 1, "args");
        call->named = argument(args, kwargs, 2, "kwargs");
    }
}

static int check_format(PyObject *receiver, const char *method, PyObject *args, PyObject *kwargs)
{
    struct format_call call = {0};
    int checked = 0;

    take_apart(&call, receiver, method, args, kwargs);
    if (call.template && PyUnicode_Check(call.template)) {
        checked = check_text(call.template, call.is_field);
        if (checked == 0)
            checked =
                call.is_field
                    ? template_follow_field(call.template, call.values, call.named, judge_read)
                    : template_follow(call.template, call.values, call.named, judge_read);
    }
    Py_XDECREF(call.rest);
    return checked;
}

/* .format(receiver, "method", *args, **kwargs) */
static PyObject *format_function(PyObject *self, PyObject *all, PyObject *kwargs)
{
    PyObject *args = PyTuple_GetSlice(all, 2, PyTuple_GET_SIZE(all)), *receiver, *name;
    PyObject *method = NULL, *result = NULL;
    const char *text;

    (void)self;
    if (!args || PyTuple_GET_SIZE(all) < 2) {
        Py_XDECREF(args);
        return PyErr_Format(PyExc_TypeError, "a receiver and a method are needed");
    }
    receiver = PyTuple_GET_ITEM(all, 0);
    name = PyTuple_GET_ITEM(all, 1);
    text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (text && check_format(receiver, text, args, kwargs) == 0)
        method = PyObject_GetAttr(receiver, name);
    if (method)
        result = PyObject_Call(method, args, kwargs);
    Py_XDECREF(method);
    Py_DECREF(args);
    return result;
}

/* ---- the functions as objects ---- */

static PyMethodDef functions[] = {
    {GUARD_VALUE, value_function, METH_O, NULL},
    {GUARD_HELD, held_function, METH_O, NULL},
    {GUARD_MATCHED, matched_function, METH_O, NULL},
    {GUARD_FORMAT, (PyCFunction)(void (*)(void))format_function, METH_VARARGS | METH_KEYWORDS,
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
    real_builtins = Py_XNewRef(PyEval_GetBuiltins());
    held_type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (modules && !PyDict_Check(modules))
        PyErr_SetString(PyExc_RuntimeError, "sys.modules is no dict");
    return held_type && modules && PyDict_Check(modules) ? getters_prepare(guard_value) : -1;
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
