/* See pickles.h. */
#include <Python.h>

#include "allowlist/pickles.h"

#include <string.h>

#include "allowlist/denied.h"
#include "allowlist/judge.h"
#include "runner/base/mem.h"

/* Functions of the standard library that rebuild values, and nothing else. */
static const char *const rebuilders[][2] = {
    {"_codecs", "encode"},
    {"_collections", "_count_elements"},
    {"array", "_array_reconstructor"},
    {"copyreg", "__newobj__"},
    {"copyreg", "__newobj_ex__"},
    {"copyreg", "_reconstructor"},
    {"types", "SimpleNamespace"},
};

/* Their classes call, import or compile what they are given. */
static const char *const reflective[] = {"_operator",       "code",     "ctypes",     "importlib",
                                         "multiprocessing", "operator", "subprocess", "types"};

static PyObject *real; /* the dict of the module `builtins` */

int pickles_prepare(void)
{
    PyObject *builtins = PyImport_ImportModule("builtins");

    real = builtins ? Py_XNewRef(PyModule_GetDict(builtins)) : NULL;
    Py_XDECREF(builtins);
    return real ? 0 : -1;
}

static bool is_rebuilder(const char *module, const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(rebuilders); i++)
        if (strcmp(rebuilders[i][0], module) == 0 && strcmp(rebuilders[i][1], name) == 0)
            return true;
    return false;
}

static bool is_reflective(const char *module)
{
    for (size_t i = 0; i < ARRAY_COUNT(reflective); i++) {
        size_t length = strlen(reflective[i]);

        if (strncmp(module, reflective[i], length) == 0 &&
            (module[length] == '.' || !module[length]))
            return true;
    }
    return false;
}

/* Is it a class of a module that is there already? */
static bool is_known_class(PyObject *module, PyObject *name)
{
    PyObject *modules = PySys_GetObject("modules");
    PyObject *found = modules && PyDict_Check(modules) ? PyDict_GetItem(modules, module) : NULL;
    PyObject *dict = found && PyModule_Check(found) ? PyModule_GetDict(found) : NULL;
    PyObject *value = dict ? PyDict_GetItem(dict, name) : NULL;

    return value && PyType_Check(value);
}

/* Python 2 called the module of the built-in names `__builtin__`. */
static bool is_builtins(const char *module)
{
    return strcmp(module, "builtins") == 0 || strcmp(module, "__builtin__") == 0;
}

/* A class among the built-in names, but for those that lead further. */
static bool is_plain_builtin(PyObject *name, const char *text)
{
    PyObject *value = PyDict_GetItem(real, name);

    return value && PyType_Check(value) && strcmp(text, "type") != 0;
}

int pickles_check(PyObject *module, PyObject *name, bool for_user)
{
    const char *where = module && PyUnicode_Check(module) ? PyUnicode_AsUTF8(module) : NULL;
    const char *what = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    AUTO_FREE char *sentence = NULL;

    PyErr_Clear();
    if (!where || !what)
        return 0; /* no names: unpickling says so */
    if (is_builtins(where) ? is_plain_builtin(name, what) : is_rebuilder(where, what))
        return 0;
    if (!is_builtins(where) && !strchr(what, '.') && !denied_attribute(what)) {
        if (for_user && !is_reflective(where))
            return judge_name(where);
        if (!for_user &&
            (!judge_is_stdlib(where) || (!is_reflective(where) && is_known_class(module, name))))
            return 0;
    }
    sentence = mem_format("A pickle may not name %s.%s in a Code task.", where, what);
    judge_refuse_act(sentence);
    return -1;
}
