/* JSON text to Python objects, as json.loads makes them. */
#ifndef ZYGOTE_JSON_READ_H
#define ZYGOTE_JSON_READ_H

#include <Python.h>

/*
 * Reads exactly one JSON value of UTF-8 text. Integers keep all their digits, a lone surrogate's
 * escape becomes that code point, of a key that stands twice the last value counts. A new
 * reference, or NULL with ValueError or MemoryError. Faster with the collector disabled.
 */
PyObject *json_read(const char *text, size_t length);

#endif
