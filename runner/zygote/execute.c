/*
 * One task from its settings to its result; see execute.h.
 *
 * The user's text is never touched: it is parsed as a module, checked, and the parsed body is put
 * into a function definition, so that `return` works at the top level and every line number is the
 * user's own.
 */
#include <Python.h>

#include "runner/zygote/execute.h"

#include <string.h>

#include "allowlist/ast.h"
#include "allowlist/audit.h"
#include "allowlist/builtins.h"
#include "allowlist/check.h"
#include "allowlist/instrument.h"
#include "allowlist/policy.h"
#include "runner/base/buf.h"
#include "runner/base/frame.h"
#include "runner/base/mem.h"
#include "runner/zygote/arenas.h"
#include "runner/zygote/channel.h"
#include "runner/zygote/json_read.h"
#include "runner/zygote/json_write.h"
#include "runner/zygote/print.h"
#include "runner/zygote/python.h"
#include "runner/zygote/report.h"

struct execution {
    const struct policy *policy;
    size_t memory;      /* bytes that a task may map; 0: no limit of its own */
    PyObject *compile;  /* builtins.compile */
    PyObject *freeze;   /* gc.freeze */
    PyObject *builtins; /* what user code gets */
};

struct run {
    const struct execution *execution;
    PyObject *settings; /* dict */
    PyObject *function; /* the user's code */
    bool each;
    bool is_tool; /* `query` is present */
    struct report report;
};

struct execution *execution_new(const struct policy *policy, size_t memory, struct error **err)
{
    struct execution *e = mem_alloc(sizeof(*e));
    PyObject *builtins = PyImport_ImportModule("builtins"), *print = NULL;
    PyObject *gc = PyImport_ImportModule("gc");
    bool made = false;

    e->policy = policy;
    e->memory = memory;
    e->compile = builtins ? PyObject_GetAttrString(builtins, "compile") : NULL;
    e->freeze = gc ? PyObject_GetAttrString(gc, "freeze") : NULL;
    Py_XDECREF(gc);
    Py_XDECREF(builtins);
    if (e->compile && e->freeze && print_prepare() == 0)
        e->builtins = builtins_for_user(policy);
    print = e->builtins ? print_function() : NULL;
    if (print && !name_list_has(&policy->builtins_deny, "print"))
        made = PyDict_SetItemString(e->builtins, "print", print) == 0;
    else
        made = print != NULL;
    Py_XDECREF(print);
    if (made)
        return e;
    python_error(err, "prepare the tasks' Python");
    free(e);
    return NULL;
}

/* ---- from text to function ---- */

/* compile(source, file name, mode "exec", flags, dont_inherit=True) */
static PyObject *compile_object(const struct execution *e, PyObject *source, int flags)
{
    return PyObject_CallFunction(e->compile, "Ossii", source, report_file_name, "exec", flags, 1);
}

static PyObject *argument_list(const char *const *names, size_t count)
{
    PyObject *list = PyList_New(0);

    for (size_t i = 0; list && i < count; i++) {
        PyObject *arg = ast_new(AST_ARG);

        if (ast_set(arg, "arg", PyUnicode_InternFromString(names[i])) < 0 ||
            ast_place_first(arg) < 0 || PyList_Append(list, arg) < 0)
            Py_CLEAR(list);
        Py_XDECREF(arg);
    }
    return list;
}

static PyObject *arguments_node(bool each)
{
    static const char *const all[] = {"_items", "_query"}, *const one[] = {"_item"};
    PyObject *node = ast_new(AST_ARGUMENTS);

    if (ast_set(node, "posonlyargs", PyList_New(0)) == 0 &&
        ast_set(node, "args", each ? argument_list(one, 1) : argument_list(all, 2)) == 0 &&
        ast_set(node, "kwonlyargs", PyList_New(0)) == 0 &&
        ast_set(node, "kw_defaults", PyList_New(0)) == 0 &&
        ast_set(node, "defaults", PyList_New(0)) == 0)
        return node;
    Py_XDECREF(node);
    return NULL;
}

/* A function needs a statement; a node without code, or with comments alone, has none. */
static int ensure_body(PyObject *body)
{
    PyObject *pass;
    int appended;

    if (PyList_GET_SIZE(body))
        return 0;
    pass = ast_new(AST_PASS);
    appended = pass && ast_place_first(pass) == 0 ? PyList_Append(body, pass) : -1;
    Py_XDECREF(pass);
    return appended;
}

/* Turns the module's body into that of the one function in it. */
static int wrap_in_function(PyObject *module, bool each)
{
    PyObject *body = PyObject_GetAttrString(module, "body");
    PyObject *function = ast_new(AST_FUNCTION_DEF), *statements = NULL;
    int wrapped = -1;

    if (body && function && ensure_body(body) == 0 &&
        ast_set(function, "name", PyUnicode_InternFromString(report_function_name)) == 0 &&
        ast_set(function, "args", arguments_node(each)) == 0 &&
        ast_set(function, "body", Py_NewRef(body)) == 0 &&
        ast_set(function, "decorator_list", PyList_New(0)) == 0 &&
        ast_set(function, "type_params", PyList_New(0)) == 0 && ast_place_first(function) == 0)
        statements = PyList_New(1);
    if (statements) {
        PyList_SET_ITEM(statements, 0, Py_NewRef(function));
        wrapped = PyObject_SetAttrString(module, "body", statements);
    }
    Py_XDECREF(statements);
    Py_XDECREF(function);
    Py_XDECREF(body);
    return wrapped;
}

/* Sends the violations, when there are any. Returns 1 then, 0 when there are none, -1 on an
 * exception. */
static int refuse_violations(struct run *run, PyObject *tree)
{
    PyObject *lines = check_code(tree), *newline, *text = NULL;
    int refused = -1;

    if (lines && PyList_GET_SIZE(lines) == 0) {
        Py_DECREF(lines);
        return 0;
    }
    newline = lines ? PyUnicode_FromString("\n") : NULL;
    text = newline ? PyUnicode_Join(newline, lines) : NULL;
    if (text && PyUnicode_AsUTF8(text)) {
        report_text(&run->report, REPORT_VIOLATION, "Security violations detected",
                    PyUnicode_AsUTF8(text));
        refused = 1;
    }
    Py_XDECREF(text);
    Py_XDECREF(newline);
    Py_XDECREF(lines);
    return refused;
}

/* Runs the compiled module, which defines the function, and takes the function out of it. */
static int define_function(struct run *run, PyObject *code)
{
    PyObject *globals = PyDict_New(), *locals = PyDict_New(), *main_name, *done = NULL;

    main_name = PyUnicode_InternFromString("__main__");
    if (globals && locals && main_name &&
        PyDict_SetItemString(globals, "__builtins__", run->execution->builtins) == 0 &&
        PyDict_SetItemString(globals, "__name__", main_name) == 0)
        done = PyEval_EvalCode(code, globals, locals);
    if (done)
        run->function = Py_XNewRef(PyDict_GetItemString(locals, report_function_name));
    Py_XDECREF(done);
    Py_XDECREF(main_name);
    Py_XDECREF(locals);
    Py_XDECREF(globals);
    return run->function ? 0 : -1;
}

/* 0: run->function is ready; 1: a violation has been sent; -1: an exception is pending. */
static int make_function(struct run *run, PyObject *text)
{
    const struct execution *e = run->execution;
    PyObject *tree = compile_object(e, text, PyCF_ONLY_AST), *code = NULL;
    bool checked = policy_checks_code(e->policy);
    int made = tree ? 0 : -1;

    if (made == 0 && checked)
        made = refuse_violations(run, tree);
    if (made == 0 && checked)
        made = instrument_tree(tree);
    if (made == 0)
        made = wrap_in_function(tree, run->each);
    if (made == 0) {
        code = compile_object(e, tree, 0);
        made = code ? define_function(run, code) : -1;
    }
    Py_XDECREF(code);
    Py_XDECREF(tree);
    return made;
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

    arenas_expect(request->length);
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

/* The items live as long as the task: the collector, off while they were made, need not look at
 * them again and again. */
static void collect_from_here(const struct execution *execution)
{
    Py_XDECREF(PyObject_CallNoArgs(execution->freeze));
    PyErr_Clear();
    PyGC_Enable();
}

void execute_task(const struct execution *execution, int channel, const char *scratch,
                  struct request *request)
{
    struct run run = {
        .execution = execution,
        .report = {.channel = channel, .item_index = -1, .memory = execution->memory}};
    AUTO_BUF struct buf result = {0};
    int made;

    print_open(channel);
    PyGC_Disable();
    if (read_settings(&run, request) < 0) {
        report_exception(&run.report);
        return;
    }
    collect_from_here(execution);
    made = scratch ? python_tell_scratch(scratch) : 0;
    if (made == 0)
        made = make_function(&run, run.report.code);
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

/*
 * A node like many, without its sending: every page that this writes to, a fork has given us to
 * copy, and the real task will find it copied.
 */
static const char rehearsal[] =
    "{\"code\":\"total = 0\\nfor item in _items:\\n    total += len(item['json']['name'])\\n"
    "    item['json']['total'] = f'{total:>4}'.strip()\\nreturn sorted(_items, key=lambda item: "
    "item['json']['name'])\",\"nodeMode\":\"runOnceForAllItems\",\"items\":[{\"json\":{\"name\":"
    "\"one\",\"n\":1,\"part\":0.5,\"more\":[true,null,\"\\u00e9\"]}},{\"json\":{\"name\":\"two\"}}]"
    ","
    "\"continueOnFail\":false,\"workflowId\":\"w\",\"nodeId\":\"n\"}";

void execute_rehearsal(const struct execution *execution)
{
    struct run run = {.execution = execution, .report = {.channel = -1, .item_index = -1}};
    struct request request = {.text = mem_dup(rehearsal), .length = sizeof(rehearsal) - 1};
    AUTO_BUF struct buf result = {0};

    if (read_settings(&run, &request) < 0 || make_function(&run, run.report.code) != 0 ||
        run_once(&run, &result) < 0)
        PyErr_Clear(); /* a task that fails the same way will say so */
    Py_CLEAR(run.function);
    Py_CLEAR(run.settings);
}
