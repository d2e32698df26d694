/*
 * The host's end of the zygote; see zygote_link.h.
 *
 * The zygote is a program of its own, started with descriptors 0-2 on /dev/null (2 stays the
 * host's, for what the dynamic linker or a sanitizer has to say), 3 the control socket, and nothing
 * else.
 */
#include "runner/host/zygote_link.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allowlist/policy.h"
#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/host/loop.h"

enum { CONTROL_FD = 3, EXIT_NO_EXEC = 127, SHELL_SIGNALED = 128 };

struct zygote_link {
    struct watch *watch;
    int control; /* owned by the watch */
    pid_t pid;
    const struct zygote_events *events;
    void *owner;
    char *failure; /* what ZYGOTE_FAILED said */
    bool killed;
    char *module; /* whose import has begun; NULL: none, or all are over */
};

/* All functions are looked up at the start, once: later, each child would do it for itself. The
 * array is the caller's to free, its strings are not. */
static char **zygote_environment(char *const *environment)
{
    char **bound;
    size_t count = 0;

    while (environment[count])
        count++;
    bound = mem_resize(NULL, count + 2, sizeof(*bound));
    memcpy(bound, environment, count * sizeof(*bound));
    bound[count] = (char *)(uintptr_t) "LD_BIND_NOW=1";
    bound[count + 1] = NULL;
    return bound;
}

/* In the forked process, before the exec: only async-signal-safe calls. */
_Noreturn static void become_zygote(const char *program, char *const *environment, int control,
                                    pid_t host)
{
    char *const arguments[] = {(char *)(uintptr_t) "task-runner-zygote", NULL};
    sigset_t none;
    int null_fd = open("/dev/null", O_RDWR);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != host)
        _exit(EXIT_NO_EXEC);
    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0)
        _exit(EXIT_NO_EXEC);
    if (control == CONTROL_FD ? fcntl(control, F_SETFD, 0) < 0 : dup2(control, CONTROL_FD) < 0)
        _exit(EXIT_NO_EXEC);
#ifdef SYS_close_range
    syscall(SYS_close_range, CONTROL_FD + 1, ~0u, 0);
#endif
    execve(program, arguments, environment);
    _exit(EXIT_NO_EXEC);
}

/* A list as its setting has it: empty for nothing. */
static char *list_setting(const struct name_list *list)
{
    return list->all || list->count ? name_list_text(list) : mem_dup("");
}

static int send_setup(int control, const struct zygote_options *options, const char *skip,
                      struct error **err)
{
    AUTO_BUF struct buf packet = {0};
    struct zygote_message setup = {.type = ZYGOTE_SETUP};
    AUTO_FREE char *stdlib = list_setting(&options->policy->stdlib);
    AUTO_FREE char *external = list_setting(&options->policy->external);
    AUTO_FREE char *denied = list_setting(&options->policy->builtins_deny);
    AUTO_FREE char *memory = mem_format("%lld", options->memory_mb);
    AUTO_FREE char *tmp = mem_format("%lld", options->tmp_mb);
    AUTO_FREE char *result = mem_format("%lld", options->result_max);
    AUTO_FREE char *tasks = mem_format("%d", options->tasks);
    const char *const values[][2] = {
        {"stdlib", stdlib},
        {"external", external},
        {"builtins_deny", denied},
        {"skip", skip},
        {"venv", options->venv ? options->venv : ""},
        {"env_access", options->env_access ? "true" : "false"},
        {"check", options->check ? "true" : "false"},
        {"sandbox", options->sandbox},
        {"network", options->network ? "allow" : "deny"},
        {"memory_mb", memory},
        {"tmp_mb", tmp},
        {"result_max", result},
        {"scratch", options->scratch},
        {"tasks", tasks},
    };

    buf_add(&packet, &setup, sizeof(setup));
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        buf_add_format(&packet, "%s=%s", values[i][0], values[i][1]);
        buf_add_char(&packet, '\0');
    }
    if (buf_failed(&packet) || packet.length - sizeof(setup) > ZYGOTE_TEXT_MAX)
        return error_set(err, "the lists of allowed modules are longer than %d bytes",
                         ZYGOTE_TEXT_MAX);
    setup.text_length = (uint32_t)(packet.length - sizeof(setup));
    memcpy(packet.data, &setup, sizeof(setup));
    if (io_send_fds(control, packet.data, packet.length, NULL, 0) < 0)
        return error_set_errno(err, errno, "send the zygote its settings");
    return 0;
}

static char *end_text(int status)
{
    if (WIFEXITED(status))
        return mem_format("it exited with code %d", WEXITSTATUS(status));
    return mem_format("signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

/* By SIGKILL, which may be ours, for what was dying; its pid 1, where it has one, ends with a
 * shell's number for that. */
static bool was_killed(int status)
{
    return WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL
                               : WEXITSTATUS(status) == SHELL_SIGNALED + SIGKILL;
}

/* The control socket is at its end: the zygote is dead or dying. Its end comes from itself, so a
 * moment is left to it. */
static void lost(struct zygote_link *link)
{
    AUTO_FREE char *why = NULL;
    int status = 0;

    watch_drop(&link->watch);
    kill(link->pid, SIGKILL);
    if (waitpid(link->pid, &status, 0) == link->pid)
        why = end_text(status);
    link->killed = was_killed(status);
    link->pid = 0;
    /* an import that ends the process is the end of that import alone */
    if (link->module && !link->failure) {
        AUTO_FREE char *end = mem_format("its import ends Python (%s)", why ? why : "it is gone");

        link->events->unfit(link->owner, link->module, end);
    }
    link->events->gone(link->owner, link->failure ? link->failure : why ? why : "it is gone");
}

static void begin_import(struct zygote_link *link, const char *module)
{
    free(link->module);
    link->module = *module ? mem_dup(module) : NULL;
    link->events->importing(link->owner, module);
}

/* `text` is the module, and in a second line the reason. */
static void end_import(struct zygote_link *link, char *text)
{
    char *why = strchr(text, '\n');

    free(mem_steal(&link->module));
    if (why)
        *why++ = '\0';
    link->events->unfit(link->owner, text, why ? why : "it does not fit");
}

static void dispatch(struct zygote_link *link, const struct zygote_message *message, char *text,
                     int *fd)
{
    switch ((enum zygote_message_type)message->type) {
    case ZYGOTE_IMPORTING:
        begin_import(link, text);
        break;
    case ZYGOTE_UNFIT:
        end_import(link, text);
        break;
    case ZYGOTE_READY:
        link->events->ready(link->owner, text);
        break;
    case ZYGOTE_FAILED:
        free(link->failure);
        link->failure = mem_dup(text);
        break;
    case ZYGOTE_FORKED:
        link->events->forked(link->owner, message->id, io_steal(fd));
        break;
    case ZYGOTE_UNABLE:
        link->events->unable(link->owner, message->id, message->status);
        break;
    case ZYGOTE_EXITED:
        link->events->exited(link->owner, message->id, message->status);
        break;
    case ZYGOTE_SETUP:
    case ZYGOTE_FORK:
        break;
    }
}

/* One packet a call: the loop calls again while there is more, and the link may be gone after one.
 */
static void on_control(void *owner, int fd)
{
    struct zygote_link *link = owner;
    AUTO_FREE char *packet = mem_alloc(sizeof(struct zygote_message) + ZYGOTE_TEXT_MAX + 1);
    AUTO_CLOSE int passed = -1;
    struct zygote_message message;
    size_t fds = 0;
    ssize_t got;

    if (fd < 0) {
        lost(link);
        return;
    }
    got = io_receive_fds(fd, packet, sizeof(message) + ZYGOTE_TEXT_MAX, &passed, 1, &fds);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < (ssize_t)sizeof(message)) {
        lost(link);
        return;
    }
    packet[got] = '\0';
    memcpy(&message, packet, sizeof(message));
    dispatch(link, &message, packet + sizeof(message), &passed);
}

struct zygote_link *zygote_start(struct loop *loop, const struct zygote_options *options,
                                 const char *skip, const struct zygote_events *events, void *owner,
                                 struct error **err)
{
    AUTO_CLOSE int ours = -1;
    AUTO_CLOSE int theirs = -1;
    AUTO_FREE char **environment = zygote_environment(options->environment);
    pid_t host = getpid(), pid;
    struct zygote_link *link;
    int pair[2];

    if (access(options->program, X_OK) < 0) {
        error_set_errno(err, errno, "start `%s`", options->program);
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        error_set_errno(err, errno, "make the zygote's socket");
        return NULL;
    }
    ours = pair[0];
    theirs = pair[1];
    if (send_setup(ours, options, skip, err) < 0)
        return NULL;
    pid = fork();
    if (pid == 0)
        become_zygote(options->program, environment, theirs, host);
    if (pid < 0) {
        error_set_errno(err, errno, "fork the zygote");
        return NULL;
    }
    link = mem_alloc(sizeof(*link));
    *link = (struct zygote_link){.control = ours, .pid = pid, .events = events, .owner = owner};
    link->watch = watch_new(loop, io_steal(&ours), on_control, link, err);
    if (!link->watch)
        zygote_drop(&link);
    return link;
}

int zygote_fork(struct zygote_link *link, uint64_t id, int channel, struct error **err)
{
    AUTO_CLOSE int theirs = channel;
    struct zygote_message message = {.type = ZYGOTE_FORK, .id = id};

    if (!link->pid)
        return error_set_errno(err, ECHILD, "ask the zygote for a child");
    if (io_send_fds(link->control, &message, sizeof(message), &theirs, 1) >= 0)
        return 0;
    /* one that is dead hears nothing, and the news of it are on their way */
    if (errno == EAGAIN || errno == EPIPE || errno == ECONNRESET)
        return 1;
    return error_set_errno(err, errno, "ask the zygote for a child");
}

pid_t zygote_pid(const struct zygote_link *link)
{
    return link ? link->pid : 0;
}

bool zygote_was_killed(const struct zygote_link *link)
{
    return link->killed && !link->failure;
}

void zygote_drop(struct zygote_link **link)
{
    struct zygote_link *dropped = *link;

    *link = NULL;
    if (!dropped)
        return;
    watch_drop(&dropped->watch);
    if (dropped->pid > 0) {
        kill(dropped->pid, SIGKILL);
        waitpid(dropped->pid, NULL, 0);
    }
    free(dropped->failure);
    free(dropped->module);
    free(dropped);
}
