/* The user's `__import__`; see import_hook.h. */
#include <Python.h>

#include "allowlist/import_hook.h"

#include <stdbool.h>
#include <string.h>

#include "allowlist/guard.h"
#include "allowlist/judge.h"

/* Judges `a`, `a.b` and `a.b.c` as `import a.b.c as x` finds them: attribute after attribute. */
static int judge_path(PyObject *top, const char *path)
{
    PyObject *module = Py_NewRef(top);
    int judged = judge_module(module);

    for (const char *at = path + strcspn(path, "."); judged == 0 && *at == '.';) {
        size_t length = strcspn(at + 1, ".");
        PyObject *name = PyUnicode_FromStringAndSize(at + 1, (Py_ssize_t)length);

        Py_SETREF(module, name ? PyObject_GetAttr(module, name) : NULL);
        Py_XDECREF(name);
        if (!module)
            break;
        judged = PyModule_Check(module) ? judge_module(module) : 0;
        at += 1 + length;
    }
    Py_XDECREF(module);
    if (judged == 0 && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Clear(); /* the statement itself says so, if it asks for that attribute */
    return judged < 0 || PyErr_Occurred() ? -1 : 0;
}

/* Sets `name` of the stand-in to what user code gets for it. Returns 1 when that is the value
 * itself, 0 when it is not, or when there is no such attribute: the statement itself says so. */
static int copy_judged(PyObject *stand_in, PyObject *module, PyObject *name)
{
    PyObject *value = PyUnicode_Check(name) ? PyObject_GetAttr(module, name) : NULL, *judged;
    int copied = -1;

    if (!value) {
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    judged = guard_value(value);
    if (judged && PyObject_SetAttr(stand_in, name, judged) == 0)
        copied = judged == value;
    Py_XDECREF(judged);
    Py_DECREF(value);
    return copied;
}

/* The names that `from module import *` takes: a new list. */
static PyObject *public_names(PyObject *module)
{
    PyObject *all = PyObject_GetAttrString(module, "__all__"), *names, *keys;

    if (all) {
        names = PySequence_List(all);
        Py_DECREF(all);
        return names;
    }
    PyErr_Clear();
    names = PyList_New(0);
    keys = names ? PyDict_Keys(PyModule_GetDict(module)) : NULL;
    for (Py_ssize_t i = 0; keys && names && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);

        if (PyUnicode_Check(key) && PyUnicode_GET_LENGTH(key) &&
            PyUnicode_READ_CHAR(key, 0) != '_' && PyList_Append(names, key) < 0)
            Py_CLEAR(names);
    }
    Py_XDECREF(keys);
    return names;
}

/* Everything that `from module import *` takes, without the modules that are not allowed. */
static int copy_public(PyObject *stand_in, PyObject *module)
{
    PyObject *names = public_names(module);
    int copied = names ? 0 : -1;

    for (Py_ssize_t i = 0; copied >= 0 && i < PyList_GET_SIZE(names); i++) {
        copied = copy_judged(stand_in, module, PyList_GET_ITEM(names, i));
        if (copied < 0 && judge_violation_pending()) {
            PyErr_Clear();
            copied = 0;
        }
    }
    Py_XDECREF(names);
    return copied < 0 ? -1 : 0;
}

static PyObject *new_stand_in(PyObject *module)
{
    PyObject *name = PyModule_GetNameObject(module);
    PyObject *stand_in = name ? PyModule_NewObject(name) : NULL;

    Py_XDECREF(name);
    return stand_in;
}

/* What `from module import names` takes its names from: the module itself when user code may have
 * all of them as they are, else a stand-in with those that it may have. */
static PyObject *judge_names(PyObject *module, PyObject *names)
{
    PyObject *stand_in = new_stand_in(module), *list = stand_in ? PySequence_List(names) : NULL;
    bool is_same = true;
    int copied = list ? 0 : -1;

    for (Py_ssize_t i = 0; copied >= 0 && i < PyList_GET_SIZE(list); i++) {
        PyObject *name = PyList_GET_ITEM(list, i);

        if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "*") == 0)
            copied = copy_public(stand_in, module);
        else
            copied = copy_judged(stand_in, module, name);
        is_same = is_same && copied == 1;
    }
    Py_XDECREF(list);
    if (copied >= 0 && is_same)
        Py_SETREF(stand_in, Py_NewRef(module));
    else if (copied < 0)
        Py_CLEAR(stand_in);
    return stand_in;
}

/* The real import, of what has been judged or is nobody's business. */
static PyObject *import_really(PyObject *name, PyObject *globals, PyObject *names, int level)
{
    PyObject *module;

    judge_enter_import();
    module = PyImport_ImportModuleLevelObject(name, globals, NULL, names, level);
    judge_leave_import();
    return module;
}

/* The real import, and what user code may have of it. */
static PyObject *import_judged(PyObject *name, PyObject *globals, PyObject *names)
{
    PyObject *module = import_really(name, globals, names, 0), *judged;
    bool takes_names = names && names != Py_None && PyObject_IsTrue(names) > 0;

    if (!module || !PyModule_Check(module))
        return module;
    if (!takes_names && judge_path(module, PyUnicode_AsUTF8(name)) < 0)
        Py_CLEAR(module);
    else if (takes_names && judge_module(module) < 0)
        Py_CLEAR(module);
    if (!module || !takes_names)
        return module;
    judged = judge_names(module, names);
    Py_DECREF(module);
    return judged;
}

/* The arguments of __import__(name, globals=None, locals=None, fromlist=(), level=0). */
struct request {
    PyObject *name, *globals, *locals, *names;
    int level;
};

static int parse(struct request *request, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"name", "globals", "locals", "fromlist", "level", NULL};

    return PyArg_ParseTupleAndKeywords(args, kwargs, "U|OOOi:__import__", keywords, &request->name,
                                       &request->globals, &request->locals, &request->names,
                                       &request->level)
               ? 0
               : -1;
}

static PyObject *import_for_user(const struct request *request)
{
    PyObject *exact, *module = NULL;

    if (request->level != 0)
        return judge_violation("Relative imports are disallowed.", NULL);
    exact = PyUnicode_FromObject(request->name); /* a str whose methods are nobody's but str's */
    if (exact && PyUnicode_AsUTF8(exact) && judge_name(PyUnicode_AsUTF8(exact)) == 0)
        module = import_judged(exact, request->globals, request->names);
    Py_XDECREF(exact);
    return module;
}

/* What user code gets when it names `__import__`. */
static PyObject *explicit_import(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct request request = {0};

    (void)self;
    return parse(&request, args, kwargs) == 0 ? import_for_user(&request) : NULL;
}

/*
 * What import statements call, and PyImport_Import() too: a package in C that is called by user
 * code and imports something for itself (datetime needs _strptime). That one's call is known by its
 * empty list, which no statement makes; it takes the module from sys.modules, not from here, and so
 * it gets None.
 */
static PyObject *implicit_import(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct request request = {0};
    PyObject *module;

    (void)self;
    if (parse(&request, args, kwargs) < 0)
        return NULL;
    if (!request.names || !PyList_CheckExact(request.names) || PyList_GET_SIZE(request.names))
        return import_for_user(&request);
    module = import_really(request.name, NULL, NULL, request.level);
    if (!module)
        return NULL;
    Py_DECREF(module);
    Py_RETURN_NONE;
}

static int add(PyObject *builtins, const char *name, PyMethodDef *method)
{
    PyObject *function = PyCFunction_New(method, NULL);
    int added = function ? PyDict_SetItemString(builtins, name, function) : -1;

    Py_XDECREF(function);
    return added;
}

int import_hook_add(PyObject *builtins)
{
    static PyMethodDef of_statements = {"__import__", (PyCFunction)(void (*)(void))implicit_import,
                                        METH_VARARGS | METH_KEYWORDS, NULL};
    static PyMethodDef of_code = {"__import__", (PyCFunction)(void (*)(void))explicit_import,
                                  METH_VARARGS | METH_KEYWORDS, NULL};

    if (add(builtins, "__import__", &of_statements) < 0)
        return -1;
    return add(builtins, IMPORT_HOOK_EXPLICIT, &of_code);
}
