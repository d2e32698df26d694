/*
 * The user's text to a function; see function.h.
 *
 * The text is never touched: it is parsed as a module, checked, and the parsed body is put into a
 * function definition, so that `return` works at the top level and every line number is the user's
 * own.
 */
#include "runner/zygote/function.h"

#include "allowlist/ast.h"
#include "allowlist/check.h"
#include "allowlist/instrument.h"
#include "allowlist/policy.h"
#include "runner/base/mem.h"
#include "runner/zygote/report.h"

/* compile(source, file name, mode "exec", flags, dont_inherit=True) */
static PyObject *compile_object(const struct function_parts *parts, PyObject *source, int flags)
{
    return PyObject_CallFunction(parts->compile, "Ossii", source, report_file_name, "exec", flags,
                                 1);
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
    PyObject *body = ast_get(module, "body");
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
        wrapped = ast_set(module, "body", Py_NewRef(statements));
    }
    Py_XDECREF(statements);
    Py_XDECREF(function);
    Py_XDECREF(body);
    return wrapped;
}

/* What the check has to say, as one text: NULL, without an exception when there is nothing. */
static PyObject *find_violations(PyObject *tree)
{
    PyObject *lines = check_code(tree), *newline = NULL, *text = NULL;

    if (lines && PyList_GET_SIZE(lines)) {
        newline = PyUnicode_FromString("\n");
        text = newline ? PyUnicode_Join(newline, lines) : NULL;
    }
    Py_XDECREF(newline);
    Py_XDECREF(lines);
    return text;
}

/* The function's code, which the compiled module has among its constants; a new reference. */
static PyObject *code_in_module(PyObject *module)
{
    PyObject *constants = PyObject_GetAttrString(module, "co_consts"), *found = NULL;

    for (Py_ssize_t i = 0; constants && !found && i < PyTuple_GET_SIZE(constants); i++)
        if (PyCode_Check(PyTuple_GET_ITEM(constants, i)))
            found = Py_NewRef(PyTuple_GET_ITEM(constants, i));
    if (constants && !found)
        PyErr_SetString(PyExc_SystemError, "the compiled code has no function");
    Py_XDECREF(constants);
    return found;
}

PyObject *function_compile(const struct function_parts *parts, PyObject *text, bool each,
                           PyObject **violations)
{
    PyObject *tree = compile_object(parts, text, PyCF_ONLY_AST), *module = NULL, *code = NULL;
    bool checked = policy_checks_code(parts->policy);
    int made = tree ? 0 : -1;

    if (made == 0 && checked) {
        *violations = find_violations(tree);
        made = *violations || PyErr_Occurred() ? -1 : instrument_tree(tree);
    }
    if (made == 0)
        made = wrap_in_function(tree, each);
    if (made == 0)
        module = compile_object(parts, tree, 0);
    if (module)
        code = code_in_module(module);
    Py_XDECREF(module);
    Py_XDECREF(tree);
    return code;
}

PyObject *function_of_code(const struct function_parts *parts, PyObject *code)
{
    PyObject *globals = PyDict_New(), *main_name = PyUnicode_InternFromString("__main__");
    PyObject *function = NULL;

    if (globals && main_name &&
        PyDict_SetItemString(globals, "__builtins__", parts->builtins) == 0 &&
        PyDict_SetItemString(globals, "__name__", main_name) == 0)
        function = PyFunction_New(code, globals);
    Py_XDECREF(main_name);
    Py_XDECREF(globals);
    return function;
}
