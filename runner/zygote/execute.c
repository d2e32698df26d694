/*
 * One task from its settings to its result; see execute.h.
 */
#include <Python.h>

#include "runner/zygote/execute.h"

#include <marshal.h>
#include <string.h>

#include "allowlist/audit.h"
#include "allowlist/builtins.h"
#include "allowlist/policy.h"
#include "runner/base/buf.h"
#include "runner/base/frame.h"
#include "runner/base/mem.h"
#include "runner/zygote/channel.h"
#include "runner/zygote/function.h"
#include "runner/zygote/json_read.h"
#include "runner/zygote/json_write.h"
#include "runner/zygote/print.h"
#include "runner/zygote/python.h"
#include "runner/zygote/report.h"

struct execution {
    struct function_parts made_from;
    size_t memory;    /* bytes that a task may map; 0: no limit of its own */
    PyObject *freeze; /* gc.freeze */
    long magic;       /* of this interpreter's code; asked once, for it is looked up in a module */
};

struct run {
    const struct execution *execution;
    PyObject *settings; /* dict */
    PyObject *code;     /* the user's, compiled; NULL: not yet */
    PyObject *function; /* and made ready to run */
    bool each;
    bool is_tool; /* `query` is present */
    struct report report;
};

struct execution *execution_new(const struct policy *policy, size_t memory, struct error **err)
{
    struct execution *e = mem_alloc(sizeof(*e));
    struct function_parts *parts = &e->made_from;
    PyObject *builtins = PyImport_ImportModule("builtins"), *print = NULL;
    PyObject *gc = PyImport_ImportModule("gc");
    bool made = false;

    parts->policy = policy;
    e->memory = memory;
    e->magic = PyImport_GetMagicNumber();
    parts->compile = builtins ? PyObject_GetAttrString(builtins, "compile") : NULL;
    e->freeze = gc ? PyObject_GetAttrString(gc, "freeze") : NULL;
    Py_XDECREF(gc);
    Py_XDECREF(builtins);
    if (e->magic != -1 && parts->compile && e->freeze && print_prepare() == 0)
        parts->builtins = builtins_for_user(policy);
    print = parts->builtins ? print_function() : NULL;
    if (print && !name_list_has(&policy->builtins_deny, "print"))
        made = PyDict_SetItemString(parts->builtins, "print", print) == 0;
    else
        made = print != NULL;
    Py_XDECREF(print);
    if (made)
        return e;
    python_error(err, "prepare the tasks' Python");
    free(e);
    return NULL;
}

/* ---- the code ---- */

/* 0: run->code is there; 1: a violation has been sent; -1: an exception is pending. */
static int compile_code(struct run *run)
{
    PyObject *violations = NULL;
    const char *lines;

    run->code =
        function_compile(&run->execution->made_from, run->report.code, run->each, &violations);
    if (!violations)
        return run->code ? 0 : -1;
    lines = PyUnicode_AsUTF8(violations);
    if (lines)
        report_text(&run->report, REPORT_VIOLATION, "Security violations detected", lines);
    Py_DECREF(violations);
    return lines ? 1 : -1;
}

/* As compile_code(), for run->function. */
static int make_function(struct run *run)
{
    int made = run->code ? 0 : compile_code(run);

    if (made == 0)
        run->function = function_of_code(&run->execution->made_from, run->code);
    return made == 0 && !run->function ? -1 : made;
}

/* What other tasks with the same code will be given. Without it each compiles for itself. */
static void send_code(const struct run *run)
{
    PyObject *bytes = PyMarshal_WriteObjectToString(run->code, Py_MARSHAL_VERSION);
    AUTO_BUF struct buf frame = {0};

    PyErr_Clear();
    if (bytes) {
        buf_add(&frame, &run->execution->magic, sizeof(run->execution->magic));
        buf_add(&frame, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    }
    if (buf_failed(&frame) || frame.length > CODE_BYTES_MAX)
        frame.length = 0;
    channel_send(run->report.channel, FRAME_CODE, frame.data, frame.length);
    Py_XDECREF(bytes);
}

PyObject *execute_compile(const struct execution *execution, int channel, struct request *source)
{
    struct run run = {
        .execution = execution,
        .each = source->flags & FRAME_EACH,
        .report = {.channel = channel, .item_index = -1, .memory = execution->memory}};
    int made = -1;

    PyGC_Disable();
    if (source->text)
        run.report.code = json_read(source->text, source->length);
    else
        PyErr_NoMemory();
    request_free(source);
    if (run.report.code)
        made = compile_code(&run);
    if (made == 0)
        send_code(&run);
    else if (made < 0)
        report_exception(&run.report);
    Py_XDECREF(run.report.code);
    return run.code;
}

PyObject *execute_load(const struct execution *execution, struct request *code)
{
    PyObject *loaded = NULL;
    long magic = 0;

    PyGC_Disable();
    if (code->text && code->length > sizeof(magic))
        memcpy(&magic, code->text, sizeof(magic));
    if (magic == execution->magic) /* else the interpreter has been replaced meanwhile */
        loaded = PyMarshal_ReadObjectFromString(code->text + sizeof(magic),
                                                (Py_ssize_t)(code->length - sizeof(magic)));
    PyErr_Clear();
    request_free(code);
    if (loaded && !PyCode_Check(loaded))
        Py_CLEAR(loaded);
    return loaded;
}

/* ---- the result ---- */

/* What is there of a large result goes ahead, so that it never stands here in whole, and the host
 * takes it in meanwhile. An error may still follow: then the host drops it. */
static void send_ahead(const struct run *run, struct buf *result)
{
    if (result->length < RESULT_PART_BYTES || buf_failed(result) || run->report.channel < 0)
        return;
    channel_send(run->report.channel, FRAME_PART, result->data, result->length);
    result->length = 0;
}

/* ---- all items ---- */

/* A list's elements one after the other, so that they can go ahead. It may change meanwhile. */
static int write_list(struct run *run, struct buf *result, PyObject *list)
{
    buf_add_char(result, '[');
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *element = Py_NewRef(PyList_GET_ITEM(list, i));
        int written;

        if (i)
            buf_add_char(result, ',');
        written = json_write(result, element);
        Py_DECREF(element);
        if (written < 0)
            return -1;
        send_ahead(run, result);
    }
    buf_add_char(result, ']');
    return 0;
}

static int run_once(struct run *run, struct buf *result)
{
    PyObject *items = PyDict_GetItemString(run->settings, "items");
    PyObject *query = PyDict_GetItemString(run->settings, "query");
    PyObject *value =
        PyObject_CallFunctionObjArgs(run->function, items, query ? query : Py_None, NULL);
    int written = 0;

    if (!value)
        return -1;
    if (value == Py_None)
        buf_add_text(result, run->is_tool ? "null" : "[]");
    else if (PyList_CheckExact(value))
        written = write_list(run, result, value);
    else
        written = json_write(result, value);
    Py_DECREF(value);
    return written;
}

/* ---- each item ---- */

/* Writes the members of `item` without the key `binary`, as an object. */
static int write_without_binary(struct buf *result, PyObject *item)
{
    PyObject *rest = PyDict_Copy(item);
    int written = rest ? PyDict_DelItemString(rest, "binary") : -1;

    if (written == 0)
        written = json_write(result, rest);
    Py_XDECREF(rest);
    return written;
}

/* Writes `value` as one output item. */
static int write_item(struct buf *result, PyObject *value, Py_ssize_t index)
{
    PyObject *json = PyDict_Check(value) ? PyDict_GetItemString(value, "json") : NULL;
    PyObject *binary = PyDict_Check(value) ? PyDict_GetItemString(value, "binary") : NULL;
    int written;

    buf_add_text(result, "{\"json\":");
    if (json)
        written = json_write(result, json);
    else if (binary)
        written = write_without_binary(result, value);
    else
        written = json_write(result, value);
    if (written == 0)
        buf_add_format(result, ",\"pairedItem\":{\"item\":%zd}", index);
    if (written == 0 && binary && binary != Py_None) {
        buf_add_text(result, ",\"binary\":");
        written = json_write(result, binary);
    }
    buf_add_char(result, '}');
    return written;
}

static int run_each(struct run *run, struct buf *result)
{
    PyObject *items = PyDict_GetItemString(run->settings, "items");
    bool first = true;

    buf_add_char(result, '[');
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *value;
        int written = 0;

        run->report.item_index = i;
        value = PyObject_CallOneArg(run->function, PyList_GET_ITEM(items, i));
        if (!value)
            return -1;
        if (value != Py_None) {
            if (!first)
                buf_add_char(result, ',');
            first = false;
            written = write_item(result, value, i);
        }
        Py_DECREF(value);
        if (written < 0)
            return -1;
        send_ahead(run, result);
    }
    run->report.item_index = -1;
    buf_add_char(result, ']');
    return 0;
}

/* ---- the whole ---- */

/* The settings were checked by the host; this is the child's own look at what it relies on. */
static int read_settings(struct run *run, struct request *request)
{
    PyObject *mode, *items;

    if (!request->text) {
        PyErr_NoMemory();
        return -1;
    }
    run->settings = json_read(request->text, request->length);
    request_free(request);
    if (!run->settings)
        return -1;
    if (!PyDict_Check(run->settings)) {
        PyErr_SetString(PyExc_ValueError, "the settings are no object");
        return -1;
    }
    run->report.code = PyDict_GetItemString(run->settings, "code");
    items = PyDict_GetItemString(run->settings, "items");
    mode = PyDict_GetItemString(run->settings, "nodeMode");
    if (!run->report.code || !PyUnicode_Check(run->report.code) || !items || !PyList_Check(items) ||
        !mode || !PyUnicode_Check(mode)) {
        PyErr_SetString(PyExc_ValueError, "code, nodeMode or items is missing");
        return -1;
    }
    run->each = PyUnicode_CompareWithASCIIString(mode, "runOnceForEachItem") == 0;
    run->is_tool = PyDict_GetItemString(run->settings, "query") != NULL;
    return 0;
}

/* The items live as long as the task: the collector, off while they are made, need not look at them
 * again and again. */
static int begin(struct run *run, struct request *request)
{
    print_open(run->report.channel);
    PyGC_Disable();
    if (read_settings(run, request) < 0)
        return -1;
    Py_XDECREF(PyObject_CallNoArgs(run->execution->freeze));
    PyErr_Clear();
    PyGC_Enable();
    return 0;
}

void execute_task(const struct execution *execution, int channel, const char *scratch,
                  struct request *request, PyObject *code)
{
    struct run run = {
        .execution = execution,
        .code = code,
        .report = {.channel = channel, .item_index = -1, .memory = execution->memory}};
    AUTO_BUF struct buf result = {0};
    int made;

    if (begin(&run, request) < 0) {
        report_exception(&run.report);
        return;
    }
    made = scratch ? python_tell_scratch(scratch) : 0;
    if (made == 0)
        made = make_function(&run);
    audit_begin(scratch);
    if (made == 0)
        made = run.each ? run_each(&run, &result) : run_once(&run, &result);
    if (made == 0 && buf_failed(&result)) {
        PyErr_NoMemory();
        made = -1;
    }
    if (made < 0) {
        report_exception(&run.report);
    } else if (made == 0) {
        print_close();
        channel_send(channel, FRAME_RESULT, result.data, result.length);
    }
}

PyObject *execute_quietly(const struct execution *execution, const char *settings, PyObject *code)
{
    struct run run = {.execution = execution,
                      .code = Py_XNewRef(code),
                      .report = {.channel = -1, .item_index = -1}};
    struct request request = {.text = mem_dup(settings), .length = strlen(settings)};
    AUTO_BUF struct buf result = {0};

    if (begin(&run, &request) < 0 || make_function(&run) != 0 || run_once(&run, &result) < 0)
        PyErr_Clear(); /* a task that fails the same way will say so */
    Py_CLEAR(run.function);
    Py_CLEAR(run.settings);
    return run.code;
}
