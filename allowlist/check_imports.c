/* The static check's rules for imports; see check_state.h. */
#include <Python.h>

#include <stdbool.h>

#include "allowlist/ast.h"
#include "allowlist/check_state.h"
#include "allowlist/denied.h"
#include "allowlist/judge.h"
#include "runner/base/mem.h"

int check_module(struct check *check, const char *module)
{
    AUTO_FREE char *refusal = judge_refusal(module);

    return refusal ? check_add(check, refusal) : 0;
}

/* What an import binds, under its own name or another. */
static int check_alias(struct check *check, PyObject *alias)
{
    PyObject *name = ast_get(alias, "name"), *as_name = ast_get_optional(alias, "asname");
    int done = name ? check_attribute(check, check_text(name)) : -1;

    if (done == 0 && denied_name(check_text(name)) && !denied_attribute(check_text(name)))
        done = check_add_denied(check, DENIED_NAME, check_text(name));
    if (done == 0 && denied_name(check_text(as_name)))
        done = check_add_denied(check, DENIED_NAME, check_text(as_name));
    else if (done == 0)
        done = check_attribute(check, check_text(as_name));
    Py_XDECREF(name);
    Py_XDECREF(as_name);
    return done;
}

static int check_aliases(struct check *check, PyObject *node, bool are_modules)
{
    PyObject *aliases = ast_get(node, "names");
    int done = aliases && PyList_Check(aliases) ? 0 : -1;

    for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(aliases); i++) {
        PyObject *alias = PyList_GET_ITEM(aliases, i);
        PyObject *name = are_modules ? ast_get(alias, "name") : NULL;

        if (are_modules)
            done = name ? check_module(check, check_text(name)) : -1;
        if (done == 0)
            done = check_alias(check, alias);
        Py_XDECREF(name);
    }
    Py_XDECREF(aliases);
    return done;
}

int check_import(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_aliases(check, node, true);
}

int check_import_from(struct check *check, PyObject *node, enum place place)
{
    PyObject *level = ast_get_optional(node, "level");
    PyObject *module = ast_get_optional(node, "module");
    int done;

    (void)place;
    if (level && PyLong_Check(level) && PyLong_AsLong(level) != 0)
        done = check_add(check, "Relative imports are disallowed.");
    else
        done = check_module(check, check_text(module));
    Py_XDECREF(level);
    Py_XDECREF(module);
    return done < 0 ? -1 : check_aliases(check, node, false);
}
