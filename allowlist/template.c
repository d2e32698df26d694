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
