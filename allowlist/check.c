/*
 * The static check; see check.h.
 *
 * One walk over all nodes. A kind of node with rules has a function in `rules`, called before its
 * children are walked. Strings are put together on the way up, so that "__cl" "ass__" and
 * "__cl" + "ass__" are one and the same.
 */
#include <Python.h>

#include "allowlist/check.h"

#include <stdbool.h>

#include "allowlist/ast.h"
#include "allowlist/check_state.h"
#include "allowlist/denied.h"
#include "allowlist/guard.h"
#include "allowlist/judge.h"
#include "allowlist/template.h"
#include "runner/base/mem.h"

static int walk(struct check *check, PyObject *node, enum place place, PyObject **text);

int check_add(struct check *check, const char *sentence)
{
    PyObject *line = PyUnicode_FromFormat("Line %ld: %s", check->line, sentence);
    int added = line ? PyList_Append(check->lines, line) : -1;

    Py_XDECREF(line);
    return added;
}

int check_add_denied(struct check *check, enum denied_use use, const char *name)
{
    AUTO_FREE char *sentence = denied_sentence(use, name);

    return check_add(check, sentence);
}

const char *check_text(PyObject *string)
{
    const char *text = string && PyUnicode_Check(string) ? PyUnicode_AsUTF8(string) : NULL;

    if (!text)
        PyErr_Clear();
    return text ? text : "";
}

int check_attribute(struct check *check, const char *name)
{
    if (denied_attribute(name))
        return check_add_denied(check, DENIED_ATTRIBUTE, name);
    if (denied_mangled(name))
        return check_add(check, "Access to name-mangled attributes (pattern: _ClassName__attr) is "
                                "disallowed for security reasons.");
    return 0;
}

/* The field `field` of `node`, a name that is bound or read in the way of `use`. */
static int check_named(struct check *check, PyObject *node, const char *field, enum denied_use use)
{
    PyObject *name = ast_get_optional(node, field);
    int done = denied_name(check_text(name)) ? check_add_denied(check, use, check_text(name)) : 0;

    Py_XDECREF(name);
    return done;
}

/* ---- the rules ---- */

static int check_name(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_named(check, node, "id", DENIED_NAME);
}

static int check_attribute_node(struct check *check, PyObject *node, enum place place)
{
    PyObject *name = ast_get(node, "attr");
    int done = name ? check_attribute(check, check_text(name)) : -1;

    if (done == 0 && place != PLACE_CALLED && guard_is_format(check_text(name))) {
        AUTO_FREE char *sentence = mem_format("Extracting '%s' as a bound method is disallowed; "
                                              "call it directly on its receiver instead.",
                                              check_text(name));

        done = check_add(check, sentence);
    }
    Py_XDECREF(name);
    return done;
}

static int check_function(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_named(check, node, "name", DENIED_FUNCTION);
}

static int check_class(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_named(check, node, "name", DENIED_CLASS);
}

static int check_parameter(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_named(check, node, "arg", DENIED_PARAMETER);
}

/* `except E as name`, `case P as name`, `case [*name]` */
static int check_bound(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_named(check, node, "name", DENIED_NAME);
}

/* `case {**rest}` */
static int check_rest(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_named(check, node, "rest", DENIED_NAME);
}

static int check_names(struct check *check, PyObject *node, enum denied_use use)
{
    PyObject *names = ast_get(node, "names");
    int done = names && PyList_Check(names) ? 0 : -1;

    for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(names); i++) {
        const char *name = check_text(PyList_GET_ITEM(names, i));

        if (denied_name(name))
            done = check_add_denied(check, use, name);
    }
    Py_XDECREF(names);
    return done;
}

static int check_global(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_names(check, node, DENIED_GLOBAL);
}

static int check_nonlocal(struct check *check, PyObject *node, enum place place)
{
    (void)place;
    return check_names(check, node, DENIED_NAME);
}

/* Is `node` the name `name`? */
static bool is_named(PyObject *node, const char *name)
{
    PyObject *id = ast_kind_of(node) == AST_NAME ? ast_get_optional(node, "id") : NULL;
    bool is = id && PyUnicode_Check(id) && PyUnicode_CompareWithASCIIString(id, name) == 0;

    Py_XDECREF(id);
    return is;
}

/* The str that a constant holds: a new reference, or NULL for another node. */
static PyObject *constant_text(PyObject *node)
{
    PyObject *value = ast_kind_of(node) == AST_CONSTANT ? ast_get_optional(node, "value") : NULL;

    if (value && !PyUnicode_Check(value))
        Py_CLEAR(value);
    return value;
}

/* `__import__("name")` */
static int check_call(struct check *check, PyObject *node, enum place place)
{
    PyObject *function = ast_get(node, "func"), *args = ast_get(node, "args"), *module = NULL;
    int done = function && args && PyList_Check(args) ? 0 : -1;

    (void)place;
    if (done == 0 && is_named(function, "__import__")) {
        module = PyList_GET_SIZE(args) ? constant_text(PyList_GET_ITEM(args, 0)) : NULL;
        if (module)
            done = check_module(check, check_text(module));
        else
            done = check_add(check,
                             "Dynamic __import__() calls are not allowed for security reasons.");
    }
    Py_XDECREF(module);
    Py_XDECREF(function);
    Py_XDECREF(args);
    return done;
}

/* `__builtins__["name"]` */
static int check_subscript(struct check *check, PyObject *node, enum place place)
{
    PyObject *value = ast_get(node, "value"), *slice = ast_get(node, "slice"), *key;
    int done = value && slice ? 0 : -1;

    (void)place;
    key = done == 0 && is_named(value, "__builtins__") ? constant_text(slice) : NULL;
    if (key)
        done = check_attribute(check, check_text(key));
    Py_XDECREF(key);
    Py_XDECREF(value);
    Py_XDECREF(slice);
    return done;
}

static int check_class_pattern(struct check *check, PyObject *node, enum place place)
{
    PyObject *positional = ast_get(node, "patterns"), *names = ast_get(node, "kwd_attrs");
    int done = positional && names && PyList_Check(positional) && PyList_Check(names) ? 0 : -1;

    (void)place;
    if (done == 0 && PyList_GET_SIZE(positional))
        done = check_add(check, "Positional match patterns are disallowed for security reasons.");
    for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(names); i++) {
        const char *name = check_text(PyList_GET_ITEM(names, i));

        done = denied_attribute(name) ? check_add_denied(check, DENIED_PATTERN, name)
                                      : check_attribute(check, name);
    }
    Py_XDECREF(positional);
    Py_XDECREF(names);
    return done;
}

static int (*const rules[AST_KINDS])(struct check *, PyObject *, enum place) = {
    [AST_ARG] = check_parameter,
    [AST_ASYNC_FUNCTION_DEF] = check_function,
    [AST_ATTRIBUTE] = check_attribute_node,
    [AST_CALL] = check_call,
    [AST_CLASS_DEF] = check_class,
    [AST_EXCEPT_HANDLER] = check_bound,
    [AST_FUNCTION_DEF] = check_function,
    [AST_GLOBAL] = check_global,
    [AST_IMPORT] = check_import,
    [AST_IMPORT_FROM] = check_import_from,
    [AST_MATCH_AS] = check_bound,
    [AST_MATCH_CLASS] = check_class_pattern,
    [AST_MATCH_MAPPING] = check_rest,
    [AST_MATCH_STAR] = check_bound,
    [AST_NAME] = check_name,
    [AST_NONLOCAL] = check_nonlocal,
    [AST_SUBSCRIPT] = check_subscript,
};

/* ---- strings ---- */

/* A whole string: equal to a denied attribute, or a template that reads one. */
static int check_string(struct check *check, PyObject *string)
{
    PyObject *denied = NULL;
    int done = 0;

    if (PyUnicode_GET_LENGTH(string) <= DENIED_LENGTH_MAX && denied_attribute(check_text(string)))
        return check_add_denied(check, DENIED_STRING, check_text(string));
    if (PyUnicode_FindChar(string, '{', 0, PyUnicode_GET_LENGTH(string), 1) >= 0)
        denied = template_denied(string);
    if (denied)
        done = check_add_denied(check, DENIED_STRING, check_text(denied));
    Py_XDECREF(denied);
    return done;
}

/* The sum of two constant strings, checked; no longer than anything that is denied. */
static int check_sum(struct check *check, PyObject *left, PyObject *right, PyObject **sum)
{
    if (PyUnicode_GET_LENGTH(left) + PyUnicode_GET_LENGTH(right) > DENIED_LENGTH_MAX)
        return 0;
    *sum = PyUnicode_Concat(left, right);
    return *sum ? check_string(check, *sum) : -1;
}

/* `*text` becomes the sum, when both sides are constant strings. */
static int walk_binary(struct check *check, PyObject *node, PyObject **text)
{
    PyObject *left = ast_get(node, "left"), *right = ast_get(node, "right");
    PyObject *op = ast_get(node, "op"), *head = NULL, *tail = NULL;
    int done = left && right && op ? 0 : -1;

    if (done == 0)
        done = walk(check, left, PLACE_ELSEWHERE, &head);
    if (done == 0)
        done = walk(check, right, PLACE_ELSEWHERE, &tail);
    if (done == 0 && head && tail && ast_kind_of(op) == AST_ADD)
        done = check_sum(check, head, tail, text);
    Py_XDECREF(head);
    Py_XDECREF(tail);
    Py_XDECREF(left);
    Py_XDECREF(right);
    Py_XDECREF(op);
    return done;
}

/* ---- the walk ---- */

static int walk_value(struct check *check, PyObject *value, enum place place)
{
    PyObject *text = NULL;
    int done = 0;

    if (PyList_Check(value))
        for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(value); i++)
            done = walk_value(check, PyList_GET_ITEM(value, i), PLACE_ELSEWHERE);
    else if (ast_is_node(value))
        done = walk(check, value, place, &text);
    Py_XDECREF(text);
    return done;
}

static int walk_fields(struct check *check, PyObject *node)
{
    bool is_call = ast_kind_of(node) == AST_CALL;
    PyObject *fields = ast_fields(node);
    int done = fields ? 0 : -1;

    for (Py_ssize_t i = 0; done == 0 && i < PyTuple_GET_SIZE(fields); i++) {
        PyObject *name = PyTuple_GET_ITEM(fields, i), *value = PyObject_GetAttr(node, name);
        bool called = is_call && PyUnicode_CompareWithASCIIString(name, "func") == 0;

        if (value)
            done = walk_value(check, value, called ? PLACE_CALLED : PLACE_ELSEWHERE);
        else
            PyErr_Clear(); /* an optional field that is not set */
        Py_XDECREF(value);
    }
    Py_XDECREF(fields);
    return done;
}

/* `*text` becomes a new reference when the node is a constant string, or a sum of such. */
static int walk(struct check *check, PyObject *node, enum place place, PyObject **text)
{
    enum ast_kind kind = ast_kind_of(node);
    long outer = check->line;
    int done;

    if (Py_EnterRecursiveCall(" while the code was checked"))
        return -1;
    check->line = ast_line(node, outer);
    done = rules[kind] ? rules[kind](check, node, place) : 0;
    if (done == 0 && kind == AST_CONSTANT) {
        *text = constant_text(node);
        done = *text ? check_string(check, *text) : 0;
    } else if (done == 0 && kind == AST_BIN_OP) {
        done = walk_binary(check, node, text);
    } else if (done == 0) {
        done = walk_fields(check, node);
    }
    check->line = outer;
    Py_LeaveRecursiveCall();
    return done;
}

PyObject *check_code(PyObject *tree)
{
    struct check check = {.lines = PyList_New(0), .line = 1};
    PyObject *text = NULL;

    if (check.lines && walk(&check, tree, PLACE_ELSEWHERE, &text) < 0)
        Py_CLEAR(check.lines);
    Py_XDECREF(text);
    if (!check.lines && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "the syntax tree is malformed");
    return check.lines;
}
