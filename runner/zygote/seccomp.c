/* The kernel's wall around system calls; see seccomp.h. */
#include "runner/zygote/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/zygote/seccomp_calls.h"

/* Stands for the child's process id until the program is loaded; no process has this number. */
#define PID_PLACE 0x7e57c0deu

#define REFUSE SCMP_ACT_ERRNO(EPERM)

struct seccomp_program {
    struct sock_filter *filter;
    unsigned short count; /* instructions */
};

enum {
    COMPILE_S = 10, /* it takes milliseconds */
    NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                     CLONE_NEWPID | CLONE_NEWNET,
    /* what no thread of ours is made with */
    NOT_OF_A_THREAD = NEW_NAMESPACES | CLONE_PTRACE | CLONE_UNTRACED | CLONE_VFORK | CLONE_PARENT,
    SOCKET_TYPES = 0xf,         /* the rest of a socket's type are flags */
    FCNTL_LOCKS_END = F_SETLKW, /* 0 to here: descriptors, flags, locks */
};

static int number_of(const char *name)
{
    int number = seccomp_syscall_resolve_name(name);

    return number < 0 ? -1 : number; /* unknown to libseccomp, or to this machine */
}

static int add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
               const struct scmp_arg_cmp *conditions)
{
    int number = number_of(name), failed;

    if (number < 0)
        return 0;
    failed = seccomp_rule_add_array(filter, action, number, count, conditions);
    return failed == -EEXIST ? 0 : failed;
}

static int add_list(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
    int failed = 0;

    for (; failed == 0 && *names; names++)
        failed = add(filter, action, *names, 0, NULL);
    return failed;
}

/* ---- calls that depend on their arguments ----
 *
 * The kernel looks at the lower half of most arguments: what is allowed is compared whole, so that
 * nothing hides in the upper one. Rules of one call must not overlap.
 */

#define ARGUMENT(index, compare, value) ((struct scmp_arg_cmp){index, compare, value, 0})
#define MASKED(index, mask, value) ((struct scmp_arg_cmp){index, SCMP_CMP_MASKED_EQ, mask, value})
#define RULE(filter, action, name, ...)                                                            \
    add(filter, action, name, ARRAY_COUNT(((const struct scmp_arg_cmp[]){__VA_ARGS__})),           \
        (const struct scmp_arg_cmp[]){__VA_ARGS__})

/* Allows `name` when argument `index` is one of the values. */
static int allow_values(scmp_filter_ctx filter, const char *name, unsigned index,
                        const uint64_t *values, size_t count, uint32_t action)
{
    int failed = 0;

    for (size_t i = 0; failed == 0 && i < count; i++)
        failed = RULE(filter, action, name, ARGUMENT(index, SCMP_CMP_EQ, values[i]));
    return failed;
}

/* Threads yes, processes and namespaces no. clone3 hides its flags from us: libc falls back. */
static int add_clone(scmp_filter_ctx filter)
{
    int failed = RULE(filter, SCMP_ACT_ALLOW, "clone",
                      MASKED(0, CLONE_THREAD | (uint32_t)NOT_OF_A_THREAD, CLONE_THREAD));

    if (failed == 0)
        failed = RULE(filter, REFUSE, "clone", MASKED(0, CLONE_THREAD, 0));
    for (uint32_t bit = 1; failed == 0 && bit; bit <<= 1)
        if (bit & (uint32_t)NOT_OF_A_THREAD)
            failed =
                RULE(filter, REFUSE, "clone", MASKED(0, CLONE_THREAD | bit, CLONE_THREAD | bit));
    return failed;
}

/* Signals go to the process itself; musl's raise() names the thread, which is the process. */
static int add_signals(scmp_filter_ctx filter)
{
    static const char *const calls[] = {"kill", "tgkill", "tkill", "rt_sigqueueinfo",
                                        "rt_tgsigqueueinfo"};
    int failed = 0;

    for (size_t i = 0; failed == 0 && i < ARRAY_COUNT(calls); i++) {
        failed = RULE(filter, SCMP_ACT_ALLOW, calls[i], ARGUMENT(0, SCMP_CMP_EQ, PID_PLACE));
        if (failed == 0)
            failed = RULE(filter, REFUSE, calls[i], ARGUMENT(0, SCMP_CMP_NE, PID_PLACE));
    }
    return failed;
}

/*
 * Opening is Landlock's, but for two things: O_TRUNC without writing, which its first versions let
 * pass, and everything but reading when there is no Landlock.
 */
static int add_open(scmp_filter_ctx filter, const char *name, unsigned flags, bool writable)
{
    uint32_t write = writable ? SCMP_ACT_ALLOW : REFUSE;
    int failed = RULE(filter, SCMP_ACT_ALLOW, name, MASKED(flags, O_ACCMODE | O_TRUNC, O_RDONLY));

    if (failed == 0)
        failed = RULE(filter, REFUSE, name, MASKED(flags, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC));
    if (failed == 0)
        failed = RULE(filter, write, name, MASKED(flags, O_ACCMODE, O_WRONLY));
    if (failed == 0)
        failed = RULE(filter, write, name, MASKED(flags, O_ACCMODE, O_RDWR));
    if (failed == 0)
        failed = RULE(filter, REFUSE, name, MASKED(flags, O_ACCMODE, O_ACCMODE));
    return failed;
}

/* A descriptor's owner gets signals: nobody becomes one. */
static int add_fcntl(scmp_filter_ctx filter)
{
    static const uint64_t good[] = {F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_DUPFD_CLOEXEC,
                                    F_GETPIPE_SZ};
    static const uint64_t bad[] = {F_SETOWN,    F_GETOWN,     F_SETSIG,    F_GETSIG,
                                   F_SETOWN_EX, F_GETOWN_EX,  F_SETLEASE,  F_GETLEASE,
                                   F_NOTIFY,    F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS};
    static const char *const calls[] = {"fcntl", "fcntl64"};
    int failed = 0;

    for (size_t i = 0; failed == 0 && i < ARRAY_COUNT(calls); i++) {
        failed = RULE(filter, SCMP_ACT_ALLOW, calls[i], ARGUMENT(1, SCMP_CMP_LE, FCNTL_LOCKS_END));
        if (failed == 0)
            failed = allow_values(filter, calls[i], 1, good, ARRAY_COUNT(good), SCMP_ACT_ALLOW);
        if (failed == 0)
            failed = allow_values(filter, calls[i], 1, bad, ARRAY_COUNT(bad), REFUSE);
    }
    return failed;
}

static int add_controls(scmp_filter_ctx filter)
{
    static const uint64_t ioctls[] = {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ};
    static const uint64_t bad_ioctls[] = {FIOASYNC, FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCSCTTY};
    static const uint64_t prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE};
    static const uint64_t bad_prctls[] = {PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP,
                                          PR_SET_MM,        PR_SET_PTRACER,  PR_CAPBSET_DROP,
                                          PR_CAP_AMBIENT,   PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER,
                                          PR_SET_SECUREBITS};
    int failed = allow_values(filter, "ioctl", 1, ioctls, ARRAY_COUNT(ioctls), SCMP_ACT_ALLOW);

    if (failed == 0)
        failed = allow_values(filter, "ioctl", 1, bad_ioctls, ARRAY_COUNT(bad_ioctls), REFUSE);
    if (failed == 0)
        failed = allow_values(filter, "prctl", 0, prctls, ARRAY_COUNT(prctls), SCMP_ACT_ALLOW);
    if (failed == 0)
        failed = allow_values(filter, "prctl", 0, bad_prctls, ARRAY_COUNT(bad_prctls), REFUSE);
    return failed;
}

/* Limits are read, and one's own only. */
static int add_limits(scmp_filter_ctx filter)
{
    int failed = RULE(filter, SCMP_ACT_ALLOW, "prlimit64", ARGUMENT(0, SCMP_CMP_EQ, 0),
                      ARGUMENT(2, SCMP_CMP_EQ, 0));

    if (failed == 0)
        failed = RULE(filter, REFUSE, "prlimit64", ARGUMENT(0, SCMP_CMP_NE, 0));
    if (failed == 0)
        failed = RULE(filter, REFUSE, "prlimit64", ARGUMENT(0, SCMP_CMP_EQ, 0),
                      ARGUMENT(2, SCMP_CMP_NE, 0));
    return failed;
}

/* Allows `name` for sockets of `family` and the types in `types` (a bit each); refuses the other
 * types. */
static int add_family(scmp_filter_ctx filter, const char *name, uint64_t family, unsigned types)
{
    int failed = 0;

    for (unsigned type = 0; failed == 0 && type <= SOCKET_TYPES; type++)
        failed = RULE(filter, types & (1u << type) ? SCMP_ACT_ALLOW : REFUSE, name,
                      ARGUMENT(0, SCMP_CMP_EQ, family), MASKED(1, SOCKET_TYPES, type));
    return failed;
}

static int add_socketpair(scmp_filter_ctx filter)
{
    int failed = add_family(filter, "socketpair", AF_UNIX, 1u << SOCK_STREAM);

    return failed ? failed : RULE(filter, REFUSE, "socketpair", ARGUMENT(0, SCMP_CMP_NE, AF_UNIX));
}

/* Sockets of a client, and every option of theirs but a program of its own in the kernel. */
static int add_network(scmp_filter_ctx filter)
{
    const unsigned types = 1u << SOCK_STREAM | 1u << SOCK_DGRAM;
    static const uint64_t programs[] = {SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF,
                                        SO_ATTACH_REUSEPORT_EBPF};
    int failed = RULE(filter, SCMP_ACT_ALLOW, "setsockopt", ARGUMENT(1, SCMP_CMP_NE, SOL_SOCKET));

    for (uint64_t option = 0; failed == 0 && option < 128; option++) {
        bool is_program = false;

        for (size_t i = 0; i < ARRAY_COUNT(programs); i++)
            is_program |= programs[i] == option;
        failed = RULE(filter, is_program ? REFUSE : SCMP_ACT_ALLOW, "setsockopt",
                      ARGUMENT(1, SCMP_CMP_EQ, SOL_SOCKET), ARGUMENT(2, SCMP_CMP_EQ, option));
    }
    for (uint64_t family = 0; failed == 0 && family <= AF_INET6; family++)
        failed = family == AF_INET || family == AF_INET6
                     ? add_family(filter, "socket", family, types)
                     : RULE(filter, REFUSE, "socket", ARGUMENT(0, SCMP_CMP_EQ, family));
    if (failed == 0)
        failed = RULE(filter, REFUSE, "socket", ARGUMENT(0, SCMP_CMP_GT, AF_INET6));
    if (failed == 0)
        failed = add_list(filter, SCMP_ACT_ALLOW, seccomp_allowed_network);
    return failed;
}

static bool is_listed(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* What is refused by default, less what the settings open. */
static int add_refused(scmp_filter_ctx filter, const struct seccomp_options *options)
{
    int failed = 0;

    for (const char *const *name = seccomp_refused; failed == 0 && *name; name++) {
        if (options->scratch && is_listed(*name, seccomp_allowed_scratch))
            continue;
        if (options->network && (is_listed(*name, seccomp_allowed_network) ||
                                 strcmp(*name, "socket") == 0 || strcmp(*name, "setsockopt") == 0))
            continue;
        failed = add(filter, REFUSE, *name, 0, NULL);
    }
    return failed;
}

static int add_rules(scmp_filter_ctx filter, const struct seccomp_options *options)
{
    int failed = add_list(filter, SCMP_ACT_ALLOW, seccomp_allowed);

    if (failed == 0)
        failed = add_list(filter, SCMP_ACT_KILL_PROCESS, seccomp_absurd);
    if (failed == 0)
        failed = add_refused(filter, options);
    if (failed == 0 && options->scratch)
        failed = add_list(filter, SCMP_ACT_ALLOW, seccomp_allowed_scratch);
    if (failed == 0 && options->network)
        failed = add_network(filter);
    if (failed == 0)
        failed = add_clone(filter);
    if (failed == 0)
        failed = add_signals(filter);
    if (failed == 0)
        failed = add_open(filter, "open", 1, options->files_guarded);
    if (failed == 0)
        failed = add_open(filter, "openat", 2, options->files_guarded);
    if (failed == 0)
        failed = add_fcntl(filter);
    if (failed == 0)
        failed = add_controls(filter);
    if (failed == 0)
        failed = add_limits(filter);
    if (failed == 0)
        failed = add_socketpair(filter);
    return failed;
}

/* ---- the program ---- */

/* libseccomp writes the program to a descriptor. */
static int export(scmp_filter_ctx filter, struct seccomp_program *program, struct error **err)
{
    AUTO_CLOSE int fd = io_memfd("seccomp");
    struct stat info;
    int failed;

    if (fd < 0)
        return error_set_errno(err, errno, "make a place for the seccomp program");
    failed = seccomp_export_bpf(filter, fd);
    if (failed < 0)
        return error_set_errno(err, -failed, "compile the seccomp program");
    if (fstat(fd, &info) < 0 || info.st_size <= 0 ||
        info.st_size > (off_t)(BPF_MAXINSNS * sizeof(*program->filter)))
        return error_set(err, "the seccomp program has no size that the kernel takes");
    program->count = (unsigned short)((size_t)info.st_size / sizeof(*program->filter));
    program->filter = mem_alloc((size_t)info.st_size);
    if (pread(fd, program->filter, (size_t)info.st_size, 0) != info.st_size)
        return error_set_errno(err, errno, "read the seccomp program");
    return 0;
}

static struct seccomp_program *compile(const struct seccomp_options *options, struct error **err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    struct seccomp_program *program = mem_alloc(sizeof(*program));
    int failed = filter ? 0 : -ENOMEM;

    *program = (struct seccomp_program){0};
    if (failed == 0)
        failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (failed == 0)
        failed = add_rules(filter, options);
    if (failed == 0)
        failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
    if (failed < 0)
        error_set_errno(err, -failed, "make the seccomp program");
    else
        failed = export(filter, program, err);
    if (filter)
        seccomp_release(filter);
    if (failed < 0) {
        seccomp_free(program);
        return NULL;
    }
    return program;
}

static bool is_same(const struct seccomp_program *one, const struct seccomp_program *other)
{
    return one->count == other->count && one->filter && other->filter &&
           memcmp(one->filter, other->filter, one->count * sizeof(*one->filter)) == 0;
}

/* When it gets no memory, libseccomp may loop, or make another program than the one it was told to
 * make: the first is ended, and what comes out twice is right. */
struct seccomp_program *seccomp_compile(const struct seccomp_options *options, struct error **err)
{
    struct seccomp_program *program, *again;

    alarm(COMPILE_S);
    program = compile(options, err);
    again = program ? compile(options, err) : NULL;
    alarm(0);
    if (again && !is_same(program, again))
        error_set(err, "make the seccomp program: it came out in two ways");
    if (!again || !is_same(program, again)) {
        seccomp_free(program);
        program = NULL;
    }
    seccomp_free(again);
    return program;
}

void seccomp_free(struct seccomp_program *program)
{
    if (program)
        free(program->filter);
    free(program);
}

int seccomp_load_program(struct seccomp_program *program)
{
    const uint32_t pid = (uint32_t)getpid();
    const struct sock_fprog loaded = {.len = program->count, .filter = program->filter};

    for (unsigned i = 0; i < program->count; i++)
        if (program->filter[i].code == (BPF_JMP | BPF_JEQ | BPF_K) &&
            program->filter[i].k == PID_PLACE)
            program->filter[i].k = pid;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) < 0 ? -1 : 0;
}
