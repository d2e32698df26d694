/*
 * System calls from native code, for attacks that no Python stands before: a Python module.
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

/*
 * The system calls that a task may make with some arguments, as this test knows them: one that the
 * runner allows and that is not here is a hole, or a line that is missing here. A machine that has
 * no such call, or a C library that is older than it, leaves its line out.
 */
static const struct open_call {
    const char *name;
    long number;
} open_calls[] = {
#define CALL(name) {#name, SYS_##name},
#ifdef SYS_brk
    CALL(brk)
#endif
#ifdef SYS_madvise
        CALL(madvise)
#endif
#ifdef SYS_mincore
            CALL(mincore)
#endif
#ifdef SYS_mmap
                CALL(mmap)
#endif
#ifdef SYS_mprotect
                    CALL(mprotect)
#endif
#ifdef SYS_mremap
                        CALL(mremap)
#endif
#ifdef SYS_msync
                            CALL(msync)
#endif
#ifdef SYS_munmap
                                CALL(munmap)
#endif
#ifdef SYS_membarrier
                                    CALL(membarrier)
#endif
#ifdef SYS_close
                                        CALL(close)
#endif
#ifdef SYS_close_range
                                            CALL(close_range)
#endif
#ifdef SYS_dup
                                                CALL(dup)
#endif
#ifdef SYS_dup3
                                                    CALL(dup3)
#endif
#ifdef SYS_epoll_create1
                                                        CALL(epoll_create1)
#endif
#ifdef SYS_epoll_ctl
                                                            CALL(epoll_ctl)
#endif
#ifdef SYS_epoll_pwait
                                                                CALL(epoll_pwait)
#endif
#ifdef SYS_epoll_pwait2
                                                                    CALL(epoll_pwait2)
#endif
#ifdef SYS_eventfd2
                                                                        CALL(eventfd2)
#endif
#ifdef SYS_fadvise64
                                                                            CALL(fadvise64)
#endif
#ifdef SYS_fdatasync
                                                                                CALL(fdatasync)
#endif
#ifdef SYS_flock
                                                                                    CALL(flock)
#endif
#ifdef SYS_fstat
                                                                                        CALL(fstat)
#endif
#ifdef SYS_fstatfs
                                                                                            CALL(
                                                                                                fstatfs)
#endif
#ifdef SYS_fsync
                                                                                                CALL(
                                                                                                    fsync)
#endif
#ifdef SYS_getdents64
                                                                                                    CALL(
                                                                                                        getdents64)
#endif
#ifdef SYS_lseek
                                                                                                        CALL(
                                                                                                            lseek)
#endif
#ifdef SYS_pipe2
                                                                                                            CALL(
                                                                                                                pipe2)
#endif
#ifdef SYS_ppoll
                                                                                                                CALL(
                                                                                                                    ppoll)
#endif
#ifdef SYS_pread64
                                                                                                                    CALL(
                                                                                                                        pread64)
#endif
#ifdef SYS_preadv
                                                                                                                        CALL(
                                                                                                                            preadv)
#endif
#ifdef SYS_preadv2
                                                                                                                            CALL(
                                                                                                                                preadv2)
#endif
#ifdef SYS_pselect6
                                                                                                                                CALL(
                                                                                                                                    pselect6)
#endif
#ifdef SYS_pwrite64
                                                                                                                                    CALL(
                                                                                                                                        pwrite64)
#endif
#ifdef SYS_pwritev
                                                                                                                                        CALL(
                                                                                                                                            pwritev)
#endif
#ifdef SYS_pwritev2
                                                                                                                                            CALL(
                                                                                                                                                pwritev2)
#endif
#ifdef SYS_read
                                                                                                                                                CALL(
                                                                                                                                                    read)
#endif
#ifdef SYS_readv
                                                                                                                                                    CALL(
                                                                                                                                                        readv)
#endif
#ifdef SYS_sendfile
                                                                                                                                                        CALL(
                                                                                                                                                            sendfile)
#endif
#ifdef SYS_copy_file_range
                                                                                                                                                            CALL(
                                                                                                                                                                copy_file_range)
#endif
#ifdef SYS_signalfd4
                                                                                                                                                                CALL(
                                                                                                                                                                    signalfd4)
#endif
#ifdef SYS_timerfd_create
                                                                                                                                                                    CALL(
                                                                                                                                                                        timerfd_create)
#endif
#ifdef SYS_timerfd_gettime
                                                                                                                                                                        CALL(
                                                                                                                                                                            timerfd_gettime)
#endif
#ifdef SYS_timerfd_settime
                                                                                                                                                                            CALL(
                                                                                                                                                                                timerfd_settime)
#endif
#ifdef SYS_write
                                                                                                                                                                                CALL(
                                                                                                                                                                                    write)
#endif
#ifdef SYS_writev
                                                                                                                                                                                    CALL(
                                                                                                                                                                                        writev)
#endif
#ifdef SYS_chdir
                                                                                                                                                                                        CALL(
                                                                                                                                                                                            chdir)
#endif
#ifdef SYS_faccessat
                                                                                                                                                                                            CALL(
                                                                                                                                                                                                faccessat)
#endif
#ifdef SYS_faccessat2
                                                                                                                                                                                                CALL(
                                                                                                                                                                                                    faccessat2)
#endif
#ifdef SYS_getcwd
                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                        getcwd)
#endif
#ifdef SYS_newfstatat
                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                            newfstatat)
#endif
#ifdef SYS_readlinkat
                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                readlinkat)
#endif
#ifdef SYS_statfs
                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                    statfs)
#endif
#ifdef SYS_statx
                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                        statx)
#endif
#ifdef SYS_umask
                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                            umask)
#endif
#ifdef SYS_getpeername
                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                getpeername)
#endif
#ifdef SYS_getsockname
                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                    getsockname)
#endif
#ifdef SYS_getsockopt
                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                        getsockopt)
#endif
#ifdef SYS_recvfrom
                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                            recvfrom)
#endif
#ifdef SYS_recvmsg
                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                recvmsg)
#endif
#ifdef SYS_sendto
                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                    sendto)
#endif
#ifdef SYS_shutdown
                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                        shutdown)
#endif
#ifdef SYS_clock_getres
                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                            clock_getres)
#endif
#ifdef SYS_clock_gettime
                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                clock_gettime)
#endif
#ifdef SYS_clock_nanosleep
                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                    clock_nanosleep)
#endif
#ifdef SYS_futex
                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                        futex)
#endif
#ifdef SYS_futex_waitv
                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                            futex_waitv)
#endif
#ifdef SYS_get_robust_list
                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                get_robust_list)
#endif
#ifdef SYS_getcpu
                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                    getcpu)
#endif
#ifdef SYS_getitimer
                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                        getitimer)
#endif
#ifdef SYS_gettimeofday
                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                            gettimeofday)
#endif
#ifdef SYS_nanosleep
                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                nanosleep)
#endif
#ifdef SYS_restart_syscall
                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                    restart_syscall)
#endif
#ifdef SYS_rseq
                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                        rseq)
#endif
#ifdef SYS_sched_get_priority_max
                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                            sched_get_priority_max)
#endif
#ifdef SYS_sched_get_priority_min
                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                sched_get_priority_min)
#endif
#ifdef SYS_sched_getaffinity
                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                    sched_getaffinity)
#endif
#ifdef SYS_sched_getattr
                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                        sched_getattr)
#endif
#ifdef SYS_sched_getparam
                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                            sched_getparam)
#endif
#ifdef SYS_sched_getscheduler
                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                sched_getscheduler)
#endif
#ifdef SYS_sched_yield
                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                    sched_yield)
#endif
#ifdef SYS_set_robust_list
                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                        set_robust_list)
#endif
#ifdef SYS_set_tid_address
                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                            set_tid_address)
#endif
#ifdef SYS_setitimer
                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                setitimer)
#endif
#ifdef SYS_timer_create
                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                    timer_create)
#endif
#ifdef SYS_timer_delete
                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                        timer_delete)
#endif
#ifdef SYS_timer_getoverrun
                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                            timer_getoverrun)
#endif
#ifdef SYS_timer_gettime
                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                timer_gettime)
#endif
#ifdef SYS_timer_settime
                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                    timer_settime)
#endif
#ifdef SYS_times
                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                        times)
#endif
#ifdef SYS_rt_sigaction
                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                            rt_sigaction)
#endif
#ifdef SYS_rt_sigpending
                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                rt_sigpending)
#endif
#ifdef SYS_rt_sigprocmask
                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                    rt_sigprocmask)
#endif
#ifdef SYS_rt_sigreturn
                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                        rt_sigreturn)
#endif
#ifdef SYS_rt_sigsuspend
                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                            rt_sigsuspend)
#endif
#ifdef SYS_rt_sigtimedwait
                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                rt_sigtimedwait)
#endif
#ifdef SYS_sigaltstack
                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                    sigaltstack)
#endif
#ifdef SYS_capget
                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                        capget)
#endif
#ifdef SYS_exit
                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                            exit)
#endif
#ifdef SYS_exit_group
                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                exit_group)
#endif
#ifdef SYS_getegid
                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                    getegid)
#endif
#ifdef SYS_geteuid
                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                        geteuid)
#endif
#ifdef SYS_getgid
                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                            getgid)
#endif
#ifdef SYS_getgroups
                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                getgroups)
#endif
#ifdef SYS_getpgid
                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                    getpgid)
#endif
#ifdef SYS_getpid
                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                        getpid)
#endif
#ifdef SYS_getppid
                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                            getppid)
#endif
#ifdef SYS_getpriority
                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                getpriority)
#endif
#ifdef SYS_getrandom
                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                    getrandom)
#endif
#ifdef SYS_getresgid
                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                        getresgid)
#endif
#ifdef SYS_getresuid
                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                            getresuid)
#endif
#ifdef SYS_getrusage
                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                getrusage)
#endif
#ifdef SYS_getsid
                                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                    getsid)
#endif
#ifdef SYS_gettid
                                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                        gettid)
#endif
#ifdef SYS_getuid
                                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                            getuid)
#endif
#ifdef SYS_sysinfo
                                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                sysinfo)
#endif
#ifdef SYS_uname
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    uname)
#endif
#ifdef SYS_wait4
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        wait4)
#endif
#ifdef SYS_waitid
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            waitid)
#endif
#ifdef SYS_mseal
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                mseal)
#endif
#ifdef SYS_map_shadow_stack
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    map_shadow_stack)
#endif
#ifdef SYS_openat
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        openat)
#endif
#ifdef SYS_fcntl
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            fcntl)
#endif
#ifdef SYS_prlimit64
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                prlimit64)
#endif
#ifdef SYS_dup2
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    dup2)
#endif
#ifdef SYS_epoll_create
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        epoll_create)
#endif
#ifdef SYS_epoll_wait
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            epoll_wait)
#endif
#ifdef SYS_eventfd
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                eventfd)
#endif
#ifdef SYS_getdents
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    getdents)
#endif
#ifdef SYS_pipe
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        pipe)
#endif
#ifdef SYS_poll
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            poll)
#endif
#ifdef SYS_select
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                select)
#endif
#ifdef SYS_signalfd
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    signalfd)
#endif
#ifdef SYS_access
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        access)
#endif
#ifdef SYS_lstat
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            lstat)
#endif
#ifdef SYS_readlink
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                readlink)
#endif
#ifdef SYS_stat
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    stat)
#endif
#ifdef SYS_pause
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        pause)
#endif
#ifdef SYS_time
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            time)
#endif
#ifdef SYS_alarm
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                alarm)
#endif
#ifdef SYS_arch_prctl
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    arch_prctl)
#endif
#ifdef SYS_getpgrp
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        getpgrp)
#endif
#ifdef SYS_getrlimit
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            getrlimit)
#endif
#ifdef SYS_open
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            CALL(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                open)
#endif
#undef CALL
};

/* open_calls(): name -> number. */
static PyObject *list_open_calls(PyObject *self, PyObject *unused)
{
    PyObject *dict = PyDict_New();

    (void)self, (void)unused;
    for (size_t i = 0; dict && i < sizeof(open_calls) / sizeof(open_calls[0]); i++) {
        PyObject *number = PyLong_FromLong(open_calls[i].number);

        if (!number || PyDict_SetItemString(dict, open_calls[i].name, number) < 0)
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
