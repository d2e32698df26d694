/*
 * Watches the children that run a task: ends one with too many threads, one that has filled its
 * folder, and the largest one before memory runs out for everybody. It looks only while tasks run.
 */
#ifndef HOST_GUARD_H
#define HOST_GUARD_H

struct guard;
struct loop;
struct worker;
struct zygote_options;

/* The children of `list` (the first; linked by `next`) are watched; it is read at each look. Of
 * `options` (borrowed) it needs what a task may write, and where. */
struct guard *guard_new(struct loop *loop, struct worker *const *list,
                        const struct zygote_options *options);
void guard_drop(struct guard **guard);

/* A task has been given to a child: look from now on, until none runs. */
void guard_wake(struct guard *guard);

#endif
