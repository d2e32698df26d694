/* Functions that import for their caller; see importers.h. */
#include <Python.h>

#include "allowlist/importers.h"

#include <string.h>

#include "allowlist/judge.h"
#include "runner/base/mem.h"

/* Each takes the name of a module first, or as the keyword `argument`. */
static const struct importer {
    const char *module;
    const char *function;
    const char *argument;
} table[] = {
    {"importlib", "import_module", "name"},
    {"importlib", "find_loader", "name"},
    {"importlib._bootstrap", "__import__", "name"},
    {"importlib.util", "find_spec", "name"},
    {"pkgutil", "find_loader", "fullname"},
    {"pkgutil", "get_loader", "module_or_name"},
    {"pkgutil", "resolve_name", "name"},
    {"pydoc", "locate", "path"},
    {"pydoc", "safeimport", "path"},
    {"runpy", "run_module", "mod_name"},
};

/* Methods of finders and loaders, and what else gives a module for a name or a spec. */
static const char *const methods[] = {
    "create_module", "exec_module", "getmodule", "load_module", "module_from_spec", "reload",
};

/* What stands in for one: the real function, and the argument that names the module. */
struct stand_in {
    PyObject_HEAD PyObject *real;
    const char *argument;
};

static PyTypeObject *stand_in_type;

/* Judges what is asked for: `a.b`, `a.b:object`, `.b` of a package that is asked for as well. */
static int judge_request(PyObject *name, PyObject *package)
{
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    AUTO_FREE char *module = NULL;

    if (text && text[0] == '.')
        text = package && PyUnicode_Check(package) ? PyUnicode_AsUTF8(package) : NULL;
    if (!text)
        return PyErr_Occurred() ? -1 : 0; /* no name: the real function says so */
    module = mem_dup_n(text, strcspn(text, ":"));
    return judge_name(module);
}

static PyObject *call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct stand_in *stand_in = (struct stand_in *)self;
    PyObject *name = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL;
    PyObject *package = PyTuple_GET_SIZE(args) > 1 ? PyTuple_GET_ITEM(args, 1) : NULL;
    PyObject *result;

    if (!name && kwargs)
        name = PyDict_GetItemString(kwargs, stand_in->argument);
    if (!package && kwargs)
        package = PyDict_GetItemString(kwargs, "package");
    if (name && judge_request(name, package) < 0)
        return NULL;
    result = PyObject_Call(stand_in->real, args, kwargs);
    if (result && PyModule_Check(result) && judge_module(result) < 0)
        Py_CLEAR(result);
    return result;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    Py_XDECREF(((struct stand_in *)self)->real);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *repr(PyObject *self)
{
    return PyObject_Repr(((struct stand_in *)self)->real);
}

int importers_prepare(void)
{
    static PyType_Slot slots[] = {
        {Py_tp_call, call}, {Py_tp_dealloc, dealloc}, {Py_tp_repr, repr}, {0, NULL}};
    static PyType_Spec spec = {
        .name = "task_runner.importer",
        .basicsize = sizeof(struct stand_in),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    stand_in_type = (PyTypeObject *)PyType_FromSpec(&spec);
    return stand_in_type ? 0 : -1;
}

bool importers_name(const char *attribute)
{
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        if (strcmp(attribute, table[i].function) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
        if (strcmp(attribute, methods[i]) == 0)
            return true;
    return false;
}

static bool is_text(PyObject *string, const char *text)
{
    return string && PyUnicode_Check(string) && PyUnicode_CompareWithASCIIString(string, text) == 0;
}

static PyObject *new_stand_in(PyObject *real, const char *argument)
{
    struct stand_in *stand_in = PyObject_New(struct stand_in, stand_in_type);

    if (!stand_in)
        return NULL;
    stand_in->real = Py_NewRef(real);
    stand_in->argument = argument;
    return (PyObject *)stand_in;
}

PyObject *importers_replace(PyObject *value)
{
    PyFunctionObject *function = (PyFunctionObject *)value;

    if (!PyFunction_Check(value))
        return Py_NewRef(value);
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        if (is_text(function->func_name, table[i].function) &&
            is_text(function->func_module, table[i].module))
            return new_stand_in(value, table[i].argument);
    return Py_NewRef(value);
}
