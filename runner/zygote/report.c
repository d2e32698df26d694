/*
 * What went wrong in a task, as the user will see it; see report.h.
 *
 * Everything here runs after user code and may meet objects of its making: a str() that fails, a
 * message of a gigabyte, an endless traceback. Each has its bound, and falls back to less text.
 */
#include "runner/zygote/report.h"

#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/frame.h"
#include "runner/base/json_string.h"
#include "runner/zygote/channel.h"
#include "runner/zygote/json_write.h"
#include "runner/zygote/print.h"
#include "runner/zygote/refusal.h"

const char report_file_name[] = "<code>";
const char report_function_name[] = "<code>";

enum { TEXT_MAX = 64 * 1024, FRAMES_SHOWN = 40 };

static const char *const kind_names[] = {
    [REPORT_RAISED] = "raised",
    [REPORT_VIOLATION] = "violation",
    [REPORT_SYNTAX] = "syntax",
    [REPORT_SETTINGS] = "settings",
};

/* Adds a str as UTF-8, cut at TEXT_MAX characters; nothing when it can't be had. */
static void add_object(struct buf *text, PyObject *string)
{
    PyObject *part =
        string && PyUnicode_Check(string) ? PyUnicode_Substring(string, 0, TEXT_MAX) : NULL;
    PyObject *bytes = part ? PyUnicode_AsEncodedString(part, "utf-8", "backslashreplace") : NULL;

    if (bytes)
        buf_add(text, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_XDECREF(part);
    Py_XDECREF(bytes);
    PyErr_Clear();
}

static void send(const struct report *report, enum report_kind kind, const struct buf *message,
                 const struct buf *description, long line)
{
    AUTO_BUF struct buf json = {0};

    buf_add_format(&json, "{\"kind\":\"%s\",\"message\":", kind_names[kind]);
    if (buf_failed(message))
        buf_add_text(&json, "\"There was no memory for the error's message\"");
    else
        json_string_add(&json, message->data, message->length);
    if (description->length) {
        buf_add_text(&json, ",\"description\":");
        json_string_add(&json, description->data, description->length);
    }
    if (line > 0)
        buf_add_format(&json, ",\"lineNumber\":%ld", line);
    if (report->item_index >= 0)
        buf_add_format(&json, ",\"itemIndex\":%zd", report->item_index);
    buf_add_char(&json, '}');
    print_close();
    if (!buf_failed(&json) && json.length <= ERROR_BYTES_MAX)
        channel_send(report->channel, FRAME_ERROR, json.data, json.length);
}

void report_text(const struct report *report, enum report_kind kind, const char *message,
                 const char *description)
{
    AUTO_BUF struct buf text = {0};
    AUTO_BUF struct buf more = {0};

    buf_add_text(&text, message);
    if (description)
        buf_add_text(&more, description);
    send(report, kind, &text, &more, 0);
}

/* Adds line `number` (from 1) of the user's text, without its indentation. */
static void add_source_line(struct buf *text, PyObject *code, long number)
{
    PyObject *lines = code ? PyUnicode_Splitlines(code, 0) : NULL;
    PyObject *line = lines && number >= 1 && number <= PyList_GET_SIZE(lines)
                         ? PyObject_CallMethod(PyList_GET_ITEM(lines, number - 1), "strip", NULL)
                         : NULL;

    if (line && PyUnicode_GET_LENGTH(line)) {
        buf_add_text(text, ": ");
        add_object(text, line);
    }
    Py_XDECREF(line);
    Py_XDECREF(lines);
    PyErr_Clear();
}

static bool is_user_code(PyCodeObject *code)
{
    return PyUnicode_Check(code->co_filename) &&
           PyUnicode_CompareWithASCIIString(code->co_filename, report_file_name) == 0;
}

static void add_frame(struct buf *text, PyObject *source, PyCodeObject *code, long line)
{
    if (text->length)
        buf_add_char(text, '\n');
    buf_add_format(text, "Line %ld", line);
    if (PyUnicode_CompareWithASCIIString(code->co_name, report_function_name) != 0) {
        buf_add_text(text, ", in ");
        add_object(text, code->co_name);
    }
    add_source_line(text, source, line);
}

/* Where a traceback entry stands now: tb_lineno may be negative and computed late. */
static long entry_line(PyObject *entry)
{
    PyObject *number = PyObject_GetAttrString(entry, "tb_lineno");
    long line = number && PyLong_Check(number) ? PyLong_AsLong(number) : 0;

    Py_XDECREF(number);
    PyErr_Clear();
    return line;
}

/* The user's own frames, innermost last; of a very deep one the first and last FRAMES_SHOWN.
 * Returns the innermost one's line, 0 when there is none. */
static long add_traceback(struct buf *text, PyObject *source, PyObject *traceback)
{
    size_t total = 0, at = 0;
    long line = 0;

    for (PyTracebackObject *tb = (PyTracebackObject *)traceback; tb; tb = tb->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(tb->tb_frame);

        total += is_user_code(code);
        Py_DECREF(code);
    }
    for (PyTracebackObject *tb = (PyTracebackObject *)traceback; tb; tb = tb->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(tb->tb_frame);

        if (is_user_code(code)) {
            line = entry_line((PyObject *)tb);
            if (at < FRAMES_SHOWN || at + FRAMES_SHOWN >= total)
                add_frame(text, source, code, line);
            else if (at == FRAMES_SHOWN)
                buf_add_format(text, "\n… %zu more frames", total - 2 * (size_t)FRAMES_SHOWN);
            at++;
        }
        Py_DECREF(code);
    }
    return line;
}

/* The attribute of an exception, when it is a str that holds something; new reference or NULL. */
static PyObject *text_attribute(PyObject *exception, const char *name)
{
    PyObject *value = PyObject_GetAttrString(exception, name);

    PyErr_Clear();
    if (value && PyUnicode_Check(value) && PyUnicode_GET_LENGTH(value))
        return value;
    Py_XDECREF(value);
    return NULL;
}

static long number_attribute(PyObject *exception, const char *name)
{
    PyObject *value = PyObject_GetAttrString(exception, name);
    long number = value && PyLong_Check(value) ? PyLong_AsLong(value) : 0;

    Py_XDECREF(value);
    PyErr_Clear();
    return number;
}

static void add_stderr(struct buf *text)
{
    const struct buf *errors = print_stderr();

    if (!errors->length)
        return;
    if (text->length)
        buf_add_char(text, '\n');
    buf_add(text, errors->data, errors->length);
}

/* `Process exited with code n`, as the process's end would have been. */
static void add_exit_message(struct buf *text, PyObject *exception)
{
    PyObject *code = PyObject_GetAttrString(exception, "code");
    long number = 1;

    PyErr_Clear();
    if (!code || code == Py_None)
        number = 0;
    else if (PyLong_Check(code))
        number = PyLong_AsLong(code);
    PyErr_Clear();
    buf_add_format(text, "Process exited with code %ld", number);
    Py_XDECREF(code);
}

static void add_message(struct buf *text, PyObject *exception)
{
    PyObject *string = PyObject_Str(exception);

    PyErr_Clear();
    if (string && PyUnicode_GET_LENGTH(string))
        add_object(text, string);
    else
        buf_add_text(text, Py_TYPE(exception)->tp_name);
    Py_XDECREF(string);
}

static void report_syntax(const struct report *report, PyObject *exception)
{
    AUTO_BUF struct buf message = {0};
    AUTO_BUF struct buf description = {0};
    long line = number_attribute(exception, "lineno");

    add_message(&message, exception);
    buf_add_format(&description, "Line %ld", line);
    add_source_line(&description, report->code, line);
    send(report, REPORT_SYNTAX, &message, &description, line);
}

static void report_violation(const struct report *report, PyObject *sentence, PyObject *traceback)
{
    AUTO_BUF struct buf message = {0};
    AUTO_BUF struct buf description = {0};
    AUTO_BUF struct buf frames = {0};
    long line = add_traceback(&frames, report->code, traceback);

    buf_add_text(&message, "Security violation detected");
    add_object(&description, sentence);
    send(report, REPORT_VIOLATION, &message, &description, line);
}

static void report_raised(const struct report *report, PyObject *exception, PyObject *traceback)
{
    AUTO_BUF struct buf message = {0};
    AUTO_BUF struct buf description = {0};
    AUTO_BUF struct buf frames = {0};
    PyObject *carried = text_attribute(exception, "description");
    long line = add_traceback(&frames, report->code, traceback);

    if (PyErr_GivenExceptionMatches(exception, PyExc_SystemExit))
        add_exit_message(&message, exception);
    else
        add_message(&message, exception);
    add_object(&description, carried);
    Py_XDECREF(carried);
    if (description.length && frames.length)
        buf_add_char(&description, '\n');
    buf_add(&description, frames.data, frames.length);
    add_stderr(&description);
    if (report->memory && PyErr_GivenExceptionMatches(exception, PyExc_MemoryError))
        buf_add_format(&description,
                       "%sA task may use %zu MB of memory: N8N_RUNNERS_TASK_MEMORY_MB on the "
                       "runner sets that.",
                       description.length ? "\n" : "", report->memory >> 20);
    send(report, REPORT_RAISED, &message, &description, line);
}

/* A syntax error of the user's own text, not one that it met in another at run time. */
static bool is_own_syntax_error(PyObject *exception, PyObject *traceback)
{
    return PyErr_GivenExceptionMatches(exception, PyExc_SyntaxError) && !traceback;
}

void report_exception(const struct report *report)
{
    PyObject *type, *exception, *traceback, *refusal = NULL;

    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    PyErr_Clear();
    if (exception && traceback)
        PyException_SetTraceback(exception, traceback);
    if (!exception)
        report_text(report, REPORT_RAISED, "The task failed without an exception", NULL);
    else if ((refusal = refusal_sentence(exception)))
        report_violation(report, refusal, traceback);
    else if (is_own_syntax_error(exception, traceback))
        report_syntax(report, exception);
    else
        report_raised(report, exception, traceback);
    Py_XDECREF(refusal);
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
}
