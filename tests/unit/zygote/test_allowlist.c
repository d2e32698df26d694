/* The static check, the instrumentation and the judgement, on code that is compiled and run. */
#include "tests/unit/zygote/python.h"

#include "allowlist/builtins.h"
#include "allowlist/check.h"
#include "allowlist/denied.h"
#include "allowlist/instrument.h"
#include "allowlist/judge.h"
#include "allowlist/policy.h"
#include "allowlist/template.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"

static struct policy policy;
static PyObject *builtins;

static PyObject *parse(const char *code)
{
    PyCompilerFlags flags = {.cf_flags = PyCF_ONLY_AST, .cf_feature_version = PY_MINOR_VERSION};
    PyObject *tree = Py_CompileStringExFlags(code, "<code>", Py_file_input, &flags, -1);

    if (!tree)
        PyErr_Print();
    assert_non_null(tree);
    return tree;
}

/* The value of `result` after the instrumented code has run; NULL with an exception. */
static PyObject *run(const char *code)
{
    PyObject *compile = PyDict_GetItemString(PyEval_GetBuiltins(), "compile");
    PyObject *tree = parse(code), *globals = PyDict_New(), *compiled, *done = NULL, *result = NULL;

    assert_int_equal(instrument_tree(tree), 0);
    compiled = PyObject_CallFunction(compile, "Oss", tree, "<code>", "exec");
    if (!compiled)
        PyErr_Print();
    assert_non_null(compiled);
    PyDict_SetItemString(globals, "__builtins__", builtins);
    done = PyEval_EvalCode(compiled, globals, globals);
    if (done)
        result = Py_XNewRef(PyDict_GetItemString(globals, "result"));
    Py_XDECREF(done);
    Py_DECREF(compiled);
    Py_DECREF(tree);
    Py_DECREF(globals);
    return result;
}

static void assert_result(const char *code, const char *repr)
{
    PyObject *result = run(code), *text;

    if (!result)
        PyErr_Print();
    assert_non_null(result);
    text = PyObject_Repr(result);
    assert_string_equal(PyUnicode_AsUTF8(text), repr);
    Py_DECREF(text);
    Py_DECREF(result);
}

static void assert_refused(const char *code, const char *sentence)
{
    PyObject *result = run(code), *text;

    if (result)
        fail_msg("not refused: %s", code);
    assert_true(judge_violation_pending());
    text = take_exception();
    if (!strstr(PyUnicode_AsUTF8(text), sentence))
        fail_msg("%s: %s", code, PyUnicode_AsUTF8(text));
    Py_DECREF(text);
}

static Py_ssize_t violations(const char *code)
{
    PyObject *tree = parse(code), *lines = check_code(tree);
    Py_ssize_t count;

    assert_non_null(lines);
    count = PyList_GET_SIZE(lines);
    Py_DECREF(lines);
    Py_DECREF(tree);
    return count;
}

static void denied_things(void **state)
{
    (void)state;
    assert_true(denied_name("__loader__"));
    assert_false(denied_name("__class__"));
    assert_true(denied_attribute("obj"));
    assert_true(denied_attribute("__wrapped__"));
    assert_false(denied_attribute("__len__"));
    assert_true(denied_mangled("_A__b"));
    assert_false(denied_mangled("__a__"));
    assert_false(denied_mangled("_a_b"));
    assert_false(denied_mangled("_a__b__"));
    assert_false(denied_mangled("_"));
}

static void the_check_counts_what_it_finds(void **state)
{
    (void)state;
    assert_int_equal(violations("import json\njson.dumps([1])\n'obj' in [1]\n"), 1);
    assert_int_equal(violations("import json\nx = [i.name for i in json.loads('[]')]\n"), 0);
    assert_int_equal(violations("import os, sys, json\nfrom ..a import b\n"), 3);
    assert_int_equal(violations("'__cl' + 'as' + 's__'\n'__cl' 'ass__'\n'__cl' - 'ass__'\n"), 2);
    assert_int_equal(violations("'{a.__class__} {b}'\n'{a[__class__]}'\n'{a} __class__'\n"), 2);
    assert_int_equal(violations("match x:\n  case A(a=1, __dict__=b): pass\n  case A(1): pass\n"),
                     2);
    assert_int_equal(violations("f = x.format\nx.format()\nx.get_field('a')\n"), 1);
}

static void long_and_deep_code_is_checked_in_time(void **state)
{
    PyObject *sum = PyUnicode_FromString("x = a"), *more = PyUnicode_FromString(" + 'b'");

    (void)state;
    for (int i = 0; i < 500; i++)
        PyUnicode_Append(&sum, more);
    assert_int_equal(violations(PyUnicode_AsUTF8(sum)), 0);
    Py_DECREF(sum);
    Py_DECREF(more);
}

static void modules_are_judged_where_they_are_read(void **state)
{
    (void)state;
    assert_result("import json\nresult = json.loads('[1]')", "[1]");
    assert_refused("import json\nresult = json.codecs", "module 'codecs' is disallowed");
    assert_refused("import json\nresult = [json.codecs]", "module 'codecs' is disallowed");
    assert_refused("import json\ndel json.codecs.x", "module 'codecs' is disallowed");
    assert_refused("import json\njson.codecs.x = 1", "module 'codecs' is disallowed");
    assert_refused("import json\njson.codecs += 1", "module 'codecs' is disallowed");
    assert_refused("from json import codecs", "module 'codecs' is disallowed");
    assert_refused("import os", "module 'os' is disallowed");
    assert_result("try:\n    import os\nexcept ImportError as e:\n    result = e.name", "'os'");
}

static void augmented_assignment_keeps_its_meaning(void **state)
{
    static const char setup[] = "from types import SimpleNamespace as N\nlog = []\n"
                                "def at(x):\n    log.append(x)\n    return n\n"
                                "def value(x):\n    log.append(x)\n    return [x]\n"
                                "n = N(a=[0], b=1)\nsame = n.a\n";
    AUTO_FREE char *code = mem_format("%s%s", setup,
                                      "at('t').a += value('v')\nn.b -= 3\nn.b **= 2\n"
                                      "result = (n.a, n.a is same, n.b, log)");

    (void)state;
    assert_result(code, "([0, 'v'], True, 4, ['t', 'v'])");
}

static void patterns_keep_their_meaning(void **state)
{
    static const char setup[] =
        "from types import SimpleNamespace as N\n"
        "def f(x):\n    match x:\n"
        "        case N(a=1, b=b) if b > 1: return 'one', b\n"
        "        case N(a=N(c=c) | N(d=c)): return 'inner', c\n"
        "        case N(a=[N(c=c), *rest] as whole): return 'list', c, len(whole), rest\n"
        "        case N(a={'k': v, **more}): return 'dict', v, more\n"
        "        case N(a=a): return 'other', a\n"
        "        case _: return 'none'\n";
    AUTO_FREE char *code =
        mem_format("%sresult = [f(N(a=1, b=2)), f(N(a=1, b=0)), f(N(a=N(c=3))), f(N(a=N(d=4))), "
                   "f(N(a=[N(c=5), 6])), f(N(a={'k': 7, 'm': 8})), f(9)]",
                   setup);

    (void)state;
    assert_result(code, "[('one', 2), ('other', 1), ('inner', 3), ('inner', 4), "
                        "('list', 5, 2, [6]), ('dict', 7, {'m': 8}), 'none']");
}

static void templates_are_read_as_format_reads_them(void **state)
{
    static const struct {
        const char *text, *denied;
    } rows[] = {
        {"{a} {0.b[c]!r:>{w}}", NULL},    {"{0.__class__}", "__class__"},   {"{:{0.obj}}", "obj"},
        {"{{0.__class__}}", NULL},        {"{0.a.__dict__} {", "__dict__"}, {"{", NULL},
        {"{__globals__}", "__globals__"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        PyObject *text = PyUnicode_FromString(rows[i].text), *denied = template_denied(text);

        assert_false(PyErr_Occurred());
        assert_int_equal(denied != NULL, rows[i].denied != NULL);
        if (denied)
            assert_string_equal(PyUnicode_AsUTF8(denied), rows[i].denied);
        Py_XDECREF(denied);
        Py_DECREF(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(denied_things),
        cmocka_unit_test(the_check_counts_what_it_finds),
        cmocka_unit_test(long_and_deep_code_is_checked_in_time),
        cmocka_unit_test(modules_are_judged_where_they_are_read),
        cmocka_unit_test(augmented_assignment_keeps_its_meaning),
        cmocka_unit_test(patterns_keep_their_meaning),
        cmocka_unit_test(templates_are_read_as_format_reads_them),
    };
    AUTO_ERROR struct error *err = NULL;

    if (python_up() < 0 || name_list_parse(&policy.stdlib, "S", "json,types", &err) < 0 ||
        !(builtins = builtins_for_user(&policy)))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
