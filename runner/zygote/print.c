/*
 * What a task prints; see print.h.
 *
 * Every print() is sent at once, as the RPC's params and as text for the runner's log, so that it
 * survives an error, a timeout or a kill. Beyond the limits only a count is sent: exactly for the
 * first thousand calls left out, then at most every 50 ms, so that a print in an endless loop costs
 * the host nothing. What packages write to sys.stdout counts as one print a line.
 */
#include "runner/zygote/print.h"

#include <stdbool.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/frame.h"
#include "runner/zygote/channel.h"
#include "runner/zygote/json_write.h"

enum { STDERR_MAX = 64 * 1024, DROPPED_EXACTLY = 1000, DROPPED_EVERY_US = 50000 };

/* The interpreter's: one task, one process. */
static struct {
    int channel;
    unsigned calls;
    size_t bytes;
    uint64_t dropped;
    uint64_t dropped_sent;
    int64_t dropped_at;
    struct buf line;   /* sys.stdout's unfinished line */
    struct buf errors; /* sys.stderr */
} state = {.channel = -1};

struct stream {
    PyObject_HEAD bool is_stderr;
};

static void send_dropped(void)
{
    if (state.channel < 0 || state.dropped == state.dropped_sent)
        return;
    channel_send(state.channel, FRAME_DROPPED, &state.dropped, sizeof(state.dropped));
    state.dropped_sent = state.dropped;
    state.dropped_at = clock_us();
}

/* True when one more print of `bytes` is within the limits; else it is counted as left out. */
static bool admit(size_t bytes)
{
    if (!state.dropped && state.calls < PRINT_CALLS_MAX && bytes <= PRINT_BYTES_MAX - state.bytes) {
        state.calls++;
        state.bytes += bytes;
        return true;
    }
    state.dropped++;
    if (state.dropped <= DROPPED_EXACTLY || clock_us() - state.dropped_at >= DROPPED_EVERY_US)
        send_dropped();
    return false;
}

/* Anything beyond the limits is left out before its text is made. */
static bool full(void)
{
    return state.dropped || state.calls >= PRINT_CALLS_MAX || state.bytes >= PRINT_BYTES_MAX;
}

/* -1 with an exception when there was no memory for it. */
static int send_print(const struct buf *params, const struct buf *text)
{
    if (buf_failed(params)) {
        PyErr_NoMemory();
        return -1;
    }
    if (state.channel < 0 || !admit(params->length))
        return 0;
    channel_send(state.channel, FRAME_PRINT, params->data, params->length);
    if (text->length && !buf_failed(text))
        channel_send(state.channel, FRAME_OUTPUT, text->data, text->length);
    return 0;
}

/* ---- sys.stdout and sys.stderr ---- */

static int print_line(const char *line, size_t length)
{
    AUTO_BUF struct buf params = {0};
    struct buf text = {.data = (char *)(uintptr_t)line, .length = length};
    PyObject *object = PyUnicode_DecodeUTF8(line, (Py_ssize_t)length, "replace");
    int made = -1;

    buf_add_char(&params, '[');
    if (object)
        made = json_write_print_argument(&params, object);
    Py_XDECREF(object);
    if (made < 0)
        return -1;
    buf_add_char(&params, ']');
    return send_print(&params, &text);
}

/* Makes room for more of the unfinished line; without it, that line is gone. */
static int add_to_line(const char *text, size_t length)
{
    buf_add(&state.line, text, length);
    if (!buf_failed(&state.line))
        return 0;
    buf_free(&state.line);
    PyErr_NoMemory();
    return -1;
}

static int write_lines(const char *text, size_t length)
{
    const char *newline;

    while ((newline = memchr(text, '\n', length))) {
        size_t part = (size_t)(newline - text);

        if (add_to_line(text, part) < 0 ||
            print_line(state.line.data ? state.line.data : "", state.line.length) < 0)
            return -1;
        state.line.length = 0;
        text += part + 1;
        length -= part + 1;
    }
    return state.line.length < PRINT_BYTES_MAX ? add_to_line(text, length) : 0;
}

static PyObject *stream_write(PyObject *self, PyObject *text)
{
    PyObject *bytes;
    int failed = 0;

    if (!PyUnicode_Check(text))
        return PyErr_Format(PyExc_TypeError, "write() argument must be str, not %.100s",
                            Py_TYPE(text)->tp_name);
    bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (!bytes)
        return NULL;
    if (!((struct stream *)self)->is_stderr)
        failed = write_lines(PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    else if (state.errors.length < STDERR_MAX)
        buf_add(&state.errors, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return failed < 0 ? NULL : PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *stream_writelines(PyObject *self, PyObject *lines)
{
    PyObject *iterator = PyObject_GetIter(lines), *line;

    if (!iterator)
        return NULL;
    while ((line = PyIter_Next(iterator))) {
        PyObject *written = stream_write(self, line);

        Py_DECREF(line);
        if (!written)
            break;
        Py_DECREF(written);
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *stream_nothing(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_RETURN_NONE;
}

static PyObject *stream_false(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_RETURN_FALSE;
}

static PyObject *stream_true(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_RETURN_TRUE;
}

static PyObject *stream_encoding(PyObject *self, void *unused)
{
    (void)self, (void)unused;
    return PyUnicode_FromString("utf-8");
}

static PyMethodDef stream_methods[] = {
    {"write", stream_write, METH_O, NULL},
    {"writelines", stream_writelines, METH_O, NULL},
    {"flush", stream_nothing, METH_NOARGS, NULL},
    {"close", stream_nothing, METH_NOARGS, NULL},
    {"isatty", stream_false, METH_NOARGS, NULL},
    {"readable", stream_false, METH_NOARGS, NULL},
    {"seekable", stream_false, METH_NOARGS, NULL},
    {"writable", stream_true, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef stream_fields[] = {
    {"encoding", stream_encoding, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot stream_slots[] = {
    {Py_tp_methods, stream_methods},
    {Py_tp_getset, stream_fields},
    {0, NULL},
};

static PyType_Spec stream_spec = {
    .name = "task.Output",
    .basicsize = sizeof(struct stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = stream_slots,
};

static PyObject *stream_new(PyTypeObject *type, bool is_stderr)
{
    struct stream *stream = PyObject_New(struct stream, type);

    if (stream)
        stream->is_stderr = is_stderr;
    return (PyObject *)stream;
}

int print_prepare(void)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&stream_spec);
    PyObject *out = type ? stream_new(type, false) : NULL;
    PyObject *errors = type ? stream_new(type, true) : NULL;
    int failed = !out || !errors || PySys_SetObject("stdout", out) < 0 ||
                 PySys_SetObject("__stdout__", out) < 0 || PySys_SetObject("stderr", errors) < 0 ||
                 PySys_SetObject("__stderr__", errors) < 0;

    Py_XDECREF(type);
    Py_XDECREF(out);
    Py_XDECREF(errors);
    return failed ? -1 : 0;
}

/* ---- print() ---- */

/* The text that print() would write: arguments by str(), `sep` between, `end` after. */
static PyObject *print_text(PyObject *args, PyObject *sep, PyObject *end)
{
    PyObject *parts = PyList_New(PyTuple_GET_SIZE(args)), *joined, *space, *text = NULL;

    if (!parts)
        return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *part = PyObject_Str(PyTuple_GET_ITEM(args, i));

        if (!part) {
            Py_DECREF(parts);
            return NULL;
        }
        PyList_SET_ITEM(parts, i, part);
    }
    space = sep ? Py_NewRef(sep) : PyUnicode_FromString(" ");
    joined = space ? PyUnicode_Join(space, parts) : NULL;
    Py_XDECREF(space);
    Py_DECREF(parts);
    if (joined)
        text = end ? PyUnicode_Concat(joined, end) : PyUnicode_FromFormat("%U\n", joined);
    Py_XDECREF(joined);
    return text;
}

static int print_params(PyObject *args, struct buf *params)
{
    buf_add_char(params, '[');
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (i)
            buf_add_char(params, ',');
        if (json_write_print_argument(params, PyTuple_GET_ITEM(args, i)) < 0)
            return -1;
    }
    buf_add_char(params, ']');
    return 0;
}

static PyObject *print_to_host(PyObject *args, PyObject *text)
{
    AUTO_BUF struct buf params = {0};
    AUTO_BUF struct buf output = {0};
    PyObject *bytes;

    if (print_params(args, &params) < 0)
        return NULL;
    bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (!bytes)
        return NULL;
    buf_add(&output, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    if (send_print(&params, &output) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* None stands for the default, as in print(); anything else but a str is an error. */
static int text_or_none(PyObject **text, const char *name)
{
    if (*text == Py_None)
        *text = NULL;
    if (!*text || PyUnicode_Check(*text))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s must be None or a string, not %.200s", name,
                 Py_TYPE(*text)->tp_name);
    return -1;
}

static PyObject *user_print(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"sep", "end", "file", "flush", NULL};
    PyObject *sep = NULL, *end = NULL, *file = NULL, *flush = NULL, *none, *text, *result = NULL;
    int parsed;

    (void)self;
    none = PyTuple_New(0);
    parsed = none && PyArg_ParseTupleAndKeywords(none, keywords, "|$OOOO:print", names, &sep, &end,
                                                 &file, &flush);
    Py_XDECREF(none);
    if (!parsed || text_or_none(&sep, "sep") < 0 || text_or_none(&end, "end") < 0)
        return NULL;
    if (file == Py_None || file == PySys_GetObject("stdout"))
        file = NULL;
    if (!file && full()) {
        admit(0);
        Py_RETURN_NONE;
    }
    text = print_text(args, sep, end);
    if (!text)
        return NULL;
    if (!file)
        result = print_to_host(args, text);
    else if (PyFile_WriteObject(text, file, Py_PRINT_RAW) == 0)
        result = Py_NewRef(Py_None);
    Py_DECREF(text);
    return result;
}

static PyMethodDef print_method = {
    "print", (PyCFunction)(void (*)(void))user_print, METH_VARARGS | METH_KEYWORDS,
    "print(*args, sep=' ', end='\\n', file=None, flush=False)\n--\n\n"
    "Shows the arguments in the browser's console while the node runs."};

PyObject *print_function(void)
{
    return PyCFunction_New(&print_method, NULL);
}

void print_open(int channel)
{
    state.channel = channel;
    state.line.length = state.errors.length = 0; /* what imports have written */
}

void print_close(void)
{
    if (state.line.length)
        print_line(state.line.data, state.line.length);
    state.line.length = 0;
    PyErr_Clear();
    send_dropped();
}

const struct buf *print_stderr(void)
{
    return &state.errors;
}
