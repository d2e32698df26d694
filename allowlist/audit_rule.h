/* What the audit hook's rules are made of; for audit.c and the files with its checks. */
#ifndef ALLOWLIST_AUDIT_RULE_H
#define ALLOWLIST_AUDIT_RULE_H

#include <Python.h>

#include <stdbool.h>

struct rule;

/* 0 when the act may go on; -1 with an exception. `args` is the event's tuple. */
typedef int check_fn(const struct rule *rule, PyObject *args);

struct rule {
    const char *event;
    enum { ALL, USER } binds; /* all code, or the user's own */
    check_fn *check;
};

/* Raises the refusal of an act (judge_refuse_act()); the format is PyUnicode_FromFormat()'s. -1. */
int audit_refuse(const char *format, ...);

/* An event's argument, borrowed; NULL when there are fewer. */
PyObject *audit_argument(PyObject *args, Py_ssize_t index);
/* The same as a number; `missing` when it is none. */
long audit_number(PyObject *args, Py_ssize_t index, long missing);

/* Does the user's code ask, and not a package that it called? */
bool audit_user_asks(void);

bool audit_may_read(const char *path); /* absolute, without links */
const char *audit_scratch(void);       /* where files may be made; NULL: nowhere */

#endif
