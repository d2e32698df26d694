/* See namespaces.h. */
#include "runner/zygote/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/zygote/privileges.h"

/* Linux 5.2 and 5.12; older C libraries have no names for them. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

enum {
    TREE_CLONE = 1,             /* of open_tree() */
    TREE_RECURSIVE = 0x8000,    /* AT_RECURSIVE */
    MOVE_FROM_EMPTY_PATH = 0x4, /* of move_mount() */
    ATTRIBUTE_READ_ONLY = 1,
    ATTRIBUTE_NO_SUID = 2,
    EXIT_NOT_GRANTED = 71, /* of a pid 1 that got namespaces it can't use */
    ROOT_BYTES_MAX = 1 << 20,
    PATHS_MAX = 128,
};

struct attributes {
    uint64_t set, clear, propagation, user_namespace;
};

/* ---- entering ---- */

static int write_text(const char *path, const char *text)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && io_write_all(fd, text, strlen(text)) == 0 ? 0 : -1;
}

/* The only user and group there are, under the numbers that they have outside. */
static int map_ids(uid_t uid, gid_t gid)
{
    char users[64], groups[64];

    snprintf(users, sizeof(users), "%u %u 1", uid, uid);
    snprintf(groups, sizeof(groups), "%u %u 1", gid, gid);
    if (write_text("/proc/self/setgroups", "deny") < 0 ||
        write_text("/proc/self/uid_map", users) < 0)
        return -1;
    return write_text("/proc/self/gid_map", groups);
}

/* Ends with the zygote, and as it ended. */
_Noreturn static void wait_for(pid_t pid)
{
    int status = 0;

    for (;;) {
        pid_t ended = waitpid(-1, &status, 0);

        if (ended == pid || (ended < 0 && errno != EINTR))
            break;
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Pid 1: makes itself at home, and forks the zygote, which returns 0. */
static int become_init(uid_t uid, gid_t gid)
{
    pid_t zygote;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || map_ids(uid, gid) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        _exit(EXIT_NOT_GRANTED);
    zygote = fork();
    if (zygote < 0)
        _exit(EXIT_NOT_GRANTED);
    if (zygote > 0) {
        syscall(SYS_close_range, 3, ~0u, 0);
        privileges_drop(); /* all it does is wait */
        wait_for(zygote);
    }
    return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -1 : 0;
}

int namespaces_enter(bool network, struct error **err)
{
    const uid_t uid = geteuid();
    const gid_t gid = getegid();
    const long flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |
                       (network ? 0 : CLONE_NEWNET) | SIGCHLD;
    /* like fork(), with namespaces; nothing here has handlers for one */
    pid_t init = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    int status = 0;

    if (init == 0)
        return become_init(uid, gid);
    if (init < 0)
        return error_set_errno(err, errno, "make user, pid and mount namespaces");
    while (waitpid(init, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_NOT_GRANTED)
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return error_set(err, "the system gives user namespaces without the right to mount in them");
}

/* ---- the root ---- */

struct source {
    const char *path;
    int tree; /* a detached copy of the mount */
    bool is_folder;
};

static void close_sources(struct source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++)
        io_close(&sources[i].tree);
}

/* Is `path` the folder itself, or below it? */
static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

static bool is_covered(const char *const *paths, size_t count, size_t index)
{
    for (size_t i = 0; i < count; i++)
        if (i != index && is_below(paths[index], paths[i]) &&
            (strcmp(paths[i], paths[index]) != 0 || i < index))
            return true;
    return false;
}

/* Takes a read-only copy of what is at the path; 0 also when nothing is. */
static int take_source(const char *path, struct source *sources, size_t *count, struct error **err)
{
    struct source *source = &sources[*count];
    struct attributes attributes = {.set = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NO_SUID};
    struct stat info;

    if (stat(path, &info) < 0)
        return 0;
    source->path = path;
    source->is_folder = S_ISDIR(info.st_mode);
    source->tree =
        (int)syscall(SYS_open_tree, AT_FDCWD, path, TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);
    if (source->tree < 0)
        return errno == EACCES || errno == ENOENT
                   ? 0
                   : error_set_errno(err, errno, "copy the mount `%s`", path);
    ++*count;
    if (syscall(SYS_mount_setattr, source->tree, "", AT_EMPTY_PATH | TREE_RECURSIVE, &attributes,
                sizeof(attributes)) < 0)
        return error_set_errno(err, errno, "make `%s` read-only", path);
    return 0;
}

/* Makes the folders above `path` (absolute) below `root`. */
static int make_parents(int root, const char *path)
{
    AUTO_FREE char *copy = mem_dup(path + 1);

    for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(root, copy, 0755) < 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return 0;
}

static int place_source(int root, const struct source *source, struct error **err)
{
    const char *inside = source->path + 1;
    AUTO_CLOSE int file = -1;

    if (make_parents(root, source->path) < 0)
        return error_set_errno(err, errno, "make the folders above `%s`", source->path);
    if (source->is_folder) {
        if (mkdirat(root, inside, 0755) < 0 && errno != EEXIST)
            return error_set_errno(err, errno, "make the folder `%s`", source->path);
    } else {
        file = openat(root, inside, O_CREAT | O_RDONLY | O_CLOEXEC, 0444);
        if (file < 0)
            return error_set_errno(err, errno, "make a place for `%s`", source->path);
    }
    if (syscall(SYS_move_mount, source->tree, "", root, inside, MOVE_FROM_EMPTY_PATH) < 0)
        return error_set_errno(err, errno, "mount `%s`", source->path);
    return 0;
}

/* An empty file system somewhere; it becomes the root later. */
static int make_root(struct error **err)
{
    static const char *const places[] = {"/tmp", "/run", "/var", "/usr"};
    char options[64];

    snprintf(options, sizeof(options), "size=%d,mode=0755", ROOT_BYTES_MAX);
    for (size_t i = 0; i < ARRAY_COUNT(places); i++)
        if (mount("tmpfs", places[i], "tmpfs", MS_NOSUID | MS_NODEV, options) == 0)
            return open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
    return error_set_errno(err, errno, "mount an empty root");
}

static bool any_below(const char *folder, const char *const *paths, size_t count)
{
    size_t length = strlen(folder);

    for (size_t i = 0; i < count; i++)
        if (strncmp(paths[i], folder, length) == 0 &&
            (!paths[i][length] || paths[i][length] == '/'))
            return true;
    return false;
}

const char *namespaces_scratch_place(const char *const *paths, size_t count)
{
    static const char *const places[] = {"/tmp", "/scratch", "/task-runner-scratch"};
    size_t i = 0;

    while (i + 1 < ARRAY_COUNT(places) && any_below(places[i], paths, count))
        i++;
    return places[i];
}

static int enter_root(int root, const char *scratch, struct error **err)
{
    struct attributes attributes = {.set = ATTRIBUTE_READ_ONLY};

    if (mkdirat(root, scratch + 1, 0700) < 0 && errno != EEXIST)
        return error_set_errno(err, errno, "make `%s`", scratch);
    /* the old root goes below the new one, which then lies free */
    if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return error_set_errno(err, errno, "change the root");
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return error_set_errno(err, errno, "leave the old root");
    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attributes, sizeof(attributes)) < 0)
        return error_set_errno(err, errno, "make the root read-only");
    return 0;
}

int namespaces_make_root(const char *const *paths, size_t count, struct error **err)
{
    struct source sources[PATHS_MAX];
    size_t taken = 0;
    AUTO_CLOSE int root = -1;
    int made = 0;

    for (size_t i = 0; made == 0 && i < count && taken < PATHS_MAX; i++)
        if (paths[i][0] == '/' && paths[i][1] && !is_covered(paths, count, i))
            made = take_source(paths[i], sources, &taken, err);
    if (made == 0) {
        root = make_root(err);
        made = root < 0 ? -1 : 0;
    }
    for (size_t i = 0; made == 0 && i < taken; i++)
        made = place_source(root, &sources[i], err);
    if (made == 0)
        made = enter_root(root, namespaces_scratch_place(paths, count), err);
    if (made < 0 && root >= 0 && fchdir(root) == 0)
        umount2(".", MNT_DETACH); /* what was below it is there again */
    close_sources(sources, taken);
    return made;
}

int namespaces_mount_scratch(const char *place, size_t bytes, size_t files)
{
    char options[96];

    snprintf(options, sizeof(options), "size=%zu,nr_inodes=%zu,mode=0700", bytes, files);
    if (unshare(CLONE_NEWNS) < 0)
        return -1;
    return mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options);
}
