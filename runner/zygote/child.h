/* The child: one task, then gone. */
#ifndef ZYGOTE_CHILD_H
#define ZYGOTE_CHILD_H

#include <stdint.h>
#include <sys/types.h>

struct execution;
struct sandbox;

/*
 * Runs in the forked process: cuts it off from the zygote, puts its walls up, waits for its task on
 * `channel`, runs it and exits. `null_fd` is an open /dev/null; `zygote` the parent's process id;
 * `id` the host's number for this child.
 */
_Noreturn void child_run(uint64_t id, int channel, int null_fd, pid_t zygote,
                         struct sandbox *sandbox, const struct execution *execution);

#endif
