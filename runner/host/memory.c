/* See memory.h. */
#include "runner/host/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

enum {
    FILE_MAX = 64 * 1024,
    KB = 1024,
    SHORT_PART = 16, /* short when a sixteenth is left, but no sooner and no later than this: */
    FILLED_PER_US = 2000, /* bytes: 2 GB a second, all processors together */
};
static const long long short_least = 16LL << 20, short_most = 512LL << 20;

/* The file's text, or NULL; free(). */
static char *read_text(const char *root, const char *path)
{
    AUTO_FREE char *full = mem_format("%s%s", root, path);
    AUTO_ERROR struct error *ignored = NULL;
    AUTO_BUF struct buf content = {0};

    if (io_read_file(full, FILE_MAX, &content, &ignored) < 0)
        return NULL;
    buf_add_char(&content, '\0');
    return buf_failed(&content) ? NULL : buf_steal(&content).data;
}

/* The number behind `key` at the start of a line; -1 when there is none. */
static long long field(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0)
            return strtoll(line + length, NULL, 10);
    }
    return -1;
}

/* A file that holds one number; -1 for none, and for the `max` that stands for no limit. */
static long long number_in(const char *root, const char *folder, const char *file)
{
    AUTO_FREE char *path = mem_format("%s/%s", folder, file);
    AUTO_FREE char *text = read_text(root, path);

    return text && *text >= '0' && *text <= '9' ? strtoll(text, NULL, 10) : -1;
}

struct names {
    const char *limit, *used, *cache;
};

/* Takes the limit of one cgroup into account. */
static void consider(const char *root, const char *folder, const struct names *names,
                     struct memory *memory)
{
    AUTO_FREE char *path = mem_format("%s/memory.stat", folder);
    AUTO_FREE char *stat = read_text(root, path);
    long long limit = number_in(root, folder, names->limit);
    long long used = number_in(root, folder, names->used);
    long long cache = stat ? field(stat, names->cache) : -1;

    /* version 1 writes "no limit" as a number larger than any machine */
    if (limit <= 0 || used < 0 || limit >= LLONG_MAX / 2)
        return;
    used -= cache > 0 ? cache : 0;
    if (memory->left < 0 || limit - used < memory->left) {
        memory->left = limit > used ? limit - used : 0;
        memory->total = limit;
    }
}

/* The cgroup's folder and all above it: each may have a limit. */
static void consider_all(const char *root, const char *mount, const char *group, size_t length,
                         const struct names *names, struct memory *memory)
{
    AUTO_FREE char *folder = mem_format("%s%.*s", mount, (int)length, group);
    size_t base = strlen(mount);

    for (;;) {
        char *slash;

        while (strlen(folder) > base && folder[strlen(folder) - 1] == '/')
            folder[strlen(folder) - 1] = '\0';
        consider(root, folder, names, memory);
        slash = strlen(folder) > base ? strrchr(folder, '/') : NULL;
        if (!slash)
            return;
        *slash = '\0';
    }
}

static void consider_cgroups(const char *root, struct memory *memory)
{
    static const struct names version_2 = {"memory.max", "memory.current", "inactive_file "};
    static const struct names version_1 = {"memory.limit_in_bytes", "memory.usage_in_bytes",
                                           "total_inactive_file "};
    AUTO_FREE char *groups = read_text(root, "/proc/self/cgroup");

    for (char *line = groups; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        char *controllers = memchr(line, ':', length);
        char *path = controllers
                         ? memchr(controllers + 1, ':', length - (size_t)(controllers + 1 - line))
                         : NULL;

        if (!path)
            continue;
        path++;
        length -= (size_t)(path - line);
        if (controllers + 2 == path)
            consider_all(root, "/sys/fs/cgroup", path, length, &version_2, memory);
        else if (strncmp(controllers, ":memory:", 8) == 0)
            consider_all(root, "/sys/fs/cgroup/memory", path, length, &version_1, memory);
    }
}

bool memory_read(const char *root, struct memory *memory)
{
    AUTO_FREE char *machine = read_text(root, "/proc/meminfo");
    long long available = machine ? field(machine, "MemAvailable:") : -1;

    *memory = (struct memory){-1, -1};
    if (available >= 0) {
        memory->left = available * KB;
        memory->total = field(machine, "MemTotal:") * KB;
    }
    consider_cgroups(root, memory);
    return memory->left >= 0 && memory->total > 0;
}

static long long reserve(const struct memory *memory)
{
    long long part = memory->total / SHORT_PART;

    return part < short_least ? short_least : part > short_most ? short_most : part;
}

bool memory_is_short(const struct memory *memory)
{
    return memory->left < reserve(memory);
}

long long memory_short_in(const struct memory *memory)
{
    long long above = memory->left - reserve(memory);

    return above > 0 ? above / FILLED_PER_US : 0;
}

bool memory_of_process(const char *root, int pid, struct process_use *use)
{
    AUTO_FREE char *path = mem_format("/proc/%d/status", pid);
    AUTO_FREE char *text = read_text(root, path);
    long long resident = text ? field(text, "VmRSS:") : -1;

    if (resident < 0)
        return false;
    use->resident = resident * KB;
    use->threads = (int)field(text, "Threads:");
    return true;
}
