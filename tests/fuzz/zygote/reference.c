/* CPython and its json module; see reference.h. */
#include "tests/fuzz/zygote/reference.h"

#include <math.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* A lone surrogate in what print shows of a list is its escape: UTF-8 does not have it. */
static const char code[] =
    "import json, re, sys\n"
    "sys.set_int_max_str_digits(0)\n"
    "sys.setrecursionlimit(30000)\n"
    "def refuse(name):\n"
    "    raise ValueError(name)\n"
    "def loads(data):\n"
    "    return json.loads(data.decode('utf-8', 'strict'), parse_constant=refuse)\n"
    "def shown(value):\n"
    "    if isinstance(value, str):\n"
    "        return \"'%s'\" % value\n"
    "    if not isinstance(value, (list, dict)):\n"
    "        return str(value)\n"
    "    text = json.dumps(value, ensure_ascii=False)\n"
    "    return re.sub('[\\ud800-\\udfff]', lambda found: '\\\\u%04x' % ord(found[0]), text)\n";

static PyObject *loads, *shown;

/* CPython keeps what it has until the process ends, as a task does what it leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

void reference_start(void)
{
    PyPreConfig before;
    PyConfig config;
    PyStatus status;
    PyObject *module;

    if (loads)
        return;
    /* each object in a block of its own, so that AddressSanitizer sees its ends */
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    before.allocator = PYMEM_ALLOCATOR_MALLOC;
    status = Py_PreInitialize(&before);
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.install_signal_handlers = 0;
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    MUST(!PyStatus_Exception(status), "CPython starts");
    MUST(PyRun_SimpleString(code) == 0, "its json is there");
    module = PyImport_AddModule("__main__");
    loads = PyObject_GetAttrString(module, "loads");
    shown = PyObject_GetAttrString(module, "shown");
    MUST(loads && shown, "so are our functions");
}

PyObject *reference_loads(struct span text, bool *too_deep)
{
    PyObject *bytes = PyBytes_FromStringAndSize(text.at, (Py_ssize_t)text.length);
    PyObject *value = bytes ? PyObject_CallFunctionObjArgs(loads, bytes, NULL) : NULL;

    Py_XDECREF(bytes);
    *too_deep = !value && PyErr_ExceptionMatches(PyExc_RecursionError);
    MUST(value || *too_deep || PyErr_ExceptionMatches(PyExc_ValueError), "json.loads judges");
    PyErr_Clear();
    return value;
}

PyObject *reference_shown(PyObject *value)
{
    PyObject *text = PyObject_CallFunctionObjArgs(shown, value, NULL);

    if (!text)
        PyErr_Print();
    MUST(text, "json.dumps writes");
    return text;
}

static bool same_list(PyObject *a, PyObject *b, bool written)
{
    if (PyList_GET_SIZE(a) != PyList_GET_SIZE(b))
        return false;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(a); i++)
        if (!reference_same(PyList_GET_ITEM(a, i), PyList_GET_ITEM(b, i), written))
            return false;
    return true;
}

static bool same_dict(PyObject *a, PyObject *b, bool written)
{
    PyObject *key_a, *key_b, *value_a, *value_b;
    Py_ssize_t at_a = 0, at_b = 0;

    if (PyDict_GET_SIZE(a) != PyDict_GET_SIZE(b))
        return false;
    while (PyDict_Next(a, &at_a, &key_a, &value_a) && PyDict_Next(b, &at_b, &key_b, &value_b))
        if (!reference_same(key_a, key_b, written) || !reference_same(value_a, value_b, written))
            return false;
    return true;
}

bool reference_same(PyObject *a, PyObject *b, bool written)
{
    if (PyFloat_CheckExact(a) && written && isinf(PyFloat_AS_DOUBLE(a)))
        return b == Py_None;
    if (Py_TYPE(a) != Py_TYPE(b))
        return false;
    if (PyFloat_CheckExact(a)) /* 0.0 and -0.0 are two */
        return memcmp(&((PyFloatObject *)a)->ob_fval, &((PyFloatObject *)b)->ob_fval,
                      sizeof(double)) == 0;
    if (PyList_CheckExact(a))
        return same_list(a, b, written);
    if (PyDict_CheckExact(a))
        return same_dict(a, b, written);
    return PyObject_RichCompareBool(a, b, Py_EQ) == 1;
}

int reference_depth(PyObject *value)
{
    PyObject *key, *member;
    Py_ssize_t at = 0;
    int deepest = 0;

    if (!PyList_CheckExact(value) && !PyDict_CheckExact(value))
        return 0;
    for (Py_ssize_t i = 0; PyList_CheckExact(value) && i < PyList_GET_SIZE(value); i++) {
        int depth = reference_depth(PyList_GET_ITEM(value, i));

        deepest = depth > deepest ? depth : deepest;
    }
    while (PyDict_CheckExact(value) && PyDict_Next(value, &at, &key, &member)) {
        int depth = reference_depth(member);

        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}
