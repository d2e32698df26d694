/*
 * The child: one task, then gone.
 *
 * Its parent is the zygote, which dies with the host; it dies with the zygote. Until the task comes
 * it holds nothing that the zygote did not hold; from then on it is hostile: what it writes to its
 * channel is bytes that the host checks. It ends by _exit(), never by CPython's finalization, and
 * the host kills it by its pidfd when its time is over, whatever it does.
 */
#include <Python.h>

#include "runner/zygote/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"
#include "runner/zygote/channel.h"
#include "runner/zygote/execute.h"
#include "runner/zygote/probe.h"
#include "runner/zygote/rehearsal.h"
#include "runner/zygote/sandbox.h"

enum {
    CHANNEL_FD = 3,
    EXIT_NO_TASK = 0,
    EXIT_NO_WALLS = 70,
    /* Between tasks that follow each other, children wait for less than this. */
    REST_MS = 10,
};

/* The zygote may have died before the signal was asked for: then our parent is another already. */
static void die_with_zygote(pid_t zygote)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != zygote)
        _exit(EXIT_NO_WALLS);
}

static void reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    /* of the zygote's; the others are as the system has them */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Standard descriptors are /dev/null, the channel is 3, and nothing else is open. */
static int own_descriptors(int channel, int null_fd)
{
    for (int fd = 0; fd <= 2; fd++)
        if (dup2(null_fd, fd) < 0)
            return -1;
    if (channel != CHANNEL_FD && dup3(channel, CHANNEL_FD, O_CLOEXEC) < 0)
        return -1;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, CHANNEL_FD + 1, ~0u, 0) == 0)
        return 0;
#endif
    for (long fd = CHANNEL_FD + 1, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
        close((int)fd);
    return 0;
}

/* Within so many milliseconds? Then there is no time to rehearse. */
static bool task_comes(int within_ms)
{
    struct pollfd ready = {.fd = CHANNEL_FD, .events = POLLIN};

    return poll(&ready, 1, within_ms) != 0;
}

/* Most tasks' code is known, and loaded: that first. A child that is not taken at once has the time
 * to be ready for new code, too, and for larger code. */
static void rehearse(const struct rehearsal *rehearsal)
{
    if (task_comes(0))
        return;
    rehearsal_of_known_code(rehearsal);
    if (task_comes(REST_MS))
        return;
    rehearsal_of_new_code(rehearsal);
    rehearsal_of_memory();
}

static void send_probes(const struct sandbox *sandbox, const struct zygote_settings *settings)
{
    AUTO_BUF struct buf json = {0};

    probe_all(&json, sandbox, settings);
    if (!buf_failed(&json))
        channel_send(CHANNEL_FD, FRAME_RESULT, json.data, json.length);
}

/* Its code may come before the task: as text, which is compiled and goes back, or compiled. Without
 * one the error has been sent. */
static int receive_task(const struct child_work *work, struct request *request, PyObject **code)
{
    AUTO_ERROR struct error *err = NULL;

    if (channel_receive(CHANNEL_FD, request, &err) < 0)
        return -1;
    if (request->type == FRAME_SOON) {
        request_free(request);
        rehearsal_of_loading(work->rehearsal);
        if (channel_receive(CHANNEL_FD, request, &err) < 0)
            return -1;
    }
    if (request->type == FRAME_TASK)
        return 0;
    *code = request->type == FRAME_SOURCE ? execute_compile(work->execution, CHANNEL_FD, request)
                                          : execute_load(work->execution, request);
    if (!*code && request->type == FRAME_SOURCE)
        return -1;
    if (channel_receive(CHANNEL_FD, request, &err) < 0)
        return -1;
    return request->type == FRAME_TASK ? 0 : -1;
}

_Noreturn void child_run(uint64_t id, int channel, int null_fd, pid_t zygote,
                         struct sandbox *sandbox, const struct child_work *work)
{
    struct request request = {0};
    PyObject *code = NULL;

    die_with_zygote(zygote);
    setpgid(0, 0);
    prctl(PR_SET_NAME, "runner-task"); /* for who looks at the processes */
    reset_signals();
    /* the walls need a descriptor or two of the zygote's; all of them are closed behind them */
    if (sandbox_enter(sandbox, id) < 0 || own_descriptors(channel, null_fd) < 0)
        _exit(EXIT_NO_WALLS);
    if (!work->check)
        rehearse(work->rehearsal);
    if (receive_task(work, &request, &code) < 0)
        _exit(EXIT_NO_TASK);
    if (work->check)
        send_probes(sandbox, work->check);
    else
        execute_task(work->execution, CHANNEL_FD, sandbox_scratch(sandbox), &request, code);
    _exit(0);
}
