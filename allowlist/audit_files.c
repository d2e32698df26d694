/* The rules for files; see audit_files.h. */
#include <Python.h>

#include "allowlist/audit_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "allowlist/audit_rule.h"
#include "runner/base/mem.h"

/* An absolute path without links; of a file that is to be made, that of its folder and its name.
 * NULL when there is no such place: the kernel says so better. free(). */
static char *resolve(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = NULL;
    AUTO_FREE char *real = realpath(path, NULL);

    if (real)
        return mem_steal(&real);
    folder = slash ? mem_dup_n(path, slash == path ? 1 : (size_t)(slash - path)) : mem_dup(".");
    real = realpath(folder, NULL);
    return real ? mem_format("%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : path)
                : NULL;
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

static int check_writing(const char *path)
{
    AUTO_FREE char *real = resolve(path);

    /* a path from an open folder on (dir_fd) is not told apart from one from "/" on, where nobody
     * writes: the kernel knows */
    if (strcmp(real ? real : path, "/dev/null") == 0 || (audit_scratch() && path[0] != '/') ||
        (real && audit_scratch() && is_below(real, audit_scratch())))
        return 0;
    if (audit_scratch())
        return audit_refuse("Code tasks can write below %s only, not `%s`.", audit_scratch(), path);
    return audit_refuse(
        "Code tasks can't write files: `%s`. Set N8N_RUNNERS_TASK_TMP_MB on the runner to "
        "give each task a folder of its own.",
        path);
}

static int check_reading(const char *path)
{
    AUTO_FREE char *real = realpath(path, NULL);

    if (real ? audit_may_read(real) || (audit_scratch() && is_below(real, audit_scratch()))
             : path[0] != '/' || !audit_user_asks() || audit_may_read(path))
        return 0;
    return audit_refuse("Code tasks can't read `%s`: only Python's own files are open to them.",
                        path);
}

/* Judges the path that an event names; `missing` stands for None. A descriptor was judged when it
 * was opened, and the user's code has none that Python did not open for it. */
static int check_path(PyObject *path, const char *missing, int check(const char *))
{
    PyObject *bytes = NULL;
    int checked;

    if (!path || PyLong_Check(path))
        return 0;
    if (path == Py_None)
        return missing ? check(missing) : 0;
    if (!PyUnicode_FSConverter(path, &bytes)) {
        PyErr_Clear(); /* no path: who takes it says so */
        return 0;
    }
    checked = check(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    return checked;
}

/* open: path, mode, flags */
int audit_check_open(const struct rule *rule, PyObject *args)
{
    long flags = audit_number(args, 2, 0);
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    PyObject *path = audit_argument(args, 0);

    (void)rule;
    if (path && PyLong_Check(path) && audit_user_asks())
        return audit_refuse("Code tasks can't open descriptors by their number.");
    return check_path(path, NULL, writes ? check_writing : check_reading);
}

int audit_check_listing(const struct rule *rule, PyObject *args)
{
    (void)rule;
    return check_path(audit_argument(args, 0), ".", check_reading);
}

/* What changes one path. */
int audit_check_change(const struct rule *rule, PyObject *args)
{
    (void)rule;
    return check_path(audit_argument(args, 0), NULL, check_writing);
}

/* What changes two: rename, link. A symbolic link's target is a text. */
int audit_check_two_changes(const struct rule *rule, PyObject *args)
{
    if (strcmp(rule->event, "os.symlink") != 0 &&
        check_path(audit_argument(args, 0), NULL, check_writing) < 0)
        return -1;
    return check_path(audit_argument(args, 1), NULL, check_writing);
}

/* A database in memory is no file. */
int audit_check_database(const struct rule *rule, PyObject *args)
{
    PyObject *name = audit_argument(args, 0);
    const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

    (void)rule;
    PyErr_Clear();
    if (text &&
        (!*text || strcmp(text, ":memory:") == 0 || strncmp(text, "file::memory:", 13) == 0))
        return 0;
    return check_path(name, NULL, check_writing);
}
