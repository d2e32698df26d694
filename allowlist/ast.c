/* Syntax trees; see ast.h. */
#include <Python.h>

#include "allowlist/ast.h"

#include "runner/base/mem.h"

static const char *const type_names[AST_KINDS] = {
    [AST_ADD] = "Add",
    [AST_ALIAS] = "alias",
    [AST_AND] = "And",
    [AST_ARG] = "arg",
    [AST_ARGUMENTS] = "arguments",
    [AST_ASSIGN] = "Assign",
    [AST_ASYNC_FUNCTION_DEF] = "AsyncFunctionDef",
    [AST_ATTRIBUTE] = "Attribute",
    [AST_AUG_ASSIGN] = "AugAssign",
    [AST_BIN_OP] = "BinOp",
    [AST_BOOL_OP] = "BoolOp",
    [AST_CALL] = "Call",
    [AST_CLASS_DEF] = "ClassDef",
    [AST_CONSTANT] = "Constant",
    [AST_DEL] = "Del",
    [AST_DELETE] = "Delete",
    [AST_EXCEPT_HANDLER] = "ExceptHandler",
    [AST_FUNCTION_DEF] = "FunctionDef",
    [AST_GLOBAL] = "Global",
    [AST_IMPORT] = "Import",
    [AST_IMPORT_FROM] = "ImportFrom",
    [AST_LOAD] = "Load",
    [AST_MATCH_AS] = "MatchAs",
    [AST_MATCH_CASE] = "match_case",
    [AST_MATCH_CLASS] = "MatchClass",
    [AST_MATCH_MAPPING] = "MatchMapping",
    [AST_MATCH_OR] = "MatchOr",
    [AST_MATCH_SEQUENCE] = "MatchSequence",
    [AST_MATCH_STAR] = "MatchStar",
    [AST_MATCH_VALUE] = "MatchValue",
    [AST_NAME] = "Name",
    [AST_NAMED_EXPR] = "NamedExpr",
    [AST_NONLOCAL] = "Nonlocal",
    [AST_PASS] = "Pass",
    [AST_STORE] = "Store",
    [AST_SUBSCRIPT] = "Subscript",
    [AST_TUPLE] = "Tuple",
};

/* The interpreter's own, made once in the zygote. */
static PyObject *types[AST_KINDS]; /* [AST_OTHER]: the base of all nodes */
static PyObject *kinds;            /* type -> int */

int ast_prepare(void)
{
    PyObject *module = PyImport_ImportModule("_ast");

    kinds = PyDict_New();
    types[AST_OTHER] = module ? PyObject_GetAttrString(module, "AST") : NULL;
    for (int i = AST_OTHER + 1; kinds && types[AST_OTHER] && i < AST_KINDS; i++) {
        PyObject *number = PyLong_FromLong(i);

        types[i] = PyObject_GetAttrString(module, type_names[i]);
        if (!types[i] || !number || PyDict_SetItem(kinds, types[i], number) < 0)
            Py_CLEAR(kinds);
        Py_XDECREF(number);
    }
    Py_XDECREF(module);
    return kinds && types[AST_OTHER] ? 0 : -1;
}

bool ast_is_node(PyObject *object)
{
    return PyObject_TypeCheck(object, (PyTypeObject *)types[AST_OTHER]);
}

enum ast_kind ast_kind_of(PyObject *object)
{
    PyObject *kind = PyDict_GetItem(kinds, (PyObject *)Py_TYPE(object));

    return kind ? (enum ast_kind)PyLong_AsLong(kind) : AST_OTHER;
}

/* By the one string that CPython keeps of each name: its caches go by the string, and what they
 * find under another each time they write down each time, to a page that a fork has shared. */
static PyObject *get_attribute(PyObject *object, const char *attribute)
{
    PyObject *name = PyUnicode_InternFromString(attribute);
    PyObject *value = name ? PyObject_GetAttr(object, name) : NULL;

    Py_XDECREF(name);
    return value;
}

PyObject *ast_fields(PyObject *node)
{
    PyObject *fields = get_attribute((PyObject *)Py_TYPE(node), "_fields");

    if (fields && PyTuple_Check(fields))
        return fields;
    if (fields)
        PyErr_SetString(PyExc_TypeError, "a node's _fields is no tuple");
    Py_XDECREF(fields);
    return NULL;
}

PyObject *ast_get(PyObject *node, const char *field)
{
    return get_attribute(node, field);
}

PyObject *ast_get_optional(PyObject *node, const char *field)
{
    PyObject *value = get_attribute(node, field);

    if (!value)
        PyErr_Clear();
    return value;
}

long ast_line(PyObject *node, long otherwise)
{
    PyObject *line = ast_get_optional(node, "lineno");
    long number = line && PyLong_Check(line) ? PyLong_AsLong(line) : otherwise;

    Py_XDECREF(line);
    return number;
}

PyObject *ast_new(enum ast_kind kind)
{
    return PyObject_CallNoArgs(types[kind]);
}

int ast_set(PyObject *node, const char *field, PyObject *value)
{
    PyObject *name = PyUnicode_InternFromString(field);
    int set = node && value && name ? PyObject_SetAttr(node, name, value) : -1;

    Py_XDECREF(name);
    Py_XDECREF(value);
    return set;
}

int ast_place_like(PyObject *node, PyObject *other)
{
    static const char *const start[] = {"lineno", "col_offset"};
    static const char *const end[] = {"end_lineno", "end_col_offset"};

    for (size_t i = 0; i < ARRAY_COUNT(start); i++)
        if (ast_set(node, start[i], ast_get(other, start[i])) < 0)
            return -1;
    for (size_t i = 0; i < ARRAY_COUNT(end); i++) {
        PyObject *value = ast_get_optional(other, end[i]);

        if (value && ast_set(node, end[i], value) < 0)
            return -1;
    }
    return 0;
}

int ast_place_first(PyObject *node)
{
    return ast_set(node, "lineno", PyLong_FromLong(1)) < 0 ||
                   ast_set(node, "col_offset", PyLong_FromLong(0)) < 0
               ? -1
               : 0;
}

PyObject *ast_new_name(const char *name, enum ast_kind context, PyObject *like)
{
    PyObject *node = ast_new(AST_NAME);

    if (ast_set(node, "id", PyUnicode_InternFromString(name)) == 0 &&
        ast_set(node, "ctx", ast_new(context)) == 0 && ast_place_like(node, like) == 0)
        return node;
    Py_XDECREF(node);
    return NULL;
}

PyObject *ast_new_call(const char *function, PyObject *argument, PyObject *like)
{
    PyObject *node = ast_new(AST_CALL), *arguments = PyList_New(0);

    if (arguments && PyList_Append(arguments, argument) < 0)
        Py_CLEAR(arguments);
    if (ast_set(node, "func", ast_new_name(function, AST_LOAD, like)) == 0 &&
        ast_set(node, "args", Py_XNewRef(arguments)) == 0 &&
        ast_set(node, "keywords", PyList_New(0)) == 0 && ast_place_like(node, like) == 0) {
        Py_DECREF(arguments);
        return node;
    }
    Py_XDECREF(arguments);
    Py_XDECREF(node);
    return NULL;
}
