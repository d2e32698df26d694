/*
 * The checks that the user's compiled code makes while it runs.
 *
 * instrument.c puts calls of these functions around what the user's code reads. Their names can't
 * be typed in Python, and live in the builtins that only user code has.
 */
#ifndef ALLOWLIST_GUARD_H
#define ALLOWLIST_GUARD_H

#include <Python.h>

#include <stdbool.h>

/* .guard(value): the value, judged; what every attribute read goes through. */
#define GUARD_VALUE ".guard"
/* .held(value): the same, as an object whose attribute `value` it is; for patterns, which take
 * nothing but an attribute. */
#define GUARD_HELD ".held"
/* .matched(value): the value, judged, of which a pattern has already seen the inside. */
#define GUARD_MATCHED ".matched"
/* .format(receiver, "method", ...): receiver.method(...), its template checked. */
#define GUARD_FORMAT ".format"

/* Once, in the zygote; -1 with an exception. */
int guard_prepare(void);

/* Puts the functions into the builtins of user code. */
int guard_add(PyObject *builtins);

/*
 * What user code gets for `value`: a new reference to itself, or to what stands in for it
 * (sys.modules as a copy with the allowed modules alone; an importing function as one that judges).
 * NULL with a violation for a module that is not allowed.
 */
PyObject *guard_value(PyObject *value);

/* Is `name` one of the methods whose template is checked when they are called: format and its
 * relatives? */
bool guard_is_format(const char *name);

#endif
