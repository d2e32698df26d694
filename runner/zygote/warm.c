/* See warm.h. */
#include <Python.h>

#include "runner/zygote/warm.h"

#include <malloc.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "pyvenv/packages.h"
#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "runner/zygote/advice.h"
#include "runner/zygote/import_ahead.h"
#include "runner/zygote/python.h"
#include "runner/zygote/randomness.h"
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

/* With the list `*`: what code uses most, and what costs little to have. */
static const char *const common_stdlib[] = {
    "base64", "collections", "copy", "csv",          "datetime", "decimal", "functools",  "hashlib",
    "io",     "itertools",   "json", "math",         "random",   "re",      "statistics", "string",
    "time",   "unicodedata", "uuid", "urllib.parse",
};

/* Modules without which a package's own is empty; they come with it. */
static const char *const parts[] = {"PIL.Image", "dateutil.parser", "lxml.etree"};

struct warming {
    const struct zygote_settings *settings;
    const struct warm_events *events;
    struct packages packages; /* installed; read when it is asked for */
    bool packages_read;
    struct buf warnings;
    bool unfit;
};

static bool is_for_network(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(network_modules); i++)
        if (strcmp(network_modules[i], name) == 0)
            return true;
    return false;
}

static const struct packages *installed(struct warming *w)
{
    const char *venv = w->settings->venv;
    AUTO_FREE char *folder = mem_format("%s/lib/python%d.%d/site-packages", venv ? venv : "",
                                        PY_MAJOR_VERSION, PY_MINOR_VERSION);

    if (!w->packages_read && venv)
        packages_read(&w->packages, folder);
    w->packages_read = true;
    return &w->packages;
}

static enum ahead import_one(struct warming *w, const char *name, struct error **err)
{
    enum ahead outcome;

    w->events->importing(w->events->owner, name);
    outcome = import_ahead(name, err);
    if (outcome == AHEAD_UNFIT) {
        w->unfit = true;
        w->events->unfit(w->events->owner, name, error_text(*err));
    }
    return outcome;
}

static void note_network(struct warming *w, const char *name)
{
    if (!w->settings->sandbox.network && is_for_network(name))
        buf_add_format(&w->warnings,
                       "tasks may import %s, which is of no use without the network: "
                       "N8N_RUNNERS_TASK_NETWORK is `deny`\n",
                       name);
}

static void import_stdlib(struct warming *w, const char *name)
{
    AUTO_ERROR struct error *err = NULL;

    if (name_list_has(&w->settings->skip, name))
        return;
    if (!advice_is_stdlib(name))
        advice_on_stdlib(&w->warnings, name);
    else if (import_one(w, name, &err) == AHEAD_MISSING)
        buf_add_format(&w->warnings,
                       "%s: %s; a task that imports it will fail the "
                       "same way\n",
                       name, error_text(err));
    else
        note_network(w, name);
}

static void import_parts(struct warming *w, const char *package)
{
    size_t length = strlen(package);

    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        AUTO_ERROR struct error *err = NULL;

        if (strncmp(parts[i], package, length) == 0 && parts[i][length] == '.' &&
            !name_list_has(&w->settings->skip, parts[i]))
            import_one(w, parts[i], &err);
    }
}

/* `named`: by the setting, whose names get advice; what an installer has written down gets none. */
static void import_external(struct warming *w, const char *name, bool named)
{
    AUTO_ERROR struct error *err = NULL;

    if (name_list_has(&w->settings->skip, name))
        return;
    if (advice_is_stdlib(name) || import_one(w, name, &err) == AHEAD_MISSING) {
        if (named)
            advice_on_external(&w->warnings, name, installed(w));
        return;
    }
    import_parts(w, name);
    note_network(w, name);
}

/* With `*`: not what packages have brought along, but what was asked for. */
static void import_requested(struct warming *w)
{
    const struct packages *packages = installed(w);

    for (size_t i = 0; i < packages->count; i++)
        for (size_t m = 0; packages->at[i].requested && m < packages->at[i].module_count; m++)
            if (!advice_is_stdlib(packages->at[i].modules[m]))
                import_external(w, packages->at[i].modules[m], false);
}

static void import_all(struct warming *w)
{
    const struct policy *policy = &w->settings->policy;
    bool packages = w->settings->venv && (policy->external.all || policy->external.count);

    if (policy->stdlib.all)
        for (size_t i = 0; i < ARRAY_COUNT(common_stdlib); i++)
            import_stdlib(w, common_stdlib[i]);
    for (size_t i = 0; i < policy->stdlib.count; i++)
        import_stdlib(w, policy->stdlib.names[i]);
    if (packages && randomness_watch() < 0)
        PyErr_Clear(); /* without `random` nothing has been seeded by it */
    if (policy->external.all)
        import_requested(w);
    for (size_t i = 0; i < policy->external.count; i++)
        import_external(w, policy->external.names[i], true);
}

static bool is_imported(const char *module)
{
    PyObject *modules = PySys_GetObject("modules");

    return modules && PyDict_Check(modules) && PyDict_GetItemString(modules, module);
}

/* Runs code of ours in a namespace of its own; when it fails, tasks get the packages' own errors.
 */
static void run_code(const char *code)
{
    PyObject *globals = PyDict_New();
    PyObject *done =
        globals && PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins()) == 0
            ? PyRun_String(code, Py_file_input, globals, globals)
            : NULL;

    Py_XDECREF(done);
    Py_XDECREF(globals);
    PyErr_Clear();
}

/*
 * The C library behind ctypes finds the place for callbacks through /proc, which tasks can't read.
 * One callback that stays makes a page of them, and every task may use the rest of it.
 */
static void prepare_callbacks(void)
{
    static const char code[] = "import ctypes\n"
                               "ctypes._task_runner_callback = ctypes.CFUNCTYPE(None)(int)\n";

    run_code(code);
}

/*
 * What packages look up on the machine when they are first used, and tasks can't see: joblib counts
 * the processor's cores by a program, and threadpoolctl finds the libraries through /proc (it has
 * another way, which it takes where /proc is not).
 */
static void look_ahead(void)
{
    static const char code[] = "import sys, warnings\n"
                               "pools = sys.modules.get('threadpoolctl')\n"
                               "if hasattr(pools, '_HAS_PROCFS'):\n"
                               "    pools._HAS_PROCFS = False\n"
                               "cores = sys.modules.get('joblib.externals.loky.backend.context')\n"
                               "if hasattr(cores, '_count_physical_cores'):\n"
                               "    with warnings.catch_warnings():\n"
                               "        warnings.simplefilter('ignore')\n"
                               "        cores._count_physical_cores()\n";

    run_code(code);
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

void warm_freeze(void)
{
    PyObject *gc = PyImport_ImportModule("gc");

    if (gc)
        Py_XDECREF(PyObject_CallMethod(gc, "freeze", NULL));
    Py_XDECREF(gc);
    PyErr_Clear();
#ifdef __GLIBC__
    malloc_trim(0); /* puts free blocks together, which each child would, at its first large one */
#endif
}

static void settle_randomness(struct buf *warnings)
{
    AUTO_ERROR struct error *err = NULL;

    if (randomness_settle() == 0)
        return;
    python_error(&err, "what packages seed by chance");
    buf_add_format(warnings, "tasks may draw the same random numbers from packages: %s\n",
                   error_text(err));
}

void warm(const struct zygote_settings *settings, const struct warm_events *events,
          struct warmed *warmed)
{
    const struct policy *policy = &settings->policy;
    struct warming w = {.settings = settings, .events = events};

    *warmed = (struct warmed){0};
    import_all(&w);
    events->importing(events->owner, "");
    packages_free(&w.packages);
    settle_randomness(&w.warnings);
    buf_add_char(&w.warnings, '\0');
    warmed->warnings = buf_failed(&w.warnings) ? mem_dup("") : w.warnings.data;
    warmed->unfit = w.unfit;
    if (is_imported("ctypes") || policy_is_plain(policy))
        prepare_callbacks();
    look_ahead();
    find_needs(warmed, policy);
}
