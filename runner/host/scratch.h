/*
 * The tasks' own folders, where the system gives no file system for each: made by the children in a
 * folder of the host's, watched by its guard, and removed with what is in them.
 */
#ifndef HOST_SCRATCH_H
#define HOST_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct scratch;

/* Makes the folder that the tasks' folders come into, in $TMPDIR or /tmp, and removes those that
 * hosts which were killed have left there. NULL with `err`. */
struct scratch *scratch_new(struct error **err);
/* Removes all of it. NULL is fine. */
void scratch_drop(struct scratch **scratch);

/* Its path; the folder of child `id` is `PATH/ID`. */
const char *scratch_path(const struct scratch *scratch);

/* Does the folder of child `id` hold more than `bytes`, or more files than fit in them at a page
 * each, or folders too deep to count? */
bool scratch_exceeds(const struct scratch *scratch, uint64_t id, long long bytes);

/* Removes the folder of child `id`, if it has one. */
void scratch_remove(const struct scratch *scratch, uint64_t id);

#endif
