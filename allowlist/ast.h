/*
 * Python's syntax tree as the `_ast` module makes it: which node is what, and new ones.
 */
#ifndef ALLOWLIST_AST_H
#define ALLOWLIST_AST_H

#include <Python.h>

#include <stdbool.h>

/* The nodes that somebody here treats in a way of their own. */
enum ast_kind {
    AST_OTHER,
    AST_ADD,
    AST_ALIAS,
    AST_AND,
    AST_ARG,
    AST_ARGUMENTS,
    AST_ASSIGN,
    AST_ASYNC_FUNCTION_DEF,
    AST_ATTRIBUTE,
    AST_AUG_ASSIGN,
    AST_BIN_OP,
    AST_BOOL_OP,
    AST_CALL,
    AST_CLASS_DEF,
    AST_CONSTANT,
    AST_DEL,
    AST_DELETE,
    AST_EXCEPT_HANDLER,
    AST_FUNCTION_DEF,
    AST_GLOBAL,
    AST_IMPORT,
    AST_IMPORT_FROM,
    AST_LOAD,
    AST_MATCH_AS,
    AST_MATCH_CASE,
    AST_MATCH_CLASS,
    AST_MATCH_MAPPING,
    AST_MATCH_OR,
    AST_MATCH_SEQUENCE,
    AST_MATCH_STAR,
    AST_MATCH_VALUE,
    AST_NAME,
    AST_NAMED_EXPR,
    AST_NONLOCAL,
    AST_PASS,
    AST_STORE,
    AST_SUBSCRIPT,
    AST_TUPLE,
    AST_KINDS
};

/* Once, in the zygote; -1 with an exception. */
int ast_prepare(void);

bool ast_is_node(PyObject *object);
enum ast_kind ast_kind_of(PyObject *object); /* AST_OTHER for what is no node, too */

/* The names of a node's fields: a new reference to a tuple of str, or NULL with an exception. */
PyObject *ast_fields(PyObject *node);

/* A field; a new reference, NULL with an exception. ast_get_optional() gives NULL without one when
 * the node has no such field. */
PyObject *ast_get(PyObject *node, const char *field);
PyObject *ast_get_optional(PyObject *node, const char *field);

/* The node's first line, counted from 1; `otherwise` for a node that has none. */
long ast_line(PyObject *node, long otherwise);

/* A new node without fields, or NULL with an exception. */
PyObject *ast_new(enum ast_kind kind);

/* Sets a field and takes the value's reference, also when it fails: -1 then, or when the node or
 * the value is NULL. */
int ast_set(PyObject *node, const char *field, PyObject *value);

/* Gives a node the place of another in the text. */
int ast_place_like(PyObject *node, PyObject *other);
/* Gives a node that stands for no text the place of line 1. */
int ast_place_first(PyObject *node);

/* New nodes with the place of `like`. They take no reference; NULL with an exception. */
PyObject *ast_new_name(const char *name, enum ast_kind context, PyObject *like);
PyObject *ast_new_call(const char *function, PyObject *argument, PyObject *like);

#endif
