/*
 * The host: settings in, exit code out.
 *
 * One process, one thread that matters (names are looked up on another), one event loop. It starts
 * the zygote, which forks the children; it holds the only token and the only connection. Signals
 * come as a descriptor: SIGTERM, SIGINT and SIGHUP stop it, SIGCHLD lets it reap strangers when it
 * is process 1 of a container. Only main() prints errors and exits.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pyvenv/venv.h"
#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/check.h"
#include "runner/host/config.h"
#include "runner/host/exec.h"
#include "runner/host/health.h"
#include "runner/host/loop.h"
#include "runner/host/options.h"
#include "runner/host/runner.h"
#include "runner/host/scratch.h"
#include "runner/host/sentry.h"
#include "runner/host/zygote_link.h"

enum { MAPPED_FROM = 256 * 1024 }; /* a block of so many bytes is a mapping of its own */

struct host {
    struct config config;
    struct options options;
    struct zygote_options zygote;
    struct loop *loop;
    struct watch *signals;
    struct timer *log_due;
    struct health *health;
    struct sentry *sentry;
    struct runner *runner;
    struct exec *exec;
    struct check *check;
    struct scratch *scratch;
    char *folder; /* where this program stands */
    char *program;
    const char *invoked_as; /* argv[0] */
    struct venv venv;
    char **environment;
};

static int print_problems(const char *problems)
{
    for (const char *line = problems; *line; line += strspn(line, "\n")) {
        fprintf(stderr, "%.*s\n", (int)strcspn(line, "\n"), line);
        line += strcspn(line, "\n");
    }
    return 1;
}

static const char *environment_variable(void *owner, const char *name)
{
    (void)owner;
    return getenv(name);
}

/* ---- signals ---- */

/* The zygote's end is its link's business; who else ends here was left to us as process 1. */
static void reap_strangers(pid_t zygote)
{
    siginfo_t info = {0};

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid &&
           info.si_pid != zygote) {
        waitpid(info.si_pid, NULL, WNOHANG);
        info = (siginfo_t){0};
    }
}

static void on_signal(void *owner, int fd)
{
    struct host *host = owner;
    struct signalfd_siginfo info;

    while (fd >= 0 && io_read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap_strangers(host->runner  ? runner_zygote(host->runner)
                           : host->exec  ? exec_zygote(host->exec)
                           : host->check ? check_zygote(host->check)
                                         : 0);
        else if (host->runner)
            runner_stop(host->runner);
        else if (host->exec)
            exec_stop(host->exec);
        else
            loop_stop(host->loop);
    }
}

static int watch_signals(struct host *host, struct error **err)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_set_errno(err, errno, "block signals");
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, errno, "make a signal descriptor");
    host->signals = watch_new(host->loop, fd, on_signal, host, err);
    return host->signals ? 0 : -1;
}

/* ---- what others see ---- */

static void on_log_due(void *owner)
{
    struct host *host = owner;
    int64_t next = log_flush(false);

    if (next >= 0)
        timer_set(host->log_due, next - clock_us());
}

static void on_gathered(void *owner, int64_t at_us)
{
    struct host *host = owner;

    timer_set(host->log_due, at_us - clock_us());
}

static const char *problem(void *owner)
{
    const struct host *host = owner;

    return host->runner ? runner_problem(host->runner) : "the runner is leaving";
}

static void metrics(void *owner, struct buf *text)
{
    const struct host *host = owner;

    if (host->runner)
        runner_metrics(host->runner, text);
}

static const struct health_events health_events = {
    .problem = problem,
    .metrics = metrics,
};

/* ---- where things are ---- */

static int find_folder(struct host *host, struct error **err)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (length < 0)
        return error_set_errno(err, errno, "read `/proc/self/exe`");
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    host->folder = mem_dup(path);
    return 0;
}

static int find_venv(struct host *host, struct error **err)
{
    const struct venv_places places = {
        .setting = host->config.venv,
        .program = host->folder,
        .invoked_as = host->invoked_as,
    };
    AUTO_FREE char *text = NULL;

    if (venv_find(&host->venv, &places, err) < 0)
        return -1;
    text = venv_text(&host->venv);
    log_info("Packages for tasks: %s", text);
    if (!host->venv.folder &&
        (host->config.policy.external.all || host->config.policy.external.count))
        log_warn(
            "N8N_RUNNERS_EXTERNAL_ALLOW allows packages, and there is no virtual environment to "
            "have them from: run `make venv`, or name one in N8N_RUNNERS_PYTHON_VENV");
    return 0;
}

static int choose_zygote(struct host *host, struct error **err)
{
    static const char *const sandbox_names[] = {
        [SANDBOX_CHOICE_AUTO] = "auto",
        [SANDBOX_CHOICE_REQUIRE] = "require",
        [SANDBOX_CHOICE_OFF] = "off",
    };

    if (find_folder(host, err) < 0 || find_venv(host, err) < 0)
        return -1;
    if (host->config.task_tmp_mb && !(host->scratch = scratch_new(err)))
        return -1;
    host->program = mem_format("%s/task-runner-zygote", host->folder);
    host->environment = config_child_environment(&host->config, environ);
    host->zygote = (struct zygote_options){
        .program = host->program,
        .environment = host->environment,
        .policy = &host->config.policy,
        .venv = host->venv.folder,
        .env_access = !host->config.block_env_access,
        .sandbox = sandbox_names[host->config.sandbox],
        .network = host->config.network == NETWORK_ALLOW,
        .memory_mb = host->config.task_memory_mb,
        .tmp_mb = host->config.task_tmp_mb,
        .result_max = host->config.max_payload,
        .tasks = host->config.max_concurrency,
        .ahead = host->options.command == COMMAND_SERVE ? host->config.max_concurrency : 0,
        .check = host->options.command == COMMAND_CHECK,
        .scratch = scratch_path(host->scratch),
        .scratch_folder = host->scratch,
    };
    return 0;
}

/* ---- the commands ---- */

static int serve(struct host *host, struct error **err)
{
    const struct config *config = &host->config;

    host->log_due = timer_new(host->loop, on_log_due, host);
    log_gather(on_gathered, host);
    if (config->health_enabled) {
        host->health = health_start(host->loop, config->health_host, config->health_port,
                                    &health_events, host, err);
        if (!host->health)
            return -1;
    }
    host->sentry = sentry_new(host->loop, config);
    host->runner = runner_start(host->loop, config, &host->zygote, host->sentry, err);
    if (!host->runner)
        sentry_report(host->sentry, FAULT_PYTHON_START, error_text(*err));
    return host->runner ? 0 : -1;
}

static enum loop_tls tls_of(const struct host *host)
{
    if (host->options.command != COMMAND_SERVE)
        return LOOP_TLS_NONE;
    if (host->config.broker.tls)
        return LOOP_TLS_NOW;
    return host->config.sentry.uri.tls ? LOOP_TLS_LATER : LOOP_TLS_NONE;
}

/* What a payload took goes back to the system with it. Left to itself, the C library keeps up to
 * twice the largest block that was ever freed, in pieces. */
static void keep_memory_small(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    mallopt(M_TRIM_THRESHOLD, MAPPED_FROM);
#endif
}

static int start(struct host *host, struct error **err)
{
    const struct rlimit no_core = {0, 0};

    keep_memory_small();
    /* tokens are in this process's memory */
    if (setrlimit(RLIMIT_CORE, &no_core) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return error_set_errno(err, errno, "keep this process's memory to itself");
    host->loop = loop_new(tls_of(host), host->config.ca_file, err);
    if (!host->loop || watch_signals(host, err) < 0 || choose_zygote(host, err) < 0)
        return -1;
    if (host->options.command == COMMAND_EXEC) {
        host->exec = exec_start(host->loop, &host->config, &host->zygote, &host->options, err);
        return host->exec ? 0 : -1;
    }
    if (host->options.command == COMMAND_CHECK) {
        host->check = check_start(host->loop, &host->config, &host->zygote, &host->options, err);
        return host->check ? 0 : -1;
    }
    return serve(host, err);
}

/* The runner is done: what is left is to say why, if that is its own fault. The exit code. */
static int leave(struct host *host)
{
    int exit_code = runner_exit_code(host->runner);

    runner_drop(&host->runner);
    sentry_say_goodbye(host->sentry);
    return exit_code;
}

static void clean_up(struct host *host)
{
    runner_drop(&host->runner);
    sentry_drop(&host->sentry);
    exec_drop(&host->exec);
    check_drop(&host->check);
    health_stop(&host->health);
    log_gather_end();
    timer_drop(&host->log_due);
    watch_drop(&host->signals);
    loop_free(host->loop);
    config_free_environment(host->environment);
    scratch_drop(&host->scratch);
    free(host->folder);
    free(host->program);
    venv_free(&host->venv);
    config_free(&host->config);
}

static int run(struct host *host)
{
    AUTO_ERROR struct error *err = NULL;
    AUTO_FREE char *summary = NULL;
    int exit_code = 1;

    log_set_level(host->config.log_level);
    if (host->options.command != COMMAND_SERVE) {
        log_use_stderr();
        log_set_level(host->config.log_level > LOG_LEVEL_WARN ? host->config.log_level
                                                              : LOG_LEVEL_WARN);
    } else {
        summary = config_summary(&host->config);
        log_info("task-runner-python %s: %s", VERSION, summary);
    }
    if (start(host, &err) < 0) {
        log_error("%s", error_text(err));
        sentry_say_goodbye(host->sentry);
        return 1;
    }
    loop_run(host->loop);
    if (host->runner)
        exit_code = leave(host);
    else if (host->exec)
        exit_code = exec_exit_code(host->exec);
    else if (host->check)
        exit_code = check_exit_code(host->check);
    return exit_code;
}

int main(int argc, char **argv)
{
    AUTO_ERROR struct error *err = NULL;
    struct host host = {.invoked_as = argc ? argv[0] : NULL};
    int exit_code;

    if (options_read(&host.options, argc, argv, &err) < 0) {
        fprintf(stderr, "task-runner-python: %s\n", error_text(err));
        return 2;
    }
    if (host.options.command == COMMAND_HELP)
        return fputs(options_help, stdout) < 0;
    if (host.options.command == COMMAND_VERSION)
        return printf("task-runner-python %s\n", VERSION) < 0;
    if (config_load(&host.config, environment_variable, NULL,
                    host.options.command == COMMAND_SERVE ? CONFIG_SERVE : CONFIG_EXEC, &err) < 0)
        return print_problems(error_text(err));
    exit_code = run(&host);
    clean_up(&host);
    return exit_code;
}
