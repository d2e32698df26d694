/*
 * The instrumentation of match statements.
 *
 * A class pattern, `case C(a=P)`, reads the attribute `a` of whatever stands there. What it binds
 * is judged in the case's guard, before the body runs: `case C(a=x) if ((x := .guard(x)),):`; what
 * it only matches against a further pattern is bound to a hidden name and judged there as well.
 */
#ifndef ALLOWLIST_PATTERNS_H
#define ALLOWLIST_PATTERNS_H

#include <Python.h>

/* Instruments the pattern of a `match_case` node and adds to its guard; -1 with an exception. */
int patterns_instrument(PyObject *match_case);

#endif
