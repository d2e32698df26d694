/* Instrumentation of match statements; see patterns.h. */
#include <Python.h>

#include "allowlist/patterns.h"

#include <stdbool.h>
#include <string.h>

#include "allowlist/ast.h"
#include "allowlist/guard.h"
#include "allowlist/instrument.h"
#include "runner/base/mem.h"

struct patterns {
    PyObject *like;   /* the node whose place new nodes take */
    PyObject *bound;  /* list of str: names of the user's that hold what an attribute gave */
    PyObject *hidden; /* list of str: names of ours that do */
    int next;         /* number of the next hidden name */
};

/* Returns the pattern that stands in for `pattern`: a new reference, NULL with an exception.
 * `is_read`: what it meets comes out of an attribute. */
static PyObject *visit(struct patterns *p, PyObject *pattern, bool is_read);

static int add_once(PyObject *list, PyObject *name)
{
    int has = PySequence_Contains(list, name);

    if (has < 0)
        return -1;
    return has ? 0 : PyList_Append(list, name);
}

/* (pattern as .mN) */
static PyObject *bind_hidden(struct patterns *p, PyObject *pattern, int number)
{
    PyObject *name = PyUnicode_FromFormat(".m%d", number), *node = ast_new(AST_MATCH_AS);

    if (name && add_once(p->hidden, name) == 0 &&
        ast_set(node, "pattern", Py_NewRef(pattern)) == 0 &&
        ast_set(node, "name", Py_NewRef(name)) == 0 && ast_place_like(node, pattern) == 0) {
        Py_DECREF(name);
        return node;
    }
    Py_XDECREF(name);
    Py_XDECREF(node);
    return NULL;
}

/* Visits every pattern of the list in the field `field`. */
static int visit_list(struct patterns *p, PyObject *node, const char *field, bool is_read)
{
    PyObject *list = ast_get(node, field);
    int done = list && PyList_Check(list) ? 0 : -1;

    for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(list); i++) {
        PyObject *changed = visit(p, PyList_GET_ITEM(list, i), is_read);

        done = changed ? PyList_SetItem(list, i, changed) : -1;
    }
    Py_XDECREF(list);
    return done;
}

/*
 * All alternatives must bind the same names. Each counts its hidden names from the same number; one
 * that has fewer than another is bound to the missing ones itself.
 */
static int visit_alternatives(struct patterns *p, PyObject *node, bool is_read)
{
    PyObject *list = ast_get(node, "patterns");
    int first = p->next, most = first, done = list && PyList_Check(list) ? 0 : -1;
    Py_ssize_t count = done == 0 ? PyList_GET_SIZE(list) : 0;
    AUTO_FREE int *used = mem_alloc((size_t)(count + 1) * sizeof(*used));

    for (Py_ssize_t i = 0; done == 0 && i < count; i++) {
        PyObject *changed;

        p->next = first;
        changed = visit(p, PyList_GET_ITEM(list, i), is_read);
        done = changed ? PyList_SetItem(list, i, changed) : -1;
        used[i] = p->next;
        most = p->next > most ? p->next : most;
    }
    for (Py_ssize_t i = 0; done == 0 && i < count; i++)
        for (; done == 0 && used[i] < most; used[i]++) {
            PyObject *bound = bind_hidden(p, PyList_GET_ITEM(list, i), used[i]);

            done = bound ? PyList_SetItem(list, i, bound) : -1;
        }
    p->next = most;
    Py_XDECREF(list);
    return done;
}

/* `case a.b`: judged, and boxed, since a pattern takes nothing but an attribute. */
static PyObject *hold(PyObject *attribute)
{
    PyObject *judged = NULL, *node = NULL, *inner = ast_get(attribute, "value");

    if (inner && ast_set(attribute, "value", instrument_expression(inner)) == 0)
        judged = ast_new_call(GUARD_HELD, attribute, attribute);
    node = judged ? ast_new(AST_ATTRIBUTE) : NULL;
    Py_XDECREF(inner);
    if (ast_set(node, "value", judged) == 0 &&
        ast_set(node, "attr", PyUnicode_InternFromString("value")) == 0 &&
        ast_set(node, "ctx", ast_new(AST_LOAD)) == 0 && ast_place_like(node, attribute) == 0)
        return node;
    Py_XDECREF(node);
    return NULL;
}

static int hold_value(PyObject *node)
{
    PyObject *value = ast_get(node, "value");
    int done = value ? 0 : -1;

    if (done == 0 && ast_kind_of(value) == AST_ATTRIBUTE)
        done = ast_set(node, "value", hold(value));
    Py_XDECREF(value);
    return done;
}

static int hold_keys(PyObject *node)
{
    PyObject *keys = ast_get(node, "keys");
    int done = keys && PyList_Check(keys) ? 0 : -1;

    for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        PyObject *held = ast_kind_of(key) == AST_ATTRIBUTE ? hold(key) : Py_NewRef(key);

        done = held ? PyList_SetItem(keys, i, held) : -1;
    }
    Py_XDECREF(keys);
    return done;
}

/* Remembers a name of the user's that what an attribute gave is bound to. */
static int remember(struct patterns *p, PyObject *node, const char *field)
{
    PyObject *name = ast_get_optional(node, field);
    int done = name && PyUnicode_Check(name) ? add_once(p->bound, name) : 0;

    Py_XDECREF(name);
    return done;
}

/* (P as name), name or _ */
static int visit_as(struct patterns *p, PyObject *node, bool is_read)
{
    PyObject *inner = ast_get_optional(node, "pattern"), *changed;
    int done = is_read ? remember(p, node, "name") : 0;

    if (done == 0 && inner && inner != Py_None) {
        changed = visit(p, inner, is_read);
        done = ast_set(node, "pattern", changed);
    }
    Py_XDECREF(inner);
    return done;
}

static int visit_inside(struct patterns *p, PyObject *pattern, enum ast_kind kind, bool is_read)
{
    if (kind == AST_MATCH_VALUE)
        return hold_value(pattern);
    if (kind == AST_MATCH_AS)
        return visit_as(p, pattern, is_read);
    if (kind == AST_MATCH_STAR)
        return is_read ? remember(p, pattern, "name") : 0;
    if (kind == AST_MATCH_OR)
        return visit_alternatives(p, pattern, is_read);
    if (kind == AST_MATCH_CLASS)
        return visit_list(p, pattern, "patterns", true) < 0
                   ? -1
                   : visit_list(p, pattern, "kwd_patterns", true);
    if (kind == AST_MATCH_MAPPING) {
        if (hold_keys(pattern) < 0 || (is_read && remember(p, pattern, "rest") < 0))
            return -1;
        return visit_list(p, pattern, "patterns", is_read);
    }
    if (kind == AST_MATCH_SEQUENCE)
        return visit_list(p, pattern, "patterns", is_read);
    return 0; /* None, True, False */
}

static PyObject *visit(struct patterns *p, PyObject *pattern, bool is_read)
{
    enum ast_kind kind = ast_kind_of(pattern);
    bool looks_inside =
        kind == AST_MATCH_CLASS || kind == AST_MATCH_MAPPING || kind == AST_MATCH_SEQUENCE;
    int number = is_read && looks_inside ? p->next++ : -1, done;

    if (Py_EnterRecursiveCall(" while the code was prepared"))
        return NULL;
    done = visit_inside(p, pattern, kind, is_read);
    Py_LeaveRecursiveCall();
    if (done < 0)
        return NULL;
    return number >= 0 ? bind_hidden(p, pattern, number) : Py_NewRef(pattern);
}

/* ---- the case's guard ---- */

/* (name := function(name)) for every name, appended to `list`. */
static int add_judged(struct patterns *p, PyObject *list, PyObject *names, const char *function)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        const char *name = PyUnicode_AsUTF8(PyList_GET_ITEM(names, i));
        PyObject *read = name ? ast_new_name(name, AST_LOAD, p->like) : NULL;
        PyObject *call = read ? ast_new_call(function, read, p->like) : NULL;
        PyObject *node = call ? ast_new(AST_NAMED_EXPR) : NULL;
        int added = -1;

        if (ast_set(node, "value", call) == 0 &&
            ast_set(node, "target", ast_new_name(name, AST_STORE, p->like)) == 0 &&
            ast_place_like(node, p->like) == 0)
            added = PyList_Append(list, node);
        Py_XDECREF(read);
        Py_XDECREF(node);
        if (added < 0)
            return -1;
    }
    return 0;
}

/* A tuple of them all: true, since it is not empty. */
static PyObject *judging_tuple(struct patterns *p)
{
    PyObject *list = PyList_New(0), *node = ast_new(AST_TUPLE);

    if (list && add_judged(p, list, p->hidden, GUARD_MATCHED) == 0 &&
        add_judged(p, list, p->bound, GUARD_VALUE) == 0 &&
        ast_set(node, "elts", Py_NewRef(list)) == 0 &&
        ast_set(node, "ctx", ast_new(AST_LOAD)) == 0 && ast_place_like(node, p->like) == 0) {
        Py_DECREF(list);
        return node;
    }
    Py_XDECREF(list);
    Py_XDECREF(node);
    return NULL;
}

/* first and second; takes both references. */
static PyObject *both(struct patterns *p, PyObject *first, PyObject *second)
{
    PyObject *values = first && second ? PyList_New(2) : NULL, *node = ast_new(AST_BOOL_OP);

    if (values) {
        PyList_SET_ITEM(values, 0, first);
        PyList_SET_ITEM(values, 1, second);
    } else {
        Py_XDECREF(first);
        Py_XDECREF(second);
    }
    if (ast_set(node, "values", values) == 0 && ast_set(node, "op", ast_new(AST_AND)) == 0 &&
        ast_place_like(node, p->like) == 0)
        return node;
    Py_XDECREF(node);
    return NULL;
}

static int add_to_guard(struct patterns *p, PyObject *match_case)
{
    PyObject *judging, *guard;

    if (!PyList_GET_SIZE(p->hidden) && !PyList_GET_SIZE(p->bound))
        return 0;
    judging = judging_tuple(p);
    guard = ast_get_optional(match_case, "guard");
    if (guard && guard != Py_None)
        return ast_set(match_case, "guard", both(p, judging, guard));
    Py_XDECREF(guard);
    return ast_set(match_case, "guard", judging);
}

int patterns_instrument(PyObject *match_case)
{
    PyObject *pattern = ast_get(match_case, "pattern");
    struct patterns p = {.like = pattern, .bound = PyList_New(0), .hidden = PyList_New(0)};
    int done = -1;

    if (pattern && p.bound && p.hidden)
        done = ast_set(match_case, "pattern", visit(&p, pattern, false));
    if (done == 0)
        done = add_to_guard(&p, match_case);
    Py_XDECREF(p.bound);
    Py_XDECREF(p.hidden);
    Py_XDECREF(pattern);
    return done;
}
