/*
 * The zygote: CPython started once, and a fork for every task.
 *
 * The host starts it by an exec, with an environment of the host's choosing and the control socket
 * as descriptor 3. It reads its settings from there, brings Python up, says READY, and from then on
 * only forks, reaps and reports. It never touches a byte that a user wrote: a task goes from the
 * host to the child over a channel that the zygote passes on and closes. It dies with the host (the
 * parent-death signal, and the end of the control socket); its children die with it.
 */
#include <Python.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allowlist/audit.h"
#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/zygote/child.h"
#include "runner/zygote/execute.h"
#include "runner/zygote/paths.h"
#include "runner/zygote/python.h"
#include "runner/zygote/rehearsal.h"
#include "runner/zygote/sandbox.h"
#include "runner/zygote/settings.h"
#include "runner/zygote/warm.h"

enum { CONTROL_FD = 3, REHEARSALS = 3 };

struct forked {
    uint64_t id;
    pid_t pid;
};

struct zygote {
    int control;
    int signals;
    int null_fd;
    struct forked *children;
    size_t count;
    struct zygote_settings settings;
    struct execution *execution;
    struct rehearsal *rehearsal;
    struct sandbox *sandbox;
    struct paths readable; /* by the children */
};

static int send_message(struct zygote *z, const struct zygote_message *message, const char *text,
                        int fd)
{
    AUTO_BUF struct buf packet = {0};

    if (!message->text_length)
        return io_send_fds(z->control, message, sizeof(*message), &fd, fd >= 0) < 0 ? -1 : 0;
    buf_add(&packet, message, sizeof(*message));
    buf_add(&packet, text, message->text_length);
    if (buf_failed(&packet))
        return -1;
    return io_send_fds(z->control, packet.data, packet.length, &fd, fd >= 0) < 0 ? -1 : 0;
}

static int send_text(struct zygote *z, uint32_t type, const char *text)
{
    size_t length = strlen(text);
    struct zygote_message message = {.type = type};

    message.text_length = length > ZYGOTE_TEXT_MAX ? ZYGOTE_TEXT_MAX : (uint32_t)length;
    return send_message(z, &message, text, -1);
}

/* The first packet from the host: its text's length, or -1 when the host is gone. */
static ssize_t receive_setup(struct zygote *z, char *text)
{
    AUTO_FREE char *packet = mem_alloc(sizeof(struct zygote_message) + ZYGOTE_TEXT_MAX);
    struct zygote_message message;
    int unused = -1;
    size_t fds = 0;
    ssize_t got =
        io_receive_fds(z->control, packet, sizeof(message) + ZYGOTE_TEXT_MAX, &unused, 1, &fds);

    io_close(&unused);
    if (got < (ssize_t)sizeof(message))
        return -1;
    memcpy(&message, packet, sizeof(message));
    got -= (ssize_t)sizeof(message);
    if (message.type != ZYGOTE_SETUP || (size_t)got != message.text_length)
        return -1;
    memcpy(text, packet + sizeof(message), (size_t)got);
    return got;
}

static void remember(struct zygote *z, uint64_t id, pid_t pid)
{
    z->children = mem_resize(z->children, z->count + 1, sizeof(*z->children));
    z->children[z->count++] = (struct forked){id, pid};
}

/* A handle on the process, whatever becomes of its number. */
static int open_process(pid_t pid)
{
#ifdef UNDER_VALGRIND /* which may not know the call */
    AUTO_FREE char *path = mem_format("/proc/%d", pid);

    return open(path, O_DIRECTORY | O_CLOEXEC);
#else
    return (int)syscall(SYS_pidfd_open, pid, 0);
#endif
}

static int report_forked(struct zygote *z, uint64_t id, pid_t pid)
{
    AUTO_CLOSE int pidfd = open_process(pid);
    struct zygote_message message = {.type = ZYGOTE_FORKED, .id = id};

    /* the host can't reach a process by a number of this namespace: without a handle it must end */
    if (pidfd < 0)
        kill(pid, SIGKILL);
    return send_message(z, &message, NULL, pidfd);
}

static int fork_child(struct zygote *z, uint64_t id, int channel)
{
    const struct child_work work = {.execution = z->execution,
                                    .rehearsal = z->rehearsal,
                                    .check = z->settings.check ? &z->settings : NULL};
    pid_t self = getpid(), pid;

    sandbox_before_fork(z->sandbox);
    PyOS_BeforeFork();
    pid = fork();
    if (pid == 0) {
        PyOS_AfterFork_Child();
        child_run(id, channel, z->null_fd, self, z->sandbox, &work);
    }
    PyOS_AfterFork_Parent();
    sandbox_after_fork(z->sandbox);
    if (pid < 0) {
        struct zygote_message unable = {.type = ZYGOTE_UNABLE, .id = id, .status = errno};

        return send_message(z, &unable, NULL, -1);
    }
    setpgid(pid, pid);
    remember(z, id, pid);
    return report_forked(z, id, pid);
}

/* Reports a child's end, after what it may have started has been killed with its process group. */
static int reap(struct zygote *z)
{
    for (;;) {
        siginfo_t info = {0};
        int status = 0;

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return 0;
        kill(-info.si_pid, SIGKILL);
        waitpid(info.si_pid, &status, 0);
        for (size_t i = 0; i < z->count; i++) {
            struct zygote_message message = {
                .type = ZYGOTE_EXITED, .id = z->children[i].id, .status = status};

            if (z->children[i].pid != info.si_pid)
                continue;
            z->children[i] = z->children[--z->count];
            if (send_message(z, &message, NULL, -1) < 0)
                return -1;
            break;
        }
    }
}

static int serve_one(struct zygote *z)
{
    AUTO_CLOSE int channel = -1;
    struct zygote_message message;
    size_t fds = 0;

    /* on the stack: a page that the zygote writes to after a fork, it has to copy first */
    if (io_receive_fds(z->control, &message, sizeof(message), &channel, 1, &fds) !=
            (ssize_t)sizeof(message) ||
        message.type != ZYGOTE_FORK || channel < 0)
        return -1;
    return fork_child(z, message.id, channel);
}

static int serve(struct zygote *z)
{
    for (;;) {
        struct pollfd ready[2] = {{.fd = z->control, .events = POLLIN},
                                  {.fd = z->signals, .events = POLLIN}};
        struct signalfd_siginfo info;

        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            return -1;
        if (ready[1].revents) {
            (void)!io_read(z->signals, &info, sizeof(info));
            if (reap(z) < 0)
                return -1;
        }
        if (ready[0].revents && serve_one(z) < 0)
            return 0;
    }
}

/* SIGCHLD comes as a descriptor; the host decides over everything a terminal would send. Once
 * before the imports, and once after them, since they may have changed it. */
static int own_signals(struct zygote *z)
{
    sigset_t child;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigprocmask(SIG_SETMASK, &child, NULL) < 0)
        return -1;
    if (z->signals >= 0)
        return 0;
    z->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return z->signals < 0 ? -1 : 0;
}

static int prepare(struct zygote *z, struct error **err)
{
    AUTO_FREE char *text = mem_alloc(ZYGOTE_TEXT_MAX);
    const struct rlimit no_core = {0, 0};
    ssize_t length = receive_setup(z, text);

    if (length < 0)
        return error_set(err, "no settings came from the host");
    if (zygote_settings_read(&z->settings, text, (size_t)length, err) < 0)
        return -1;
    z->sandbox = sandbox_new(&z->settings.sandbox, err);
    if (!z->sandbox)
        return -1;
    if (chdir("/") < 0 || own_signals(z) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return error_set_errno(err, errno, "prepare the zygote's process");
    z->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (z->null_fd < 0)
        return error_set_errno(err, errno, "open `/dev/null`");
    if (audit_install() < 0)
        return error_set(err, "install the audit hook");
    if (python_start(&z->settings, err) < 0)
        return -1;
    z->execution = execution_new(&z->settings.policy, z->settings.sandbox.memory, err);
    return z->execution ? 0 : -1;
}

static bool is_readable(void *owner, const char *path)
{
    return paths_has(owner, path);
}

/* The interpreter's wall, which goes by what the kernel's lets through. */
static int hold_tasks(struct zygote *z)
{
    const struct audit_options options = {
        .policy = &z->settings.policy,
        .network = z->settings.sandbox.network,
        .readable = is_readable,
        .owner = &z->readable,
    };

    return audit_prepare(&options);
}

/* What CPython looks up for the first time it writes down; what is written down here, no child has
 * to write, each to pages of its own. A few times, since some of it counts. */
static void rehearse(struct zygote *z)
{
    z->rehearsal = rehearsal_new(z->execution);
    for (int i = 0; i < REHEARSALS; i++) {
        rehearsal_of_new_code(z->rehearsal);
        rehearsal_of_known_code(z->rehearsal);
    }
    warm_freeze();
}

static void tell_importing(void *owner, const char *name)
{
    send_text(owner, ZYGOTE_IMPORTING, name);
}

static void tell_unfit(void *owner, const char *name, const char *why)
{
    AUTO_FREE char *text = mem_format("%s\n%s", name, why);

    send_text(owner, ZYGOTE_UNFIT, text);
}

/* Closes the zygote off, once it has imported what tasks may import. */
static int close_off(struct zygote *z, const struct warmed *warmed, struct error **err)
{
    if (own_signals(z) < 0)
        return error_set_errno(err, errno, "take the signals back from the imports");
    if (paths_find(&z->readable, z->settings.sandbox.network) < 0)
        return python_error(err, "find the folders that tasks may read");
    if (hold_tasks(z) < 0)
        return python_error(err, "prepare the audit hook");
    return sandbox_close(z->sandbox, &z->readable, warmed, err);
}

/* Python's version, the walls, and the warnings, a line each. */
static int report_ready(struct zygote *z, const char *warnings)
{
    AUTO_BUF struct buf text = {0};

    buf_add_format(&text, "%.*s\n", (int)strcspn(Py_GetVersion(), " "), Py_GetVersion());
    sandbox_say(z->sandbox, &text);
    buf_add_format(&text, "\n%s", warnings);
    buf_add_char(&text, '\0');
    return buf_failed(&text) ? -1 : send_text(z, ZYGOTE_READY, text.data);
}

/* What packages have registered for an exit is not run: it may wait for threads, or for ever. */
_Noreturn static void leave(int code)
{
    fflush(NULL);
    _exit(code);
}

_Noreturn static void fail(struct zygote *z, const struct error *err)
{
    send_text(z, ZYGOTE_FAILED, error_text(err));
    leave(1);
}

int main(void)
{
    AUTO_ERROR struct error *err = NULL;
    struct warm_events events;
    struct warmed warmed = {0};
    struct zygote z = {.control = CONTROL_FD, .signals = -1, .null_fd = -1};

    unsetenv("LD_BIND_NOW"); /* the host's, for the linker: it has done its work */
    if (fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0) {
        fputs("task-runner-zygote: this program is started by task-runner-python\n", stderr);
        return 2;
    }
    events = (struct warm_events){&z, tell_importing, tell_unfit};
    if (prepare(&z, &err) < 0)
        fail(&z, err);
    warm(&z.settings, &events, &warmed);
    if (warmed.unfit)
        leave(0);
    if (close_off(&z, &warmed, &err) < 0)
        fail(&z, err);
    rehearse(&z);
    leave(report_ready(&z, warmed.warnings) < 0 || serve(&z) < 0);
}
