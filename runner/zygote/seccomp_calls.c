/*
 * The system calls by name; see seccomp_calls.h. A name that the machine's kernel interface lacks
 * is passed over.
 */
#include "runner/zygote/seccomp_calls.h"

#include <stddef.h>

const char *const seccomp_allowed[] = {
    /* memory */
    "brk", "madvise", "mincore", "mmap", "mprotect", "mremap", "mseal", "msync", "munmap",
    "map_shadow_stack", "membarrier",
    /* descriptors that are open already, and what is made without a name */
    "close", "close_range", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "fadvise64", "fdatasync",
    "flock", "fstat", "fstatfs", "fsync", "getdents", "getdents64", "lseek", "_llseek", "pipe",
    "pipe2", "poll", "ppoll", "pread64", "preadv", "preadv2", "pselect6", "pwrite64", "pwritev",
    "pwritev2", "read", "readv", "select", "sendfile", "copy_file_range", "signalfd", "signalfd4",
    "timerfd_create", "timerfd_gettime", "timerfd_settime", "write", "writev",
    /* looking at files; what may be opened is Landlock's */
    "access", "chdir", "faccessat", "faccessat2", "getcwd", "lstat", "newfstatat", "readlink",
    "readlinkat", "stat", "statfs", "statx", "umask",
    /* the socket pair of an event loop, and the channel */
    "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmsg", "sendto", "shutdown",
    /* threads and time */
    "clock_getres", "clock_gettime", "clock_nanosleep", "futex", "futex_waitv", "get_robust_list",
    "getcpu", "getitimer", "gettimeofday", "nanosleep", "pause", "restart_syscall", "rseq",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
    "sched_getparam", "sched_getscheduler", "sched_yield", "set_robust_list", "set_tid_address",
    "setitimer", "alarm", "time", "timer_create", "timer_delete", "timer_getoverrun",
    "timer_gettime", "timer_settime", "times", "arch_prctl",
    /* signals that come */
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack",
    /* who and where am I */
    "capget", "exit", "exit_group", "getegid", "geteuid", "getgid", "getgroups", "getpgid",
    "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresuid",
    "getrlimit", "getrusage", "getsid", "gettid", "getuid", "sysinfo", "uname",
    /* there is nobody to wait for */
    "wait4", "waitid", NULL};

/* With a scratch folder: Landlock says where. Modes, owners and times stay refused, since they are
 * beyond Landlock and the interpreter's files may belong to this user. */
const char *const seccomp_allowed_scratch[] = {
    "fallocate", "ftruncate", "link",    "linkat",    "mkdir",  "mkdirat",  "rename", "renameat",
    "renameat2", "rmdir",     "symlink", "symlinkat", "unlink", "unlinkat", NULL};

/* With the network: a client's calls. Nothing listens. */
const char *const seccomp_allowed_network[] = {"bind",     "connect", "recvmmsg",
                                               "sendmmsg", "sendmsg", NULL};

/* Known and refused. */
const char *const seccomp_refused[] = {
    /* processes, and reaching into others */
    "execve", "execveat", "fork", "kcmp", "pidfd_getfd", "pidfd_open", "pidfd_send_signal",
    "process_madvise", "process_mrelease", "process_vm_readv", "process_vm_writev", "ptrace",
    "vfork", "setpgid", "setsid", "vhangup",
    /* the network */
    "accept", "accept4", "bind", "connect", "listen", "recvmmsg", "sendmmsg", "sendmsg",
    "setsockopt", "socket",
    /* namespaces, mounts, roots */
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "listmount", "mount", "mount_setattr",
    "move_mount", "open_tree", "pivot_root", "setns", "statmount", "umount2", "unshare",
    /* files: making, changing, removing, watching */
    "chmod", "chown", "creat", "fallocate", "fanotify_init", "fanotify_mark", "fchdir", "fchmod",
    "fchmodat", "fchmodat2", "fchown", "fchownat", "fgetxattr", "flistxattr", "fremovexattr",
    "fsetxattr", "ftruncate", "futimesat", "getxattr", "inotify_add_watch", "inotify_init",
    "inotify_init1", "inotify_rm_watch", "lchown", "lgetxattr", "link", "linkat", "listxattr",
    "llistxattr", "lremovexattr", "lsetxattr", "memfd_create", "memfd_secret", "mkdir", "mkdirat",
    "mknod", "mknodat", "name_to_handle_at", "open_by_handle_at", "quotactl", "quotactl_fd",
    "removexattr", "rename", "renameat", "renameat2", "rmdir", "setxattr", "splice", "symlink",
    "symlinkat", "sync", "syncfs", "sync_file_range", "tee", "truncate", "unlink", "unlinkat",
    "uselib", "utime", "utimensat", "utimes", "vmsplice",
    /* who I am and what I may */
    "capset", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self",
    "personality", "seccomp", "setdomainname", "setfsgid", "setfsuid", "setgid", "setgroups",
    "sethostname", "setregid", "setresgid", "setresuid", "setreuid", "setrlimit", "setuid",
    /* what is shared with others */
    "add_key", "ioprio_get", "ioprio_set", "keyctl", "mq_getsetattr", "mq_notify", "mq_open",
    "mq_timedreceive", "mq_timedsend", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd",
    "request_key", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler",
    "semctl", "semget", "semop", "semtimedop", "setpriority", "shmat", "shmctl", "shmdt", "shmget",
    "syslog",
    /* memory that others feel, or that the kernel reads behind our back */
    "get_mempolicy", "mbind", "migrate_pages", "mlock", "mlock2", "mlockall", "move_pages",
    "munlock", "munlockall", "remap_file_pages", "set_mempolicy", "set_mempolicy_home_node",
    "userfaultfd",
    /* the kernel's own */
    "acct", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "io_cancel", "io_destroy",
    "io_getevents", "io_pgetevents", "io_setup", "io_submit", "io_uring_enter", "io_uring_register",
    "io_uring_setup", "lookup_dcookie", "modify_ldt", "nfsservctl", "perf_event_open",
    "settimeofday", "sysfs", "ustat", "vserver", NULL};

/* No program means these: the process ends. */
const char *const seccomp_absurd[] = {
    "delete_module",   "finit_module", "init_module", "ioperm", "iopl", "kexec_load",
    "kexec_file_load", "reboot",       "swapoff",     "swapon", NULL};
