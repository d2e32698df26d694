/*
 * Namespaces of the zygote's own, where the system grants them: users, processes, the network, IPC,
 * the host's name, and mounts with a root that holds what Python needs and nothing else.
 *
 * They are made once; a child is born into them. A pid namespace needs an init: the process that
 * the host started stays outside and waits, its child is pid 1 and reaps, and the zygote is pid 2.
 */
#ifndef ZYGOTE_NAMESPACES_H
#define ZYGOTE_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/*
 * Returns in a process that is in namespaces of its own: 0; or in the calling one, when there are
 * none to be had: -1 with the reason in `err`. The processes in between never return; they end with
 * the zygote, and it with them. The parent-death signal is set anew. Call it before any thread.
 */
int namespaces_enter(bool network, struct error **err);

/*
 * Replaces the root by an empty one with `paths` in it, read-only, and an empty folder where
 * scratch may be mounted. A path that is missing is left out. -1 with `err`: then the root is what
 * it was.
 */
int namespaces_make_root(const char *const *paths, size_t count, struct error **err);

/* Where that is: /tmp, unless one of `paths` is there, which a mount would hide. Static. */
const char *namespaces_scratch_place(const char *const *paths, size_t count);

/* In a child: a file system of its own at `place`, of `bytes` and `files` at the most. -1 with
 * errno. */
int namespaces_mount_scratch(const char *place, size_t bytes, size_t files);

#endif
