/* Judging modules; see judge.h. */
#include <Python.h>

#include "allowlist/judge.h"

#include <errno.h>
#include <string.h>

#include "allowlist/policy.h"
#include "runner/base/mem.h"

/* The interpreter's own, made once in the zygote. */
static const struct policy *policy;
static PyObject *violation;    /* SecurityViolation, an ImportError */
static PyObject *refused_act;  /* ActRefused, a PermissionError */
static int importing;          /* how many judged imports are going on */
static PyObject *stdlib_names; /* sys.stdlib_module_names */
static PyObject *last_alias;   /* the module that was last allowed as an alias */

int judge_prepare(const struct policy *settings)
{
    policy = settings;
    violation = PyErr_NewException("task_runner.SecurityViolation", PyExc_ImportError, NULL);
    stdlib_names = Py_XNewRef(PySys_GetObject("stdlib_module_names"));
    refused_act = PyErr_NewException("task_runner.ActRefused", PyExc_PermissionError, NULL);
    if (violation && !stdlib_names)
        PyErr_SetString(PyExc_RuntimeError, "sys.stdlib_module_names is missing");
    return violation && refused_act && stdlib_names ? 0 : -1;
}

bool judge_is_stdlib(const char *module)
{
    PyObject *top = PyUnicode_FromStringAndSize(module, (Py_ssize_t)strcspn(module, "."));
    int found = top ? PySet_Contains(stdlib_names, top) : 0;

    Py_XDECREF(top);
    PyErr_Clear();
    return found > 0;
}

char *judge_refusal(const char *module)
{
    bool is_stdlib = judge_is_stdlib(module);

    return policy_allows(policy, module, is_stdlib) ? NULL
                                                    : policy_refusal(policy, module, is_stdlib);
}

PyObject *judge_violation(const char *sentence, const char *module)
{
    PyObject *text = PyUnicode_FromString(sentence);
    PyObject *name = module ? PyUnicode_FromString(module) : Py_NewRef(Py_None);

    if (text && name)
        PyErr_SetImportErrorSubclass(violation, text, name, NULL);
    Py_XDECREF(text);
    Py_XDECREF(name);
    return NULL;
}

void judge_refuse_act(const char *sentence)
{
    PyObject *args = Py_BuildValue("is", EPERM, sentence);

    if (args)
        PyErr_SetObject(refused_act, args);
    Py_XDECREF(args);
}

bool judge_is_violation(PyObject *exception)
{
    return violation && (PyErr_GivenExceptionMatches(exception, violation) ||
                         PyErr_GivenExceptionMatches(exception, refused_act));
}

bool judge_violation_pending(void)
{
    return PyErr_Occurred() && PyErr_ExceptionMatches(violation);
}

/* An OSError's str() begins with its number. */
PyObject *judge_sentence(PyObject *exception)
{
    return PyErr_GivenExceptionMatches(exception, refused_act)
               ? PyObject_GetAttrString(exception, "strerror")
               : PyObject_Str(exception);
}

void judge_enter_import(void)
{
    importing++;
}

void judge_leave_import(void)
{
    importing--;
}

bool judge_importing(void)
{
    return importing > 0;
}

int judge_name(const char *module)
{
    AUTO_FREE char *refusal = judge_refusal(module);

    if (!refusal)
        return 0;
    judge_violation(refusal, module);
    return -1;
}

/*
 * Is `module` in sys.modules as `a.b`, with `a` allowed? One of the standard library counts only
 * under another name of the standard library: packages put the likes of `six.moves.builtins` there;
 * but then also as `a`: `_io` calls itself `io`.
 */
static bool is_allowed_alias(PyObject *module, bool is_stdlib)
{
    PyObject *modules = PySys_GetObject("modules"), *key, *value;
    Py_ssize_t at = 0;

    if (module == last_alias)
        return true;
    while (modules && PyDict_Check(modules) && PyDict_Next(modules, &at, &key, &value)) {
        const char *name = value == module && PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;

        if (!name || (!is_stdlib && !strchr(name, '.')) || judge_is_stdlib(name) != is_stdlib ||
            !policy_allows(policy, name, is_stdlib))
            continue;
        Py_XSETREF(last_alias, Py_NewRef(module));
        return true;
    }
    PyErr_Clear();
    return false;
}

int judge_module(PyObject *module)
{
    PyObject *name = PyModule_GetNameObject(module);
    const char *text = name ? PyUnicode_AsUTF8(name) : NULL;
    AUTO_FREE char *refusal = NULL;
    bool is_stdlib;

    if (!text) {
        PyErr_Clear();
        text = "?";
    }
    is_stdlib = judge_is_stdlib(text);
    if (!policy_allows(policy, text, is_stdlib) && !is_allowed_alias(module, is_stdlib)) {
        refusal = policy_refusal(policy, text, is_stdlib);
        judge_violation(refusal, text);
    }
    Py_XDECREF(name);
    return refusal ? -1 : 0;
}
