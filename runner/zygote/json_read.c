/*
 * JSON text to Python objects; see json_read.h.
 *
 * The host has checked the text, so nothing here words a helpful error; but every read stays within
 * the text all the same.
 */
#include "runner/zygote/json_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/json_span.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"

enum {
    SMALL_DIGITS = 18, /* fit into a long long */
    NUMBER_ROOM = 64,
    KNOWN = 512,      /* a power of two: strings that are kept for when they come again */
    KNOWN_BYTES = 64, /* of one of them, at the most */
};

struct reader {
    const char *at;
    const char *end;
    int depth;
    PyObject **known; /* KNOWN of them, each at the place that its text says, or NULL */
};

static PyObject *read_value(struct reader *r);

static PyObject *invalid(void)
{
    PyErr_SetString(PyExc_ValueError, "invalid JSON");
    return NULL;
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

/* Moves past `byte` and white space before it; false when something else is there. */
static bool take(struct reader *r, char byte)
{
    skip_space(r);
    if (r->at == r->end || *r->at != byte)
        return false;
    r->at++;
    return true;
}

/* ---- strings ---- */

static int hex_digits(const char *at, const char *end)
{
    int value = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = (unsigned char)at[i];

        if (digit >= '0' && digit <= '9')
            digit -= '0';
        else if ((digit | 32) >= 'a' && (digit | 32) <= 'f')
            digit = (digit | 32) - 'a' + 10;
        else
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* A \u escape, whose digits start at *at; a pair of surrogates is one character. -1: invalid. */
static long read_unicode(const char **at, const char *end)
{
    int first = hex_digits(*at, end), second;

    if (first < 0)
        return -1;
    *at += 4;
    if (first < 0xd800 || first > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return first;
    second = hex_digits(*at + 2, end);
    if (second < 0xdc00 || second > 0xdfff)
        return first;
    *at += 6;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/* One escape, *at behind its backslash. -1: invalid. */
static long read_escape(const char **at, const char *end)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *name;

    if (*at == end)
        return -1;
    if (**at == 'u') {
        ++*at;
        return read_unicode(at, end);
    }
    name = **at ? strchr(names, **at) : NULL;
    ++*at;
    return name ? meanings[name - names] : -1;
}

/* One UTF-8 character. -1: invalid. */
static long read_character(const char **at, const char *end)
{
    size_t length = json_utf8_length(*at, (size_t)(end - *at));
    long character;

    if (!length)
        return -1;
    character = (unsigned char)*(*at)++ & (length == 1 ? 0x7f : 0x7f >> length);
    while (--length)
        character = character << 6 | (*(*at)++ & 0x3f);
    return character;
}

/* A string with escapes in it: character by character, never more than it has bytes. */
static PyObject *decode_escaped(const char *at, const char *end)
{
    Py_UCS4 *characters = PyMem_New(Py_UCS4, end - at);
    Py_ssize_t count = 0;
    PyObject *string = NULL;
    long character = 0;

    if (!characters)
        return PyErr_NoMemory();
    while (at < end && character >= 0) {
        if (*at == '\\') {
            at++;
            character = read_escape(&at, end);
        } else {
            character = read_character(&at, end);
        }
        characters[count++] = (Py_UCS4)character;
    }
    string = character < 0 ? invalid()
                           : PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, characters, count);
    PyMem_Free(characters);
    return string;
}

static size_t place_of(const char *text, size_t length)
{
    size_t part = length < sizeof(uint64_t) ? length : sizeof(uint64_t);
    uint64_t head = 0, tail = 0;

    memcpy(&head, text, part);
    memcpy(&tail, text + length - part, part);
    head = (head ^ length) * 0x9e3779b97f4a7c15u;
    return (size_t)(((head ^ tail) * 0xd6e8feb86659fd93u) >> 32) % KNOWN;
}

static PyObject *new_ascii(const char *text, size_t length)
{
    PyObject *string = PyUnicode_New((Py_ssize_t)length, 127);

    if (string && length)
        memcpy(PyUnicode_1BYTE_DATA(string), text, length);
    return string;
}

/* Items repeat their keys, and many of their values: one string serves them all. */
static PyObject *ascii_string(struct reader *r, const char *text, size_t length)
{
    PyObject **known, *string;

    if (!length || length > KNOWN_BYTES)
        return new_ascii(text, length);
    known = &r->known[place_of(text, length)];
    if (*known && (size_t)PyUnicode_GET_LENGTH(*known) == length &&
        memcmp(PyUnicode_1BYTE_DATA(*known), text, length) == 0)
        return Py_NewRef(*known);
    string = new_ascii(text, length);
    if (string)
        Py_XSETREF(*known, Py_NewRef(string));
    return string;
}

/* The string whose first character is at r->at, behind the quote. */
static PyObject *read_string(struct reader *r)
{
    const char *start = r->at;
    unsigned char seen = 0;
    bool escaped = false;
    PyObject *string;

    for (;;) {
        r->at += json_plain_run(r->at, (size_t)(r->end - r->at));
        if (r->at == r->end || *r->at == '"')
            break;
        if (*r->at == '\\') {
            escaped = true;
            if (++r->at == r->end)
                return invalid();
        }
        if ((unsigned char)*r->at < ' ')
            return invalid();
        seen |= (unsigned char)*r->at++;
    }
    if (r->at == r->end)
        return invalid();
    if (escaped) {
        string = decode_escaped(start, r->at);
    } else if (seen < 0x80) {
        string = ascii_string(r, start, (size_t)(r->at - start));
    } else {
        string = PyUnicode_DecodeUTF8(start, r->at - start, "strict");
    }
    r->at++;
    return string;
}

/* ---- numbers ---- */

static PyObject *small_integer(const char *at, const char *end)
{
    bool negative = *at == '-';
    long long value = 0;

    for (at += negative; at < end; at++)
        value = value * 10 + (*at - '0');
    return PyLong_FromLongLong(negative ? -value : value);
}

static PyObject *convert_number(const char *text, bool whole)
{
    double value;

    if (whole)
        return PyLong_FromString(text, NULL, 10);
    value = PyOS_string_to_double(text, NULL, NULL); /* 1e999 is infinity, as in json.loads */
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

/* Moves past one of `set` (no NUL in it); false when something else is there. */
static bool skip_one(struct reader *r, const char *set)
{
    if (r->at == r->end || *r->at == '\0' || !strchr(set, *r->at))
        return false;
    r->at++;
    return true;
}

/* Moves past digits; false when there are none. */
static bool skip_digits(struct reader *r)
{
    const char *start = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > start;
}

/* Moves past a number as RFC 8259 writes it. */
static bool skip_number(struct reader *r, bool *whole)
{
    *whole = true;
    skip_one(r, "-");
    if (!skip_one(r, "0") && !skip_digits(r))
        return false;
    if (skip_one(r, ".")) {
        *whole = false;
        if (!skip_digits(r))
            return false;
    }
    if (skip_one(r, "eE")) {
        *whole = false;
        skip_one(r, "+-");
        return skip_digits(r);
    }
    return true;
}

static PyObject *read_number(struct reader *r)
{
    char room[NUMBER_ROOM];
    AUTO_FREE char *large = NULL;
    const char *start = r->at;
    char *text = room;
    bool whole;
    size_t length;

    if (!skip_number(r, &whole))
        return invalid();
    length = (size_t)(r->at - start);
    if (whole && length <= SMALL_DIGITS)
        return small_integer(start, r->at);
    if (length >= sizeof(room)) {
        large = mem_alloc(length + 1);
        text = large;
    }
    memcpy(text, start, length);
    text[length] = '\0';
    return convert_number(text, whole);
}

/* ---- containers ---- */

static PyObject *read_array(struct reader *r)
{
    PyObject *list = PyList_New(0);

    if (!list || take(r, ']'))
        return list;
    for (;;) {
        PyObject *value = read_value(r);
        int added = value ? PyList_Append(list, value) : -1;

        Py_XDECREF(value);
        if (added == 0 && take(r, ','))
            continue;
        if (added == 0 && take(r, ']'))
            return list;
        if (added == 0)
            invalid();
        Py_DECREF(list);
        return NULL;
    }
}

static int read_member(struct reader *r, PyObject *dict)
{
    PyObject *key = take(r, '"') ? read_string(r) : invalid(), *value = NULL;
    int added = -1;

    if (key)
        value = take(r, ':') ? read_value(r) : invalid();
    if (value)
        added = PyDict_SetItem(dict, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return added;
}

static PyObject *read_object(struct reader *r)
{
    PyObject *dict = PyDict_New();

    if (!dict || take(r, '}'))
        return dict;
    for (;;) {
        int added = read_member(r, dict);

        if (added == 0 && take(r, ','))
            continue;
        if (added == 0 && take(r, '}'))
            return dict;
        if (added == 0)
            invalid();
        Py_DECREF(dict);
        return NULL;
    }
}

static PyObject *read_word(struct reader *r, const char *word, PyObject *value)
{
    size_t length = strlen(word);

    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return invalid();
    r->at += length;
    return Py_NewRef(value);
}

static PyObject *read_value(struct reader *r)
{
    PyObject *value;

    skip_space(r);
    if (r->at == r->end)
        return invalid();
    switch (*r->at) {
    case '"':
        r->at++;
        return read_string(r);
    case '{':
    case '[':
        if (++r->depth > JSON_DEPTH_MAX) {
            PyErr_SetString(PyExc_ValueError, "JSON is nested too deeply");
            return NULL;
        }
        value = *r->at++ == '{' ? read_object(r) : read_array(r);
        r->depth--;
        return value;
    case 't':
        return read_word(r, "true", Py_True);
    case 'f':
        return read_word(r, "false", Py_False);
    case 'n':
        return read_word(r, "null", Py_None);
    default:
        return read_number(r);
    }
}

PyObject *json_read(const char *text, size_t length)
{
    PyObject *known[KNOWN] = {NULL};
    struct reader reader = {text, text + length, 0, known};
    PyObject *value = read_value(&reader);

    for (size_t i = 0; i < KNOWN; i++)
        Py_XDECREF(known[i]);
    if (!value)
        return NULL;
    skip_space(&reader);
    if (reader.at == reader.end)
        return value;
    Py_DECREF(value);
    return invalid();
}
