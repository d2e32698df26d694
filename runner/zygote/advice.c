/* See advice.h. */
#include <Python.h>

#include "runner/zygote/advice.h"

#include <string.h>

#include "pyvenv/packages.h"
#include "runner/base/buf.h"
#include "runner/base/mem.h"
#include "runner/zygote/pip_names.h"

bool advice_is_stdlib(const char *module)
{
    PyObject *names = PySys_GetObject("stdlib_module_names");
    PyObject *name = PyUnicode_DecodeUTF8(module, (Py_ssize_t)strcspn(module, "."), NULL);
    bool found = names && name && PySet_Contains(names, name) == 1;

    Py_XDECREF(name);
    PyErr_Clear();
    return found;
}

void advice_on_stdlib(struct buf *warnings, const char *name)
{
    buf_add_format(warnings,
                   "N8N_RUNNERS_STDLIB_ALLOW names `%s`, which is no module of Python's standard "
                   "library: packages belong in N8N_RUNNERS_EXTERNAL_ALLOW\n",
                   name);
}

static void add_modules(struct buf *text, const struct package *package)
{
    if (!package->module_count)
        buf_add_text(text, "what it is imported as");
    for (size_t i = 0; i < package->module_count; i++)
        buf_add_format(text, "%s`%s`", i ? " or " : "", package->modules[i]);
}

void advice_on_external(struct buf *warnings, const char *name, const struct packages *packages)
{
    AUTO_FREE char *top = mem_dup_n(name, strcspn(name, "."));
    const struct package *package = packages_named(packages, top);
    const char *module = pip_module(top);

    buf_add_format(warnings, "N8N_RUNNERS_EXTERNAL_ALLOW names `%s`, ", name);
    if (advice_is_stdlib(name)) {
        buf_add_text(warnings, "which is a module of Python's standard library: name it in "
                               "N8N_RUNNERS_STDLIB_ALLOW");
    } else if (package) {
        buf_add_text(warnings, "which is a package's name and no module's: write ");
        add_modules(warnings, package);
    } else if (module) {
        buf_add_format(warnings,
                       "which is a package's name and no module's: write `%s`, add `%s` to "
                       "extras.txt, and run `make venv`",
                       module, top);
    } else {
        buf_add_format(warnings,
                       "and there is no module of that name: add `%s` to extras.txt and run `make "
                       "venv`, or take the name out",
                       pip_name(top));
    }
    buf_add_char(warnings, '\n');
}
