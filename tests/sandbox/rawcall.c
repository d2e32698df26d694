/*
 * System calls from native code, for attacks that ctypes' own layers would get in the way of: a
 * Python module with three functions.
 */
#include <Python.h>

#include <errno.h>
#include <stdint.h>
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

static PyMethodDef functions[] = {
    {"call", call, METH_VARARGS, NULL},
    {"address", address, METH_O, NULL},
    {"call32", call32, METH_O, NULL},
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
