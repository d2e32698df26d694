/* What unpickling may find: pickled bytes name any function there is, and have it called. */
#ifndef ALLOWLIST_PICKLES_H
#define ALLOWLIST_PICKLES_H

#include <Python.h>

#include <stdbool.h>

/* Once, in the zygote; -1 with an exception. */
int pickles_prepare(void);

/*
 * 0 when `module`.`name` may be looked up for a pickle; -1 with a violation. When the user's own
 * code unpickles, the module must be one that it may import. A package's pickles may also name the
 * classes of the standard library, and of its functions those that pickles are made with.
 */
int pickles_check(PyObject *module, PyObject *name, bool for_user);

#endif
