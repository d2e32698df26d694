/* See attempts.h. Each attempt is one call that would have an effect, made so that the effect is
 * none, or is taken back. */
#include "runner/zygote/attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/io.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"

/* Returns 0 when the act succeeded, else an errno. */
typedef int attempt_fn(size_t memory);

/* What a call returned as such a value; a descriptor is closed. */
static int opened(long fd)
{
    if (fd < 0)
        return errno;
    close((int)fd);
    return 0;
}

static int done(long result)
{
    return result < 0 ? errno : 0;
}

static int read_users(size_t memory)
{
    (void)memory;
    return opened(open("/etc/passwd", O_RDONLY));
}

static int read_parents_environment(size_t memory)
{
    AUTO_FREE char *path = mem_format("/proc/%d/environ", (int)getppid());

    (void)memory;
    return opened(open(path, O_RDONLY));
}

static int write_file(size_t memory)
{
    static const char path[] = "/var/tmp/task-runner-python-check";
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    (void)memory;
    if (fd >= 0)
        unlink(path);
    return opened(fd);
}

/* A program that is not there: who gets so far as to look for it may execute one. */
static int execute_program(size_t memory)
{
    char *const none[] = {NULL};

    (void)memory;
    execve("/nonexistent/program", none, none);
    return errno == ENOENT ? 0 : errno;
}

static int start_process(size_t memory)
{
    pid_t pid = fork();

    (void)memory;
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return done(pid);
}

static int open_internet_socket(size_t memory)
{
    (void)memory;
    return opened(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int open_unix_socket(size_t memory)
{
    (void)memory;
    return opened(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int open_kernel_socket(size_t memory)
{
    (void)memory;
    return opened(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int signal_parent(size_t memory)
{
    (void)memory;
    return done(kill(getppid(), 0));
}

static int signal_everyone(size_t memory)
{
    (void)memory;
    return done(kill(-1, 0));
}

static int trace_parent(size_t memory)
{
    (void)memory;
    if (ptrace(PTRACE_SEIZE, getppid(), 0, 0) < 0)
        return errno;
    ptrace(PTRACE_DETACH, getppid(), 0, 0);
    return 0;
}

static int read_parents_memory(size_t memory)
{
    char here;
    struct iovec to = {&here, 1}, from = {(void *)(uintptr_t)attempts_make, 1};

    (void)memory;
    return done(process_vm_readv(getppid(), &to, 1, &from, 1, 0));
}

static int read_parents_limits(size_t memory)
{
    struct rlimit limit;

    (void)memory;
    return done(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}

static int raise_limit(size_t memory)
{
    struct rlimit limit;

    (void)memory;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return errno;
    return done(setrlimit(RLIMIT_NOFILE, &limit)); /* to what it is: the call must fail as such */
}

static int make_namespace(size_t memory)
{
    (void)memory;
    return done(unshare(CLONE_NEWUSER));
}

static int mount_something(size_t memory)
{
    (void)memory;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return 0;
    return errno;
}

static int share_memory(size_t memory)
{
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);

    (void)memory;
    if (id >= 0)
        shmctl(id, IPC_RMID, NULL);
    return done(id);
}

static int outlive_zygote(size_t memory)
{
    (void)memory;
    if (prctl(PR_SET_PDEATHSIG, 0) < 0)
        return errno;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return 0;
}

static int become_dumpable(size_t memory)
{
    (void)memory;
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        return errno;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return 0;
}

static int load_kernel_program(size_t memory)
{
    (void)memory;
    /* with no attributes it fails with EINVAL or EFAULT where it is open */
    if (syscall(SYS_bpf, 0, NULL, 0) < 0)
        return errno == EPERM || errno == ENOSYS || errno == EACCES ? errno : 0;
    return 0;
}

static int queue_kernel_work(size_t memory)
{
    (void)memory;
#ifdef SYS_io_uring_setup
    if (syscall(SYS_io_uring_setup, 0, NULL) < 0)
        return errno == EPERM || errno == ENOSYS ? errno : 0;
#endif
    return 0;
}

static int map_too_much(size_t memory)
{
    size_t much = memory + ((size_t)1 << 30);
    void *at = mmap(NULL, much, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return errno;
    munmap(at, much);
    return 0;
}

enum allowance { NEVER, WITH_NETWORK, WITHOUT_LIMIT };

static const struct attempt {
    const char *name;
    attempt_fn *make;
    enum allowance allowed;
} attempts[] = {
    {"read /etc/passwd", read_users, NEVER},
    {"read another process's environment", read_parents_environment, NEVER},
    {"write a file", write_file, NEVER},
    {"execute a program", execute_program, NEVER},
    {"start a process", start_process, NEVER},
    {"open an internet socket", open_internet_socket, WITH_NETWORK},
    {"open a Unix socket", open_unix_socket, NEVER},
    {"open a kernel socket", open_kernel_socket, NEVER},
    {"signal another process", signal_parent, NEVER},
    {"signal every process", signal_everyone, NEVER},
    {"trace another process", trace_parent, NEVER},
    {"read another process's memory", read_parents_memory, NEVER},
    {"read another process's limits", read_parents_limits, NEVER},
    {"change its limits", raise_limit, NEVER},
    {"make a namespace", make_namespace, NEVER},
    {"change mounts", mount_something, NEVER},
    {"share memory", share_memory, NEVER},
    {"outlive the zygote", outlive_zygote, NEVER},
    {"let itself be traced", become_dumpable, NEVER},
    {"load a program into the kernel", load_kernel_program, NEVER},
    {"queue work in the kernel", queue_kernel_work, NEVER},
    {"take more memory than the limit", map_too_much, WITHOUT_LIMIT},
};

void attempts_make(struct buf *json, bool network, size_t memory)
{
    bool first = true;

    buf_add_char(json, '[');
    for (size_t i = 0; i < ARRAY_COUNT(attempts); i++) {
        const char *words = "";
        int failed;

        if (attempts[i].allowed == WITHOUT_LIMIT && !memory)
            continue;
        failed = attempts[i].make(memory);
        if (failed)
            words = strerror(failed);
        buf_add_format(json, "%s{\"name\":\"%s\",\"succeeded\":%s,\"allowed\":%s,\"error\":",
                       first ? "" : ",", attempts[i].name, failed ? "false" : "true",
                       network && attempts[i].allowed == WITH_NETWORK ? "true" : "false");
        first = false;
        json_string_add(json, words, strlen(words));
        buf_add_char(json, '}');
    }
    buf_add_char(json, ']');
}
