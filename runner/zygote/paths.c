/* See paths.h. */
#include <Python.h>

#include "runner/zygote/paths.h"

#include <string.h>

#include "runner/base/mem.h"

/* Of the system. Folders count with all that is below them; what is missing is passed over. */
static const char *const always[] = {
    /* the loader and its libraries */
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/ld-musl-x86_64.path",
    "/etc/ld-musl-aarch64.path",
    "/etc/alternatives",
    /* time zones, languages, types, certificates */
    "/etc/localtime",
    "/etc/timezone",
    "/usr/share/zoneinfo",
    "/usr/share/locale",
    "/usr/share/i18n",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ssl/cert.pem",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/pki/tls/certs",
    "/etc/ca-certificates",
    /* how large the machine is */
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
    "/proc/cpuinfo",
    "/proc/meminfo",
    /* bytes by chance, and none */
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
    "/dev/null",
};

static const char *const for_names[] = {
    "/etc/resolv.conf", "/etc/hosts",    "/etc/nsswitch.conf", "/etc/host.conf",
    "/etc/gai.conf",    "/etc/services", "/etc/protocols",
};

static void add(struct paths *paths, const char *path)
{
    if (path[0] != '/' || !path[1])
        return;
    paths->at = mem_resize(paths->at, paths->count + 1, sizeof(*paths->at));
    paths->at[paths->count++] = mem_dup(path);
}

/* The path as it is written, and where it really is. */
static void add_with_target(struct paths *paths, const char *path)
{
    AUTO_FREE char *real = realpath(path, NULL);

    add(paths, path);
    if (real && strcmp(real, path) != 0)
        add(paths, real);
}

static int add_object(struct paths *paths, PyObject *path, const char *below)
{
    const char *text = path && PyUnicode_Check(path) ? PyUnicode_AsUTF8(path) : NULL;
    AUTO_FREE char *full = text ? mem_format("%s%s", text, below) : NULL;

    if (PyErr_Occurred())
        return -1;
    if (full)
        add_with_target(paths, full);
    return 0;
}

/* Where CPython looks for modules, and the folders that these came from. */
static int add_python(struct paths *paths)
{
    PyObject *path = PySys_GetObject("path");
    PyObject *prefix = PySys_GetObject("prefix"), *base = PySys_GetObject("base_prefix");
    PyObject *of_machine = PySys_GetObject("base_exec_prefix");

    for (Py_ssize_t i = 0; path && PyList_Check(path) && i < PyList_GET_SIZE(path); i++)
        if (add_object(paths, PyList_GET_ITEM(path, i), "") < 0)
            return -1;
    if (prefix && base && PyObject_RichCompareBool(prefix, base, Py_EQ) == 0 &&
        (add_object(paths, prefix, "/lib") < 0 || add_object(paths, prefix, "/lib64") < 0 ||
         add_object(paths, prefix, "/bin") < 0 || add_object(paths, prefix, "/pyvenv.cfg") < 0))
        return -1;
    if (add_object(paths, base, "/lib") < 0 || add_object(paths, of_machine, "/lib") < 0)
        return -1;
    return add_object(paths, PySys_GetObject("_base_executable"), "");
}

int paths_find(struct paths *paths, bool network)
{
    *paths = (struct paths){0};
    if (add_python(paths) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_COUNT(always); i++)
        add_with_target(paths, always[i]);
    for (size_t i = 0; network && i < ARRAY_COUNT(for_names); i++)
        add_with_target(paths, for_names[i]);
    return 0;
}

void paths_free(struct paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->at[i]);
    free(paths->at);
    *paths = (struct paths){0};
}

bool paths_has(const struct paths *paths, const char *path)
{
    for (size_t i = 0; i < paths->count; i++) {
        size_t length = strlen(paths->at[i]);

        if (strncmp(paths->at[i], path, length) == 0 && (path[length] == '/' || !path[length]))
            return true;
    }
    return false;
}
