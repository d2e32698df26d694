/* See audit.h. */
#include <Python.h>

#include "allowlist/audit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "allowlist/audit_files.h"
#include "allowlist/audit_rule.h"
#include "allowlist/denied.h"
#include "allowlist/judge.h"
#include "allowlist/pickles.h"
#include "allowlist/policy.h"
#include "runner/base/mem.h"

const char audit_network_sentence[] =
    "Network access is off for Code tasks. Set N8N_RUNNERS_TASK_NETWORK=allow on the runner to "
    "allow it.";

static struct audit_options options;
static PyObject *real_builtins; /* the dict of the module `builtins`, which packages' code has */
static const char *scratch;     /* where files may be made; NULL: nowhere */
static bool active;

/* ---- who asks ---- */

/* The frame that Python code runs in; NULL when a thread was started with a C function. */
static PyFrameObject *innermost(void)
{
    return PyEval_GetFrame(); /* borrowed */
}

/* Code of a package has the real builtins; the user's has its own, and so has what it compiles. */
static bool frame_is_users(PyFrameObject *frame)
{
    PyObject *builtins = PyFrame_GetBuiltins(frame);
    bool is_users = builtins != real_builtins;

    Py_XDECREF(builtins);
    return is_users;
}

/* ctypes is Python on top of C: who asks is who called it. */
static bool frame_is_of_ctypes(PyFrameObject *frame)
{
    PyObject *globals = PyFrame_GetGlobals(frame);
    PyObject *name = globals ? PyDict_GetItemString(globals, "__name__") : NULL;
    const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    bool is = text && strncmp(text, "ctypes", 6) == 0 && (text[6] == '.' || !text[6]);

    PyErr_Clear();
    Py_XDECREF(globals);
    return is;
}

/* Does the user's code ask, itself or through ctypes' own? */
static bool user_asks_ctypes(void)
{
    PyFrameObject *frame = (PyFrameObject *)Py_XNewRef((PyObject *)innermost());
    bool user = !frame || frame_is_users(frame);

    while (frame && !user && frame_is_of_ctypes(frame)) {
        Py_SETREF(frame, PyFrame_GetBack(frame));
        user = !frame || frame_is_users(frame);
    }
    Py_XDECREF(frame);
    return user;
}

bool audit_user_asks(void)
{
    PyFrameObject *frame = innermost();

    return !frame || frame_is_users(frame);
}

/* ---- refusals ---- */

int audit_refuse(const char *format, ...)
{
    va_list arguments;
    PyObject *text;

    va_start(arguments, format);
    text = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    if (text && PyUnicode_AsUTF8(text))
        judge_refuse_act(PyUnicode_AsUTF8(text));
    Py_XDECREF(text);
    return -1;
}

static int refuse_event(const struct rule *rule, PyObject *args)
{
    (void)args;
    return audit_refuse("Code tasks may not use %s.", rule->event);
}

static int refuse_process(const struct rule *rule, PyObject *args)
{
    (void)args;
    return audit_refuse("Code tasks can't start processes (%s).", rule->event);
}

static int check_ctypes(const struct rule *rule, PyObject *args)
{
    (void)args;
    if (!user_asks_ctypes())
        return 0;
    return audit_refuse(
        "ctypes is closed to the code of a task (%s). Set N8N_RUNNERS_STDLIB_ALLOW=* and "
        "N8N_RUNNERS_EXTERNAL_ALLOW=* and an empty N8N_RUNNERS_BUILTINS_DENY on the runner "
        "to allow it.",
        rule->event);
}

/* ---- arguments ---- */

PyObject *audit_argument(PyObject *args, Py_ssize_t index)
{
    return index < PyTuple_GET_SIZE(args) ? PyTuple_GET_ITEM(args, index) : NULL;
}

long audit_number(PyObject *args, Py_ssize_t index, long missing)
{
    PyObject *value = audit_argument(args, index);
    long found = value && PyLong_Check(value) ? PyLong_AsLong(value) : missing;

    if (found == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return missing;
    }
    return found;
}

/* ---- the network ---- */

static int refuse_network(const struct rule *rule, PyObject *args)
{
    (void)rule, (void)args;
    if (options.network)
        return 0;
    judge_refuse_act(audit_network_sentence);
    return -1;
}

/* socket.__new__: socket, family, type, protocol. What has a descriptor already has family -1; the
 * pair of an event loop is of AF_UNIX, and the kernel's wall makes no other of that family. */
static int check_socket(const struct rule *rule, PyObject *args)
{
    long family = audit_number(args, 1, AF_UNSPEC);

    return family == -1 || family == AF_UNIX ? 0 : refuse_network(rule, args);
}

/* ---- processes, code ---- */

/* os.kill: pid, signal */
static int check_kill(const struct rule *rule, PyObject *args)
{
    (void)rule;
    return audit_number(args, 0, -1) == getpid()
               ? 0
               : audit_refuse("Code tasks can't send signals to other processes.");
}

/* import: module, ... What the user's own code imports has been judged by the import hook, which
 * also lets C code import for itself; here is who came another way. */
static int check_import(const struct rule *rule, PyObject *args)
{
    PyObject *name = audit_argument(args, 0);
    PyFrameObject *frame = innermost();
    const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

    (void)rule;
    if (!text || judge_importing() || !frame || !frame_is_users(frame)) {
        PyErr_Clear();
        return 0;
    }
    return judge_name(text);
}

/* object.__getattr__ and its like: object, name */
static int refuse_attribute(const struct rule *rule, PyObject *args)
{
    PyObject *name = audit_argument(args, 1);
    const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : rule->event;
    AUTO_FREE char *sentence = denied_sentence(DENIED_ATTRIBUTE, text ? text : rule->event);

    PyErr_Clear();
    judge_refuse_act(sentence);
    return -1;
}

/* pickle.find_class: module, name */
static int check_pickle(const struct rule *rule, PyObject *args)
{
    (void)rule;
    return pickles_check(audit_argument(args, 0), audit_argument(args, 1), audit_user_asks());
}

/* ---- the table ---- */

/* Sorted by event. */
static const struct rule rules[] = {
    {"code.__new__", USER, refuse_event},
    {"cpython.PyInterpreterState_New", ALL, refuse_event},
    {"cpython.remote_debugger_script", ALL, refuse_event},
    {"cpython.run_command", ALL, refuse_event},
    {"cpython.run_file", ALL, refuse_event},
    {"ctypes.PyObj_FromPtr", ALL, check_ctypes},
    {"ctypes.addressof", ALL, check_ctypes},
    {"ctypes.call_function", ALL, check_ctypes},
    {"ctypes.cdata", ALL, check_ctypes},
    {"ctypes.cdata/buffer", ALL, check_ctypes},
    {"ctypes.create_string_buffer", ALL, check_ctypes},
    {"ctypes.create_unicode_buffer", ALL, check_ctypes},
    {"ctypes.dlopen", ALL, check_ctypes},
    {"ctypes.dlsym", ALL, check_ctypes},
    {"ctypes.dlsym/handle", ALL, check_ctypes},
    {"ctypes.get_errno", ALL, check_ctypes},
    {"ctypes.memoryview_at", ALL, check_ctypes},
    {"ctypes.set_errno", ALL, check_ctypes},
    {"ctypes.string_at", ALL, check_ctypes},
    {"ctypes.wstring_at", ALL, check_ctypes},
    {"ensurepip.bootstrap", ALL, refuse_process},
    {"fcntl.flock", USER, refuse_event},
    {"fcntl.ioctl", USER, refuse_event},
    {"fcntl.lockf", USER, refuse_event},
    {"function.__new__", USER, refuse_event},
    {"gc.get_objects", ALL, refuse_event},
    {"gc.get_referents", ALL, refuse_event},
    {"gc.get_referrers", ALL, refuse_event},
    {"import", USER, check_import},
    {"marshal.load", USER, refuse_event},
    {"marshal.loads", USER, refuse_event},
    {"object.__delattr__", USER, refuse_attribute},
    {"object.__getattr__", USER, refuse_attribute},
    {"object.__setattr__", USER, refuse_attribute},
    {"open", ALL, audit_check_open},
    {"os.chflags", ALL, audit_check_change},
    {"os.chmod", ALL, audit_check_change},
    {"os.chown", ALL, audit_check_change},
    {"os.exec", ALL, refuse_process},
    {"os.fork", ALL, refuse_process},
    {"os.forkpty", ALL, refuse_process},
    {"os.kill", ALL, check_kill},
    {"os.killpg", ALL, check_kill},
    {"os.link", ALL, audit_check_two_changes},
    {"os.listdir", ALL, audit_check_listing},
    {"os.listxattr", ALL, audit_check_listing},
    {"os.mkdir", ALL, audit_check_change},
    {"os.posix_spawn", ALL, refuse_process},
    {"os.remove", ALL, audit_check_change},
    {"os.removexattr", ALL, audit_check_change},
    {"os.rename", ALL, audit_check_two_changes},
    {"os.rmdir", ALL, audit_check_change},
    {"os.scandir", ALL, audit_check_listing},
    {"os.setxattr", ALL, audit_check_change},
    {"os.spawn", ALL, refuse_process},
    {"os.symlink", ALL, audit_check_two_changes},
    {"os.system", ALL, refuse_process},
    {"os.truncate", ALL, audit_check_change},
    {"os.utime", ALL, audit_check_change},
    {"pickle.find_class", ALL, check_pickle},
    {"pty.spawn", ALL, refuse_process},
    {"resource.prlimit", ALL, refuse_event},
    {"resource.setrlimit", ALL, refuse_event},
    {"socket.__new__", ALL, check_socket},
    {"socket.bind", ALL, refuse_network},
    {"socket.connect", ALL, refuse_network},
    {"socket.getaddrinfo", ALL, refuse_network},
    {"socket.gethostbyaddr", ALL, refuse_network},
    {"socket.gethostbyname", ALL, refuse_network},
    {"socket.getnameinfo", ALL, refuse_network},
    {"socket.sendmsg", ALL, refuse_network},
    {"socket.sendto", ALL, refuse_network},
    {"socket.sethostname", ALL, refuse_event},
    {"sqlite3.connect", ALL, audit_check_database},
    {"sqlite3.enable_load_extension", ALL, refuse_event},
    {"sqlite3.load_extension", ALL, refuse_event},
    {"subprocess.Popen", ALL, refuse_process},
    {"sys._current_exceptions", ALL, refuse_event},
    {"sys._current_frames", ALL, refuse_event},
    {"sys._getframe", USER, refuse_event},
    {"sys.addaudithook", ALL, refuse_event},
    {"sys.monitoring.register_callback", ALL, refuse_event},
    {"sys.remote_exec", ALL, refuse_event},
    {"sys.setprofile", ALL, refuse_event},
    {"sys.settrace", ALL, refuse_event},
    {"syslog.openlog", ALL, refuse_event},
    {"syslog.syslog", ALL, refuse_event},
};

static int compare_events(const void *event, const void *rule)
{
    return strcmp(event, ((const struct rule *)rule)->event);
}

static int hook(const char *event, PyObject *args, void *unused)
{
    const struct rule *rule;

    (void)unused;
    if (!active)
        return 0;
    rule = bsearch(event, rules, ARRAY_COUNT(rules), sizeof(*rules), compare_events);
    if (!rule || !args || !PyTuple_Check(args))
        return 0;
    return rule->binds == ALL || audit_user_asks() ? rule->check(rule, args) : 0;
}

/* ---- start ---- */

int audit_install(void)
{
    return PySys_AddAuditHook(hook, NULL);
}

int audit_prepare(const struct audit_options *settings)
{
    PyObject *builtins = PyImport_ImportModule("builtins");

    options = *settings;
    real_builtins = builtins ? Py_XNewRef(PyModule_GetDict(builtins)) : NULL;
    Py_XDECREF(builtins);
    return real_builtins ? pickles_prepare() : -1;
}

bool audit_may_read(const char *path)
{
    return options.readable(options.owner, path);
}

const char *audit_scratch(void)
{
    return scratch;
}

bool audit_network_allowed(void)
{
    return options.network;
}

void audit_begin(const char *folder)
{
    scratch = folder;
    active = options.policy && !policy_is_plain(options.policy);
}
