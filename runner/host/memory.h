/*
 * How much memory is left, for the machine and for the cgroup that this process is in, whichever is
 * less. Reads /proc and /sys/fs/cgroup (versions 1 and 2).
 */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <stdbool.h>

struct memory {
    long long left, total; /* bytes; what the kernel can take back counts as left */
};

/* `root` is put before every path: "" but for tests. false when nothing can be read. */
bool memory_read(const char *root, struct memory *memory);

/* So little is left that the largest task must end. */
bool memory_is_short(const struct memory *memory);
/* In how many microseconds it may be short at the soonest, at the speed at which a machine can fill
 * fresh pages; 0 when it is. */
long long memory_short_in(const struct memory *memory);

/* What a process has in memory (bytes) and its threads; false when it can't be read. */
struct process_use {
    long long resident;
    int threads;
};
bool memory_of_process(const char *root, int pid, struct process_use *use);

#endif
