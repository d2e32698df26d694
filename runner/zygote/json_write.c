/*
 * Python objects to JSON text; see json_write.h.
 *
 * str() of what JSON does not have may run the user's code, which may change the containers that
 * are being written: what is at hand is held by a reference, and sizes are asked for anew each
 * time.
 */
#include "runner/zygote/json_write.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/frame.h"
#include "runner/base/json_string.h"

struct writer {
    struct buf *out;
    bool like_dumps; /* blanks after , and :, and NaN by its name: what json.dumps writes */
    size_t enough;   /* bytes after which nothing more is written */
    int depth;
    PyObject *open[JSON_WRITE_DEPTH]; /* the containers we are inside of */
};

static int write_value(struct writer *w, PyObject *value);

/* ---- strings ---- */

static void add_escape(struct buf *out, unsigned character)
{
    static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *found = character ? memchr(named, (int)character, sizeof(named) - 1) : NULL;

    if (found && character < 0x80) {
        buf_add_char(out, '\\');
        buf_add_char(out, names[found - named]);
    } else {
        buf_add_format(out, "\\u%04x", character);
    }
}

static void add_ascii(struct buf *out, const char *text, size_t length)
{
    const char *end = text + length;

    while (text < end) {
        const char *from = text;

        text += json_plain_run(text, (size_t)(end - text));
        buf_add(out, from, (size_t)(text - from));
        if (text < end)
            add_escape(out, (unsigned char)*text++);
    }
}

static void add_character(struct buf *out, Py_UCS4 c)
{
    if (c < 0x80 && json_is_plain((unsigned char)c)) {
        buf_add_char(out, (char)c);
    } else if (c < 0x80 || (c >= 0xd800 && c <= 0xdfff)) {
        add_escape(out, c);
    } else {
        char bytes[4];
        size_t count = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (size_t i = count; i-- > 1; c >>= 6)
            bytes[i] = (char)(0x80 | (c & 0x3f));
        bytes[0] = (char)((0xf00 >> count & 0xff) | c);
        buf_add(out, bytes, count);
    }
}

/* The characters of a str without quotes around them. */
static int add_content(struct buf *out, PyObject *string)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(string);

    if (PyUnicode_IS_ASCII(string)) {
        add_ascii(out, (const char *)PyUnicode_1BYTE_DATA(string), (size_t)length);
        return 0;
    }
    for (Py_ssize_t i = 0; i < length; i++)
        add_character(out, PyUnicode_READ_CHAR(string, i));
    return 0;
}

static int write_string(struct writer *w, PyObject *string)
{
    buf_add_char(w->out, '"');
    add_content(w->out, string);
    buf_add_char(w->out, '"');
    return 0;
}

/* The str() of anything, as a JSON string; takes the reference `text` of it. */
static int write_text(struct writer *w, PyObject *text)
{
    if (!text)
        return -1;
    write_string(w, text);
    Py_DECREF(text);
    return 0;
}

/* ---- numbers ---- */

static int add_large_integer(struct buf *out, PyObject *integer)
{
    PyObject *digits = PyLong_Type.tp_repr(integer); /* not what a subclass makes of it */

    if (!digits)
        return -1;
    add_content(out, digits);
    Py_DECREF(digits);
    return 0;
}

static int add_integer(struct buf *out, PyObject *integer)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(integer, &overflow);
    unsigned long long left = value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;

    if (overflow)
        return add_large_integer(out, integer);
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    buf_add(out, at, (size_t)(digits + sizeof(digits) - at));
    return 0;
}

static int add_float(struct writer *w, double value)
{
    char *text;

    if (!isfinite(value)) {
        const char *name = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

        buf_add_text(w->out, w->like_dumps ? name : "null");
        return 0;
    }
    text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (!text)
        return -1;
    buf_add_text(w->out, text);
    PyMem_Free(text);
    return 0;
}

/* ---- containers ---- */

static int enter(struct writer *w, PyObject *container)
{
    for (int i = 0; i < w->depth; i++)
        if (w->open[i] == container) {
            PyErr_Format(PyExc_ValueError, "The value is circular: a %.100s contains itself",
                         Py_TYPE(container)->tp_name);
            return -1;
        }
    if (w->depth == JSON_WRITE_DEPTH) {
        PyErr_Format(PyExc_ValueError, "The value is nested more than %d levels deep",
                     JSON_WRITE_DEPTH);
        return -1;
    }
    w->open[w->depth++] = container;
    return 0;
}

static void separate(struct writer *w, bool *first)
{
    if (!*first)
        buf_add_text(w->out, w->like_dumps ? ", " : ",");
    *first = false;
}

static int write_sequence(struct writer *w, PyObject *sequence)
{
    bool first = true, is_list = PyList_Check(sequence);
    int written = enter(w, sequence);

    if (written < 0)
        return -1;
    buf_add_char(w->out, '[');
    for (Py_ssize_t i = 0; written == 0; i++) {
        PyObject *value;

        if (i >= Py_SIZE(sequence))
            break;
        value = Py_NewRef(is_list ? PyList_GET_ITEM(sequence, i) : PyTuple_GET_ITEM(sequence, i));
        separate(w, &first);
        written = write_value(w, value);
        Py_DECREF(value);
    }
    buf_add_char(w->out, ']');
    w->depth--;
    return written;
}

/* A key as json.dumps writes it: null, true and numbers become strings; all else by str(). */
static int write_key(struct writer *w, PyObject *key)
{
    int written = 0;

    if (PyUnicode_Check(key))
        return write_string(w, key);
    if (!(key == Py_None || PyLong_Check(key) || PyFloat_Check(key)))
        return write_text(w, PyObject_Str(key));
    buf_add_char(w->out, '"');
    if (key == Py_None || PyBool_Check(key))
        buf_add_text(w->out, key == Py_None ? "null" : key == Py_True ? "true" : "false");
    else if (PyLong_Check(key))
        written = add_integer(w->out, key);
    else if (isfinite(PyFloat_AS_DOUBLE(key)) || w->like_dumps)
        written = add_float(w, PyFloat_AS_DOUBLE(key));
    else
        buf_add_text(w->out, isnan(PyFloat_AS_DOUBLE(key)) ? "NaN"
                             : PyFloat_AS_DOUBLE(key) > 0  ? "Infinity"
                                                           : "-Infinity");
    buf_add_char(w->out, '"');
    return written;
}

static int write_member(struct writer *w, PyObject *key, PyObject *value, bool *first)
{
    int written;

    Py_INCREF(key);
    Py_INCREF(value);
    separate(w, first);
    written = write_key(w, key);
    buf_add_char(w->out, ':');
    if (w->like_dumps)
        buf_add_char(w->out, ' ');
    if (written == 0)
        written = write_value(w, value);
    Py_DECREF(key);
    Py_DECREF(value);
    return written;
}

static int write_members(struct writer *w, PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    bool first = true;
    int written = 0;

    while (written == 0 && PyDict_Next(dict, &at, &key, &value))
        written = write_member(w, key, value, &first);
    return written;
}

/* A subclass may keep an order of its own. */
static int write_items(struct writer *w, PyObject *mapping)
{
    PyObject *items = PyMapping_Items(mapping);
    bool first = true;
    int written = items ? 0 : -1;

    for (Py_ssize_t i = 0; written == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);

        if (PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 2)
            written = write_member(w, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1), &first);
    }
    Py_XDECREF(items);
    return written;
}

static int write_dict(struct writer *w, PyObject *dict)
{
    int written = enter(w, dict);

    if (written < 0)
        return -1;
    buf_add_char(w->out, '{');
    written = PyDict_CheckExact(dict) ? write_members(w, dict) : write_items(w, dict);
    buf_add_char(w->out, '}');
    w->depth--;
    return written;
}

/* ---- the whole ---- */

static int write_value(struct writer *w, PyObject *value)
{
    if (w->out->length > w->enough || buf_failed(w->out))
        return 0;
    if (PyUnicode_Check(value))
        return write_string(w, value);
    if (value == Py_None || PyBool_Check(value)) {
        buf_add_text(w->out, value == Py_None ? "null" : value == Py_True ? "true" : "false");
        return 0;
    }
    if (PyLong_Check(value))
        return add_integer(w->out, value);
    if (PyFloat_Check(value))
        return add_float(w, PyFloat_AS_DOUBLE(value));
    if (PyDict_Check(value))
        return write_dict(w, value);
    if (PyList_Check(value) || PyTuple_Check(value))
        return write_sequence(w, value);
    return write_text(w, PyObject_Str(value));
}

int json_write(struct buf *out, PyObject *value)
{
    struct writer writer;

    writer.out = out;
    writer.like_dumps = false;
    writer.enough = SIZE_MAX;
    writer.depth = 0;
    return write_value(&writer, value);
}

static int write_structure(struct buf *out, PyObject *value)
{
    AUTO_BUF struct buf text = {0};
    struct writer writer;

    writer.out = &text;
    writer.like_dumps = true;
    writer.enough = 2 * (size_t)PRINT_BYTES_MAX;
    writer.depth = 0;
    if (write_value(&writer, value) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_Exception))
            return -1;
        PyErr_Clear();
        text.length = 0;
        buf_add_format(&text, "[Circular %s]", Py_TYPE(value)->tp_name);
    }
    if (buf_failed(&text))
        out->failed = true;
    else
        json_string_add(out, text.data, text.length);
    return 0;
}

int json_write_print_argument(struct buf *out, PyObject *value)
{
    bool is_string = PyUnicode_Check(value);
    PyObject *text;

    if (!is_string && value != Py_None && !PyLong_Check(value) && !PyFloat_Check(value))
        return write_structure(out, value);
    text = PyObject_Str(value);
    if (!text)
        return -1;
    buf_add_text(out, is_string ? "\"'" : "\"");
    add_content(out, text);
    buf_add_text(out, is_string ? "'\"" : "\"");
    Py_DECREF(text);
    return 0;
}
