/*
 * What a format template reads: `{0.a[b]:{c.d}}` reads the attributes `a` and `d`.
 */
#ifndef ALLOWLIST_TEMPLATE_H
#define ALLOWLIST_TEMPLATE_H

#include <Python.h>

/* Once, in the zygote; -1 with an exception. */
int template_prepare(void);

/*
 * The first denied name or attribute that the fields of `template` (a str) read, also in nested
 * fields: a new reference. NULL when there is none; what is no template has none.
 */
PyObject *template_denied(PyObject *template);

/* The same of one field's name, `0.a[b]`, as string.Formatter.get_field() takes it. */
PyObject *template_field_denied(PyObject *field);

/*
 * Reads the attributes that the fields of `template` read, and shows each to `judge`, which returns
 * -1 with an exception for what must not be reached. `args` (a sequence) and `kwargs` (a mapping)
 * are what the fields name; either may be NULL. Fields without attributes are left alone, and what
 * can't be read is none of ours: the real formatting says so. 0, or -1 from `judge`.
 */
int template_follow(PyObject *template, PyObject *args, PyObject *kwargs,
                    int (*judge)(PyObject *value));
/* The same of one field's name. */
int template_follow_field(PyObject *field, PyObject *args, PyObject *kwargs,
                          int (*judge)(PyObject *value));

#endif
