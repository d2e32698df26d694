/* See warm.h. */
#include <Python.h>

#include "runner/zygote/warm.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "runner/zygote/python.h"
#include "runner/zygote/settings.h"

/* A task that only computes; and OpenBLAS, which hangs in a loop when it gets no memory: measured
 * with numpy's wheels, it needs less than this for itself and for each of its threads. */
enum { LEAST_MB = 32, BLAS_MB = 64, BLAS_THREAD_MB = 48, BLAS_THREADS_MAX = 64 };

/* Packages that write machine code and run it. */
static const char *const compilers[] = {
    "cupy", "jax", "jaxlib", "llvmlite", "numba", "tensorflow", "torch",
};

/* Modules that do nothing but talk to others. */
static const char *const network_modules[] = {
    "aiohttp",   "anthropic", "boto3",     "botocore",   "elasticsearch", "ftplib",  "grpc",
    "httpx",     "imaplib",   "nntplib",   "openai",     "paramiko",      "poplib",  "psycopg",
    "psycopg2",  "pymongo",   "pymysql",   "redis",      "requests",      "smtplib", "socketserver",
    "telnetlib", "urllib3",   "websocket", "websockets",
};

/* What has been imported ahead, for warm_time(). */
static struct import {
    const char *name; /* of the policy */
    double milliseconds;
} * imports;
static size_t import_count;

static void remember(const char *name, int64_t began)
{
    imports = mem_resize(imports, import_count + 1, sizeof(*imports));
    imports[import_count++] = (struct import){name, (double)(clock_us() - began) / 1000};
}

double warm_time(const char *module)
{
    for (size_t i = 0; i < import_count; i++)
        if (strcmp(imports[i].name, module) == 0)
            return imports[i].milliseconds;
    return -1;
}

static bool is_for_network(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(network_modules); i++)
        if (strcmp(network_modules[i], name) == 0)
            return true;
    return false;
}

static void import_ahead(const char *name, struct buf *warnings)
{
    AUTO_ERROR struct error *err = NULL;
    int64_t began = clock_us();
    PyObject *module = PyImport_ImportModule(name);

    if (module) {
        Py_DECREF(module);
        remember(name, began);
        return;
    }
    python_error(&err, name);
    buf_add_format(warnings, "can't import %s; a task that imports it will fail the same way\n",
                   error_text(err));
}

static void import_list(const struct name_list *list, bool network, struct buf *warnings)
{
    for (size_t i = 0; i < list->count; i++) {
        import_ahead(list->names[i], warnings);
        if (!network && is_for_network(list->names[i]))
            buf_add_format(warnings,
                           "tasks may import %s, which is of no use without the network: "
                           "N8N_RUNNERS_TASK_NETWORK is `deny`\n",
                           list->names[i]);
    }
}

static bool is_imported(const char *module)
{
    PyObject *modules = PySys_GetObject("modules");

    return modules && PyDict_Check(modules) && PyDict_GetItemString(modules, module);
}

/*
 * The C library behind ctypes finds the place for callbacks through /proc, which tasks can't read.
 * One callback that stays makes a page of them, and every task may use the rest of it.
 */
static void prepare_callbacks(void)
{
    static const char code[] = "import ctypes\n"
                               "ctypes._task_runner_callback = ctypes.CFUNCTYPE(None)(int)\n";
    PyObject *globals = PyDict_New();
    PyObject *done =
        globals && PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins()) == 0
            ? PyRun_String(code, Py_file_input, globals, globals)
            : NULL;

    Py_XDECREF(done);
    Py_XDECREF(globals);
    PyErr_Clear(); /* then a task's callbacks fail, with ctypes' own error */
}

/* Is there a module or a package of this name on the search path? */
static bool is_installed(const char *name)
{
    PyObject *path = PySys_GetObject("path");

    for (Py_ssize_t i = 0; path && PyList_Check(path) && i < PyList_GET_SIZE(path); i++) {
        const char *folder = PyUnicode_Check(PyList_GET_ITEM(path, i))
                                 ? PyUnicode_AsUTF8(PyList_GET_ITEM(path, i))
                                 : NULL;
        AUTO_FREE char *package = folder ? mem_format("%s/%s", folder, name) : NULL;

        if (package && access(package, F_OK) == 0)
            return true;
    }
    PyErr_Clear();
    return false;
}

static bool any_compiler(const struct policy *policy)
{
    for (size_t i = 0; i < ARRAY_COUNT(compilers); i++)
        if (policy_allows(policy, compilers[i], false) && is_installed(compilers[i]))
            return true;
    return false;
}

static size_t blas_threads(void)
{
    cpu_set_t set;
    size_t count = sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;

    return count > BLAS_THREADS_MAX ? BLAS_THREADS_MAX : count;
}

static void find_needs(struct warmed *warmed, const struct policy *policy)
{
    warmed->compiles = any_compiler(policy);
    warmed->memory_least = (size_t)LEAST_MB << 20;
    warmed->memory_needs = "Python";
    if (is_imported("numpy")) {
        warmed->memory_least = (BLAS_MB + BLAS_THREAD_MB * blas_threads()) << 20;
        warmed->memory_needs = "numpy with its threads";
    }
}

static void freeze_heap(void)
{
    PyObject *gc = PyImport_ImportModule("gc");

    if (gc)
        Py_XDECREF(PyObject_CallMethod(gc, "freeze", NULL));
    Py_XDECREF(gc);
    PyErr_Clear();
}

struct warmed warm(const struct zygote_settings *settings)
{
    const struct policy *policy = &settings->policy;
    struct buf warnings = {0};
    struct warmed warmed = {0};

    import_list(&policy->stdlib, settings->sandbox.network, &warnings);
    import_list(&policy->external, settings->sandbox.network, &warnings);
    if (is_imported("ctypes") || policy_is_plain(policy))
        prepare_callbacks();
    find_needs(&warmed, policy);
    freeze_heap();
    buf_add_char(&warnings, '\0');
    warmed.warnings = buf_failed(&warnings) ? mem_dup("") : warnings.data;
    return warmed;
}
