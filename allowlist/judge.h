/*
 * Whether user code may have a module, and the exception that says no.
 *
 * A module is judged by the name it carries, not by the one it was reached under: `json.codecs` is
 * `codecs`. One that carries a name outside the lists may still be what an allowed name means:
 * `os.path` is there with `os`, though it is called `posixpath`.
 */
#ifndef ALLOWLIST_JUDGE_H
#define ALLOWLIST_JUDGE_H

#include <Python.h>

#include <stdbool.h>

struct policy;

/* Once, in the zygote, before all else here. The policy is kept. -1 with an exception. */
int judge_prepare(const struct policy *policy);

/* Is this module of the standard library? Judged by the top-level name of `module`. */
bool judge_is_stdlib(const char *module);

/* The sentence that refuses the import of `module` (dotted); NULL when it is allowed. free(). */
char *judge_refusal(const char *module);

/* Around an import that has been judged: what CPython tells the audit hook meanwhile is that. */
void judge_enter_import(void);
void judge_leave_import(void);
bool judge_importing(void);

/* 0 when user code may import `module`; -1 with a violation raised. */
int judge_name(const char *module);
/* 0 when user code may have this module object; -1 with a violation, or another exception. */
int judge_module(PyObject *module);

/* Raises the violation, an ImportError; returns NULL. `module` (may be NULL) is its `name`. */
PyObject *judge_violation(const char *sentence, const char *module);
/* Raises the violation of an act, a PermissionError with EPERM. */
void judge_refuse_act(const char *sentence);
/* A violation's sentence, a new str; NULL with an exception. */
PyObject *judge_sentence(PyObject *exception);
bool judge_is_violation(PyObject *exception);
bool judge_violation_pending(void); /* is it the exception that is raised now? */

#endif
