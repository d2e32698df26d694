/*
 * The builtins of user code; see builtins.h.
 *
 * What is denied is absent. What is left and reads attributes or compiles code on somebody's behalf
 * does it as user code would: getattr() and vars() judge what they find, exec(), eval() and
 * compile() check and instrument their text.
 */
#include <Python.h>

#include "allowlist/builtins.h"

#include <stdbool.h>
#include <string.h>

#include "allowlist/ast.h"
#include "allowlist/check.h"
#include "allowlist/guard.h"
#include "allowlist/import_hook.h"
#include "allowlist/importers.h"
#include "allowlist/instrument.h"
#include "allowlist/judge.h"
#include "allowlist/policy.h"
#include "allowlist/template.h"
#include "runner/base/mem.h"

/* CPython's own, for the functions below. */
static PyObject *real; /* the dict of the module `builtins` */

static PyObject *call_real(const char *name, PyObject *args, PyObject *kwargs)
{
    PyObject *function = PyDict_GetItemString(real, name); /* borrowed */

    if (!function)
        return PyErr_Format(PyExc_NameError, "name '%s' is not defined", name);
    return PyObject_Call(function, args, kwargs);
}

/* ---- attributes ---- */

static PyObject *user_getattr(PyObject *self, PyObject *args)
{
    PyObject *value = call_real("getattr", args, NULL), *judged = NULL;

    (void)self;
    if (value)
        judged = guard_value(value);
    Py_XDECREF(value);
    return judged;
}

/* A module's namespace with what user code may have of it. */
static PyObject *judged_namespace(PyObject *module)
{
    PyObject *copy = PyDict_New(), *items = PyDict_Items(PyModule_GetDict(module));

    for (Py_ssize_t i = 0; copy && items && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        PyObject *judged = guard_value(PyTuple_GET_ITEM(item, 1));

        if (judged && PyDict_SetItem(copy, PyTuple_GET_ITEM(item, 0), judged) < 0)
            Py_CLEAR(copy);
        Py_XDECREF(judged);
        if (judge_violation_pending())
            PyErr_Clear();
        else if (PyErr_Occurred())
            Py_CLEAR(copy);
    }
    if (!items)
        Py_CLEAR(copy);
    Py_XDECREF(items);
    return copy;
}

static PyObject *user_vars(PyObject *self, PyObject *args)
{
    (void)self;
    if (PyTuple_GET_SIZE(args) == 1 && PyModule_Check(PyTuple_GET_ITEM(args, 0)))
        return judged_namespace(PyTuple_GET_ITEM(args, 0));
    return call_real("vars", args, NULL);
}

/* ---- code ---- */

/* Raises the first of check_code()'s lines, without its `Line N: `. */
static void raise_first(PyObject *lines)
{
    const char *text = PyUnicode_AsUTF8(PyList_GET_ITEM(lines, 0));
    const char *sentence = text ? strstr(text, ": ") : NULL;

    if (sentence)
        judge_violation(sentence + 2, NULL);
}

/* Text of user code, or a syntax tree of its making, as a new tree of plain nodes: a tree goes
 * through its text, since its nodes may be of types that only claim to be what they are. */
static PyObject *parse(PyObject *source, PyObject *filename, PyObject *mode, int flags)
{
    PyObject *text = NULL, *module = NULL, *args, *tree;

    if (!ast_is_node(source)) {
        text = Py_NewRef(source);
    } else if ((module = PyImport_ImportModule("ast"))) {
        text = PyObject_CallMethod(module, "unparse", "O", source);
    }
    Py_XDECREF(module);
    args = text ? Py_BuildValue("OOOi", text, filename, mode, flags | PyCF_ONLY_AST) : NULL;
    tree = args ? call_real("compile", args, NULL) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(text);
    return tree;
}

/* Parsed, checked, instrumented and compiled; `optimize` as compile() takes it. */
static PyObject *compile_guarded(PyObject *source, PyObject *filename, PyObject *mode, int flags,
                                 int optimize)
{
    PyObject *tree = parse(source, filename, mode, flags), *lines, *args, *code = NULL;

    lines = tree ? check_code(tree) : NULL;
    if (lines && PyList_GET_SIZE(lines)) {
        raise_first(lines);
    } else if (lines && instrument_tree(tree) == 0) {
        args = Py_BuildValue("OOOiii", tree, filename, mode, flags, 0, optimize);
        code = args ? call_real("compile", args, NULL) : NULL;
        Py_XDECREF(args);
    }
    Py_XDECREF(lines);
    Py_XDECREF(tree);
    return code;
}

static PyObject *user_compile(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"source",   "filename",         "mode", "flags", "dont_inherit",
                               "optimize", "_feature_version", NULL};
    PyObject *source, *filename, *mode;
    int flags = 0, dont_inherit = 0, optimize = -1, version = -1;

    (void)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOU|iiii:compile", keywords, &source, &filename,
                                     &mode, &flags, &dont_inherit, &optimize, &version))
        return NULL;
    if (flags & PyCF_ONLY_AST)
        return call_real("compile", args, kwargs);
    return compile_guarded(source, filename, mode, flags, optimize);
}

/* exec() and eval(): the first argument, when it is text, becomes guarded code. */
static PyObject *run_text(const char *name, PyObject *args, PyObject *kwargs)
{
    PyObject *source = PyTuple_GET_SIZE(args) ? PyTuple_GET_ITEM(args, 0) : NULL;
    PyObject *filename, *mode, *stripped, *code = NULL, *rest, *result = NULL;

    if (!source || PyCode_Check(source))
        return call_real(name, args, kwargs);
    filename = PyUnicode_FromString("<string>");
    mode = PyUnicode_FromString(name);
    /* eval() forgives blanks in front */
    stripped = PyUnicode_Check(source) && strcmp(name, "eval") == 0
                   ? PyObject_CallMethod(source, "lstrip", "s", " \t")
                   : Py_NewRef(source);
    if (filename && mode && stripped)
        code = compile_guarded(stripped, filename, mode, 0, -1);
    rest = code ? PySequence_List(args) : NULL;
    if (rest && PyList_SetItem(rest, 0, Py_NewRef(code)) == 0) {
        PyObject *changed = PyList_AsTuple(rest);

        result = changed ? call_real(name, changed, kwargs) : NULL;
        Py_XDECREF(changed);
    }
    Py_XDECREF(rest);
    Py_XDECREF(code);
    Py_XDECREF(stripped);
    Py_XDECREF(mode);
    Py_XDECREF(filename);
    return result;
}

static PyObject *user_exec(PyObject *self, PyObject *args, PyObject *kwargs)
{
    (void)self;
    return run_text("exec", args, kwargs);
}

static PyObject *user_eval(PyObject *self, PyObject *args, PyObject *kwargs)
{
    (void)self;
    return run_text("eval", args, kwargs);
}

/* ---- the dict ---- */

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef replaced[] = {
    {"compile", WITH_KEYWORDS(user_compile), METH_VARARGS | METH_KEYWORDS, NULL},
    {"eval", WITH_KEYWORDS(user_eval), METH_VARARGS | METH_KEYWORDS, NULL},
    {"exec", WITH_KEYWORDS(user_exec), METH_VARARGS | METH_KEYWORDS, NULL},
    {"getattr", user_getattr, METH_VARARGS, NULL},
    {"vars", user_vars, METH_VARARGS, NULL},
};

/* The import system's own handles on `builtins`, which no code needs. */
static const char *const dropped[] = {"__loader__", "__spec__"};

static int drop(PyObject *builtins, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    int has = key ? PyDict_Contains(builtins, key) : -1;

    if (has > 0)
        has = PyDict_DelItem(builtins, key);
    Py_XDECREF(key);
    return has < 0 ? -1 : 0;
}

static int replace(PyObject *builtins)
{
    for (size_t i = 0; i < ARRAY_COUNT(replaced); i++) {
        PyObject *function = PyCFunction_New(&replaced[i], NULL);
        int set = function ? PyDict_SetItemString(builtins, replaced[i].ml_name, function) : -1;

        Py_XDECREF(function);
        if (set < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_COUNT(dropped); i++)
        if (drop(builtins, dropped[i]) < 0)
            return -1;
    return 0;
}

static int prepare(const struct policy *policy)
{
    PyObject *module = PyImport_ImportModule("builtins");

    real = module ? Py_XNewRef(PyModule_GetDict(module)) : NULL;
    Py_XDECREF(module);
    if (!real || judge_prepare(policy) < 0 || ast_prepare() < 0 || template_prepare() < 0 ||
        importers_prepare() < 0)
        return -1;
    return guard_prepare();
}

PyObject *builtins_for_user(const struct policy *policy)
{
    PyObject *builtins = prepare(policy) == 0 ? PyDict_Copy(real) : NULL;
    bool made = builtins != NULL;

    if (made && policy_checks_code(policy))
        made = replace(builtins) == 0 && import_hook_add(builtins) == 0 && guard_add(builtins) == 0;
    for (size_t i = 0; made && i < policy->builtins_deny.count; i++)
        made = drop(builtins, policy->builtins_deny.names[i]) == 0;
    if (made && name_list_has(&policy->builtins_deny, "__import__"))
        made = drop(builtins, IMPORT_HOOK_EXPLICIT) == 0;
    if (!made)
        Py_CLEAR(builtins);
    return builtins;
}
