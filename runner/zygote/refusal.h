/* Whether an exception that a task did not catch is a wall's refusal, perhaps in disguise. */
#ifndef ZYGOTE_REFUSAL_H
#define ZYGOTE_REFUSAL_H

#include <Python.h>

/*
 * The sentence of the refusal, a new str; NULL, without an exception, when it is none. A refusal
 * counts also when a package has made another exception of it, but not when the user's code has: it
 * knew. A socket that the kernel alone refused is known by where that happened.
 */
PyObject *refusal_sentence(PyObject *exception);

#endif
