/* The kernel's walls; see sandbox.h. */
#include "runner/zygote/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/frame.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/zygote/landlock.h"
#include "runner/zygote/namespaces.h"
#include "runner/zygote/paths.h"
#include "runner/zygote/privileges.h"
#include "runner/zygote/seccomp.h"
#include "runner/zygote/walls.h"
#include "runner/zygote/warm.h"

#ifndef PR_SET_MDWE /* Linux 6.3 */
#define PR_SET_MDWE 65
#endif

enum {
    MDWE_REFUSE_EXEC_GAIN = 1,
    OPEN_FILES_MAX = 1024,
    SCRATCH_FILE_BYTES = 4096, /* one file, at the least, for this much of a scratch folder */
    TRIAL_NO_SECCOMP = 1,
    TRIAL_NO_LANDLOCK = 2,
};

/* AddressSanitizer maps terabytes and tells about it with calls of its own. */
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN true
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN false
#endif

struct sandbox {
    struct sandbox_options options;
    struct walls walls;
    struct seccomp_program *seccomp;
    const struct paths *paths;
    int landlock; /* the rules of all children; -1: none, or each makes its own */
    int oom;
    size_t address_space; /* RLIMIT_AS, bytes; 0: left as it is */
    char *scratch;        /* of the child, when it has one */
};

/* ---- before Python ---- */

/* Whether the kernel takes the walls is known when a process stands behind them. -1 with `err` when
 * there is none just now. */
static int try_walls(struct sandbox *s, struct error **err)
{
    const struct landlock_options nothing = {.network = false};
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        AUTO_ERROR struct error *ignored = NULL;
        int failed = 0;
        int rules = landlock_version() ? landlock_make(&nothing, &ignored) : -1;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
            _exit(TRIAL_NO_SECCOMP | TRIAL_NO_LANDLOCK);
        if (rules < 0 || landlock_enter(rules) < 0)
            failed |= TRIAL_NO_LANDLOCK;
        if (seccomp_load_program(s->seccomp) < 0)
            failed |= TRIAL_NO_SECCOMP;
        _exit(failed);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return error_set_errno(err, errno, "fork a process to try the walls");
    return WIFEXITED(status) ? WEXITSTATUS(status) : TRIAL_NO_SECCOMP | TRIAL_NO_LANDLOCK;
}

static struct seccomp_program *compile(struct sandbox *s, struct error **err)
{
    const struct seccomp_options options = {
        .network = s->options.network,
        .scratch = s->options.tmp > 0,
        .files_guarded = landlock_version() > 0,
    };

    return seccomp_compile(&options, err);
}

/* What the system does not give is known afterwards. That nothing could be tried is no such news:
 * -1 with `err`. */
static int find_walls(struct sandbox *s, struct error **err)
{
    int missing;

    s->seccomp = compile(s, err);
    missing = s->seccomp ? try_walls(s, err) : -1;
    if (missing < 0)
        return -1;
    if (!(missing & TRIAL_NO_SECCOMP))
        walls_set(&s->walls, WALL_SECCOMP, true, "system calls are a list");
    else
        walls_set(&s->walls, WALL_SECCOMP, false,
                  "the kernel refuses the filter; it needs CONFIG_SECCOMP_FILTER "
                  "and a container profile that allows seccomp");
    if (!(missing & TRIAL_NO_LANDLOCK))
        walls_set(&s->walls, WALL_LANDLOCK, true, "version %d", landlock_version());
    else
        walls_set(&s->walls, WALL_LANDLOCK, false,
                  "the kernel has none (Linux 5.13 with landlock in its "
                  "`lsm=`), or the container's profile refuses its calls");
    return 0;
}

static void enter_namespaces(struct sandbox *s)
{
    AUTO_ERROR struct error *err = NULL;

    if (namespaces_enter(s->options.network, &err) == 0)
        walls_set(&s->walls, WALL_NAMESPACES, true, "user, pid, mount, ipc, uts%s",
                  s->options.network ? "" : ", network");
    else
        walls_set(
            &s->walls, WALL_NAMESPACES, false,
            "%s; a system or container that allows unprivileged user namespaces would give them",
            error_text(err));
}

struct sandbox *sandbox_new(const struct sandbox_options *options, struct error **err)
{
    struct sandbox *s = mem_alloc(sizeof(*s));

    *s = (struct sandbox){.options = *options, .landlock = -1, .oom = -1};
    for (int wall = 0; wall < WALLS; wall++)
        walls_set(&s->walls, (enum wall)wall, false, "N8N_RUNNERS_SANDBOX is `off`");
    oom_set(s->oom = oom_open(), OOM_SCORE_ZYGOTE);
    io_close(&s->oom);
    if (options->mode == SANDBOX_OFF) {
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        return s;
    }
    enter_namespaces(s);
    s->oom = oom_open();
    /* from here on nobody looks in; what needed /proc's consent has it */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    walls_set(&s->walls, WALL_OOM, s->oom >= 0, "%s",
              s->oom >= 0 ? "children first, then the zygote, then the host"
                          : "/proc/self/oom_score_adj can't be written");
    if (find_walls(s, err) < 0)
        return NULL;
    if (options->mode != SANDBOX_REQUIRE ||
        (walls_stand(&s->walls, WALL_SECCOMP) && walls_stand(&s->walls, WALL_LANDLOCK)))
        return s;
    error_set(
        err,
        "N8N_RUNNERS_SANDBOX is `require`, and %s does not stand here: %s. Set it to `auto` to "
        "run with what the system gives",
        walls_stand(&s->walls, WALL_SECCOMP) ? "Landlock" : "seccomp",
        walls_detail(&s->walls,
                     walls_stand(&s->walls, WALL_SECCOMP) ? WALL_LANDLOCK : WALL_SECCOMP));
    return NULL;
}

/* ---- after Python ---- */

static void own_root(struct sandbox *s, const struct paths *paths)
{
    AUTO_ERROR struct error *err = NULL;

    if (WITH_ASAN)
        walls_set(&s->walls, WALL_ROOT, false,
                  "left out with AddressSanitizer, whose leak check needs /proc");
    else if (!walls_stand(&s->walls, WALL_NAMESPACES))
        walls_set(&s->walls, WALL_ROOT, false, "it needs namespaces");
    else if (namespaces_make_root((const char *const *)paths->at, paths->count, &err) == 0)
        walls_set(&s->walls, WALL_ROOT, true,
                  "read-only, with the interpreter and the system's libraries");
    else
        walls_set(&s->walls, WALL_ROOT, false, "%s", error_text(err));
}

static int make_rules(struct sandbox *s, struct error **err)
{
    const struct landlock_options options = {
        .network = s->options.network,
        .readable = (const char *const *)s->paths->at,
        .readable_count = s->paths->count,
        .scratch = s->scratch,
    };

    return landlock_make(&options, err);
}

/* Bytes of address space that this process has mapped. */
static size_t mapped(void)
{
    AUTO_CLOSE int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[128] = "";

    if (fd >= 0)
        (void)!io_read(fd, text, sizeof(text) - 1);
    return strtoul(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* Without a limit of its own a task may map twice what the machine has: that bounds its threads,
 * each of which reserves a stack. */
static void limit_memory(struct sandbox *s, size_t already)
{
    size_t machine = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);

    if (WITH_ASAN || !already) {
        walls_set(&s->walls, WALL_MEMORY, false, "%s",
                  WITH_ASAN ? "left out with AddressSanitizer" : "/proc/self/statm can't be read");
        return;
    }
    s->address_space = already + (s->options.memory ? s->options.memory : 2 * machine);
    if (s->options.memory)
        walls_set(&s->walls, WALL_MEMORY, true, "%zu MB a task", s->options.memory >> 20);
    else
        walls_set(&s->walls, WALL_MEMORY, true,
                  "none of its own: the host ends the largest task before memory "
                  "runs out; N8N_RUNNERS_TASK_MEMORY_MB sets one");
}

static void limit_threads(struct sandbox *s)
{
    if (walls_stand(&s->walls, WALL_NAMESPACES) && geteuid() != 0)
        walls_set(&s->walls, WALL_THREADS, true, "%d a task by the host, and RLIMIT_NPROC",
                  TASK_THREADS_MAX);
    else
        walls_set(&s->walls, WALL_THREADS, true,
                  "%d a task by the host; RLIMIT_NPROC would need namespaces and "
                  "a user other than root",
                  TASK_THREADS_MAX);
}

static void refuse_new_code(struct sandbox *s, bool compiles)
{
    if (compiles)
        walls_set(&s->walls, WALL_NO_NEW_CODE, false, "an allowed package compiles at run time");
    else if (WITH_ASAN)
        walls_set(&s->walls, WALL_NO_NEW_CODE, false, "left out with AddressSanitizer");
    else if (prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) < 0)
        walls_set(&s->walls, WALL_NO_NEW_CODE, false, "it needs Linux 6.3");
    else
        walls_set(&s->walls, WALL_NO_NEW_CODE, true, "memory that was written is never executed");
}

/* A limit that nothing can run under is a mistake that is better said now. */
static int check_memory(const struct sandbox *s, const struct warmed *warmed, struct error **err)
{
    size_t least = warmed->memory_least >> 20;

    if (!s->options.memory || s->options.memory >= warmed->memory_least)
        return 0;
    return error_set(err,
                     "N8N_RUNNERS_TASK_MEMORY_MB is %zu, and %s needs %zu here: set it to %zu or "
                     "more, or to 0 for no limit",
                     s->options.memory >> 20, warmed->memory_needs, least, least);
}

int sandbox_close(struct sandbox *s, const struct paths *paths, const struct warmed *warmed,
                  struct error **err)
{
    size_t already = mapped();

    s->paths = paths;
    if (check_memory(s, warmed, err) < 0)
        return -1;
    if (s->options.mode == SANDBOX_OFF)
        return 0;
    own_root(s, paths);
    if (walls_stand(&s->walls, WALL_LANDLOCK) && !s->options.tmp &&
        (s->landlock = make_rules(s, err)) < 0)
        return -1;
    limit_memory(s, already);
    limit_threads(s);
    refuse_new_code(s, warmed->compiles);
    /* the children mount their scratch folders, and drop what lets them themselves */
    if (!s->options.tmp && privileges_drop() < 0)
        return error_set_errno(err, errno, "drop the zygote's capabilities");
    walls_set(&s->walls, WALL_CAPABILITIES, true, "none");
    return 0;
}

void sandbox_before_fork(struct sandbox *s)
{
    oom_set(s->oom, OOM_SCORE_CHILD);
}

void sandbox_after_fork(struct sandbox *s)
{
    oom_set(s->oom, OOM_SCORE_ZYGOTE);
}

/* ---- in the child ---- */

static int limit(int resource, size_t most)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) < 0)
        return -1;
    if (limit.rlim_max > most)
        limit.rlim_max = most;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit);
}

static int set_limits(const struct sandbox *s)
{
    size_t threads = TASK_THREADS_MAX * (s->options.tasks + 1);

    size_t file = s->options.tmp ? s->options.tmp : s->options.result;

    if (limit(RLIMIT_FSIZE, file) < 0 || limit(RLIMIT_NOFILE, OPEN_FILES_MAX) < 0 ||
        limit(RLIMIT_MEMLOCK, 0) < 0 || limit(RLIMIT_MSGQUEUE, 0) < 0 ||
        limit(RLIMIT_SIGPENDING, OPEN_FILES_MAX) < 0)
        return -1;
    if (s->address_space && limit(RLIMIT_AS, s->address_space) < 0)
        return -1;
    if (walls_stand(&s->walls, WALL_NAMESPACES) && geteuid() != 0)
        return limit(RLIMIT_NPROC, threads);
    return 0;
}

/* A file system of its own, or a folder that the host watches; and rules that know it. */
static int make_scratch(struct sandbox *s, uint64_t id)
{
    AUTO_ERROR struct error *ignored = NULL;

    if (walls_stand(&s->walls, WALL_ROOT)) {
        const char *place =
            namespaces_scratch_place((const char *const *)s->paths->at, s->paths->count);

        if (namespaces_mount_scratch(place, s->options.tmp,
                                     s->options.tmp / SCRATCH_FILE_BYTES + 16) < 0)
            return -1;
        s->scratch = mem_dup(place);
    } else {
        s->scratch = mem_format("%s/%" PRIu64, s->options.scratch, id);
        if (mkdir(s->scratch, 0700) < 0)
            return -1;
    }
    if (!walls_stand(&s->walls, WALL_LANDLOCK))
        return 0;
    s->landlock = make_rules(s, &ignored);
    return s->landlock < 0 ? -1 : 0;
}

const char *sandbox_scratch(const struct sandbox *s)
{
    return s->scratch;
}

int sandbox_enter(struct sandbox *s, uint64_t id)
{
    const struct rlimit no_core = {0, 0};

    if (setrlimit(RLIMIT_CORE, &no_core) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -1;
    if (s->options.tmp && make_scratch(s, id) < 0)
        return -1;
    if (s->options.mode == SANDBOX_OFF)
        return 0;
    if (s->options.tmp && privileges_drop() < 0)
        return -1;
    if (set_limits(s) < 0)
        return -1;
    if (walls_stand(&s->walls, WALL_LANDLOCK) && landlock_enter(s->landlock) < 0)
        return -1;
    return walls_stand(&s->walls, WALL_SECCOMP) ? seccomp_load_program(s->seccomp) : 0;
}

void sandbox_say(const struct sandbox *s, struct buf *line)
{
    walls_say(&s->walls, line);
}

void sandbox_list(const struct sandbox *s, struct buf *json)
{
    walls_list(&s->walls, json);
}
