/* Python objects to JSON text. */
#ifndef ZYGOTE_JSON_WRITE_H
#define ZYGOTE_JSON_WRITE_H

#include <Python.h>

struct buf;

/*
 * Adds `value` as one JSON value, which is always valid: NaN and the infinities become null, a lone
 * surrogate its \ud800 escape, what JSON does not have its str(). -1 with a Python exception:
 * ValueError for what contains itself or is nested more than JSON_WRITE_DEPTH levels deep, or
 * whatever a str() raised. Running out of memory shows in the buf.
 */
int json_write(struct buf *out, PyObject *value);

/* Adds the JSON string that stands for one argument of print(): a str in single quotes, numbers,
 * booleans and None by str(), all else as json.dumps writes it, or `[Circular TYPE]`. Far beyond
 * PRINT_BYTES_MAX the text is cut short. -1 with a Python exception. */
int json_write_print_argument(struct buf *out, PyObject *value);

enum { JSON_WRITE_DEPTH = 1000 };

#endif
