/* See scratch.h. What lies in a task's folder is of a hostile making: links are not followed, and
 * no depth is too great. */
#include "runner/host/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"

enum { DEPTH_MAX = 32, BLOCK = 512, PAGE = 4096, NAME_SIZE = 32, ATTEMPTS = 3 };

/* A folder's name, in $TMPDIR; of chance are six letters. */
#define PREFIX "task-runner-scratch-"
#define CHANCE "XXXXXX"

struct scratch {
    char *path;
    int folder;
};

const char *scratch_path(const struct scratch *scratch)
{
    return scratch ? scratch->path : "";
}

static void name_of(uint64_t id, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%" PRIu64, id);
}

static bool is_self_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The stream owns the descriptor, also when there is no stream. */
static DIR *list(int folder)
{
    DIR *stream = folder >= 0 ? fdopendir(folder) : NULL;

    if (!stream)
        io_close(&folder);
    return stream;
}

static int open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- how much there is ---- */

/* Takes what the folder holds off `*bytes`, a page at the least for each entry. Stops below 0. */
static void take_off(int folder, int depth, long long *bytes)
{
    DIR *stream = list(folder);
    struct dirent *entry;

    if (depth > DEPTH_MAX)
        *bytes = -1;
    while (stream && *bytes >= 0 && (entry = readdir(stream))) {
        struct stat info;

        if (is_self_or_parent(entry->d_name) ||
            fstatat(dirfd(stream), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        *bytes -=
            (long long)info.st_blocks * BLOCK > PAGE ? (long long)info.st_blocks * BLOCK : PAGE;
        if (S_ISDIR(info.st_mode) && *bytes >= 0)
            take_off(open_folder(dirfd(stream), entry->d_name), depth + 1, bytes);
    }
    if (stream)
        closedir(stream);
}

bool scratch_exceeds(const struct scratch *scratch, uint64_t id, long long bytes)
{
    char name[NAME_SIZE];
    long long left = bytes;

    name_of(id, name);
    take_off(open_folder(scratch->folder, name), 0, &left);
    return left < 0;
}

/* ---- removal ---- */

/* Empties `name` in `top`: what is deeper is moved up into `top`, so that depth costs nothing. */
static void lift(int top, const char *name, unsigned long *lifted)
{
    DIR *stream;
    struct dirent *entry;

    (void)!fchmodat(top, name, S_IRWXU, 0);
    stream = list(open_folder(top, name));
    while (stream && (entry = readdir(stream))) {
        char place[NAME_SIZE];

        if (is_self_or_parent(entry->d_name) || unlinkat(dirfd(stream), entry->d_name, 0) == 0 ||
            unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR) == 0)
            continue;
        (void)!fchmodat(dirfd(stream), entry->d_name, S_IRWXU, 0);
        snprintf(place, sizeof(place), ".lifted-%lu", (*lifted)++);
        renameat(dirfd(stream), entry->d_name, top, place);
    }
    if (stream)
        closedir(stream);
    unlinkat(top, name, AT_REMOVEDIR);
}

/* Removes all that is in the folder; gives up on what can't be removed. */
static void empty(int folder)
{
    unsigned long lifted = 0, before;

    do {
        DIR *stream = list(open_folder(folder, "."));
        struct dirent *entry;

        before = lifted;
        while (stream && (entry = readdir(stream)))
            if (!is_self_or_parent(entry->d_name) && unlinkat(folder, entry->d_name, 0) < 0)
                lift(folder, entry->d_name, &lifted);
        if (stream)
            closedir(stream);
    } while (lifted != before);
}

void scratch_remove(const struct scratch *scratch, uint64_t id)
{
    char name[NAME_SIZE];
    AUTO_CLOSE int folder = -1;

    name_of(id, name);
    folder = open_folder(scratch->folder, name);
    if (folder < 0)
        return;
    empty(folder);
    if (unlinkat(scratch->folder, name, AT_REMOVEDIR) < 0)
        log_warn("`%s/%s`, a task's folder, can't be removed: %s", scratch->path, name,
                 strerror(errno));
}

/* ---- the whole of it ---- */

/* Who has a folder holds it as long as it lives; on a file system without locks nobody can tell. */
static bool hold(int folder)
{
    return flock(folder, LOCK_EX | LOCK_NB) == 0;
}

static bool is_ours(int place, const char *name)
{
    struct stat info;

    return strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
           strlen(name) == strlen(PREFIX) + strlen(CHANCE) &&
           fstatat(place, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode) &&
           info.st_uid == geteuid() && (info.st_mode & 07777) == 0700;
}

/* What hosts that were killed by force have left: nobody holds it any more. */
static void remove_abandoned(const char *path)
{
    DIR *place = list(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;

    while (place && (entry = readdir(place))) {
        AUTO_CLOSE int folder = -1;

        if (is_ours(dirfd(place), entry->d_name))
            folder = open_folder(dirfd(place), entry->d_name);
        if (folder < 0 || !hold(folder))
            continue;
        empty(folder);
        unlinkat(dirfd(place), entry->d_name, AT_REMOVEDIR);
    }
    if (place)
        closedir(place);
}

/* -1 when it can't be made, or another host, at its start, takes it for an abandoned one. */
static int make(char *path)
{
    AUTO_CLOSE int folder = mkdtemp(path) ? open_folder(AT_FDCWD, path) : -1;
    struct stat info;

    if (folder < 0 || (!hold(folder) && errno == EWOULDBLOCK) || fstat(folder, &info) < 0 ||
        !info.st_nlink)
        return -1;
    return io_steal(&folder);
}

struct scratch *scratch_new(struct error **err)
{
    const char *setting = getenv("TMPDIR"), *place = setting && *setting ? setting : "/tmp";
    AUTO_FREE char *path = NULL;
    struct scratch *scratch;
    int folder = -1;

    remove_abandoned(place);
    for (int attempt = 0; attempt < ATTEMPTS && folder < 0; attempt++) {
        free(path);
        path = mem_format("%s/%s%s", place, PREFIX, CHANCE);
        folder = make(path);
    }
    if (folder < 0) {
        error_set_errno(err, errno, "make `%s` for N8N_RUNNERS_TASK_TMP_MB", path);
        return NULL;
    }
    scratch = mem_alloc(sizeof(*scratch));
    *scratch = (struct scratch){.path = mem_steal(&path), .folder = folder};
    return scratch;
}

void scratch_drop(struct scratch **scratch)
{
    struct scratch *dropped = mem_steal(scratch);

    if (!dropped)
        return;
    empty(dropped->folder);
    rmdir(dropped->path);
    io_close(&dropped->folder);
    free(dropped->path);
    free(dropped);
}
