/* Format templates, read with the parser that str.format() uses; see template.h. */
#include <Python.h>

#include "allowlist/template.h"

#include <stdbool.h>

#include "allowlist/denied.h"

/* str.format() itself stops at two levels; no field beyond the third is ever read. */
enum { NESTING_MAX = 3 };

static PyObject *parser;     /* _string.formatter_parser */
static PyObject *name_split; /* _string.formatter_field_name_split */

int template_prepare(void)
{
    PyObject *module = PyImport_ImportModule("_string");

    parser = module ? PyObject_GetAttrString(module, "formatter_parser") : NULL;
    name_split = module ? PyObject_GetAttrString(module, "formatter_field_name_split") : NULL;
    Py_XDECREF(module);
    return parser && name_split ? 0 : -1;
}

static bool is_denied(PyObject *name)
{
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

    PyErr_Clear();
    return text && (denied_name(text) || denied_attribute(text) || denied_mangled(text));
}

PyObject *template_field_denied(PyObject *field)
{
    PyObject *split = PyObject_CallOneArg(name_split, field), *denied = NULL, *part, *iterator;

    if (!split || !PyTuple_Check(split) || PyTuple_GET_SIZE(split) != 2) {
        Py_XDECREF(split);
        PyErr_Clear();
        return NULL;
    }
    if (is_denied(PyTuple_GET_ITEM(split, 0)))
        denied = Py_NewRef(PyTuple_GET_ITEM(split, 0));
    iterator = denied ? NULL : PyObject_GetIter(PyTuple_GET_ITEM(split, 1));
    while (iterator && !denied && (part = PyIter_Next(iterator))) {
        /* (is an attribute, its name or the key) */
        if (PyTuple_Check(part) && PyTuple_GET_SIZE(part) == 2 &&
            is_denied(PyTuple_GET_ITEM(part, 1)))
            denied = Py_NewRef(PyTuple_GET_ITEM(part, 1));
        Py_DECREF(part);
    }
    PyErr_Clear();
    Py_XDECREF(iterator);
    Py_DECREF(split);
    return denied;
}

static PyObject *denied_in(PyObject *template, int nesting)
{
    PyObject *iterator = PyObject_CallOneArg(parser, template), *denied = NULL, *part;

    while (iterator && !denied && (part = PyIter_Next(iterator))) {
        /* (literal, field, format spec, conversion) */
        if (PyTuple_Check(part) && PyTuple_GET_SIZE(part) == 4) {
            PyObject *field = PyTuple_GET_ITEM(part, 1), *spec = PyTuple_GET_ITEM(part, 2);

            if (PyUnicode_Check(field))
                denied = template_field_denied(field);
            if (!denied && PyUnicode_Check(spec) && nesting < NESTING_MAX)
                denied = denied_in(spec, nesting + 1);
        }
        Py_DECREF(part);
    }
    PyErr_Clear();
    Py_XDECREF(iterator);
    return denied;
}

PyObject *template_denied(PyObject *template)
{
    return denied_in(template, 0);
}

/* ---- following ---- */

struct following {
    PyObject *args;   /* NULL or a sequence */
    PyObject *kwargs; /* NULL or a mapping */
    Py_ssize_t next;  /* what an empty field name stands for */
    int (*judge)(PyObject *value);
};

/* What a field's first part names; a new reference, or NULL when there is none. */
static PyObject *first_object(struct following *f, PyObject *first)
{
    PyObject *value = NULL;

    if (PyUnicode_Check(first) && PyUnicode_GET_LENGTH(first) == 0)
        value = f->args ? PySequence_GetItem(f->args, f->next) : NULL;
    else if (PyLong_Check(first))
        value = f->args ? PySequence_GetItem(f->args, PyLong_AsSsize_t(first)) : NULL;
    else
        value = f->kwargs ? PyObject_GetItem(f->kwargs, first) : NULL;
    PyErr_Clear();
    return value;
}

/* One step on, by an attribute or by a key. Takes the reference to `value`. */
static PyObject *step(PyObject *value, PyObject *part)
{
    bool is_attribute = PyObject_IsTrue(PyTuple_GET_ITEM(part, 0)) > 0;
    PyObject *name = PyTuple_GET_ITEM(part, 1);
    PyObject *found = is_attribute ? PyObject_GetAttr(value, name) : PyObject_GetItem(value, name);

    PyErr_Clear();
    Py_DECREF(value);
    return found;
}

static int follow_parts(struct following *f, PyObject *value, PyObject *parts)
{
    int judged = 0;

    for (Py_ssize_t i = 0; value && judged == 0 && i < PyList_GET_SIZE(parts); i++) {
        value = step(value, PyList_GET_ITEM(parts, i));
        judged = value ? f->judge(value) : 0;
    }
    Py_XDECREF(value);
    return judged;
}

static int follow_field(struct following *f, PyObject *field)
{
    PyObject *split = PyObject_CallOneArg(name_split, field), *parts, *first, *value;
    int judged = 0;

    if (!split || !PyTuple_Check(split) || PyTuple_GET_SIZE(split) != 2) {
        Py_XDECREF(split);
        PyErr_Clear();
        return 0;
    }
    first = PyTuple_GET_ITEM(split, 0);
    parts = PySequence_List(PyTuple_GET_ITEM(split, 1));
    PyErr_Clear();
    value = parts && PyList_GET_SIZE(parts) ? first_object(f, first) : NULL;
    if (PyUnicode_Check(first) && PyUnicode_GET_LENGTH(first) == 0)
        f->next++;
    if (value)
        judged = follow_parts(f, value, parts);
    Py_XDECREF(parts);
    Py_DECREF(split);
    return judged;
}

static int follow_in(struct following *f, PyObject *template, int nesting)
{
    PyObject *iterator = PyObject_CallOneArg(parser, template), *part;
    int judged = 0;

    while (iterator && judged == 0 && (part = PyIter_Next(iterator))) {
        if (PyTuple_Check(part) && PyTuple_GET_SIZE(part) == 4) {
            PyObject *field = PyTuple_GET_ITEM(part, 1), *spec = PyTuple_GET_ITEM(part, 2);

            if (PyUnicode_Check(field))
                judged = follow_field(f, field);
            if (judged == 0 && PyUnicode_Check(spec) && nesting < NESTING_MAX)
                judged = follow_in(f, spec, nesting + 1);
        }
        Py_DECREF(part);
    }
    if (judged == 0)
        PyErr_Clear();
    Py_XDECREF(iterator);
    return judged;
}

int template_follow(PyObject *template, PyObject *args, PyObject *kwargs,
                    int (*judge)(PyObject *value))
{
    struct following f = {.args = args, .kwargs = kwargs, .judge = judge};

    return follow_in(&f, template, 0);
}

int template_follow_field(PyObject *field, PyObject *args, PyObject *kwargs,
                          int (*judge)(PyObject *value))
{
    struct following f = {.args = args, .kwargs = kwargs, .judge = judge};

    return follow_field(&f, field);
}
