/* Instrumentation of user code; see instrument.h. */
#include <Python.h>

#include "allowlist/instrument.h"

#include <stdbool.h>

#include "allowlist/ast.h"
#include "allowlist/getters.h"
#include "allowlist/guard.h"
#include "allowlist/import_hook.h"
#include "allowlist/importers.h"
#include "allowlist/patterns.h"

/* What `a.b += c` keeps while it is taken apart. */
#define TARGET_NAME ".target"
#define VALUE_NAME ".value"

static int visit_fields(PyObject *node);

/* The attribute's name, borrowed from the node, when `node` is an attribute; else NULL. */
static const char *attribute_name(PyObject *node)
{
    PyObject *name = ast_kind_of(node) == AST_ATTRIBUTE ? ast_get_optional(node, "attr") : NULL;
    const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

    Py_XDECREF(name);
    PyErr_Clear();
    return text;
}

static bool is_read(PyObject *node)
{
    PyObject *context = ast_get_optional(node, "ctx");
    bool read = context && ast_kind_of(context) == AST_LOAD;

    Py_XDECREF(context);
    return read;
}

/* ---- calls ---- */

/* receiver.format(...) becomes .format(receiver, "format", ...) */
static int redirect_format(PyObject *call, PyObject *function)
{
    PyObject *args = ast_get(call, "args"), *receiver = ast_get(function, "value");
    PyObject *name = ast_new(AST_CONSTANT);
    int done = args && receiver && PyList_Check(args) ? 0 : -1;

    if (done == 0)
        done = ast_set(name, "value", ast_get(function, "attr"));
    if (done == 0)
        done = ast_place_like(name, function);
    if (done == 0)
        done = PyList_Insert(args, 0, name);
    if (done == 0)
        done = PyList_Insert(args, 0, receiver);
    if (done == 0)
        done = ast_set(call, "func", ast_new_name(GUARD_FORMAT, AST_LOAD, function));
    Py_XDECREF(name);
    Py_XDECREF(receiver);
    Py_XDECREF(args);
    return done;
}

static PyObject *instrument_call(PyObject *call)
{
    PyObject *function = ast_get(call, "func");
    const char *method = function ? attribute_name(function) : NULL;
    bool imports = method && (importers_name(method) || getters_name(method));
    int done = function ? 0 : -1;

    if (done == 0 && method) {
        done = visit_fields(function);
        if (done == 0 && imports)
            done = ast_set(call, "func", ast_new_call(GUARD_VALUE, function, function));
    } else if (done == 0) {
        done = ast_set(call, "func", instrument_expression(function));
    }
    if (done == 0)
        done = visit_fields(call);
    if (done == 0 && method && guard_is_format(method))
        done = redirect_format(call, function);
    Py_XDECREF(function);
    if (done < 0)
        return NULL;
    return imports ? ast_new_call(GUARD_VALUE, call, call) : Py_NewRef(call);
}

static bool is_import_function(PyObject *name)
{
    PyObject *id = ast_get_optional(name, "id");
    bool is = id && PyUnicode_Check(id) &&
              PyUnicode_CompareWithASCIIString(id, "__import__") == 0 && is_read(name);

    Py_XDECREF(id);
    return is;
}

PyObject *instrument_expression(PyObject *node)
{
    enum ast_kind kind = ast_kind_of(node);

    if (kind == AST_CALL)
        return instrument_call(node);
    if (kind == AST_NAME)
        return is_import_function(node) ? ast_new_name(IMPORT_HOOK_EXPLICIT, AST_LOAD, node)
                                        : Py_NewRef(node);
    if (visit_fields(node) < 0)
        return NULL;
    return kind == AST_ATTRIBUTE && is_read(node) ? ast_new_call(GUARD_VALUE, node, node)
                                                  : Py_NewRef(node);
}

/* ---- a.b += c ---- */

/* target = value, with the place of `like`. Takes the references, also when it fails. */
static PyObject *new_assignment(PyObject *target, PyObject *value, PyObject *like)
{
    PyObject *node = ast_new(AST_ASSIGN), *targets = target ? PyList_New(1) : NULL;

    if (targets)
        PyList_SET_ITEM(targets, 0, Py_NewRef(target));
    Py_XDECREF(target);
    if (ast_set(node, "targets", targets) < 0) {
        Py_XDECREF(value);
        Py_CLEAR(node);
    } else if (ast_set(node, "value", value) < 0 || ast_place_like(node, like) < 0) {
        Py_CLEAR(node);
    }
    return node;
}

/* `.target.b`, read or stored */
static PyObject *target_attribute(PyObject *attribute, enum ast_kind context)
{
    PyObject *node = ast_new(AST_ATTRIBUTE);

    if (ast_set(node, "value", ast_new_name(TARGET_NAME, AST_LOAD, attribute)) == 0 &&
        ast_set(node, "attr", ast_get(attribute, "attr")) == 0 &&
        ast_set(node, "ctx", ast_new(context)) == 0 && ast_place_like(node, attribute) == 0)
        return node;
    Py_XDECREF(node);
    return NULL;
}

/* .guard(.target.b) */
static PyObject *guarded_target(PyObject *attribute)
{
    PyObject *read = target_attribute(attribute, AST_LOAD);
    PyObject *call = read ? ast_new_call(GUARD_VALUE, read, attribute) : NULL;

    Py_XDECREF(read);
    return call;
}

/* del .target, .value */
static PyObject *new_deletion(PyObject *like)
{
    PyObject *node = ast_new(AST_DELETE), *names = PyList_New(2);

    if (names) {
        PyList_SET_ITEM(names, 0, ast_new_name(TARGET_NAME, AST_DEL, like));
        PyList_SET_ITEM(names, 1, ast_new_name(VALUE_NAME, AST_DEL, like));
        if (!PyList_GET_ITEM(names, 0) || !PyList_GET_ITEM(names, 1))
            Py_CLEAR(names);
    }
    if (ast_set(node, "targets", names) == 0 && ast_place_like(node, like) == 0)
        return node;
    Py_XDECREF(node);
    return NULL;
}

/*
 * The statements that `a.b += c` stands for, as a new list:
 *     .target = a; .value = .guard(.target.b); .value += c; .target.b = .value; del .target, .value
 */
static PyObject *take_apart(PyObject *statement, PyObject *attribute)
{
    PyObject *list = PyList_New(5);
    int made = list ? 0 : -1;

    if (made == 0)
        made = ast_set(statement, "target", ast_new_name(VALUE_NAME, AST_STORE, attribute));
    if (made == 0) {
        PyList_SET_ITEM(list, 0,
                        new_assignment(ast_new_name(TARGET_NAME, AST_STORE, attribute),
                                       ast_get(attribute, "value"), statement));
        PyList_SET_ITEM(list, 1,
                        new_assignment(ast_new_name(VALUE_NAME, AST_STORE, attribute),
                                       guarded_target(attribute), statement));
        PyList_SET_ITEM(list, 2, Py_NewRef(statement));
        PyList_SET_ITEM(list, 3,
                        new_assignment(target_attribute(attribute, AST_STORE),
                                       ast_new_name(VALUE_NAME, AST_LOAD, attribute), statement));
        PyList_SET_ITEM(list, 4, new_deletion(statement));
    }
    for (Py_ssize_t i = 0; made == 0 && i < PyList_GET_SIZE(list); i++)
        made = PyList_GET_ITEM(list, i) ? 0 : -1;
    if (made < 0)
        Py_CLEAR(list);
    return list;
}

/* An AugAssign at `index` of a list of statements. Returns how many statements it has become. */
static Py_ssize_t instrument_augmented(PyObject *list, Py_ssize_t index)
{
    PyObject *statement = PyList_GET_ITEM(list, index), *parts = NULL;
    PyObject *target = ast_get(statement, "target");
    Py_ssize_t count = -1;

    if (target && visit_fields(statement) == 0 && ast_kind_of(target) != AST_ATTRIBUTE)
        count = 1;
    else if (target && !PyErr_Occurred())
        parts = take_apart(statement, target);
    if (parts && PyList_SetSlice(list, index, index + 1, parts) == 0)
        count = PyList_GET_SIZE(parts);
    Py_XDECREF(parts);
    Py_XDECREF(target);
    return count;
}

/* ---- the walk ---- */

static int visit_list(PyObject *list)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *node = PyList_GET_ITEM(list, i), *changed;

        if (!ast_is_node(node))
            continue;
        if (ast_kind_of(node) == AST_AUG_ASSIGN) {
            Py_ssize_t count = instrument_augmented(list, i);

            if (count < 0)
                return -1;
            i += count - 1;
            continue;
        }
        changed = instrument_expression(node);
        if (!changed || PyList_SetItem(list, i, changed) < 0)
            return -1;
    }
    return 0;
}

static int visit_field(PyObject *node, PyObject *name)
{
    PyObject *value = PyObject_GetAttr(node, name), *changed;
    int done = 0;

    if (!value) {
        PyErr_Clear(); /* an optional field that is not set */
        return 0;
    }
    if (PyList_Check(value)) {
        done = visit_list(value);
    } else if (ast_is_node(value)) {
        changed = instrument_expression(value);
        done = changed ? 0 : -1;
        if (changed && changed != value)
            done = PyObject_SetAttr(node, name, changed);
        Py_XDECREF(changed);
    }
    Py_DECREF(value);
    return done;
}

/* Is this a field that somebody else has instrumented, or that must stay as it is? */
static bool is_done(enum ast_kind kind, PyObject *field)
{
    return (kind == AST_CALL && PyUnicode_CompareWithASCIIString(field, "func") == 0) ||
           (kind == AST_MATCH_CASE && PyUnicode_CompareWithASCIIString(field, "pattern") == 0);
}

static int visit_fields(PyObject *node)
{
    enum ast_kind kind = ast_kind_of(node);
    PyObject *fields = ast_fields(node);
    int done = fields ? 0 : -1;

    if (done < 0 || Py_EnterRecursiveCall(" while the code was prepared")) {
        Py_XDECREF(fields);
        return -1;
    }
    for (Py_ssize_t i = 0; done == 0 && i < PyTuple_GET_SIZE(fields); i++)
        if (!is_done(kind, PyTuple_GET_ITEM(fields, i)))
            done = visit_field(node, PyTuple_GET_ITEM(fields, i));
    if (done == 0 && kind == AST_MATCH_CASE)
        done = patterns_instrument(node);
    Py_LeaveRecursiveCall();
    Py_DECREF(fields);
    return done;
}

int instrument_tree(PyObject *tree)
{
    return visit_fields(tree);
}
