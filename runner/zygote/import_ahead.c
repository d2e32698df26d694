/*
 * See import_ahead.h.
 *
 * A process that an import leaves behind would keep the zygote's socket open for ever. A forked
 * child has one thread, and closes every descriptor but its own: a module that keeps a
 * thread or a descriptor from its import would find neither there. Threads that end before each
 * fork and come back by themselves, as those of OpenBLAS do, are no harm; a fork tells them apart.
 */
#include <Python.h>

#include "runner/zygote/import_ahead.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/zygote/python.h"

/* How long ended threads may still be listed after they have been joined. */
enum { LOOKS = 100, LOOK_PAUSE_US = 1000, CHILDREN_MAX = 1 << 16 };

static struct import {
    char *name;
    double milliseconds;
} * imports;
static size_t import_count;

static void remember(const char *name, int64_t began)
{
    imports = mem_resize(imports, import_count + 1, sizeof(*imports));
    imports[import_count++] = (struct import){mem_dup(name), (double)(clock_us() - began) / 1000};
}

double import_ahead_time(const char *name)
{
    for (size_t i = 0; i < import_count; i++)
        if (strcmp(imports[i].name, name) == 0)
            return imports[i].milliseconds;
    return -1;
}

/* Entries of a folder of /proc/self; 0 when it can't be read, which hides nothing from the kernel's
 * walls. */
static size_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static bool listed_beyond(size_t before)
{
    for (int i = 0; i < LOOKS; i++) {
        if (count_entries("/proc/self/task") <= before)
            return false;
        usleep(LOOK_PAUSE_US);
    }
    return true;
}

static bool threads_stay(size_t before)
{
    bool stay;
    pid_t pid;

    if (count_entries("/proc/self/task") <= before)
        return false;
    PyOS_BeforeFork();
    pid = fork();
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    stay = listed_beyond(before);
    PyOS_AfterFork_Parent();
    return stay;
}

/* Kills what the import has left running below this process. Was there anything? */
static bool processes_stay(void)
{
    AUTO_FREE char *path = mem_format("/proc/self/task/%d/children", (int)getpid());
    AUTO_ERROR struct error *ignored = NULL;
    AUTO_BUF struct buf list = {0};
    siginfo_t info = {0};
    char *at;

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return false; /* ECHILD: none at all */
    io_read_file(path, CHILDREN_MAX, &list, &ignored);
    buf_add_char(&list, '\0');
    at = buf_failed(&list) ? NULL : list.data;
    for (long pid; at && (pid = strtol(at, &at, 10)) > 0;)
        kill((pid_t)pid, SIGKILL);
    return true;
}

/* Is the pending exception that the module itself, or a folder above it, was not found? */
static bool is_missing(const char *name)
{
    PyObject *type, *value, *traceback, *missing;
    const char *text;
    bool found = false;

    if (!PyErr_ExceptionMatches(PyExc_ModuleNotFoundError))
        return false;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    missing = value ? PyObject_GetAttrString(value, "name") : NULL;
    text = missing && PyUnicode_Check(missing) ? PyUnicode_AsUTF8(missing) : NULL;
    if (text) {
        size_t length = strlen(text);

        found = strncmp(name, text, length) == 0 && (!name[length] || name[length] == '.');
    }
    PyErr_Clear();
    Py_XDECREF(missing);
    PyErr_Restore(type, value, traceback);
    return found;
}

enum ahead import_ahead(const char *name, struct error **err)
{
    int64_t began = clock_us();
    size_t threads = count_entries("/proc/self/task");
    size_t descriptors = count_entries("/proc/self/fd");
    pid_t self = getpid();
    PyObject *module = PyImport_ImportModule(name);

    if (getpid() != self)
        _exit(0); /* a copy that the import has made of us is no zygote */
    if (!module) {
        enum ahead outcome = is_missing(name) ? AHEAD_MISSING : AHEAD_UNFIT;

        python_error(err, "its import fails");
        return outcome;
    }
    Py_DECREF(module);
    remember(name, began);
    if (processes_stay()) {
        error_set(err, "its import leaves a process behind");
        return AHEAD_UNFIT;
    }
    if (threads_stay(threads)) {
        error_set(err, "its import starts a thread, which no task would have");
        return AHEAD_UNFIT;
    }
    if (count_entries("/proc/self/fd") > descriptors) {
        error_set(err, "its import leaves a descriptor open, which no task would have");
        return AHEAD_UNFIT;
    }
    return AHEAD_DONE;
}
