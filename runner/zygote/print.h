/*
 * What a task prints: user code's print(), and sys.stdout and sys.stderr for everything else.
 */
#ifndef ZYGOTE_PRINT_H
#define ZYGOTE_PRINT_H

#include <Python.h>

struct buf;

/* Puts sys.stdout and sys.stderr in place. In the zygote, once. -1 with a Python exception. */
int print_prepare(void);
/* The user's print(): a new reference, or NULL with an exception. */
PyObject *print_function(void);

/* In the child: where prints go. */
void print_open(int channel);
/* Sends what is unfinished: a line without its end, and how many prints were left out. */
void print_close(void);
/* What the task wrote to standard error, at most 64 KiB of it. Borrowed. */
const struct buf *print_stderr(void);

#endif
