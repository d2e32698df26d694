/*
 * CPython's start in the zygote: isolated, on the virtual environment's packages, ready to fork.
 */
#ifndef ZYGOTE_PYTHON_H
#define ZYGOTE_PYTHON_H

struct error;
struct zygote_settings;

/* Initialises the interpreter; -1 with `err` when CPython or the venv will not do. */
int python_start(const struct zygote_settings *settings, struct error **err);

/* In a child: `folder` becomes TMPDIR, which tempfile looks at. -1 with an exception. */
int python_tell_scratch(const char *folder);

/* Puts the pending Python exception into `err` as `what: Type: text`, and clears it. Returns -1. */
int python_error(struct error **err, const char *what);

#endif
