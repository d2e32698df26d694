/* What the static check's rules share; for check.c (the walk, and most rules) and check_imports.c.
 */
#ifndef ALLOWLIST_CHECK_STATE_H
#define ALLOWLIST_CHECK_STATE_H

#include <Python.h>

#include "allowlist/denied.h"

struct check {
    PyObject *lines; /* list of str */
    long line;       /* of the node at work, or of the nearest one above it that has a line */
};

/* What a node's parent is to it, where that matters. */
enum place { PLACE_ELSEWHERE, PLACE_CALLED };

/* Adds a violation at the line at work. All here return 0, or -1 with an exception. */
int check_add(struct check *check, const char *sentence);
int check_add_denied(struct check *check, enum denied_use use, const char *name);

/* A str as UTF-8, borrowed from it; "" for all else: no rule is about what can't be written. */
const char *check_text(PyObject *string);

/* An attribute that is read or bound under this name. */
int check_attribute(struct check *check, const char *name);

/* Rules: a module (dotted) that is imported, and the two import statements. */
int check_module(struct check *check, const char *module);
int check_import(struct check *check, PyObject *node, enum place place);
int check_import_from(struct check *check, PyObject *node, enum place place);

#endif
