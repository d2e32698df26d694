/* See getters.h. */
#include <Python.h>

#include "allowlist/getters.h"

#include <stdbool.h>
#include <string.h>

#include "allowlist/denied.h"
#include "allowlist/judge.h"
#include "runner/base/mem.h"

/* What user code gets for the type: called, it makes a getter. */
struct maker {
    PyObject_HEAD PyObject *real; /* operator.attrgetter or operator.methodcaller */
    bool calls;
};

/* A getter: called with an object, it reads from it. */
struct getter {
    PyObject_HEAD PyObject *real; /* its repr() */
    PyObject *args;               /* what it was made of */
    PyObject *kwargs;             /* NULL: none */
    bool calls;
};

static PyTypeObject *maker_type, *getter_type;
static PyObject *attrgetter, *methodcaller;
static PyObject *(*judge_value)(PyObject *value);

/* One attribute of a value, both judged. */
static PyObject *read_attribute(PyObject *value, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    PyObject *found, *judged;

    if (!text || (PyModule_Check(value) && judge_module(value) < 0))
        return NULL;
    if (denied_attribute(text) || denied_mangled(text)) {
        AUTO_FREE char *sentence = denied_sentence(DENIED_ATTRIBUTE, text);

        return judge_violation(sentence, NULL);
    }
    found = PyObject_GetAttr(value, name);
    judged = found ? judge_value(found) : NULL;
    Py_XDECREF(found);
    return judged;
}

/* `a.b.c` of a value. */
static PyObject *read_path(PyObject *value, PyObject *path)
{
    PyObject *dot = PyUnicode_FromString("."), *at = Py_NewRef(value);
    PyObject *names = dot ? PyUnicode_Split(path, dot, -1) : NULL;

    if (!names)
        Py_CLEAR(at);
    for (Py_ssize_t i = 0; at && i < PyList_GET_SIZE(names); i++)
        Py_SETREF(at, read_attribute(at, PyList_GET_ITEM(names, i)));
    Py_XDECREF(names);
    Py_XDECREF(dot);
    return at;
}

static PyObject *read_all(const struct getter *getter, PyObject *value)
{
    Py_ssize_t count = PyTuple_GET_SIZE(getter->args);
    PyObject *values;

    if (count == 1)
        return read_path(value, PyTuple_GET_ITEM(getter->args, 0));
    values = PyTuple_New(count);
    for (Py_ssize_t i = 0; values && i < count; i++) {
        PyObject *one = read_path(value, PyTuple_GET_ITEM(getter->args, i));

        if (one)
            PyTuple_SET_ITEM(values, i, one);
        else
            Py_CLEAR(values);
    }
    return values;
}

static PyObject *call_method(const struct getter *getter, PyObject *value)
{
    PyObject *method = read_attribute(value, PyTuple_GET_ITEM(getter->args, 0));
    PyObject *rest = PyTuple_GetSlice(getter->args, 1, PyTuple_GET_SIZE(getter->args));
    PyObject *result = method && rest ? PyObject_Call(method, rest, getter->kwargs) : NULL;

    Py_XDECREF(rest);
    Py_XDECREF(method);
    return result;
}

static PyObject *getter_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const struct getter *getter = (struct getter *)self;

    if (PyTuple_GET_SIZE(args) != 1 || (kwargs && PyDict_GET_SIZE(kwargs)))
        return PyErr_Format(PyExc_TypeError, "expected 1 argument, got %zd",
                            PyTuple_GET_SIZE(args));
    return getter->calls ? call_method(getter, PyTuple_GET_ITEM(args, 0))
                         : read_all(getter, PyTuple_GET_ITEM(args, 0));
}

/* Exact strings: a subclass may say one thing now and another later. */
static PyObject *exact_names(PyObject *args, bool calls)
{
    PyObject *names = PySequence_List(args), *tuple;
    Py_ssize_t count = names ? PyList_GET_SIZE(names) : 0;

    for (Py_ssize_t i = 0; names && i < (calls && count ? 1 : count); i++) {
        PyObject *exact = PyUnicode_FromObject(PyList_GET_ITEM(names, i));

        if (!exact || PyList_SetItem(names, i, exact) < 0)
            Py_CLEAR(names);
    }
    tuple = names ? PyList_AsTuple(names) : NULL;
    Py_XDECREF(names);
    return tuple;
}

static PyObject *maker_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const struct maker *maker = (struct maker *)self;
    PyObject *real = PyObject_Call(maker->real, args, kwargs); /* it checks the arguments */
    PyObject *names = real ? exact_names(args, maker->calls) : NULL;
    struct getter *getter = names ? PyObject_New(struct getter, getter_type) : NULL;

    if (!getter) {
        Py_XDECREF(names);
        Py_XDECREF(real);
        return NULL;
    }
    getter->real = real;
    getter->args = names;
    getter->kwargs = Py_XNewRef(kwargs);
    getter->calls = maker->calls;
    return (PyObject *)getter;
}

static PyObject *maker_repr(PyObject *self)
{
    return PyObject_Repr(((struct maker *)self)->real);
}

static PyObject *getter_repr(PyObject *self)
{
    return PyObject_Repr(((struct getter *)self)->real);
}

static void maker_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    Py_XDECREF(((struct maker *)self)->real);
    type->tp_free(self);
    Py_DECREF(type);
}

static void getter_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    struct getter *getter = (struct getter *)self;

    Py_XDECREF(getter->real);
    Py_XDECREF(getter->args);
    Py_XDECREF(getter->kwargs);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyTypeObject *new_type(const char *name, int size, ternaryfunc call, reprfunc repr,
                              destructor dealloc)
{
    PyType_Slot slots[] = {
        {Py_tp_call, call}, {Py_tp_repr, repr}, {Py_tp_dealloc, dealloc}, {0, NULL}};
    PyType_Spec spec = {
        .name = name,
        .basicsize = size,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    return (PyTypeObject *)PyType_FromSpec(&spec);
}

int getters_prepare(PyObject *judge(PyObject *value))
{
    PyObject *module = PyImport_ImportModule("_operator");

    judge_value = judge;
    maker_type = new_type("operator.getter_type", sizeof(struct maker), maker_call, maker_repr,
                          maker_dealloc);
    getter_type = new_type("operator.getter", sizeof(struct getter), getter_call, getter_repr,
                           getter_dealloc);
    attrgetter = module ? PyObject_GetAttrString(module, "attrgetter") : NULL;
    methodcaller = module ? PyObject_GetAttrString(module, "methodcaller") : NULL;
    Py_XDECREF(module);
    return maker_type && getter_type && attrgetter && methodcaller ? 0 : -1;
}

bool getters_name(const char *attribute)
{
    return strcmp(attribute, "attrgetter") == 0 || strcmp(attribute, "methodcaller") == 0;
}

PyObject *getters_replace(PyObject *value)
{
    struct maker *maker;

    if (value != attrgetter && value != methodcaller)
        return NULL;
    maker = PyObject_New(struct maker, maker_type);
    if (maker) {
        maker->real = Py_NewRef(value);
        maker->calls = value == methodcaller;
    }
    return (PyObject *)maker;
}
