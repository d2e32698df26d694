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

#endif
