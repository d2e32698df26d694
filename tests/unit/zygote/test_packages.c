/* What installers leave behind, read: environments, distributions, modules. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pyvenv/packages.h"
#include "pyvenv/venv.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "runner/zygote/pip_names.h"

static char top[] = "/tmp/packages-XXXXXX";

static void put(const char *path, const char *text)
{
    AUTO_FREE char *full = mem_format("%s/%s", top, path);
    FILE *file;

    for (char *slash = strchr(full + strlen(top) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0755);
        *slash = '/';
    }
    file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(top) ? 0 : -1;
}

static int remove_folder(void **state)
{
    AUTO_FREE char *command = mem_format("rm -rf '%s'", top);

    (void)state;
    return system(command);
}

static void assert_modules(const struct package *package, const char *modules)
{
    char joined[256] = "";

    assert_non_null(package);
    for (size_t i = 0; i < package->module_count; i++)
        snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", i ? " " : "",
                 package->modules[i]);
    assert_string_equal(joined, modules);
}

static void modules_come_from_the_records(void **state)
{
    AUTO_FREE char *site = mem_format("%s/site", top);
    struct packages packages;

    (void)state;
    put("site/PyYAML-6.0.dist-info/top_level.txt", "_yaml\nyaml\n");
    put("site/PyYAML-6.0.dist-info/REQUESTED", "");
    put("site/python_dateutil-2.9.dist-info/RECORD",
        "../../../bin/tool,sha256=x,1\r\ndateutil/__init__.py,sha256=x,1\r\n"
        "dateutil/parser/__init__.py,,\r\npython_dateutil-2.9.dist-info/RECORD,,\r\n");
    put("site/mixed.name-1.dist-info/RECORD",
        "six.py,,\nfast.cpython-311-x86_64-linux-gnu.so,,\n_hidden.so,,\nmixed.libs/lib.so,,\n"
        "__pycache__/six.pyc,,\nREADME.txt,,\nlast/x.py");
    put("site/empty-1.dist-info/METADATA", "");
    put("site/not_one.txt", "");
    packages_read(&packages, top);
    assert_int_equal(packages.count, 0);
    packages_read(&packages, site);
    assert_int_equal(packages.count, 4);
    assert_modules(packages_named(&packages, "pyyaml"), "yaml");
    assert_true(packages_named(&packages, "PyYAML")->requested);
    assert_modules(packages_named(&packages, "Python-DateUtil"), "dateutil");
    assert_false(packages_named(&packages, "python.dateutil")->requested);
    assert_modules(packages_named(&packages, "mixed--name"), "six fast last");
    assert_modules(packages_named(&packages, "empty"), "");
    assert_null(packages_named(&packages, "py"));
    assert_null(packages_named(&packages, "pyyaml2"));
    packages_free(&packages);
    packages_read(&packages, "/nowhere");
    assert_int_equal(packages.count, 0);
    packages_free(&packages);
}

static void an_environment_says_what_it_was_made_for(void **state)
{
    static const struct {
        const char *text;
        int fits;
    } cases[] = {
        {"home = /usr/bin\nversion = 3.11.2\n", 0},
        {"home = /usr/bin\nversion_info = 3.11.2.final.0\n", 0},
        {"home = /usr/bin\nversion=3.12.0\n", -1},
        {"version_info = 3.1\nuv = 1\n", -1},
        {"include-system-site-packages = false\nversion = 3.11.2\n", 0},
        {"include-system-site-packages = true\nversion = 3.11.2\n", -1},
        {"home = /usr/bin\n", 0},
        {"", 0},
    };
    AUTO_FREE char *folder = mem_format("%s/venv", top);

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_ERROR struct error *err = NULL;

        put("venv/pyvenv.cfg", cases[i].text);
        assert_int_equal(venv_check(folder, 3, 11, &err), cases[i].fits);
    }
}

static void an_environment_is_looked_for_in_three_places(void **state)
{
    AUTO_FREE char *invoked = mem_format("%s/around/bin/python", top);
    AUTO_FREE char *program = mem_format("%s/program", top);
    AUTO_FREE char *setting = mem_format("%s/set", top);
    struct venv_places places = {.program = program, .invoked_as = "python"};
    AUTO_ERROR struct error *err = NULL;
    struct venv venv;

    (void)state;
    put("program/x", "");
    put("around/bin/x", "");
    assert_int_equal(venv_find(&venv, &places, &err), 0);
    assert_int_equal(venv.source, VENV_NONE);
    places.invoked_as = invoked;
    assert_int_equal(venv_find(&venv, &places, &err), 0);
    assert_null(venv.folder);

    put("around/pyvenv.cfg", "");
    assert_int_equal(venv_find(&venv, &places, &err), 0);
    assert_int_equal(venv.source, VENV_AROUND);
    venv_free(&venv);

    put("program/venv/pyvenv.cfg", "");
    assert_int_equal(venv_find(&venv, &places, &err), 0);
    assert_int_equal(venv.source, VENV_BESIDE);
    venv_free(&venv);

    places.setting = setting;
    assert_int_equal(venv_find(&venv, &places, &err), -1);
    assert_non_null(strstr(error_text(err), "N8N_RUNNERS_PYTHON_VENV"));
    error_free(&err);
    put("set/pyvenv.cfg", "");
    assert_int_equal(venv_find(&venv, &places, &err), 0);
    assert_int_equal(venv.source, VENV_SETTING);
    venv_free(&venv);
}

static void names_that_differ_are_known_both_ways(void **state)
{
    (void)state;
    assert_string_equal(pip_name("yaml"), "PyYAML");
    assert_string_equal(pip_name("numpy"), "numpy");
    assert_string_equal(pip_module("pillow"), "PIL");
    assert_null(pip_module("numpy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_come_from_the_records),
        cmocka_unit_test(an_environment_says_what_it_was_made_for),
        cmocka_unit_test(an_environment_is_looked_for_in_three_places),
        cmocka_unit_test(names_that_differ_are_known_both_ways),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
