/* What the walls are made from: paths, rules, names. */
#include "tests/unit/zygote/python.h"

#include <fcntl.h>

#include "allowlist/audit.h"
#include "allowlist/judge.h"
#include "allowlist/pickles.h"
#include "allowlist/policy.h"
#include "runner/base/error.h"
#include "runner/zygote/paths.h"
#include "runner/zygote/pip_names.h"
#include "runner/zygote/sandbox.h"
#include "runner/zygote/seccomp.h"
#include "runner/zygote/settings.h"

static struct policy policy;

static bool reads_usr_lib(void *owner, const char *path)
{
    (void)owner;
    return strncmp(path, "/usr/lib/", 9) == 0 || strcmp(path, "/usr/lib") == 0;
}

static int start(void **state)
{
    const struct audit_options options = {.policy = &policy, .readable = reads_usr_lib};
    AUTO_ERROR struct error *err = NULL;

    (void)state;
    if (audit_install() < 0 || python_up() < 0 ||
        name_list_parse(&policy.stdlib, "S", "json,datetime", &err) < 0 ||
        judge_prepare(&policy) < 0)
        return -1;
    return audit_prepare(&options);
}

static void a_path_is_below_a_whole_folder(void **state)
{
    char folder[] = "/usr/lib";
    char *list[] = {folder};
    const struct paths paths = {list, 1};

    (void)state;
    assert_true(paths_has(&paths, "/usr/lib"));
    assert_true(paths_has(&paths, "/usr/lib/x/y"));
    assert_false(paths_has(&paths, "/usr/library"));
    assert_false(paths_has(&paths, "/usr"));
}

static void the_interpreters_folders_are_found(void **state)
{
    struct paths paths, with_network;

    (void)state;
    assert_int_equal(paths_find(&paths, false), 0);
    assert_int_equal(paths_find(&with_network, true), 0);
    assert_true(paths_has(&paths, "/usr/lib/x"));
    assert_true(paths_has(&paths, "/dev/null"));
    assert_false(paths_has(&paths, "/etc/passwd"));
    assert_false(paths_has(&paths, "/etc/hosts"));
    assert_true(paths_has(&with_network, "/etc/hosts"));
    paths_free(&paths);
    paths_free(&with_network);
}

/* Whether a pickle may name it: for a package, and for the user's code. */
static bool may_name(const char *module, const char *name, bool for_user)
{
    PyObject *m = PyUnicode_FromString(module), *n = PyUnicode_FromString(name);
    bool may = pickles_check(m, n, for_user) == 0;

    PyErr_Clear();
    Py_DECREF(m);
    Py_DECREF(n);
    return may;
}

static void pickles_name_values_and_no_functions(void **state)
{
    (void)state;
    assert_true(may_name("builtins", "set", true));
    assert_false(may_name("builtins", "eval", true));
    assert_false(may_name("builtins", "eval", false));
    assert_false(may_name("__builtin__", "getattr", false));
    assert_false(may_name("builtins", "type", false));
    assert_true(may_name("copyreg", "_reconstructor", true));
    assert_true(may_name("datetime", "datetime", true));
    assert_false(may_name("os", "system", true));
    assert_false(may_name("os", "system", false));
    assert_false(may_name("operator", "attrgetter", false));
    assert_false(may_name("json", "codecs.open", true));
    assert_true(may_name("numpy", "ndarray", false));
    assert_false(may_name("numpy", "ndarray", true));
}

static void names_of_pip_are_known(void **state)
{
    (void)state;
    assert_string_equal(pip_name("PIL"), "Pillow");
    assert_string_equal(pip_name("numpy"), "numpy");
}

static void settings_of_the_walls_are_read(void **state)
{
    static const char text[] = "sandbox=require\0network=allow\0memory_mb=64\0tmp_mb=2\0"
                               "result_max=1000\0tasks=7\0scratch=/x\0check=true";
    struct zygote_settings settings;
    AUTO_ERROR struct error *err = NULL;

    (void)state;
    assert_int_equal(zygote_settings_read(&settings, text, sizeof(text), &err), 0);
    assert_int_equal(settings.sandbox.mode, SANDBOX_REQUIRE);
    assert_true(settings.sandbox.network && settings.check);
    assert_int_equal(settings.sandbox.memory, 64 << 20);
    assert_int_equal(settings.sandbox.tmp, 2 << 20);
    assert_int_equal(settings.sandbox.result, 1000);
    assert_int_equal(settings.sandbox.tasks, 7);
    assert_string_equal(settings.sandbox.scratch, "/x");
    zygote_settings_free(&settings);
}

static void every_kind_of_filter_compiles(void **state)
{
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        const struct seccomp_options options = {kind & 1, kind & 2, kind & 4};
        AUTO_ERROR struct error *err = NULL;
        struct seccomp_program *program = seccomp_compile(&options, &err);

        if (!program)
            fail_msg("%s", error_text(err));
        seccomp_free(program);
    }
}

/* Last: from its middle on, the rules hold in this process. */
static void the_hook_refuses_by_its_table(void **state)
{
    static const char reading[] = "open('/etc/passwd')";
    static const char *const refused[] = {
        reading,
        "open('/usr/lib/../../etc/passwd')",
        "open('/tmp/x', 'w')",
        "__import__('os').fork()",
        "__import__('os').system('true')",
        "__import__('sys').settrace(None)",
        "__import__('gc').get_objects()",
        "__import__('os').rename('/tmp/x', '/tmp/y')",
    };
    static const char *const allowed[] = {"open('/dev/null', 'w')", "__import__('os').getpid()",
                                          "__import__('os').listdir('/usr/lib')"};
    PyObject *globals = PyDict_New(), *value;

    (void)state;
    PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins());
    value = PyRun_String(reading, Py_eval_input, globals, globals);
    assert_non_null(value); /* before the user's code starts nothing is refused */
    Py_DECREF(value);
    audit_begin(NULL);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        assert_null(PyRun_String(refused[i], Py_eval_input, globals, globals));
        assert_true(PyErr_ExceptionMatches(PyExc_PermissionError));
        PyErr_Clear();
    }
    for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
        value = PyRun_String(allowed[i], Py_eval_input, globals, globals);
        if (!value)
            PyErr_Print();
        assert_non_null(value);
        Py_DECREF(value);
    }
    Py_DECREF(globals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_below_a_whole_folder),
        cmocka_unit_test(the_interpreters_folders_are_found),
        cmocka_unit_test(pickles_name_values_and_no_functions),
        cmocka_unit_test(names_of_pip_are_known),
        cmocka_unit_test(settings_of_the_walls_are_read),
        cmocka_unit_test(every_kind_of_filter_compiles),
        cmocka_unit_test(the_hook_refuses_by_its_table),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
