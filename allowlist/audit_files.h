/* What the audit hook does about files: a task reads what is Python's, and writes to its own
 * folder, if it has one. Each is the check of a rule (see audit_rule.h). */
#ifndef ALLOWLIST_AUDIT_FILES_H
#define ALLOWLIST_AUDIT_FILES_H

#include <Python.h>

struct rule;

int audit_check_open(const struct rule *rule, PyObject *args);    /* path, mode, flags */
int audit_check_listing(const struct rule *rule, PyObject *args); /* path */
int audit_check_change(const struct rule *rule, PyObject *args);  /* path, ... */
/* from, to, ...: both change, but for a symbolic link's text */
int audit_check_two_changes(const struct rule *rule, PyObject *args);
int audit_check_database(const struct rule *rule, PyObject *args); /* of SQLite: name */

#endif
