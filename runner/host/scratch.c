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
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"

enum { DEPTH_MAX = 32, BLOCK = 512, PAGE = 4096, NAME_SIZE = 32 };

struct scratch {
    char *path;
    int folder;
};

struct scratch *scratch_new(struct error **err)
{
    const char *place = getenv("TMPDIR");
    AUTO_FREE char *path = mem_format("%s/task-runner-XXXXXX", place && *place ? place : "/tmp");
    struct scratch *scratch;
    int folder;

    if (!mkdtemp(path) || (folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        error_set_errno(err, errno, "make `%s` for N8N_RUNNERS_TASK_TMP_MB", path);
        return NULL;
    }
    scratch = mem_alloc(sizeof(*scratch));
    *scratch = (struct scratch){.path = mem_steal(&path), .folder = folder};
    return scratch;
}

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
