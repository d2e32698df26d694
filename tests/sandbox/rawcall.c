/*
 * System calls from native code, for attacks that no Python stands before: a Python module.
 */
#include <Python.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* call(number, *arguments): what the kernel answered, an errno as its negative. */
static PyObject *call(PyObject *self, PyObject *args)
{
    long values[7] = {0}, answer;

    (void)self;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args) && i < 7; i++)
        values[i] = PyLong_AsLong(PyTuple_GET_ITEM(args, i));
    if (PyErr_Occurred())
        return NULL;
    answer = syscall(values[0], values[1], values[2], values[3], values[4], values[5], values[6]);
    return PyLong_FromLong(answer < 0 ? -errno : answer);
}

/* address(bytes): where they are, for a call that wants a pointer. */
static PyObject *address(PyObject *self, PyObject *bytes)
{
    (void)self;
    return PyLong_FromVoidPtr(PyBytes_Check(bytes) ? PyBytes_AS_STRING(bytes) : NULL);
}

/* call32(number): the interface of 32-bit programs, where the machine has one. */
static PyObject *call32(PyObject *self, PyObject *number)
{
    long answer = -ENOSYS;

    (void)self;
#if defined(__x86_64__)
    __asm__ volatile("int $0x80"
                     : "=a"(answer)
                     : "a"(PyLong_AsLong(number)), "b"(0), "c"(0), "d"(0)
                     : "memory");
#else
    (void)number;
#endif
    return PyLong_FromLong(answer);
}

/*
 * The system calls that a task may make with some arguments, as this test knows them: one that the
 * runner allows and that is not here is a hole, or a name that is missing here. The numbers are the
 * C library's; of a call that it or the machine has not, the text is no number. A name, its number,
 * and so on.
 */
#define TEXT(tokens) #tokens
#define TEXT_OF(macro) TEXT(macro)
#define CALL(name) #name, TEXT_OF(SYS_##name)
static const char *const open_calls[] = {
    CALL(brk),
    CALL(madvise),
    CALL(mincore),
    CALL(mmap),
    CALL(mprotect),
    CALL(mremap),
    CALL(msync),
    CALL(munmap),
    CALL(membarrier),
    CALL(close),
    CALL(close_range),
    CALL(dup),
    CALL(dup3),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(eventfd2),
    CALL(fadvise64),
    CALL(fdatasync),
    CALL(flock),
    CALL(fstat),
    CALL(fstatfs),
    CALL(fsync),
    CALL(getdents64),
    CALL(lseek),
    CALL(pipe2),
    CALL(ppoll),
    CALL(pread64),
    CALL(preadv),
    CALL(preadv2),
    CALL(pselect6),
    CALL(pwrite64),
    CALL(pwritev),
    CALL(pwritev2),
    CALL(read),
    CALL(readv),
    CALL(sendfile),
    CALL(copy_file_range),
    CALL(signalfd4),
    CALL(timerfd_create),
    CALL(timerfd_gettime),
    CALL(timerfd_settime),
    CALL(write),
    CALL(writev),
    CALL(chdir),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(getcwd),
    CALL(newfstatat),
    CALL(readlinkat),
    CALL(statfs),
    CALL(statx),
    CALL(umask),
    CALL(getpeername),
    CALL(getsockname),
    CALL(getsockopt),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(sendto),
    CALL(shutdown),
    CALL(clock_getres),
    CALL(clock_gettime),
    CALL(clock_nanosleep),
    CALL(futex),
    CALL(futex_waitv),
    CALL(get_robust_list),
    CALL(getcpu),
    CALL(getitimer),
    CALL(gettimeofday),
    CALL(nanosleep),
    CALL(restart_syscall),
    CALL(rseq),
    CALL(sched_get_priority_max),
    CALL(sched_get_priority_min),
    CALL(sched_getaffinity),
    CALL(sched_getattr),
    CALL(sched_getparam),
    CALL(sched_getscheduler),
    CALL(sched_yield),
    CALL(set_robust_list),
    CALL(set_tid_address),
    CALL(setitimer),
    CALL(timer_create),
    CALL(timer_delete),
    CALL(timer_getoverrun),
    CALL(timer_gettime),
    CALL(timer_settime),
    CALL(times),
    CALL(rt_sigaction),
    CALL(rt_sigpending),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(rt_sigsuspend),
    CALL(rt_sigtimedwait),
    CALL(sigaltstack),
    CALL(capget),
    CALL(exit),
    CALL(exit_group),
    CALL(getegid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getgroups),
    CALL(getpgid),
    CALL(getpid),
    CALL(getppid),
    CALL(getpriority),
    CALL(getrandom),
    CALL(getresgid),
    CALL(getresuid),
    CALL(getrusage),
    CALL(getsid),
    CALL(gettid),
    CALL(getuid),
    CALL(sysinfo),
    CALL(uname),
    CALL(wait4),
    CALL(waitid),
    CALL(mseal),
    CALL(map_shadow_stack),
    CALL(openat),
    CALL(fcntl),
    CALL(prlimit64),
    CALL(dup2),
    CALL(epoll_create),
    CALL(epoll_wait),
    CALL(eventfd),
    CALL(getdents),
    CALL(pipe),
    CALL(poll),
    CALL(select),
    CALL(signalfd),
    CALL(access),
    CALL(lstat),
    CALL(readlink),
    CALL(stat),
    CALL(pause),
    CALL(time),
    CALL(alarm),
    CALL(arch_prctl),
    CALL(getpgrp),
    CALL(getrlimit),
    CALL(open),
};
#undef CALL

/* open_calls(): name -> number. */
static PyObject *list_open_calls(PyObject *self, PyObject *unused)
{
    PyObject *dict = PyDict_New();

    (void)self, (void)unused;
    for (size_t i = 0; dict && i < sizeof(open_calls) / sizeof(open_calls[0]); i += 2) {
        char *end;
        PyObject *number = PyLong_FromLong(strtol(open_calls[i + 1], &end, 10));

        if (!number || (!*end && PyDict_SetItemString(dict, open_calls[i], number) < 0))
            Py_CLEAR(dict);
        Py_XDECREF(number);
    }
    return dict;
}

static PyMethodDef functions[] = {
    {"call", call, METH_VARARGS, NULL},
    {"address", address, METH_O, NULL},
    {"call32", call32, METH_O, NULL},
    {"open_calls", list_open_calls, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "rawcall",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit_rawcall(void);
PyMODINIT_FUNC PyInit_rawcall(void)
{
    return PyModule_Create(&module);
}
