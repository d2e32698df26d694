/*
 * Faults by order: linked into the programs of a test build, never into the product.
 *
 * The functions below stand before the C library's, for the program and for the libraries that it
 * has loaded. Each counts its calls by the kind of process (host, zygote, child) and by who calls,
 * on a page that all processes and the test share (`faults.control` beside the program; without it
 * nothing is counted and nothing fails), and fails when the test has ordered so.
 *
 * With a sanitizer, which has its own in the C library's place, the linker turns our own code's
 * calls to the `__wrap_` functions instead, and libraries are left alone.
 */
#include "tests/faults/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define FAULTS_WRAPPED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FAULTS_WRAPPED
#endif

#ifdef FAULTS_WRAPPED
#define HOOK(name) __wrap_##name
#define NEXT(name) __real_##name
#else
#define HOOK(name) name
#define NEXT(name) next.name
#endif

/* Name, result, and parameters of what is put off to the next library. */
#define HOOKED(HAS)                                                                                \
    HAS(mmap, void *, (void *, size_t, int, int, int, off_t))                                      \
    HAS(mmap64, void *, (void *, size_t, int, int, int, off_t))                                    \
    HAS(fork, pid_t, (void))                                                                       \
    HAS(pipe, int, (int[2]))                                                                       \
    HAS(pipe2, int, (int[2], int))                                                                 \
    HAS(socketpair, int, (int, int, int, int[2]))                                                  \
    HAS(memfd_create, int, (const char *, unsigned))                                               \
    HAS(read, ssize_t, (int, void *, size_t))                                                      \
    HAS(readv, ssize_t, (int, const struct iovec *, int))                                          \
    HAS(recv, ssize_t, (int, void *, size_t, int))                                                 \
    HAS(recvmsg, ssize_t, (int, struct msghdr *, int))                                             \
    HAS(write, ssize_t, (int, const void *, size_t))                                               \
    HAS(writev, ssize_t, (int, const struct iovec *, int))                                         \
    HAS(send, ssize_t, (int, const void *, size_t, int))                                           \
    HAS(sendmsg, ssize_t, (int, const struct msghdr *, int))                                       \
    HAS(clock_gettime, int, (clockid_t, struct timespec *))                                        \
    HAS(gettimeofday, int, (struct timeval *, void *))                                             \
    HAS(time, time_t, (time_t *))                                                                  \
    HAS(PyOS_AfterFork_Child, void, (void))

void *HOOK(malloc)(size_t size);
void *HOOK(calloc)(size_t count, size_t size);
void *HOOK(realloc)(void *old, size_t size);
#define DECLARE(name, result, parameters) result HOOK(name) parameters;
HOOKED(DECLARE)

#ifdef FAULTS_WRAPPED
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
/* Weak: the host has no Python, and not every function. */
#define REAL(name, result, parameters) __attribute__((weak)) result __real_##name parameters;
HOOKED(REAL)
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
#define MEMBER(name, result, parameters) result(*name) parameters;
static struct {
    HOOKED(MEMBER)
} next;
#endif

extern char __executable_start, etext;

static struct shim_control *control;
static enum shim_kind kind;

/* ---- orders ---- */

static void find_next(void)
{
#ifndef FAULTS_WRAPPED
#define FIND(name, result, parameters) *(void **)&next.name = dlsym(RTLD_NEXT, #name);
    HOOKED(FIND)
#endif
}

__attribute__((constructor)) static void begin(void)
{
    char path[PATH_MAX];
    void *frames[1];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 32);
    void *page;
    int fd;

    find_next();
    backtrace(frames, 1); /* loads what it needs */
    if (length < 0)
        return;
    path[length] = '\0';
    kind = strstr(path, "zygote") ? SHIM_ZYGOTE : SHIM_HOST;
    strcpy(strrchr(path, '/'), "/faults.control");
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    page = NEXT(mmap)(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED)
        control = page;
}

static void remember_frames(void)
{
    void *frames[SHIM_FRAMES + 2];
    int count = backtrace(frames, SHIM_FRAMES + 2);

    memset(control->frames, 0, sizeof(control->frames));
    for (int i = 2; i < count; i++)
        control->frames[i - 2] =
            (uint64_t)((char *)frames[i] - &__executable_start) & 0x7fffffffffff;
}

/* Counts a call, and says what becomes of it: 0, an errno or SHIM_SHORT. */
static int fate(enum shim_call call, const void *caller)
{
    static _Thread_local bool inside, odd;
    const char *at = caller;
    enum shim_scope scope = at >= &__executable_start && at < &etext ? SHIM_OURS : SHIM_THEIRS;
    uint64_t number;

    if (!control || inside)
        return 0;
    number = __atomic_add_fetch(&control->counts[kind][scope][call], 1, __ATOMIC_SEQ_CST);
    if (!control->how || control->kind != (int)kind || control->scope != (int)scope ||
        control->call != (int)call || (control->number && control->number != number))
        return 0;
    odd = !odd;
    if (!control->number && control->how == EINTR && !odd)
        return 0;
    inside = true;
    remember_frames();
    inside = false;
    __atomic_add_fetch(&control->fired, 1, __ATOMIC_SEQ_CST);
    return control->how;
}

static bool fails(int how)
{
    if (how > 0)
        errno = how;
    return how > 0;
}

#define CALLER __builtin_return_address(0)

/* Only a stream and a file give or take a part. */
static size_t shorter(int how, int fd, size_t count)
{
    int type = SOCK_STREAM;
    socklen_t size = sizeof(type);

    if (how != SHIM_SHORT || count < 2)
        return count;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_STREAM)
        return count;
    return (count + 1) / 2;
}

static bool is_stream(int fd)
{
    return shorter(SHIM_SHORT, fd, 2) == 1;
}

/* Random bytes always come, and all at once, says the kernel; lws counts on it. */
static bool is_device(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && S_ISCHR(info.st_mode);
}

/* ---- memory ---- */

#ifdef FAULTS_WRAPPED
#define __libc_malloc __real_malloc
#define __libc_calloc __real_calloc
#define __libc_realloc __real_realloc
#endif

void *HOOK(malloc)(size_t size)
{
    return fails(fate(SHIM_ALLOCATE, CALLER)) ? NULL : __libc_malloc(size);
}

void *HOOK(calloc)(size_t count, size_t size)
{
    return fails(fate(SHIM_ALLOCATE, CALLER)) ? NULL : __libc_calloc(count, size);
}

void *HOOK(realloc)(void *old, size_t size)
{
    return size && fails(fate(SHIM_ALLOCATE, CALLER)) ? NULL : __libc_realloc(old, size);
}

void *HOOK(mmap)(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (fails(fate(SHIM_MAP, CALLER)))
        return MAP_FAILED;
    return NEXT(mmap)(at, size, protection, flags, fd, offset);
}

void *HOOK(mmap64)(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (fails(fate(SHIM_MAP, CALLER)))
        return MAP_FAILED;
    return NEXT(mmap64)(at, size, protection, flags, fd, offset);
}

/* ---- processes and descriptors ---- */

pid_t HOOK(fork)(void)
{
    return fails(fate(SHIM_FORK, CALLER)) ? -1 : NEXT(fork)();
}

void HOOK(PyOS_AfterFork_Child)(void)
{
    kind = SHIM_CHILD;
    NEXT(PyOS_AfterFork_Child)();
}

int HOOK(pipe)(int ends[2])
{
    return fails(fate(SHIM_PIPE, CALLER)) ? -1 : NEXT(pipe)(ends);
}

int HOOK(pipe2)(int ends[2], int flags)
{
    return fails(fate(SHIM_PIPE, CALLER)) ? -1 : NEXT(pipe2)(ends, flags);
}

int HOOK(socketpair)(int domain, int type, int protocol, int ends[2])
{
    return fails(fate(SHIM_PIPE, CALLER)) ? -1 : NEXT(socketpair)(domain, type, protocol, ends);
}

int HOOK(memfd_create)(const char *name, unsigned flags)
{
    return fails(fate(SHIM_MEMFD, CALLER)) ? -1 : NEXT(memfd_create)(name, flags);
}

/* ---- bytes ---- */

ssize_t HOOK(read)(int fd, void *bytes, size_t count)
{
    int how = control && is_device(fd) ? 0 : fate(SHIM_READ, CALLER);

    return fails(how) ? -1 : NEXT(read)(fd, bytes, shorter(how, fd, count));
}

ssize_t HOOK(write)(int fd, const void *bytes, size_t count)
{
    int how = fate(SHIM_WRITE, CALLER);

    return fails(how) ? -1 : NEXT(write)(fd, bytes, shorter(how, fd, count));
}

ssize_t HOOK(recv)(int fd, void *bytes, size_t count, int flags)
{
    int how = fate(SHIM_READ, CALLER);

    return fails(how) ? -1 : NEXT(recv)(fd, bytes, shorter(how, fd, count), flags);
}

ssize_t HOOK(send)(int fd, const void *bytes, size_t count, int flags)
{
    int how = fate(SHIM_WRITE, CALLER);

    return fails(how) ? -1 : NEXT(send)(fd, bytes, shorter(how, fd, count), flags);
}

/* A short one: the first part alone, shortened. */
ssize_t HOOK(readv)(int fd, const struct iovec *parts, int count)
{
    int how = fate(SHIM_READ, CALLER);

    if (fails(how))
        return -1;
    if (how != SHIM_SHORT || count < 1 || !is_stream(fd))
        return NEXT(readv)(fd, parts, count);
    return NEXT(read)(fd, parts->iov_base, shorter(how, fd, parts->iov_len));
}

ssize_t HOOK(writev)(int fd, const struct iovec *parts, int count)
{
    int how = fate(SHIM_WRITE, CALLER);

    if (fails(how))
        return -1;
    if (how != SHIM_SHORT || count < 1 || !is_stream(fd))
        return NEXT(writev)(fd, parts, count);
    return NEXT(write)(fd, parts->iov_base, shorter(how, fd, parts->iov_len));
}

ssize_t HOOK(recvmsg)(int fd, struct msghdr *message, int flags)
{
    int how = fate(SHIM_READ, CALLER);
    struct iovec part, *parts = message->msg_iov;
    ssize_t got;

    if (fails(how))
        return -1;
    if (how != SHIM_SHORT || message->msg_iovlen != 1 || !is_stream(fd))
        return NEXT(recvmsg)(fd, message, flags);
    part = (struct iovec){parts->iov_base, shorter(how, fd, parts->iov_len)};
    message->msg_iov = &part;
    got = NEXT(recvmsg)(fd, message, flags);
    message->msg_iov = parts;
    return got;
}

ssize_t HOOK(sendmsg)(int fd, const struct msghdr *message, int flags)
{
    int how = fate(SHIM_WRITE, CALLER);
    struct msghdr less = *message;
    struct iovec part;

    if (fails(how))
        return -1;
    if (how != SHIM_SHORT || message->msg_iovlen != 1 || !is_stream(fd))
        return NEXT(sendmsg)(fd, message, flags);
    part = (struct iovec){message->msg_iov->iov_base, shorter(how, fd, message->msg_iov->iov_len)};
    less.msg_iov = &part;
    return NEXT(sendmsg)(fd, &less, flags);
}

/* ---- the calendar's clock ---- */

int HOOK(clock_gettime)(clockid_t clock, struct timespec *now)
{
    int got;

#ifndef FAULTS_WRAPPED
    if (!next.clock_gettime)
        find_next();
#endif
    got = NEXT(clock_gettime)(clock, now);
    if (got == 0 && control && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += control->clock_s;
    return got;
}

int HOOK(gettimeofday)(struct timeval *restrict now, void *restrict zone)
{
    int got = NEXT(gettimeofday)(now, zone);

    if (got == 0 && control)
        now->tv_sec += control->clock_s;
    return got;
}

time_t HOOK(time)(time_t *at)
{
    time_t now = NEXT(time)(NULL);

    if (control)
        now += control->clock_s;
    if (at)
        *at = now;
    return now;
}
