/* The child: one task, then gone. */
#ifndef ZYGOTE_CHILD_H
#define ZYGOTE_CHILD_H

#include <stdint.h>
#include <sys/types.h>

struct execution;
struct rehearsal;
struct sandbox;
struct zygote_settings;

/* What a child is for. */
struct child_work {
    const struct execution *execution;
    const struct rehearsal *rehearsal;
    const struct zygote_settings *check; /* not NULL: it tries the walls, see probe.h */
};

/*
 * Runs in the forked process: cuts it off from the zygote, puts its walls up, waits for its task on
 * `channel`, runs it and exits. `null_fd` is an open /dev/null; `zygote` the parent's process id;
 * `id` the host's number for this child.
 */
_Noreturn void child_run(uint64_t id, int channel, int null_fd, pid_t zygote,
                         struct sandbox *sandbox, const struct child_work *work);

#endif
